//! Source: the port through which a fleet learns about the snapshots of its targets.

use std::future::ready;
use std::time::Duration;

use crate::aws::event::Change;
use crate::fleet::refresh::status::{Health, SnapshotStatus};
use crate::fleet::refresh::store::VersionedSnapshot;

/// The status of a target's snapshot, and the snapshot itself if the reader does not have it yet.
#[derive(Clone, Debug)]
pub struct SnapshotReply {
    /// The status.
    pub status: SnapshotStatus,
    /// The snapshot of that version.
    pub snapshot: Option<VersionedSnapshot>,
}

/// A request for the snapshot of a target.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotRequest<'a> {
    /// The snapshot that the reader has already.
    pub known: Option<&'a VersionedSnapshot>,
    /// The time for which the reader prefers to wait for a newer one.
    pub wait: Option<Duration>,
    /// The id of the HTTP request.
    pub request_id: &'a str,
}

/// Provides the snapshots of targets, which are numbered in the order of the configuration.
pub trait SnapshotSource {
    /// Reads the snapshot of `target`. Resolves to `None` if the source does not respond.
    fn read(
        &self,
        target: usize,
        request: SnapshotRequest<'_>,
    ) -> impl Future<Output = Option<SnapshotReply>>;

    /// Checks the credentials and the permissions of `target`. Resolves to `None` if the source does not respond.
    fn check(&self, target: usize, request_id: &str) -> impl Future<Output = Option<Health>>;

    /// Notes that something of `target` may have changed. Resolves to whether each change concerns the
    /// target, which nothing does where the source takes no events, or to `None` if the source does not
    /// respond.
    fn note(
        &self,
        _target: usize,
        changes: &[Change],
        _request_id: &str,
    ) -> impl Future<Output = Option<Vec<bool>>> {
        ready(Some(vec![false; changes.len()]))
    }
}
