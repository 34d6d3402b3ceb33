//! Values of the model, with everything in them that a test does not name.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use ecs_status::aws::budget::Usage;
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::model::snapshot::{Cluster, Snapshot};
use ecs_status::fleet::refresh::policy::LastFailure;
use ecs_status::fleet::refresh::status::{EventStatus, SnapshotStatus};

/// A snapshot without failures.
pub fn snapshot(generated_at: SystemTime, clusters: Vec<Cluster>) -> Rc<Snapshot> {
    Rc::new(Snapshot {
        generated_at,
        account: None,
        clusters: clusters.into_iter().map(Rc::new).collect(),
        failures: Vec::new(),
        carried_over: Vec::new(),
    })
}

/// The status of a snapshot of this version, without a failure.
pub fn status(version: Option<u64>) -> SnapshotStatus {
    SnapshotStatus {
        version,
        last_failure: None,
        progress: None,
        retry_after: Duration::ZERO,
        usage: Usage::default(),
        total: Usage::default(),
        events: EventStatus::default(),
    }
}

/// The first failure in a row.
pub fn failure(cause: Cause, at: SystemTime) -> LastFailure {
    LastFailure {
        cause,
        at,
        in_a_row: 1,
    }
}
