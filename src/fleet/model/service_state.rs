//! Service state: the condition of a service in one word.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::fleet::model::deployment::{Deployment, RolloutState};
use crate::fleet::model::reason::Told;
use crate::time::since;

/// The condition of a service. The first line that fits decides:
///
/// | state | when | unhealthy |
/// |---|---|---|
/// | failing | the PRIMARY deployment is FAILED, or `IN_PROGRESS` with failed tasks | yes |
/// | rolling-back | it is `IN_PROGRESS`, and another deployment is FAILED | yes |
/// | stuck | it is `IN_PROGRESS` for longer than `STUCK_AFTER`, and runs fewer tasks than it should | yes |
/// | stopped | no task is desired and none runs | no |
/// | deploying | a rollout is in progress, and as many run as desired, or more | no |
/// | starting | fewer run than desired, and some are pending or a rollout is in progress | yes |
/// | short | fewer run than desired | yes |
/// | draining | more run than desired | yes |
/// | healthy | as many run as desired | no |
///
/// A rollout is in progress also while a service has more than one task set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum ServiceState {
    Failing,
    RollingBack,
    Stuck,
    Stopped,
    Deploying,
    Starting,
    Short,
    Draining,
    #[default]
    Healthy,
}

/// What the state of a service depends on.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Rollout<'a> {
    pub desired_count: u32,
    pub running_count: u32,
    pub pending_count: u32,
    /// All deployments, or the task sets, the PRIMARY one first.
    pub deployments: &'a [Deployment],
    /// The number of task sets, which services of the deployment controllers `CODE_DEPLOY` and
    /// `EXTERNAL` have in place of deployments.
    pub task_sets: usize,
    /// What the events of the service tell.
    pub told: &'a Told,
}

/// The moment as of which states are told, and what they depend on besides the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The time at which the sweep ended.
    pub now: SystemTime,
    /// The time after which a rollout that does not end is stuck.
    pub stuck_after: Duration,
}

impl ServiceState {
    /// All states, in the order of their table.
    pub const ALL: [Self; 9] = [
        Self::Failing,
        Self::RollingBack,
        Self::Stuck,
        Self::Stopped,
        Self::Deploying,
        Self::Starting,
        Self::Short,
        Self::Draining,
        Self::Healthy,
    ];

    /// The state of a service.
    #[must_use]
    pub fn of(rollout: Rollout<'_>, as_of: AsOf) -> Self {
        let (running, desired) = (rollout.running_count, rollout.desired_count);
        let primary = rollout.deployments.first().filter(|d| d.is_primary());
        if let Some(primary) = primary {
            if primary.is(RolloutState::Failed) {
                return Self::Failing;
            }
            if primary.is(RolloutState::InProgress) {
                let mut others = rollout.deployments.iter().skip(1);
                if primary.failed_tasks > Some(0) {
                    return Self::Failing;
                }
                if others.any(|d| d.is(RolloutState::Failed)) {
                    return Self::RollingBack;
                }
                if is_stuck(primary, desired, rollout.told, as_of) {
                    return Self::Stuck;
                }
            }
        }
        let is_rolling =
            rollout.task_sets > 1 || primary.is_some_and(|d| d.is(RolloutState::InProgress));
        if desired == 0 && running == 0 {
            Self::Stopped
        } else if is_rolling && running >= desired {
            Self::Deploying
        } else if running < desired && (is_rolling || rollout.pending_count > 0) {
            Self::Starting
        } else if running < desired {
            Self::Short
        } else if running > desired {
            Self::Draining
        } else {
            Self::Healthy
        }
    }

    /// The state in lower case, as every format writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::RollingBack => "rolling-back",
            Self::Stuck => "stuck",
            Self::Stopped => "stopped",
            Self::Deploying => "deploying",
            Self::Starting => "starting",
            Self::Short => "short",
            Self::Draining => "draining",
            Self::Healthy => "healthy",
        }
    }

    /// The state that [`Self::as_str`] writes as `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether the service is not as it should be. This is the rule of `unhealthy=true`.
    #[must_use]
    pub fn is_unhealthy(self) -> bool {
        match self {
            Self::Failing
            | Self::RollingBack
            | Self::Stuck
            | Self::Starting
            | Self::Short
            | Self::Draining => true,
            Self::Stopped | Self::Deploying | Self::Healthy => false,
        }
    }
}

/// Whether a rollout in progress takes too long. ECS says that a new deployment should run no tasks at
/// first; the service's own count is what it should run in the end.
fn is_stuck(primary: &Deployment, desired: u32, told: &Told, as_of: AsOf) -> bool {
    let should_run = primary.desired_count.unwrap_or(0).max(desired);
    let is_old = primary.created_at.is_some_and(|created| {
        since(told.in_progress_since(created), as_of.now) > as_of.stuck_after
    });
    is_old
        && primary
            .running_count
            .is_some_and(|running| running < should_run)
}
