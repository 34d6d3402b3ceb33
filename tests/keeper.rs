//! The keeper of a target: one sweep at a time, in slices, paced, kept over failures and restarts.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::similar_names
)]

mod support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use ecs_status::aws::platform::{Clock, SendError, Sleep};
use ecs_status::config::Config;
use ecs_status::fleet::failure::Cause;
use ecs_status::fleet::keeper::Keeper;
use ecs_status::fleet::reading::Word;
use ecs_status::fleet::stored::{self, Store, Versioned};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use support::ecs::Ecs;
use support::{Fake, Reply};

const LATENCY: Duration = Duration::from_millis(20);

/// What outlives a keeper: bytes by name, and whether another invocation is asked for.
#[derive(Clone, Debug, Default)]
struct Disk(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    saved: RefCell<BTreeMap<&'static str, Vec<u8>>>,
    alarm: Cell<bool>,
    broken: Cell<bool>,
}

impl Store for Disk {
    const KEEPS: bool = true;

    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String> {
        if self.0.broken.get() {
            return Err("the disk is broken".into());
        }
        Ok(self.0.saved.borrow().get(name).cloned())
    }

    fn save(&self, name: &'static str, bytes: Option<&[u8]>) -> Result<(), String> {
        if self.0.broken.get() {
            return Err("the disk is broken".into());
        }
        let mut saved = self.0.saved.borrow_mut();
        match bytes {
            Some(bytes) => saved.insert(name, bytes.to_vec()),
            None => saved.remove(name),
        };
        Ok(())
    }

    async fn resume_later(&self) -> bool {
        self.0.alarm.set(true);
        true
    }
}

/// An AWS, a disk, and keepers that come and go.
struct World {
    platform: Fake,
    ecs: Rc<RefCell<Ecs>>,
    disk: Disk,
    latency: Rc<Cell<Duration>>,
    changes: Vec<(&'static str, &'static str)>,
}

impl World {
    fn new(ecs: Ecs, changes: &[(&'static str, &'static str)]) -> Self {
        let ecs = Rc::new(RefCell::new(ecs));
        let latency = Rc::new(Cell::new(LATENCY));
        let (server, after) = (Rc::clone(&ecs), Rc::clone(&latency));
        let platform = Fake::new(move |request| Reply {
            after: after.get(),
            sent: server.borrow_mut().answer(request),
        });
        platform.set_random(0);
        Self {
            platform,
            ecs,
            disk: Disk::default(),
            latency,
            changes: changes.to_vec(),
        }
    }

    fn keeper(&self) -> Rc<Keeper<Fake, Disk>> {
        let complete = [
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hush-hush"),
            ("AWS_REGION", "us-east-1"),
            ("CALL_BURST", "10000"),
        ];
        let config = Config::from_lookup(|name| {
            let mut values = self.changes.iter().chain(&complete);
            values
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
        .unwrap();
        let (target, disk) = (&config.targets[0], self.disk.clone());
        Rc::new(Keeper::new(
            &self.platform,
            target,
            &config,
            config.policy,
            disk,
        ))
    }

    fn read(&self, keeper: &Rc<Keeper<Fake, Disk>>) -> Word {
        self.platform.run(keeper.read("r-1"))
    }

    /// Runs alarms until none is set; how many there were.
    fn alarms(&self, keeper: &Rc<Keeper<Fake, Disk>>) -> usize {
        let mut alarms = 0;
        while self.disk.0.alarm.replace(false) {
            alarms += 1;
            self.platform.run(keeper.resume("alarm"));
        }
        alarms
    }

    fn calls(&self) -> usize {
        self.ecs.borrow().calls.values().sum()
    }

    fn needed(&self) -> usize {
        self.ecs.borrow().needed().values().sum()
    }

    fn deny(&self, code: &'static str) {
        let key = ("ListClusters".to_owned(), String::new());
        self.ecs.borrow_mut().errors.insert(key, code);
    }

    fn advance(&self, seconds: u64) {
        self.platform.advance(Duration::from_secs(seconds));
    }
}

fn services(keeper: &Keeper<Fake, Disk>) -> usize {
    let newest = keeper.newest().unwrap();
    newest
        .snapshot
        .clusters
        .iter()
        .map(|c| c.services.len())
        .sum()
}

#[test]
fn however_many_wait_there_is_one_sweep() {
    let world = World::new(Ecs::uniform(3, 25), &[]);
    let keeper = world.keeper();
    let words = world
        .platform
        .run(join_all((0..200).map(|_| keeper.read("r-1"))));
    assert_eq!(world.calls(), world.needed());
    let version = keeper.newest().unwrap().version;
    assert!(
        words
            .iter()
            .all(|word| word.version == Some(version) && word.failed.is_none())
    );
    let used: u32 = words.iter().map(|word| word.usage.calls).sum();
    assert_eq!(
        used as usize,
        world.calls(),
        "one of them is charged with it"
    );
}

#[test]
fn what_is_stale_is_served_at_once_while_one_sweep_runs_behind_it() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    let keeper = world.keeper();
    let first = world.read(&keeper).version;
    world.advance(16);
    let before = world.platform.now();
    let words = [0; 5].map(|_| world.read(&keeper));
    assert!(words.iter().all(|word| word.version == first));
    assert_eq!(world.platform.now(), before, "nobody waits");
    world.platform.settle();
    assert_eq!(world.calls(), 2 * world.needed());
    assert!(world.read(&keeper).version > first);
    assert_eq!(world.calls(), 2 * world.needed());
}

#[test]
fn a_sweep_that_is_slow_is_not_given_up_while_it_runs() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    world.latency.set(Duration::from_secs(5));
    let keeper = world.keeper();
    let late = async {
        world.platform.sleep(Duration::from_secs(14)).await;
        keeper.read("r-2").await
    };
    let (first, late) = world.platform.run(join(keeper.read("r-1"), late));
    assert!(first.version.is_some() && late.version == first.version);
    assert_eq!(world.calls(), world.needed());
}

#[test]
fn nobody_asks_and_nobody_calls_aws() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    let keeper = world.keeper();
    world.read(&keeper);
    world.advance(100_000);
    world.platform.settle();
    assert_eq!(world.calls(), world.needed());
    assert!(!world.disk.0.alarm.get());
}

#[test]
fn a_sweep_of_any_size_goes_on_from_alarm_to_alarm() {
    let world = World::new(Ecs::uniform(20, 250), &[("SWEEP_TIMEOUT", "1")]);
    let keeper = world.keeper();
    let word = world.read(&keeper);
    assert_eq!(
        (word.version, word.failed.unwrap().cause),
        (None, Cause::NotDone)
    );
    let extent = word.extent.unwrap();
    assert_eq!(extent.clusters, 20);
    assert!(extent.calls_left > 0 && extent.services > extent.described);
    let alarms = world.alarms(&keeper);
    assert_eq!(world.calls(), world.needed());
    assert_eq!(alarms, world.needed().div_ceil(45) - 1);
    assert_eq!(services(&keeper), 5_000);
    assert!(world.platform.peak() <= 6);
    assert!(world.read(&keeper).version.is_some());
    assert!(
        !world.disk.0.saved.borrow().contains_key("sweep"),
        "nothing is left over"
    );
}

#[test]
fn a_keeper_that_is_evicted_between_two_slices_loses_nothing() {
    let world = World::new(Ecs::uniform(5, 100), &[("SUBREQUEST_BUDGET", "18")]);
    let first = world.keeper();
    world.platform.run(join_all([async {
        first.read("r-1").await;
    }]));
    drop(first);
    let mut keepers = 0;
    while world.disk.0.alarm.replace(false) {
        keepers += 1;
        let keeper = world.keeper();
        world.platform.run(keeper.resume("alarm"));
    }
    assert_eq!(keepers, world.needed().div_ceil(18) - 1);
    assert_eq!(world.calls(), world.needed());
    let late = world.keeper();
    assert!(world.read(&late).version.is_some());
    assert_eq!((services(&late), world.calls()), (500, world.needed()));
}

#[test]
fn a_sweep_that_rested_too_long_is_begun_anew() {
    for (rest, made_again) in [(290, 0), (310, 18)] {
        let world = World::new(Ecs::uniform(5, 100), &[("SUBREQUEST_BUDGET", "18")]);
        let keeper = world.keeper();
        assert_eq!(world.read(&keeper).version, None);
        world.advance(rest - world.platform.elapsed().as_secs());
        world.alarms(&keeper);
        assert_eq!(services(&keeper), 500);
        assert_eq!(world.calls(), world.needed() + made_again, "{rest} s");
    }
}

#[test]
fn a_viewer_goes_on_with_a_sweep_whose_alarm_was_lost() {
    let world = World::new(Ecs::uniform(5, 100), &[("SUBREQUEST_BUDGET", "18")]);
    let keeper = world.keeper();
    assert_eq!(world.read(&keeper).version, None);
    world.disk.0.alarm.set(false);
    while world.read(&keeper).version.is_none() {}
    assert_eq!((services(&keeper), world.calls()), (500, world.needed()));
}

#[test]
fn calls_keep_the_pace_over_all_slices() {
    let changes = [
        ("CALL_BURST", "50"),
        ("CALL_RATE", "10"),
        ("SWEEP_TIMEOUT", "1"),
    ];
    let world = World::new(Ecs::uniform(10, 100), &changes);
    let keeper = world.keeper();
    world.read(&keeper);
    world.alarms(&keeper);
    assert_eq!(world.calls(), world.needed());
    let least = Duration::from_millis(100) * u32::try_from(world.needed() - 50).unwrap();
    let elapsed = world.platform.elapsed();
    assert!(
        elapsed >= least && elapsed < least + Duration::from_secs(3),
        "{elapsed:?}"
    );
}

#[test]
fn after_a_failure_the_old_snapshot_stands_and_aws_is_asked_less_and_less() {
    let world = World::new(Ecs::uniform(1, 5), &[("SNAPSHOT_MAX_AGE", "5")]);
    let keeper = world.keeper();
    let first = world.read(&keeper).version;
    let swept = world.calls();
    world.deny("AccessDeniedException");
    for second in 0..60 {
        world.advance(1);
        let word = world.read(&keeper);
        world.platform.settle();
        assert_eq!(word.version, first);
        assert!(second < 6 || word.failed.unwrap().cause == Cause::NotAllowed("ListClusters"));
    }
    // Pauses of 1, 2, 4, 5, 5… seconds, from the sixth second on.
    let asked = world.calls() - swept;
    assert!((11..=14).contains(&asked), "{asked}");
    world.ecs.borrow_mut().errors.clear();
    world.advance(5);
    world.read(&keeper);
    world.platform.settle();
    let word = world.read(&keeper);
    assert_eq!(word.failed, None);
    assert!(word.version > first);
}

#[test]
fn a_cluster_that_cannot_be_read_any_more_stays_as_it_was_and_is_marked() {
    let world = World::new(Ecs::uniform(3, 5), &[]);
    let keeper = world.keeper();
    world.read(&keeper);
    for cluster in ["cluster-0000", "cluster-0002"] {
        let key = ("ListServices".to_owned(), cluster.to_owned());
        let mut ecs = world.ecs.borrow_mut();
        ecs.errors.insert(key, "AccessDeniedException");
    }
    world.advance(1_000);
    assert_eq!(world.read(&keeper).failed, None);
    assert_eq!(services(&keeper), 15);
    let newest = keeper.newest().unwrap();
    let failures = &newest.snapshot.failures;
    assert_eq!(failures.len(), 2);
    for failure in failures {
        let told = "the IAM policy does not allow ecs:ListServices; 5 services are shown as of \
                    2026-11-22T19:40:00Z";
        assert_eq!(failure.reason, told);
    }
    world.ecs.borrow_mut().errors.clear();
    world.advance(1_000);
    world.read(&keeper);
    assert!(keeper.newest().unwrap().snapshot.failures.is_empty());
}

#[test]
fn a_failure_without_a_snapshot_is_told_from_memory_and_then_asked_for_again() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    world.deny("UnrecognizedClientException");
    let keeper = world.keeper();
    for _ in 0..50 {
        let word = world.read(&keeper);
        assert_eq!(
            (word.version, word.failed.unwrap().cause),
            (None, Cause::UnknownKey)
        );
    }
    assert_eq!(world.calls(), 1);
    world.ecs.borrow_mut().errors.clear();
    world.advance(1);
    assert!(world.read(&keeper).version.is_some());
}

#[test]
fn an_old_snapshot_stands_in_for_a_sweep_that_takes_too_long() {
    let world = World::new(Ecs::uniform(20, 250), &[("SWEEP_TIMEOUT", "1")]);
    let keeper = world.keeper();
    world.read(&keeper);
    world.alarms(&keeper);
    let first = world.read(&keeper).version;
    assert!(first.is_some());
    world.advance(1_000);
    let word = world.read(&keeper);
    assert_eq!(
        (word.version, word.failed.unwrap().cause),
        (first, Cause::NotDone)
    );
    world.alarms(&keeper);
    assert!(world.read(&keeper).version > first);
}

#[test]
fn a_slice_that_never_ends_is_given_up_and_the_sweep_begun_anew() {
    let world = World::new(Ecs::uniform(1, 5), &[("SNAPSHOT_MAX_STALE", "0")]);
    let lost = world.keeper();
    // Its invocation is taken down: nothing polls it any more.
    let mut reading = Box::pin(lost.read("r-1"));
    world.platform.poll_once(reading.as_mut());
    world.platform.forget_tasks();
    drop(reading);
    world.advance(60);
    assert!(world.read(&lost).version.is_some());
    assert_eq!(services(&lost), 5);
}

#[test]
fn a_slice_that_comes_back_after_it_was_given_up_changes_nothing() {
    let world = World::new(Ecs::uniform(1, 5), &[("SNAPSHOT_MAX_STALE", "0")]);
    let keeper = world.keeper();
    // Its invocation is frozen: it is not polled for a minute.
    let mut frozen = Box::pin(keeper.read("r-1"));
    world.platform.poll_once(frozen.as_mut());
    world.advance(60);
    let word = world.read(&keeper);
    world.platform.settle();
    assert!(word.version.is_some() && word.failed.is_none());
    assert_eq!(services(&keeper), 5);
    let word = world.read(&keeper);
    assert_eq!(
        word.total.calls as usize,
        world.calls(),
        "all is accounted for"
    );
    let sweeps = world.platform.lines();
    let sweeps = sweeps
        .iter()
        .filter(|line| line.contains("\"event\":\"sweep\""));
    assert_eq!(sweeps.count(), 1);
}

#[test]
fn a_platform_that_allows_no_call_ends_the_sweep() {
    let platform = Fake::new(|_| Reply {
        after: Duration::ZERO,
        sent: Err(SendError::SubrequestLimit),
    });
    let world = World {
        platform,
        ..World::new(Ecs::default(), &[])
    };
    let word = world.read(&world.keeper());
    assert_eq!(
        (word.version, word.failed.unwrap().cause),
        (None, Cause::SubrequestLimit)
    );
    assert!(!world.disk.0.alarm.get());
}

#[test]
fn a_sweep_is_one_log_line() {
    let mut ecs = Ecs::uniform(3, 80);
    let denied = ("ListServices".to_owned(), "cluster-0000".to_owned());
    ecs.errors.insert(denied, "AccessDeniedException");
    let world = World::new(ecs, &[("SUBREQUEST_BUDGET", "18")]);
    let keeper = world.keeper();
    world.read(&keeper);
    world.alarms(&keeper);
    world.advance(10_000);
    world.deny("ThrottlingException");
    world.read(&keeper);
    let lines = world.platform.lines();
    let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    let told: Vec<Value> = lines
        .filter(|line: &Value| line["event"] == "sweep")
        .collect();
    let mut told = told.into_iter();
    let line = told.next().unwrap();
    assert_eq!(
        line,
        json!({
            "level": "info", "event": "sweep", "requestId": "alarm", "target": "default",
            "region": "us-east-1", "durationMs": line["durationMs"], "slices": 2, "awsCalls": 21,
            "awsRetries": 0, "awsThrottles": 0, "awsErrors": 1, "clusters": 2, "services": 160,
            "failures": 1,
        })
    );
    let line = told.next().unwrap();
    assert_eq!(
        [&line["level"], &line["awsThrottles"], &line["problem"]],
        [
            &json!("error"),
            &json!(3),
            &json!("AWS throttled the calls, also when asked again")
        ]
    );
}

#[test]
fn who_waits_for_a_sweep_is_told_when_to_ask_again() {
    let changes = [
        ("CALL_BURST", "18"),
        ("CALL_RATE", "1"),
        ("SUBREQUEST_BUDGET", "18"),
    ];
    let world = World::new(Ecs::uniform(5, 100), &changes);
    let word = world.read(&world.keeper());
    assert_eq!(word.extent.unwrap().calls_left, 39);
    // The burst goes at once, and the rest by one a second.
    assert_eq!(word.retry_after, Duration::from_secs(39 - 18));
}

#[test]
fn health_is_asked_for_again_after_half_a_minute() {
    let world = World::new(Ecs::uniform(1, 1), &[]);
    let keeper = world.keeper();
    let check = || world.platform.run(keeper.check("r-1"));
    assert_eq!((check().usage.calls, check().usage.calls), (1, 0));
    world.advance(29);
    assert_eq!(check().usage.calls, 0);
    world.advance(1);
    world.deny("UnrecognizedClientException");
    let health = check();
    assert_eq!(
        (health.usage.calls, health.cause),
        (1, Some(Cause::UnknownKey))
    );
    assert_eq!(health.checked_at, world.platform.now());
    assert_eq!(world.read(&keeper).total.calls, 3, "two checks and a sweep");
}

#[test]
fn a_disk_that_fails_is_logged_and_nothing_more() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    world.disk.0.broken.set(true);
    assert!(world.read(&world.keeper()).version.is_some());
    let lines = world.platform.lines();
    let told = lines
        .iter()
        .filter(|line| line.contains("\"event\":\"storage\""));
    assert_eq!(told.count(), 3);
}

#[test]
fn what_is_stored_under_another_configuration_or_is_damaged_is_dropped() {
    for change in [
        ("EXPOSE_TAGS", "owner"),
        ("AWS_ACCESS_KEY_ID", "AKIDOTHER"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:5000"),
    ] {
        let mut world = World::new(Ecs::uniform(1, 5), &[]);
        world.read(&world.keeper());
        world.changes = vec![change];
        assert!(world.read(&world.keeper()).version.is_some());
        assert_eq!(world.calls(), 2 * world.needed(), "{change:?}");
        let told = "the target was configured otherwise then";
        let lines = world.platform.lines();
        assert!(lines.iter().any(|line| line.contains(told)));
    }
    let world = World::new(Ecs::uniform(1, 5), &[]);
    for bytes in [vec![], vec![0xff; 40], b"{\"format\":1}".to_vec()] {
        let calls = world.calls();
        world.disk.0.saved.borrow_mut().insert("snapshot", bytes);
        assert!(world.read(&world.keeper()).version.is_some());
        assert_eq!(world.calls(), calls + world.needed());
    }
}

#[test]
fn a_snapshot_that_a_clock_ahead_stored_is_not_fresh_for_ever() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    world.advance(100_000);
    world.read(&world.keeper());
    let saved = world.disk.0.saved.borrow().clone();
    let later = World::new(Ecs::uniform(1, 5), &[]);
    *later.disk.0.saved.borrow_mut() = saved;
    assert!(later.read(&later.keeper()).version.is_some());
    assert_eq!(later.calls(), later.needed());
}

#[test]
fn the_version_grows_also_past_one_of_a_clock_that_was_ahead() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    let keeper = world.keeper();
    world.read(&keeper);
    let mut ahead = keeper.newest().unwrap();
    ahead.version += 30_000;
    let identity = world.platform.target("default", None).identity().to_owned();
    let bytes = stored::encode(&identity, &ahead).unwrap();
    world.disk.0.saved.borrow_mut().insert("snapshot", bytes);
    let keeper = world.keeper();
    assert_eq!(world.read(&keeper).version, Some(ahead.version));
    world.advance(1_000);
    assert!(world.read(&keeper).version > Some(ahead.version));
}

#[test]
fn a_stored_snapshot_is_served_without_asking_aws() {
    for age in [0, 200] {
        let world = World::new(Ecs::uniform(2, 30), &[]);
        let first = world.read(&world.keeper()).version;
        world.advance(age);
        world.latency.set(Duration::from_secs(10));
        let before = world.platform.now();
        let keeper = world.keeper();
        assert_eq!(world.read(&keeper).version, first);
        assert_eq!(world.platform.now(), before);
        assert_eq!(services(&keeper), 60);
        let encoded = keeper.encoded().unwrap();
        let read: Versioned = stored::decode(&encoded, None).unwrap();
        assert_eq!(
            (Some(read.version), read.snapshot),
            (first, keeper.newest().unwrap().snapshot)
        );
    }
}
