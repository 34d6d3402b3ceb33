//! Service state: the condition of a service in one word.

use std::cmp::Ordering;

use crate::fleet::model::snapshot::Service;

/// The condition of a service. The first line that fits decides:
///
/// | state | when |
/// |---|---|
/// | failing | the rollout has failed |
/// | stopped | no task is desired and none runs |
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
            Self::Short => "short",
            Self::Failing => "failing",
            Self::Stopped => "stopped",
        }
    }
}

/// Whether the number of running tasks differs from the desired one, or the rollout has failed.
/// This is the rule of `unhealthy=true`.
#[must_use]
pub fn is_unhealthy(service: &Service) -> bool {
    service.running_count != service.desired_count || rollout_is(service, "FAILED")
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
        for (running, desired, pending, rollout, word, unhealthy) in [
            (1, 1, 0, failed, "failing", true),
            (0, 0, 0, failed, "failing", true),
            (0, 0, 0, done, "stopped", false),
            (0, 0, 1, rolling, "stopped", false),
            (2, 2, 0, done, "healthy", false),
            (2, 2, 0, rolling, "healthy", false),
            (2, 2, 0, None, "healthy", false),
            (2, 2, 1, done, "starting", false),
            (1, 2, 1, done, "starting", true),
            (1, 2, 0, rolling, "starting", true),
            (1, 2, 0, done, "short", true),
            (0, 2, 0, None, "short", true),
            (3, 2, 0, rolling, "starting", true),
            (3, 2, 0, done, "draining", true),
            (1, 0, 1, None, "draining", true),
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
            };
            let found = (ServiceState::of(&service).as_str(), is_unhealthy(&service));
            assert_eq!(found, (word, unhealthy), "{service:?}");
        }
    }
}
