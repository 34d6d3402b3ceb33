//! Objects: a source of snapshots as the Durable Objects of a fleet are one, a hop away from the edge,
//! with sweeps that go on behind their replies.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use ecs_status::api::Api;
use ecs_status::aws::event::Change;
use ecs_status::config::Config;
use ecs_status::fleet::refresh::policy::Policy;
use ecs_status::fleet::refresh::refresher::Refresher;
use ecs_status::fleet::refresh::status::Health;
use ecs_status::fleet::refresh::store::{NoStore, VersionedSnapshot};
use ecs_status::fleet::view::Fleet;
use ecs_status::fleet::view::source::{SnapshotReply, SnapshotRequest, SnapshotSource};
use ecs_status::platform::{Clock, Sleep};
use serde_json::Value;

use super::ecs::Ecs;
use super::{Fake, Reply, config};

/// The objects of all targets. Clones are the same objects.
#[derive(Clone)]
pub struct Objects(Rc<Inner>);

struct Inner {
    platform: Fake,
    refreshers: Vec<Rc<Refresher<Fake, NoStore>>>,
    hop: Cell<Duration>,
    reads: Cell<usize>,
    notes: Cell<usize>,
    is_deaf: Cell<bool>,
}

impl Objects {
    /// The objects of the targets of `config`.
    pub fn new(platform: &Fake, config: &Config) -> Self {
        let policy = Policy::new(config.age_limits);
        let refresher = |target| Rc::new(Refresher::new(platform, target, config, policy, NoStore));
        Self(Rc::new(Inner {
            platform: platform.clone(),
            refreshers: config.targets.iter().map(refresher).collect(),
            hop: Cell::default(),
            reads: Cell::default(),
            notes: Cell::default(),
            is_deaf: Cell::default(),
        }))
    }

    /// From now on, no object responds to events, or all do.
    pub fn set_deaf(&self, is_deaf: bool) {
        self.0.is_deaf.set(is_deaf);
    }

    /// The number of requests with events so far.
    pub fn notes(&self) -> usize {
        self.0.notes.get()
    }

    /// From now on, a request takes `hop` to its object, and a reply takes none.
    pub fn set_hop(&self, hop: Duration) {
        self.0.hop.set(hop);
    }

    /// The number of reads so far.
    pub fn reads(&self) -> usize {
        self.0.reads.get()
    }
}

impl SnapshotSource for Objects {
    async fn read(&self, target: usize, request: SnapshotRequest<'_>) -> Option<SnapshotReply> {
        self.0.reads.set(self.0.reads.get() + 1);
        self.0.platform.sleep(self.0.hop.get()).await;
        let refresher = self.0.refreshers.get(target)?;
        let status = refresher.read(request.wait, request.request_id).await;
        let newest = refresher.newest();
        let known = request.known.map(|known| known.version);
        let is_news = status.version.is_some() && status.version != known;
        let sent = newest.filter(|_| is_news).map(|newest| {
            let bytes = refresher.encoded_since(known).unwrap();
            let sent = VersionedSnapshot::decode(&bytes, request.known).unwrap();
            assert_eq!(sent.version, newest.version);
            assert_eq!(sent.snapshot, newest.snapshot);
            sent
        });
        Some(SnapshotReply {
            snapshot: sent,
            status,
        })
    }

    async fn check(&self, target: usize, request_id: &str) -> Option<Health> {
        Some(self.0.refreshers.get(target)?.check(request_id).await)
    }

    async fn note(&self, target: usize, changes: &[Change], _: &str) -> Option<Vec<bool>> {
        self.0.notes.set(self.0.notes.get() + 1);
        self.0.platform.sleep(self.0.hop.get()).await;
        if self.0.is_deaf.get() {
            return None;
        }
        Some(self.0.refreshers.get(target)?.note(changes))
    }
}

/// An edge, its objects, and an AWS that takes its time.
pub struct Edge {
    pub platform: Fake,
    pub config: Config,
    pub objects: Objects,
    pub ecs: Rc<RefCell<Ecs>>,
    /// The latency of a call to `eu-west-1`, and to any other region.
    pub far: Rc<Cell<Duration>>,
    pub near: Rc<Cell<Duration>>,
    begun: Rc<RefCell<Vec<SystemTime>>>,
}

impl Edge {
    /// An edge with these variables changed, `latency` away from AWS.
    pub fn new(ecs: Ecs, latency: Duration, changes: &[(&str, &str)]) -> Self {
        let ecs = Rc::new(RefCell::new(ecs));
        let (far, near) = (Rc::new(Cell::new(latency)), Rc::new(Cell::new(latency)));
        let (server, after) = (Rc::clone(&ecs), (Rc::clone(&far), Rc::clone(&near)));
        let clock = Rc::new(OnceCell::<Fake>::new());
        let (now, begun) = (Rc::clone(&clock), Rc::default());
        let times: Rc<RefCell<Vec<SystemTime>>> = Rc::clone(&begun);
        let platform = Fake::new(move |request| {
            let operation = request.headers()["x-amz-target"].as_bytes();
            if operation.ends_with(b".ListClusters") {
                times.borrow_mut().push(now.get().unwrap().now());
            }
            let is_far = request.uri().host().unwrap().contains("eu-west-1");
            Reply {
                after: if is_far { after.0.get() } else { after.1.get() },
                sent: server.borrow_mut().respond(request),
            }
        });
        assert!(clock.set(platform.clone()).is_ok());
        platform.set_random(0);
        let config = config(changes).unwrap();
        Self {
            objects: Objects::new(&platform, &config),
            platform,
            config,
            ecs,
            far,
            near,
            begun,
        }
    }

    /// The fleet that one isolate of the edge reads.
    pub fn fleet(&self) -> Fleet<Objects> {
        Fleet::new(self.config.clone(), self.objects.clone())
    }

    /// The API over such a fleet.
    pub fn api(&self) -> Api<Objects> {
        Api::new(Ok(self.fleet()))
    }

    /// Lets time pass, and sweeps proceed.
    pub fn rest(&self, time: Duration) {
        self.platform.run(self.platform.sleep(time));
    }

    /// From now on, each call to AWS takes so long.
    pub fn set_latency(&self, latency: Duration) {
        self.far.set(latency);
        self.near.set(latency);
    }

    /// From now on, AWS refuses to list clusters with this error, or does not.
    pub fn refuse(&self, code: Option<&'static str>) {
        let mut ecs = self.ecs.borrow_mut();
        ecs.errors.clear();
        if let Some(code) = code {
            ecs.fail("ListClusters", "", code);
        }
    }

    /// The times at which sweeps began. A fleet of more than 100 clusters has more first calls.
    pub fn begun(&self) -> Vec<SystemTime> {
        self.begun.borrow().clone()
    }

    /// The durations of the sweeps that have ended, as their log lines say.
    pub fn sweeps(&self) -> Vec<Duration> {
        let lines = self.platform.lines();
        let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        let sweeps = lines.filter(|line: &Value| line["event"] == "sweep");
        let duration = |line: Value| Duration::from_millis(line["durationMs"].as_u64().unwrap());
        sweeps.map(duration).collect()
    }
}
