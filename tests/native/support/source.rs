//! Source of snapshots that replies what a test tells it to.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use ecs_status::fleet::refresh::status::Health;
use ecs_status::fleet::view::source::{SnapshotReply, SnapshotRequest, SnapshotSource};
use ecs_status::platform::Sleep;

use super::Fake;

/// The version that a read named as known, and the time for which it preferred to wait.
type Read = (Option<u64>, Option<Duration>);

/// Replies for each target, one after the other, and how long each takes.
#[derive(Clone)]
pub struct Script(Rc<Lines>);

/// Replies of one target, and the time that each takes.
type Replies = VecDeque<(Duration, Option<SnapshotReply>)>;

struct Lines {
    platform: Fake,
    replies: RefCell<Vec<Replies>>,
    healths: RefCell<VecDeque<Option<Health>>>,
    reads: RefCell<Vec<Read>>,
}

impl Script {
    /// An empty script for so many targets.
    pub fn new(platform: &Fake, targets: usize) -> Self {
        Self(Rc::new(Lines {
            platform: platform.clone(),
            replies: RefCell::new(vec![Replies::new(); targets]),
            healths: RefCell::default(),
            reads: RefCell::default(),
        }))
    }

    /// Adds a reply for a target that takes `after`, or none that ever comes.
    pub fn reply(&self, target: usize, after: Duration, reply: Option<SnapshotReply>) {
        self.0.replies.borrow_mut()[target].push_back((after, reply));
    }

    /// Adds the outcomes of checks, whichever target they are of.
    pub fn checks(&self, healths: impl IntoIterator<Item = Option<Health>>) {
        self.0.healths.borrow_mut().extend(healths);
    }

    /// The versions that the reads named as known.
    pub fn known(&self) -> Vec<Option<u64>> {
        self.0.reads.borrow().iter().map(|read| read.0).collect()
    }

    /// The times for which the reads preferred to wait.
    pub fn waits(&self) -> Vec<Option<Duration>> {
        self.0.reads.borrow().iter().map(|read| read.1).collect()
    }
}

impl SnapshotSource for Script {
    async fn read(&self, target: usize, request: SnapshotRequest<'_>) -> Option<SnapshotReply> {
        self.0
            .reads
            .borrow_mut()
            .push((request.known.map(|known| known.version), request.wait));
        let next = self.0.replies.borrow_mut()[target].pop_front();
        let (after, reply) = next.expect("the script has no reply left");
        self.0.platform.sleep(after).await;
        reply
    }

    async fn check(&self, _target: usize, _request_id: &str) -> Option<Health> {
        let next = self.0.healths.borrow_mut().pop_front();
        next.expect("the script has no check left")
    }
}
