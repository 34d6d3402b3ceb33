//! The fleet as an edge sees it: when the source is asked, and what becomes of its words.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use ecs_status::aws::budget::Usage;
use ecs_status::aws::platform::Clock;
use ecs_status::config::Config;
use ecs_status::fleet::failure::Cause;
use ecs_status::fleet::reading::{Health, Reading, Source, Word};
use ecs_status::fleet::refresh::Failed;
use ecs_status::fleet::snapshot::Snapshot;
use ecs_status::fleet::stored::Versioned;
use ecs_status::fleet::view::{Fleet, Served, Unavailable};
use ecs_status::fleet::written::Text;
use support::ecs::Ecs;
use support::{Fake, Reply, ask};

/// A source that says what it is told to, one thing after the other.
#[derive(Clone, Default)]
struct Script(Rc<Lines>);

#[derive(Default)]
struct Lines {
    readings: RefCell<VecDeque<Option<Reading>>>,
    healths: RefCell<VecDeque<Option<Health>>>,
    /// The versions in hand when it was asked.
    known: RefCell<Vec<Option<u64>>>,
}

impl Source for Script {
    async fn read(
        &self,
        _target: usize,
        known: &dyn Fn() -> Option<u64>,
        _request_id: &str,
    ) -> Option<Reading> {
        self.0.known.borrow_mut().push(known());
        self.0.readings.borrow_mut().pop_front().unwrap()
    }

    async fn check(&self, _target: usize, _request_id: &str) -> Option<Health> {
        self.0.healths.borrow_mut().pop_front().unwrap()
    }
}

fn usage(calls: u32) -> Usage {
    Usage {
        calls,
        ..Usage::default()
    }
}

/// What is said about a snapshot of that version, after `calls` calls in all.
fn word(version: Option<u64>, failed: Option<Failed>, calls: u32) -> Word {
    Word {
        version,
        failed,
        extent: None,
        retry_after: Duration::from_secs(7),
        usage: usage(3),
        total: usage(calls),
    }
}

/// A new snapshot of that version.
fn news(version: u64, generated_at: SystemTime) -> Reading {
    Reading {
        word: word(Some(version), None, 3),
        snapshot: Some(Versioned {
            version,
            snapshot: Rc::new(Snapshot {
                generated_at,
                account: None,
                clusters: Vec::new(),
                failures: Vec::new(),
                kept: Vec::new(),
            }),
        }),
    }
}

struct World {
    platform: Fake,
    fleet: Fleet<Script>,
    script: Script,
}

/// A fleet of so many targets, and its source.
fn world(targets: usize) -> World {
    let target = |index| format!(r#"{{"name": "t{index}", "region": "us-east-1"}}"#);
    let targets = format!(
        "[{}]",
        (0..targets).map(target).collect::<Vec<_>>().join(",")
    );
    let config = Config::from_lookup(|name| match name {
        "AWS_ACCESS_KEY_ID" => Some("AKIDEXAMPLE".into()),
        "AWS_SECRET_ACCESS_KEY" => Some("hush-hush".into()),
        "TARGETS" => Some(targets.clone()),
        _ => None,
    });
    let script = Script::default();
    World {
        platform: Fake::script(vec![]),
        fleet: Fleet::new(config.unwrap(), script.clone()),
        script,
    }
}

impl World {
    fn will_say(&self, reading: Option<Reading>) {
        self.script.0.readings.borrow_mut().push_back(reading);
    }

    fn ask(&self) -> (Result<Served, Unavailable>, Usage) {
        self.platform
            .run(self.fleet.snapshot(&self.platform, "r-1"))
    }

    fn advance(&self, seconds: u64) {
        self.platform.advance(Duration::from_secs(seconds));
    }
}

#[test]
fn only_a_copy_that_is_not_fresh_is_asked_for_and_by_its_version() {
    let world = world(1);
    let start = world.platform.now();
    world.will_say(Some(news(41, start)));
    for _ in 0..3 {
        assert_eq!(world.ask().0.unwrap().snapshot.generated_at, start);
    }
    world.advance(15);
    world.ask().0.unwrap();
    world.advance(1);
    let now = world.platform.now();
    world.will_say(Some(news(42, now)));
    let served = world.ask().0.unwrap();
    assert_eq!(
        (served.snapshot.generated_at, served.age),
        (now, Duration::ZERO)
    );
    assert_eq!(*world.script.0.known.borrow(), [None, Some(41)]);
}

#[test]
fn an_answer_that_comes_late_does_not_bring_an_older_snapshot_back() {
    let world = world(1);
    let start = world.platform.now();
    world.will_say(Some(news(42, start)));
    world.ask().0.unwrap();
    world.advance(16);
    world.will_say(Some(news(41, start + Duration::from_secs(10))));
    assert_eq!(world.ask().0.unwrap().snapshot.generated_at, start);
    // There is nothing to serve any more, and then again.
    world.will_say(Some(Reading {
        word: word(None, None, 3),
        snapshot: None,
    }));
    world.ask().0.unwrap_err();
    world.will_say(Some(news(40, start)));
    world.ask().0.unwrap();
    assert_eq!(
        *world.script.0.known.borrow(),
        [None, Some(42), Some(42), None]
    );
}

#[test]
fn what_is_said_about_the_copy_in_hand_is_taken() {
    let world = world(1);
    world.will_say(Some(news(41, world.platform.now())));
    let served = world.ask().0.unwrap();
    assert_eq!(
        (served.standings[0].complete, served.standings[0].usage),
        (true, usage(3))
    );
    world.advance(16);
    let failed = Failed {
        cause: Cause::Throttled,
        at: world.platform.now(),
        in_a_row: 1,
    };
    world.will_say(Some(Reading {
        word: word(Some(41), Some(failed), 9),
        snapshot: None,
    }));
    let served = world.ask().0.unwrap();
    assert_eq!(
        (served.standings[0].complete, served.standings[0].usage),
        (false, usage(9))
    );
    assert_eq!(
        (served.modified_at, served.snapshot.failures.len()),
        (failed.at, 1)
    );
}

#[test]
fn a_copy_stands_in_for_a_source_that_does_not_answer_until_it_is_too_old() {
    let world = world(1);
    world.will_say(Some(news(41, world.platform.now())));
    world.ask().0.unwrap();
    world.advance(3_600);
    world.will_say(None);
    let served = world.ask().0.unwrap();
    let reason = Cause::ObjectUnreachable.reason();
    assert!(served.snapshot.failures[0].reason.starts_with(&*reason));
    world.advance(1);
    world.will_say(None);
    let unavailable = world.ask().0.unwrap_err();
    assert_eq!(
        (unavailable.cause, unavailable.retry_after),
        (Cause::ObjectUnreachable, Duration::from_secs(5))
    );
}

#[test]
fn a_process_that_stores_nothing_sweeps_slice_after_slice() {
    let mut ecs = Ecs::uniform(5, 100);
    let platform = Fake::new(move |request| Reply {
        after: Duration::ZERO,
        sent: ecs.answer(request),
    });
    let changes = [("SUBREQUEST_BUDGET", "18"), ("CALL_BURST", "1000")];
    let fleet = ask::fleet(&platform, &changes);
    let served = platform.run(fleet.snapshot(&platform, "r-1")).0.unwrap();
    let clusters = served.snapshot.clusters.iter();
    let sizes: Vec<_> = clusters.map(|cluster| cluster.services.len()).collect();
    assert_eq!(sizes, [100; 5]);
    let lines = platform.lines();
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("\"event\":\"storage\""))
    );
}

#[test]
fn what_was_written_of_a_snapshot_is_not_written_again() {
    let world = world(1);
    world.will_say(Some(news(41, world.platform.now())));
    let mut writes = 0;
    for _ in 0..2 {
        let snapshot = world.ask().0.unwrap().snapshot;
        let text = world.fleet.written().get(&snapshot, "question", || {
            writes += 1;
            Ok::<_, ()>(Text {
                body: Rc::default(),
                etag: "".into(),
            })
        });
        text.unwrap();
    }
    assert_eq!(writes, 1);
}

#[test]
fn what_all_targets_used_is_added_up() {
    let world = world(3);
    for version in 1..=3 {
        world.will_say(Some(news(version, world.platform.now())));
    }
    assert_eq!(world.ask().1, usage(9));
}

#[test]
fn the_first_target_whose_keys_do_not_work_is_named() {
    let world = world(3);
    let start = world.platform.now();
    let check = |cause, seconds| {
        Some(Health {
            cause,
            checked_at: start + Duration::from_secs(seconds),
            usage: usage(1),
        })
    };
    let ask = |healths: [Option<Health>; 3]| {
        world.script.0.healths.borrow_mut().extend(healths);
        let asked = world.fleet.health(&world.platform, "r-1");
        let (health, target) = world.platform.run(asked);
        assert_eq!(health.checked_at, start);
        (health.cause, target.map(str::to_owned), health.usage.calls)
    };
    assert_eq!(
        ask([check(None, 2), check(None, 0), check(None, 1)]),
        (None, None, 3)
    );
    assert_eq!(
        ask([
            check(None, 0),
            check(Some(Cause::RoleRefused), 1),
            check(Some(Cause::UnknownKey), 2)
        ]),
        (Some(Cause::RoleRefused), Some("t1".into()), 3)
    );
    assert_eq!(
        ask([check(None, 0), check(None, 1), None]),
        (Some(Cause::ObjectUnreachable), Some("t2".into()), 2)
    );
}
