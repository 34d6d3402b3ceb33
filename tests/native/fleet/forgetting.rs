//! Forgetting: a target without readers leaves nothing in its store, and readers lose nothing.
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::support::ecs::Ecs;
use crate::support::{Fake, config};
use ecs_status::fleet::refresh::forgetting::UNREAD;
use ecs_status::fleet::refresh::policy::Policy;
use ecs_status::fleet::refresh::refresher::Refresher;
use ecs_status::fleet::refresh::store::{Continuation, Store};
use ecs_status::platform::{Clock, Sleep};

const MINUTE: Duration = Duration::from_mins(1);
/// A slice after which a sweep is saved, and a fleet that takes two of them.
const SLICED: [(&str, &str); 2] = [("SUBREQUEST_BUDGET", "300"), ("CALL_BURST", "10000")];
const SLICED_CLUSTERS: usize = 50;

/// A store with an alarm, as a Durable Object has it: setting it replaces the one before.
#[derive(Clone)]
struct Object {
    platform: Fake,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    saved: RefCell<BTreeMap<&'static str, Vec<u8>>>,
    alarm: Cell<Option<SystemTime>>,
    /// How often an alarm was set: a row is written each time.
    alarms_set: Cell<usize>,
    is_broken: Cell<bool>,
    /// How long it takes to read the alarm.
    alarm_latency: Cell<Duration>,
}

impl Store for Object {
    const PERSISTENT: bool = true;

    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.shared.saved.borrow().get(name).cloned())
    }

    fn save(&self, name: &'static str, bytes: Option<&[u8]>) -> Result<(), String> {
        let mut saved = self.shared.saved.borrow_mut();
        match bytes {
            Some(bytes) => saved.insert(name, bytes.to_vec()),
            None => saved.remove(name),
        };
        Ok(())
    }

    async fn resume_later(&self) -> Result<Continuation, String> {
        self.wake_after(Duration::ZERO).await?;
        Ok(Continuation::OtherInvocation)
    }

    async fn next_wake(&self) -> Option<SystemTime> {
        self.platform.sleep(self.shared.alarm_latency.get()).await;
        self.shared.alarm.get()
    }

    async fn wake_after(&self, delay: Duration) -> Result<(), String> {
        self.shared.alarms_set.set(self.shared.alarms_set.get() + 1);
        self.shared.alarm.set(Some(self.platform.now() + delay));
        Ok(())
    }

    async fn clear(&self) -> Result<(), String> {
        if self.shared.is_broken.get() {
            return Err("the disk is broken".into());
        }
        self.shared.saved.borrow_mut().clear();
        self.shared.alarm.set(None);
        Ok(())
    }
}

struct World {
    ecs: Rc<RefCell<Ecs>>,
    platform: Fake,
    object: Object,
    changes: Vec<(&'static str, &'static str)>,
}

impl World {
    fn new(ecs: Ecs, changes: &[(&'static str, &'static str)]) -> Self {
        let ecs = Rc::new(RefCell::new(ecs));
        let server = Rc::clone(&ecs);
        let platform = Fake::new(move |request| crate::support::Reply {
            after: Duration::from_millis(20),
            sent: server.borrow_mut().respond(request),
        });
        let object = Object {
            platform: platform.clone(),
            shared: Rc::default(),
        };
        Self {
            ecs,
            platform,
            object,
            changes: changes.to_vec(),
        }
    }

    /// The refresher of an object that has just been started.
    fn refresher(&self) -> Rc<Refresher<Fake, Object>> {
        let config = config(&self.changes).unwrap();
        let policy = Policy::new(config.age_limits);
        let object = self.object.clone();
        let refresher = Refresher::new(&self.platform, &config.targets[0], &config, policy, object);
        Rc::new(refresher)
    }

    /// A reader's request, as the object handles it.
    fn read(&self, refresher: &Rc<Refresher<Fake, Object>>) {
        self.platform.run(async {
            refresher.read(None, "r-1").await;
            refresher.postpone_forgetting().await;
        });
        self.platform.settle();
    }

    /// Runs alarms that are due, each in an object that has just been started, and counts them.
    fn alarms(&self) -> usize {
        let mut alarms = 0;
        while self.alarm().is_some_and(|at| at <= self.platform.now()) {
            self.object.shared.alarm.set(None);
            let refresher = self.refresher();
            self.platform.run(refresher.wake("alarm")).unwrap();
            self.platform.settle();
            alarms += 1;
        }
        alarms
    }

    fn alarm(&self) -> Option<SystemTime> {
        self.object.shared.alarm.get()
    }

    /// The time until the alarm.
    fn left(&self) -> Duration {
        let alarm = self.alarm().unwrap();
        alarm.duration_since(self.platform.now()).unwrap()
    }

    fn alarms_set(&self) -> usize {
        self.object.shared.alarms_set.get()
    }

    fn stored(&self) -> Vec<&'static str> {
        self.object.shared.saved.borrow().keys().copied().collect()
    }

    fn calls(&self) -> usize {
        self.ecs.borrow().calls.values().sum()
    }

    fn has_forgotten(&self) -> bool {
        let is_said = |line: &String| line.contains(r#""event":"forgotten","target":"default""#);
        let lines = self.platform.lines();
        assert_eq!(lines.iter().any(is_said), self.stored().is_empty());
        self.stored().is_empty() && self.alarm().is_none()
    }
}

#[test]
fn what_nobody_reads_is_forgotten_after_a_day_or_two_without_a_call_to_aws() {
    let world = World::new(Ecs::uniform(2, 1), &[]);
    world.read(&world.refresher());
    let calls = world.calls();
    assert_eq!(world.stored(), ["snapshot"]);
    assert!(world.left() >= UNREAD && world.left() <= 2 * UNREAD);
    world.platform.advance(world.left().saturating_sub(MINUTE));
    assert_eq!((world.alarms(), world.has_forgotten()), (0, false));
    world.platform.advance(MINUTE);
    assert_eq!((world.alarms(), world.has_forgotten()), (1, true));
    assert_eq!(world.calls(), calls);
}

#[test]
fn a_reader_a_day_is_enough_and_costs_one_alarm_a_day() {
    let world = World::new(Ecs::uniform(2, 1), &[]);
    let mut refresher = world.refresher();
    for days in 1..=5 {
        for hour in 0..24 {
            // Objects are evicted when nobody asks.
            if hour % 5 == 0 {
                refresher = world.refresher();
            }
            world.read(&refresher);
            world.read(&refresher);
            assert!(world.left() >= UNREAD, "day {days}, hour {hour}");
            world.platform.advance(60 * MINUTE);
        }
        assert!(world.alarms_set() <= days, "day {days}");
    }
    world.platform.advance(UNREAD.saturating_sub(61 * MINUTE));
    assert_eq!((world.alarms(), world.has_forgotten()), (0, false));
}

#[test]
fn a_target_that_was_forgotten_is_swept_for_its_next_reader() {
    let world = World::new(Ecs::uniform(2, 1), &[]);
    let refresher = world.refresher();
    world.read(&refresher);
    let version = refresher.newest().unwrap().version;
    world.platform.advance(world.left());
    world.object.shared.alarm.set(None);
    world.platform.run(refresher.wake("alarm")).unwrap();
    assert!(world.has_forgotten());
    assert!(refresher.newest().is_none() && refresher.encoded().is_none());
    world.read(&refresher);
    assert!(refresher.newest().unwrap().version > version);
    assert_eq!(world.stored(), ["snapshot"]);
    assert!(world.left() >= UNREAD);
}

#[test]
fn a_sliced_sweep_is_continued_and_its_target_forgotten_later() {
    let world = World::new(Ecs::uniform(SLICED_CLUSTERS, 100), &SLICED);
    world.read(&world.refresher());
    assert_eq!(world.stored(), ["sweep"]);
    assert_eq!((world.calls(), world.alarms()), (300, 1));
    assert_eq!(world.stored(), ["snapshot"]);
    assert_eq!(
        world.calls(),
        world.ecs.borrow().needed().values().sum::<usize>()
    );
    assert_eq!(world.left(), 2 * UNREAD);
    world.platform.advance(world.left());
    assert_eq!((world.alarms(), world.has_forgotten()), (1, true));
}

#[test]
fn the_end_of_a_sliced_sweep_and_its_reader_set_one_alarm_between_them() {
    let world = World::new(Ecs::uniform(SLICED_CLUSTERS, 100), &SLICED);
    world
        .object
        .shared
        .alarm_latency
        .set(Duration::from_millis(1));
    let refresher = world.refresher();
    let alarm = async {
        while world.alarm().is_none() {
            world.platform.sleep(Duration::from_millis(100)).await;
        }
        world.object.shared.alarm.set(None);
        refresher.wake("alarm").await
    };
    let reader = async {
        let status = refresher.read(None, "r-1").await;
        refresher.postpone_forgetting().await;
        status.version.is_some()
    };
    let (is_served, woken) = world
        .platform
        .run(futures_util::future::join(reader, alarm));
    assert!(is_served && woken.is_ok());
    // The other one continued the sweep.
    assert_eq!(world.alarms_set(), 2);
    assert!(world.left() + MINUTE > 2 * UNREAD);
}

#[test]
fn a_reader_during_a_sliced_sweep_does_not_replace_its_alarm() {
    let world = World::new(Ecs::uniform(SLICED_CLUSTERS, 100), &SLICED);
    let refresher = world.refresher();
    world.read(&refresher);
    let (due, set) = (world.alarm(), world.alarms_set());
    assert!(due.unwrap() <= world.platform.now());
    world.platform.run(refresher.postpone_forgetting());
    assert_eq!((world.alarm(), world.alarms_set()), (due, set));
}

#[test]
fn a_paused_sweep_whose_alarm_was_lost_is_forgotten_too() {
    let world = World::new(Ecs::uniform(SLICED_CLUSTERS, 100), &SLICED);
    world.read(&world.refresher());
    assert_eq!(world.stored(), ["sweep"]);
    world.platform.advance(2 * UNREAD);
    let calls = world.calls();
    assert_eq!((world.alarms(), world.has_forgotten()), (1, true));
    assert_eq!(world.calls(), calls, "nobody asks, and AWS is called");
}

#[test]
fn an_alarm_that_comes_while_a_reader_waits_forgets_nothing() {
    let world = World::new(Ecs::uniform(2, 1), &[]);
    let refresher = world.refresher();
    world.read(&refresher);
    world.platform.advance(world.left());
    world.object.shared.alarm.set(None);
    let is_served = world.platform.run(async {
        let (status, woken) =
            futures_util::future::join(refresher.read(None, "r-1"), refresher.wake("alarm")).await;
        woken.unwrap();
        status.version.is_some()
    });
    assert!(is_served);
    assert_eq!(world.stored(), ["snapshot"]);
    assert!(world.left() + MINUTE > 2 * UNREAD);
}

#[test]
fn a_store_that_cannot_be_cleared_is_an_error_and_keeps_what_it_has() {
    let world = World::new(Ecs::uniform(2, 1), &[]);
    let refresher = world.refresher();
    world.read(&refresher);
    world.platform.advance(world.left());
    world.object.shared.is_broken.set(true);
    let woken = world.platform.run(refresher.wake("alarm"));
    assert_eq!(woken, Err("the disk is broken".to_owned()));
    assert_eq!(world.stored(), ["snapshot"]);
    assert!(refresher.newest().is_some());
}
