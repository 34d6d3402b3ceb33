//! Service state: the condition of a service in one word.

use std::cmp::Ordering;

use crate::fleet::model::snapshot::Service;

/// The condition of a service. The first line that fits decides:
///
/// | state | when |
/// |---|---|
/// | failing | the rollout has failed |
/// | stopped | no task is desired and none runs |
/// | deploying | more than one task set stands, and as many run as desired, or more |
/// | healthy | as many run as desired, and none is pending |
/// | starting | as many run as desired, but some are pending |
/// | starting | fewer run than desired, and some are pending or a rollout is in progress |
/// | short | fewer run than desired |
/// | starting | more run than desired, and a rollout is in progress |
/// | draining | more run than desired |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ServiceState {
    Healthy,
    Starting,
    Draining,
    Deploying,
    Short,
    Failing,
    Stopped,
}

impl ServiceState {
    /// The state of `service`.
    #[must_use]
    pub fn of(service: &Service) -> Self {
        let (running, desired) = (service.running_count, service.desired_count);
        let pending = service.pending_count > 0;
        let rolling = rollout_is(service, "IN_PROGRESS");
        if rollout_is(service, "FAILED") {
            return Self::Failing;
        }
        match running.cmp(&desired) {
            Ordering::Equal if desired == 0 => Self::Stopped,
            // Both colours of a blue/green deployment run in full until traffic has moved.
            Ordering::Equal | Ordering::Greater if service.task_sets > 1 => Self::Deploying,
            Ordering::Equal if pending => Self::Starting,
            Ordering::Equal => Self::Healthy,
            _ if rolling => Self::Starting,
            Ordering::Less if pending => Self::Starting,
            Ordering::Less => Self::Short,
            Ordering::Greater => Self::Draining,
        }
    }

    /// The state in lower case, as every format writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Starting => "starting",
            Self::Draining => "draining",
            Self::Deploying => "deploying",
            Self::Short => "short",
            Self::Failing => "failing",
            Self::Stopped => "stopped",
        }
    }
}

/// Whether the number of running tasks differs from the desired one, or the rollout has failed.
/// More running tasks than desired are no fault while several task sets stand. This is the rule of
/// `unhealthy=true`.
#[must_use]
pub fn is_unhealthy(service: &Service) -> bool {
    match ServiceState::of(service) {
        ServiceState::Deploying => false,
        ServiceState::Failing => true,
        _ => service.running_count != service.desired_count,
    }
}

fn rollout_is(service: &Service, state: &str) -> bool {
    service.rollout_state.as_deref() == Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::model::snapshot::Status;

    #[test]
    fn the_state_follows_every_line_of_the_table() {
        let (failed, rolling, done) = (Some("FAILED"), Some("IN_PROGRESS"), Some("COMPLETED"));
        for (running, desired, pending, rollout, task_sets, word, unhealthy) in [
            (1, 1, 0, failed, 0, "failing", true),
            (0, 0, 0, failed, 0, "failing", true),
            (0, 0, 0, done, 0, "stopped", false),
            (0, 0, 1, rolling, 0, "stopped", false),
            (2, 2, 0, done, 0, "healthy", false),
            (2, 2, 0, rolling, 0, "healthy", false),
            (2, 2, 0, None, 0, "healthy", false),
            (2, 2, 1, done, 0, "starting", false),
            (1, 2, 1, done, 0, "starting", true),
            (1, 2, 0, rolling, 0, "starting", true),
            (1, 2, 0, done, 0, "short", true),
            (0, 2, 0, None, 0, "short", true),
            (3, 2, 0, rolling, 0, "starting", true),
            (3, 2, 0, done, 0, "draining", true),
            (1, 0, 1, None, 0, "draining", true),
            (2, 2, 0, None, 1, "healthy", false),
            (3, 2, 0, None, 1, "draining", true),
            (4, 2, 0, None, 2, "deploying", false),
            (2, 2, 1, None, 2, "deploying", false),
            (2, 0, 0, None, 3, "deploying", false),
            (1, 2, 1, None, 2, "starting", true),
            (1, 2, 0, None, 2, "short", true),
            (0, 0, 0, None, 2, "stopped", false),
            (4, 2, 0, failed, 2, "failing", true),
        ] {
            let service = Service {
                service_name: "api".into(),
                status: Status::Active,
                capacity_providers: Vec::new(),
                rollout_state: rollout.map(str::to_owned),
                desired_count: desired,
                running_count: running,
                pending_count: pending,
                tags: crate::fleet::model::snapshot::Tags::new(),
                task_sets,
            };
            let found = (ServiceState::of(&service).as_str(), is_unhealthy(&service));
            assert_eq!(found, (word, unhealthy), "{service:?}");
        }
    }
}
