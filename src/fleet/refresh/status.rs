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
}
