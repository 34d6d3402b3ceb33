//! Reason: why a service does not run as it should, in one word of this crate's own. The words are
//! read from the messages of ECS (Amazon ECS Developer Guide, "Service event messages" and "Stopped
//! tasks error codes"); nothing of their text is kept.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::aws::ecs::{ROLLBACK_SHOWN, ServiceEvent};
use crate::fleet::model::deployment::{Deployment, RolloutState};
use crate::fleet::model::search::contains;
use crate::time::since;

/// Why a service does not run as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// A container image cannot be pulled.
    ImagePull,
    /// A role lacks a permission, or cannot be assumed.
    Permissions,
    /// There is no room for a task: no capacity, no addresses, or a quota is used up.
    PlacementCapacity,
    /// A rule of the service or of the task forbids what would have to be done.
    PlacementConstraint,
    /// Tasks fail their health checks.
    HealthCheck,
    /// Tasks do not start, for any other reason.
    StartFailed,
    /// AWS throttles what ECS does for the service.
    Throttled,
    /// The rollout has failed.
    DeploymentFailed,
    /// The service was rolled back to the version of before.
    RolledBack,
    /// None of the others, as far as ECS tells.
    Other,
}

impl Reason {
    /// All reasons, in the order of their description.
    pub const ALL: [Self; 10] = [
        Self::ImagePull,
        Self::Permissions,
        Self::PlacementCapacity,
        Self::PlacementConstraint,
        Self::HealthCheck,
        Self::StartFailed,
        Self::Throttled,
        Self::DeploymentFailed,
        Self::RolledBack,
        Self::Other,
    ];

    /// The word for it, as every format writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImagePull => "image-pull",
            Self::Permissions => "permissions",
            Self::PlacementCapacity => "placement-capacity",
            Self::PlacementConstraint => "placement-constraint",
            Self::HealthCheck => "health-check",
            Self::StartFailed => "start-failed",
            Self::Throttled => "throttled",
            Self::DeploymentFailed => "deployment-failed",
            Self::RolledBack => "rolled-back",
            Self::Other => "other",
        }
    }

    /// Whether it is a cause, and not the consequence of one.
    fn is_cause(self) -> bool {
        !matches!(
            self,
            Self::DeploymentFailed | Self::RolledBack | Self::Other
        )
    }

    /// The reason of a service, as of `now`. For one that is healthy: that it was rolled back within the
    /// last day, and has not been deployed since.
    #[must_use]
    pub fn of(
        is_unhealthy: bool,
        deployments: &[Deployment],
        told: &Told,
        now: SystemTime,
    ) -> Option<Self> {
        if !is_unhealthy {
            let deployed_at = deployments.first()?.created_at?;
            let rolled_back_at = told.rolled_back_at.filter(|at| *at > deployed_at)?;
            return (since(rolled_back_at, now) <= ROLLBACK_SHOWN).then_some(Self::RolledBack);
        }
        let has_failed = deployments.iter().any(|d| d.is(RolloutState::Failed));
        let by_deployments = has_failed.then_some(Self::DeploymentFailed);
        told.reason.or(by_deployments).or(Some(Self::Other))
    }
}

/// Messages that say that all is well; what was before them is over.
const STEADY: [&str; 2] = ["has reached a steady state", "deployment completed"];

/// Starts of messages about the ordinary coming and going of tasks, which say nothing else.
const ORDINARY: [&str; 6] = [
    "has started ",
    "has stopped ",
    "has begun draining",
    "registered ",
    "deregistered ",
    "updated computedDesiredCount",
];

/// What a message is about, by a part of it. The first that fits decides. A name in a message, such as
/// that of an image or a role, has neither a space nor a bracket in it and is not in capitals, so that
/// it cannot be taken for one of these.
const PATTERNS: [(&str, Reason); 62] = [
    // Causes. A missing permission comes before what it prevents.
    ("not authorized to perform", Reason::Permissions),
    ("AccessDeniedException", Reason::Permissions),
    ("AccessDenied: ", Reason::Permissions),
    ("UnauthorizedOperation", Reason::Permissions),
    ("unable to assume the role", Reason::Permissions),
    ("unable to assume role", Reason::Permissions),
    ("access denied by server", Reason::Permissions),
    (
        "policies have been misconfigured or changed",
        Reason::Permissions,
    ),
    ("IAM trust relationship", Reason::Permissions),
    ("CannotPull", Reason::ImagePull),
    ("pull image manifest has been retried", Reason::ImagePull),
    ("ref pull has been retried", Reason::ImagePull),
    ("pull command failed", Reason::ImagePull),
    ("pull access denied", Reason::ImagePull),
    ("pull rate limit", Reason::ImagePull),
    ("toomanyrequests: ", Reason::ImagePull),
    ("manifest unknown", Reason::ImagePull),
    (
        "does not contain descriptor matching platform",
        Reason::ImagePull,
    ),
    ("failed to resolve ref", Reason::ImagePull),
    ("operations are being throttled", Reason::Throttled),
    ("ThrottlingException", Reason::Throttled),
    ("Rate exceeded", Reason::Throttled),
    (
        "Capacity is unavailable at this time",
        Reason::PlacementCapacity,
    ),
    ("EMPTY CAPACITY PROVIDER", Reason::PlacementCapacity),
    ("RESOURCE:", Reason::PlacementCapacity),
    (
        "reached the limit on the number of",
        Reason::PlacementCapacity,
    ),
    (
        "configuration is above your limit",
        Reason::PlacementCapacity,
    ),
    ("has insufficient ", Reason::PlacementCapacity),
    (
        "already using a port required by your task",
        Reason::PlacementCapacity,
    ),
    (
        "No Container Instances were found",
        Reason::PlacementCapacity,
    ),
    ("enough free addresses", Reason::PlacementCapacity),
    ("InsufficientFreeAddresses", Reason::PlacementCapacity),
    ("NetworkInterfaceLimitExceeded", Reason::PlacementCapacity),
    ("Spot Task was interrupted", Reason::PlacementCapacity),
    (
        "Unable to launch instance(s) for capacity provider",
        Reason::PlacementCapacity,
    ),
    (
        "is missing an attribute required by your task",
        Reason::PlacementConstraint,
    ),
    ("TaskFailedToStart: ATTRIBUTE", Reason::PlacementConstraint),
    (
        "because of the service deployment configuration",
        Reason::PlacementConstraint,
    ),
    ("placement constraint", Reason::PlacementConstraint),
    ("unable to scale in", Reason::PlacementConstraint),
    // Without a word on what is missing, it is most likely room.
    (
        "no container instance met all of its requirements",
        Reason::PlacementCapacity,
    ),
    ("failed container health checks", Reason::HealthCheck),
    ("failed ELB health checks", Reason::HealthCheck),
    ("is unhealthy in ", Reason::HealthCheck),
    ("Health checks failed", Reason::HealthCheck),
    ("ResourceInitializationError", Reason::StartFailed),
    ("CannotStartContainer", Reason::StartFailed),
    ("CannotCreate", Reason::StartFailed),
    ("CannotInspectContainer", Reason::StartFailed),
    ("ContainerRuntime", Reason::StartFailed),
    ("DockerTimeoutError", Reason::StartFailed),
    ("OutOfMemory", Reason::StartFailed),
    ("ssential container in task exited", Reason::StartFailed),
    ("Timeout waiting for ", Reason::StartFailed),
    ("TaskFailedToStart", Reason::StartFailed),
    ("failed to launch a task with ", Reason::StartFailed),
    ("failed to register targets in ", Reason::StartFailed),
    ("unable to consistently start tasks", Reason::StartFailed),
    // Consequences.
    ("rolling back to ", Reason::RolledBack),
    ("deployment failed", Reason::DeploymentFailed),
    ("deployment circuit breaker", Reason::DeploymentFailed),
    ("failed circuit breaker", Reason::DeploymentFailed),
];

/// The part of a message that is examined, in bytes: what AWS has to say comes first.
const EXAMINED: usize = 2_048;

/// The meaning of a message of ECS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The service runs as it should.
    Steady,
    /// Something does not run as it should.
    Wrong(Reason),
    /// Nothing that is known here.
    Unknown,
}

/// The meaning of the message of an event.
#[must_use]
pub fn meaning(message: &str) -> Meaning {
    let message = without_service(message.trim_start());
    if ORDINARY.iter().any(|start| message.starts_with(start)) {
        return Meaning::Unknown;
    }
    let bytes = message.as_bytes();
    let bytes = bytes.get(..EXAMINED).unwrap_or(bytes);
    if STEADY.iter().any(|part| contains(bytes, part)) {
        return Meaning::Steady;
    }
    let mut patterns = PATTERNS.iter();
    let found = patterns.find(|(part, _)| contains(bytes, part));
    found.map_or(Meaning::Unknown, |(_, reason)| Meaning::Wrong(*reason))
}

/// The message without the name of its service, which may be any word: `(service NAME) `, `(service
/// NAME, taskSet ID) ` or, in older messages, `service NAME `.
fn without_service(message: &str) -> &str {
    let rest = message
        .strip_prefix("(service ")
        .and_then(|rest| Some(rest.split_once(')')?.1))
        .or_else(|| Some(message.strip_prefix("service ")?.split_once(' ')?.1));
    rest.unwrap_or(message).trim_start()
}

/// What the events of a service tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Why the service does not run as it should, since it last did.
    pub reason: Option<Reason>,
    /// The time of the newest rollback.
    pub rolled_back_at: Option<SystemTime>,
}

impl Told {
    /// What `events` tell. ECS sends the newest first; where times say otherwise, they count.
    ///
    /// The newest cause is the reason. A consequence counts only where there is no cause.
    #[must_use]
    pub fn by(events: &[ServiceEvent]) -> Self {
        let mut told = Self::default();
        // Events that come earlier are newer if they have the same time, or none.
        let mut best: Option<(bool, Option<SystemTime>)> = None;
        let meanings: Vec<(Meaning, &ServiceEvent)> = events
            .iter()
            .map(|event| (meaning(event.message.as_deref().unwrap_or_default()), event))
            .collect();
        let steady = newest_steady(&meanings);
        for (index, (meaning, event)) in meanings.iter().enumerate() {
            let Meaning::Wrong(reason) = *meaning else {
                continue;
            };
            let at = event.created_at;
            if reason == Reason::RolledBack {
                told.rolled_back_at = told.rolled_back_at.max(at);
            }
            let is_over = steady.is_some_and(|(steady_index, steady_at)| {
                at < steady_at || (at == steady_at && index > steady_index)
            });
            let key = (reason.is_cause(), at);
            if !is_over && best.is_none_or(|best| key > best) {
                best = Some(key);
                told.reason = Some(reason);
            }
        }
        told
    }

    /// The time since which a rollout that was created at `created_at` is in progress: a rollback
    /// rolls an old deployment out once more.
    #[must_use]
    pub fn in_progress_since(&self, created_at: SystemTime) -> SystemTime {
        self.rolled_back_at
            .map_or(created_at, |at| at.max(created_at))
    }
}

/// The index and the time of the newest event that says that all is well.
fn newest_steady(meanings: &[(Meaning, &ServiceEvent)]) -> Option<(usize, Option<SystemTime>)> {
    let mut newest: Option<(usize, Option<SystemTime>)> = None;
    for (index, (meaning, event)) in meanings.iter().enumerate() {
        let is_newer = newest.is_none_or(|(_, at)| event.created_at > at);
        if *meaning == Meaning::Steady && is_newer {
            newest = Some((index, event.created_at));
        }
    }
    newest
}
