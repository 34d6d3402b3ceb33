//! World of a refresher: an AWS, a store that outlives refreshers, and refreshers that come and go.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use ecs_status::fleet::refresh::policy::Policy;
use ecs_status::fleet::refresh::refresher::Refresher;
use ecs_status::fleet::refresh::status::SnapshotStatus;
use ecs_status::fleet::refresh::store::{Continuation, Store};
use ecs_status::platform::Sleep;

use super::ecs::Ecs;
use super::{Fake, Reply, config};

/// The time that a call to AWS takes, unless a test changes it.
pub const LATENCY: Duration = Duration::from_millis(20);

/// A store that outlives a refresher: bytes by name, and an alarm.
#[derive(Clone)]
pub struct Disk {
    platform: Fake,
    pub shared: Rc<Shared>,
}

#[derive(Default)]
pub struct Shared {
    pub saved: RefCell<BTreeMap<&'static str, Vec<u8>>>,
    /// Whether another invocation is due.
    pub alarm: Cell<bool>,
    /// How long it takes until setting the alarm is confirmed.
    pub alarm_latency: Cell<Duration>,
    /// Nothing can be read or written.
    pub broken: Cell<bool>,
    /// Nothing can be written, as beyond the daily limit of a plan.
    pub full: Cell<bool>,
    /// The number of saves, removals and alarms so far.
    pub writes: Cell<usize>,
}

impl Shared {
    fn write(&self) -> Result<(), String> {
        if self.broken.get() || self.full.get() {
            return Err("the disk is broken or full".into());
        }
        self.writes.set(self.writes.get() + 1);
        Ok(())
    }

    /// The names of what is saved.
    pub fn names(&self) -> Vec<&'static str> {
        self.saved.borrow().keys().copied().collect()
    }
}

impl Store for Disk {
    const PERSISTENT: bool = true;

    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String> {
        if self.shared.broken.get() {
            return Err("the disk is broken".into());
        }
        Ok(self.shared.saved.borrow().get(name).cloned())
    }

    fn save(&self, name: &'static str, bytes: Option<&[u8]>) -> Result<(), String> {
        self.shared.write()?;
        let mut saved = self.shared.saved.borrow_mut();
        match bytes {
            Some(bytes) => saved.insert(name, bytes.to_vec()),
            None => saved.remove(name),
        };
        Ok(())
    }

    async fn resume_later(&self) -> Result<Continuation, String> {
        let written = self.shared.write();
        self.shared.alarm.set(written.is_ok());
        self.platform.sleep(self.shared.alarm_latency.get()).await;
        written.map(|()| Continuation::OtherInvocation)
    }
}

/// An AWS, a disk, and refreshers that come and go.
pub struct World {
    pub platform: Fake,
    pub ecs: Rc<RefCell<Ecs>>,
    pub disk: Disk,
    pub latency: Rc<Cell<Duration>>,
    pub changes: Vec<(&'static str, &'static str)>,
}

impl World {
    /// A world with these variables changed.
    pub fn new(ecs: Ecs, changes: &[(&'static str, &'static str)]) -> Self {
        let ecs = Rc::new(RefCell::new(ecs));
        let latency = Rc::new(Cell::new(LATENCY));
        let (server, after) = (Rc::clone(&ecs), Rc::clone(&latency));
        let platform = Fake::new(move |request| Reply {
            after: after.get(),
            sent: server.borrow_mut().respond(request),
        });
        platform.set_random(0);
        let disk = Disk {
            platform: platform.clone(),
            shared: Rc::default(),
        };
        Self {
            platform,
            ecs,
            disk,
            latency,
            changes: changes.to_vec(),
        }
    }

    pub fn refresher(&self) -> Rc<Refresher<Fake, Disk>> {
        let changes = [&self.changes[..], &[("CALL_BURST", "10000")]].concat();
        let config = config(&changes).unwrap();
        let policy = Policy::new(config.age_limits);
        let (target, disk) = (&config.targets[0], self.disk.clone());
        Rc::new(Refresher::new(
            &self.platform,
            target,
            &config,
            policy,
            disk,
        ))
    }

    pub fn read(&self, refresher: &Rc<Refresher<Fake, Disk>>) -> SnapshotStatus {
        self.platform.run(refresher.read(None, "r-1"))
    }

    /// Runs alarms until none is set, and counts them.
    pub fn alarms(&self, refresher: &Rc<Refresher<Fake, Disk>>) -> usize {
        let mut alarms = 0;
        while self.disk.shared.alarm.replace(false) {
            alarms += 1;
            self.platform.run(refresher.resume("alarm"));
        }
        alarms
    }

    pub fn calls(&self) -> usize {
        self.ecs.borrow().calls.values().sum()
    }

    pub fn needed(&self) -> usize {
        self.ecs.borrow().needed().values().sum()
    }

    pub fn deny(&self, code: &'static str) {
        self.ecs.borrow_mut().fail("ListClusters", "", code);
    }

    pub fn advance(&self, seconds: u64) {
        self.platform.advance(Duration::from_secs(seconds));
    }
}

/// The number of services in the newest snapshot.
pub fn services(refresher: &Refresher<Fake, Disk>) -> usize {
    let newest = refresher.newest().unwrap();
    newest
        .snapshot
        .clusters
        .iter()
        .map(|c| c.services.len())
        .sum()
}
