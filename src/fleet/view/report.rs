//! Merged report: the result of reading all targets.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::aws::budget::Usage;
use crate::fleet::model::cause::Cause;
use crate::fleet::model::snapshot::Snapshot;
use crate::fleet::sweep::SweepProgress;

/// The snapshots of all targets in one, as it is served.
#[derive(Clone, Debug)]
pub struct MergedReport {
    /// The merged snapshot.
    pub snapshot: Rc<Snapshot>,
    /// The age of its oldest part.
    pub age: Duration,
    /// The time of its last change: the newest sweep of any target ended, or failed.
    pub modified_at: SystemTime,
    /// The time for which it may be served without asking again.
    pub fresh_for: Duration,
    /// The status of each target, in the order of the configuration.
    pub targets: Vec<TargetStatus>,
}

/// Status of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetStatus {
    /// The name of the target.
    pub target: String,
    /// Its AWS region.
    pub region: String,
    /// The age of its snapshot. `None` if nothing of it is shown.
    pub age: Option<Duration>,
    /// Whether the newest sweep read all of it.
    pub complete: bool,
    /// The requests to AWS of all its sweeps, as far as known.
    pub usage: Usage,
    /// The time since the last event about it, and the number of them, where events are taken.
    pub events: Option<(Duration, u32)>,
}

/// The reason why there is no snapshot to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// The most specific cause of all targets.
    pub cause: Cause,
    /// The progress of the first sweep, if it is running.
    pub progress: Option<SweepProgress>,
    /// The time after which to ask again.
    pub retry_after: Duration,
}
