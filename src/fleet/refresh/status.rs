//! Status: what the refresher of a target tells its readers, in a few bytes.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::policy::LastFailure;
use crate::aws::budget::Usage;
use crate::fleet::model::cause::Cause;
use crate::fleet::sweep::SweepProgress;

/// Status of a target's snapshot: its version, the reason why it is not newer, when to retry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SnapshotStatus {
    /// The version of the snapshot to serve. `None` if there is none that may be served.
    pub version: Option<u64>,
    /// The failure of the newest sweep, if a newer snapshot should exist.
    pub last_failure: Option<LastFailure>,
    /// The progress of the sweep that is running, if nothing can be served before it is done.
    pub progress: Option<SweepProgress>,
    /// The time after which to ask again, if nothing can be served.
    pub retry_after: Duration,
    /// The requests to AWS on behalf of this read.
    pub usage: Usage,
    /// The requests to AWS since the refresher started.
    pub total: Usage,
    /// The events about the target.
    pub events: EventStatus,
}

/// Status of the events about a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventStatus {
    /// The time since which no event was noted: that of the last one, or at which the refresher
    /// started.
    pub silent_since: Option<SystemTime>,
    /// The number of events that were noted since the refresher started.
    pub total: u32,
    /// Whether what they named is being read anew, so that who asks again and waits gets it.
    pub is_pending: bool,
}

/// Health of a target: whether AWS accepts the credentials and allows every call of a sweep.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Health {
    /// The causes for which it does not, in the order of the calls.
    pub causes: Vec<Cause>,
    /// The time at which AWS was asked.
    pub checked_at: SystemTime,
    /// The requests to AWS on behalf of this check.
    pub usage: Usage,
    /// The time of the last event that was noted since the refresher started.
    pub last_event_at: Option<SystemTime>,
}
