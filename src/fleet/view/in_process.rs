//! In-process source: refreshers in the same process, as in a Lambda function.

use std::rc::Rc;

use super::source::{SnapshotReply, SnapshotRequest, SnapshotSource};
use crate::config::{Config, TargetConfig};
use crate::fleet::refresh::policy::Policy;
use crate::fleet::refresh::refresher::Refresher;
use crate::fleet::refresh::status::Health;
use crate::fleet::refresh::store::NoStore;
use crate::platform::Platform;

/// A refresher for each target, in this process.
#[derive(Debug)]
pub struct InProcess<P>(Vec<Rc<Refresher<P, NoStore>>>);

impl<P: Platform + Clone + 'static> InProcess<P> {
    /// Refreshers for the targets of `config`. Nothing runs behind a response, since Lambda freezes
    /// a function between two invocations.
    pub fn new(platform: &P, config: &Config) -> Self {
        let policy = Policy::without_background(config.age_limits);
        let refresher = |target: &TargetConfig| {
            Rc::new(Refresher::new(platform, target, config, policy, NoStore))
        };
        Self(config.targets.iter().map(refresher).collect())
    }
}

impl<P: Platform + Clone + 'static> SnapshotSource for InProcess<P> {
    async fn read(&self, target: usize, request: SnapshotRequest<'_>) -> Option<SnapshotReply> {
        let refresher = self.0.get(target)?;
        let status = refresher.read(request.wait, request.request_id).await;
        // Passing a snapshot that the reader has already costs nothing here.
        let snapshot = refresher.newest().filter(|_| status.version.is_some());
        Some(SnapshotReply { status, snapshot })
    }

    async fn check(&self, target: usize, request_id: &str) -> Option<Health> {
        Some(self.0.get(target)?.check(request_id).await)
    }
}
