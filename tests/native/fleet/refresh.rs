//! Refresher: one sweep at a time, in slices, at a limited rate, across failures and restarts.
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::support::ecs::Ecs;
use crate::support::{Fake, Reply, config};
use ecs_status::aws::protocol::OperationName;
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::refresh::encoding;
use ecs_status::fleet::refresh::policy::Policy;
use ecs_status::fleet::refresh::refresher::Refresher;
use ecs_status::fleet::refresh::status::{Health, SnapshotStatus};
use ecs_status::fleet::refresh::store::{Store, VersionedSnapshot};
use ecs_status::platform::{Clock, SendError, Sleep};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

const LATENCY: Duration = Duration::from_millis(20);

/// A store that outlives a refresher: bytes by name, and an alarm.
#[derive(Clone)]
struct Disk {
    platform: Fake,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    saved: RefCell<BTreeMap<&'static str, Vec<u8>>>,
    /// Whether another invocation is due.
    alarm: Cell<bool>,
    /// How long it takes until setting the alarm is confirmed.
    alarm_latency: Cell<Duration>,
    broken: Cell<bool>,
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
        if self.shared.broken.get() {
            return Err("the disk is broken".into());
        }
        let mut saved = self.shared.saved.borrow_mut();
        match bytes {
            Some(bytes) => saved.insert(name, bytes.to_vec()),
            None => saved.remove(name),
        };
        Ok(())
    }

    async fn resume_later(&self) -> bool {
        self.shared.alarm.set(true);
        self.platform.sleep(self.shared.alarm_latency.get()).await;
        true
    }
}

/// An AWS, a disk, and refreshers that come and go.
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

    fn refresher(&self) -> Rc<Refresher<Fake, Disk>> {
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

    fn read(&self, refresher: &Rc<Refresher<Fake, Disk>>) -> SnapshotStatus {
        self.platform.run(refresher.read(None, "r-1"))
    }

    /// Runs alarms until none is set, and counts them.
    fn alarms(&self, refresher: &Rc<Refresher<Fake, Disk>>) -> usize {
        let mut alarms = 0;
        while self.disk.shared.alarm.replace(false) {
            alarms += 1;
            self.platform.run(refresher.resume("alarm"));
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
        self.ecs.borrow_mut().fail("ListClusters", "", code);
    }

    fn advance(&self, seconds: u64) {
        self.platform.advance(Duration::from_secs(seconds));
    }
}

fn services(refresher: &Refresher<Fake, Disk>) -> usize {
    let newest = refresher.newest().unwrap();
    newest
        .snapshot
        .clusters
        .iter()
        .map(|c| c.services.len())
        .sum()
}

#[test]
fn any_number_of_requests_share_one_sweep() {
    let world = World::new(Ecs::uniform(3, 25), &[]);
    let refresher = world.refresher();
    let statuses = world
        .platform
        .run(join_all((0..200).map(|_| refresher.read(None, "r-1"))));
    assert_eq!(world.calls(), world.needed());
    let version = refresher.newest().unwrap().version;
    assert!(
        statuses
            .iter()
            .all(|status| status.version == Some(version) && status.last_failure.is_none())
    );
    let used: u32 = statuses.iter().map(|status| status.usage.calls).sum();
    assert_eq!(used as usize, world.calls(), "one request accounts for it");
}

#[test]
fn a_slow_sweep_is_not_replaced_while_it_runs() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    world.latency.set(Duration::from_secs(5));
    let refresher = world.refresher();
    let late = async {
        world.platform.sleep(Duration::from_secs(14)).await;
        refresher.read(None, "r-2").await
    };
    let (first, late) = world.platform.run(join(refresher.read(None, "r-1"), late));
    assert!(first.version.is_some() && late.version == first.version);
    assert_eq!(world.calls(), world.needed());
}

#[test]
fn aws_is_not_called_without_a_request() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    let refresher = world.refresher();
    world.read(&refresher);
    world.advance(100_000);
    world.platform.settle();
    assert_eq!(world.calls(), world.needed());
    assert!(!world.disk.shared.alarm.get());
}

#[test]
fn a_sweep_of_any_size_continues_from_alarm_to_alarm() {
    let world = World::new(Ecs::uniform(20, 250), &[("SWEEP_TIMEOUT", "1")]);
    let refresher = world.refresher();
    let status = world.read(&refresher);
    assert_eq!(
        (status.version, status.last_failure.unwrap().cause),
        (None, Cause::NotDone)
    );
    let progress = status.progress.unwrap();
    assert_eq!(progress.clusters, 20);
    assert!(progress.calls_left > 0 && progress.services > progress.described);
    let alarms = world.alarms(&refresher);
    assert_eq!(world.calls(), world.needed());
    assert_eq!(alarms, world.needed().div_ceil(45) - 1);
    assert_eq!(services(&refresher), 5_000);
    assert!(world.platform.peak() <= 6);
    assert!(world.read(&refresher).version.is_some());
    assert!(
        !world.disk.shared.saved.borrow().contains_key("sweep"),
        "the stored sweep is removed"
    );
}

#[test]
fn a_refresher_that_is_evicted_between_two_slices_loses_nothing() {
    let world = World::new(Ecs::uniform(5, 100), &[("SUBREQUEST_BUDGET", "18")]);
    let first = world.refresher();
    world.platform.run(join_all([async {
        first.read(None, "r-1").await;
    }]));
    drop(first);
    let mut refreshers = 0;
    while world.disk.shared.alarm.replace(false) {
        refreshers += 1;
        let refresher = world.refresher();
        world.platform.run(refresher.resume("alarm"));
    }
    assert_eq!(refreshers, world.needed().div_ceil(18) - 1);
    assert_eq!(world.calls(), world.needed());
    let late = world.refresher();
    assert!(world.read(&late).version.is_some());
    assert_eq!((services(&late), world.calls()), (500, world.needed()));
}

#[test]
fn a_sweep_that_rested_too_long_starts_over() {
    for (rest, made_again) in [(290, 0), (310, 18)] {
        let world = World::new(Ecs::uniform(5, 100), &[("SUBREQUEST_BUDGET", "18")]);
        let refresher = world.refresher();
        assert_eq!(world.read(&refresher).version, None);
        world.advance(rest - world.platform.elapsed().as_secs());
        world.alarms(&refresher);
        assert_eq!(services(&refresher), 500);
        assert_eq!(world.calls(), world.needed() + made_again, "{rest} s");
    }
}

#[test]
fn a_request_continues_a_sweep_whose_alarm_was_lost() {
    let world = World::new(Ecs::uniform(5, 100), &[("SUBREQUEST_BUDGET", "18")]);
    let refresher = world.refresher();
    assert_eq!(world.read(&refresher).version, None);
    world.disk.shared.alarm.set(false);
    while world.read(&refresher).version.is_none() {}
    assert_eq!((services(&refresher), world.calls()), (500, world.needed()));
}

#[test]
fn the_rate_limit_holds_across_slices() {
    let changes = [
        ("CALL_BURST", "50"),
        ("CALL_RATE", "10"),
        ("SWEEP_TIMEOUT", "1"),
    ];
    let world = World::new(Ecs::uniform(10, 100), &changes);
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    assert_eq!(world.calls(), world.needed());
    let least = Duration::from_millis(100) * u32::try_from(world.needed() - 50).unwrap();
    let elapsed = world.platform.elapsed();
    assert!(
        elapsed >= least && elapsed < least + Duration::from_secs(3),
        "{elapsed:?}"
    );
}

#[test]
fn failed_sweeps_leave_the_snapshot_and_are_repeated_less_and_less_often() {
    let world = World::new(Ecs::uniform(1, 5), &[("SNAPSHOT_MAX_AGE", "5")]);
    let refresher = world.refresher();
    let first = world.read(&refresher).version;
    let swept = world.calls();
    world.deny("AccessDeniedException");
    for second in 0..60 {
        world.advance(1);
        let status = world.read(&refresher);
        world.platform.settle();
        assert_eq!(status.version, first);
        assert!(
            second < 6
                || status.last_failure.unwrap().cause
                    == Cause::NotAllowed(OperationName::ListClusters)
        );
    }
    // Pauses of 1, 2, 4, 5, 5… seconds, from the sixth second on.
    let asked = world.calls() - swept;
    assert!((11..=14).contains(&asked), "{asked}");
    world.ecs.borrow_mut().errors.clear();
    world.advance(5);
    world.read(&refresher);
    world.platform.settle();
    let status = world.read(&refresher);
    assert_eq!(status.last_failure, None);
    assert!(status.version > first);
}

#[test]
fn a_cluster_that_can_no_longer_be_read_stays_as_it_was_with_a_failure() {
    let world = World::new(Ecs::uniform(3, 5), &[]);
    let refresher = world.refresher();
    world.read(&refresher);
    for cluster in ["cluster-0000", "cluster-0002"] {
        let mut ecs = world.ecs.borrow_mut();
        ecs.fail("ListServices", cluster, "AccessDeniedException");
    }
    world.advance(1_000);
    assert_eq!(world.read(&refresher).last_failure, None);
    assert_eq!(services(&refresher), 15);
    let newest = refresher.newest().unwrap();
    let failures = &newest.snapshot.failures;
    assert_eq!(failures.len(), 2);
    for failure in failures {
        let reason = "the IAM policy does not allow ecs:ListServices; 5 services are shown as of \
                    2026-11-22T19:40:00Z";
        assert_eq!(failure.reason, reason);
    }
    world.ecs.borrow_mut().errors.clear();
    world.advance(1_000);
    world.read(&refresher);
    assert!(refresher.newest().unwrap().snapshot.failures.is_empty());
}

#[test]
fn a_failure_without_a_snapshot_is_remembered_before_the_next_sweep() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    world.deny("UnrecognizedClientException");
    let refresher = world.refresher();
    for _ in 0..50 {
        let status = world.read(&refresher);
        assert_eq!(
            (status.version, status.last_failure.unwrap().cause),
            (None, Cause::UnknownKey)
        );
    }
    assert_eq!(world.calls(), 1);
    world.ecs.borrow_mut().errors.clear();
    world.advance(1);
    assert!(world.read(&refresher).version.is_some());
}

#[test]
fn an_old_snapshot_is_served_while_a_sweep_takes_too_long() {
    let world = World::new(Ecs::uniform(20, 250), &[("SWEEP_TIMEOUT", "1")]);
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    let first = world.read(&refresher).version;
    assert!(first.is_some());
    world.advance(1_000);
    let status = world.read(&refresher);
    assert_eq!(
        (status.version, status.last_failure.unwrap().cause),
        (first, Cause::NotDone)
    );
    world.alarms(&refresher);
    assert!(world.read(&refresher).version > first);
}

#[test]
fn a_lost_slice_is_given_up_and_the_sweep_starts_over() {
    let world = World::new(Ecs::uniform(1, 5), &[("SNAPSHOT_MAX_STALE", "0")]);
    let lost = world.refresher();
    // The invocation is terminated: nothing polls it any more.
    let mut reading = Box::pin(lost.read(None, "r-1"));
    world.platform.poll_once(reading.as_mut());
    world.platform.forget_tasks();
    drop(reading);
    world.advance(60);
    assert!(world.read(&lost).version.is_some());
    assert_eq!(services(&lost), 5);
}

#[test]
fn a_slice_that_resumes_after_it_was_given_up_changes_nothing() {
    let world = World::new(Ecs::uniform(1, 5), &[("SNAPSHOT_MAX_STALE", "0")]);
    let refresher = world.refresher();
    // The invocation is frozen: it is not polled for a minute.
    let mut frozen = Box::pin(refresher.read(None, "r-1"));
    world.platform.poll_once(frozen.as_mut());
    world.advance(60);
    let status = world.read(&refresher);
    world.platform.settle();
    assert!(status.version.is_some() && status.last_failure.is_none());
    assert_eq!(services(&refresher), 5);
    let status = world.read(&refresher);
    assert_eq!(
        status.total.calls as usize,
        world.calls(),
        "every call is accounted for"
    );
    let sweeps = world.platform.lines();
    let sweeps = sweeps
        .iter()
        .filter(|line| line.contains("\"event\":\"sweep\""));
    assert_eq!(sweeps.count(), 1);
}

/// A refresher that lost the second slice of a sweep, which it had stored after the first, and then
/// swept a fleet of five services in one slice.
fn after_a_lost_slice() -> World {
    let changes = [("SUBREQUEST_BUDGET", "18"), ("SNAPSHOT_MAX_STALE", "0")];
    let world = World::new(Ecs::uniform(5, 100), &changes);
    let refresher = world.refresher();
    assert_eq!(world.read(&refresher).version, None);
    assert!(world.disk.shared.alarm.replace(false));
    assert!(world.disk.shared.saved.borrow().contains_key("sweep"));
    // The invocation is terminated: nothing polls it any more.
    let mut slice = Box::pin(refresher.resume("alarm"));
    world.platform.poll_once(slice.as_mut());
    world.platform.forget_tasks();
    drop(slice);
    world.advance(60);
    *world.ecs.borrow_mut() = Ecs::uniform(1, 5);
    assert!(world.read(&refresher).version.is_some());
    assert_eq!(services(&refresher), 5);
    world
}

#[test]
fn a_lost_sweep_is_removed_from_the_store() {
    let world = after_a_lost_slice();
    assert!(!world.disk.shared.saved.borrow().contains_key("sweep"));
}

#[test]
fn a_lost_sweep_is_not_published_over_a_newer_one_after_a_restart() {
    let world = after_a_lost_slice();
    let calls = world.calls();
    let restarted = world.refresher();
    world.platform.run(restarted.resume("alarm"));
    world.platform.settle();
    world.alarms(&restarted);
    assert_eq!((services(&restarted), world.calls()), (5, calls));
}

#[test]
fn the_lease_of_a_slice_is_released_before_the_alarm_is_set() {
    let world = World::new(Ecs::uniform(5, 100), &[("SUBREQUEST_BUDGET", "18")]);
    world.disk.shared.alarm_latency.set(Duration::from_secs(1));
    let refresher = world.refresher();
    let alarm = async {
        while !world.disk.shared.alarm.replace(false) {
            world.platform.sleep(Duration::from_millis(10)).await;
        }
        // The alarm fires before setting it is confirmed.
        refresher.resume("alarm").await;
        world.calls()
    };
    let (_, calls) = world.platform.run(join(refresher.read(None, "r-1"), alarm));
    assert_eq!(calls, 2 * 18);
    world.alarms(&refresher);
    assert_eq!((services(&refresher), world.calls()), (500, world.needed()));
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
    let status = world.read(&world.refresher());
    assert_eq!(
        (status.version, status.last_failure.unwrap().cause),
        (None, Cause::SubrequestLimit)
    );
    assert!(!world.disk.shared.alarm.get());
}

#[test]
fn a_sweep_is_one_log_line() {
    let ecs = Ecs::uniform(3, 80).failing("ListServices", "cluster-0000", "AccessDeniedException");
    let world = World::new(ecs, &[("SUBREQUEST_BUDGET", "18")]);
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    world.advance(10_000);
    world.deny("ThrottlingException");
    world.read(&refresher);
    let lines = world.platform.lines();
    let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    let sweeps: Vec<Value> = lines
        .filter(|line: &Value| line["event"] == "sweep")
        .collect();
    let mut sweeps = sweeps.into_iter();
    let line = sweeps.next().unwrap();
    assert_eq!(
        line,
        json!({
            "level": "info", "event": "sweep", "requestId": "alarm", "target": "default",
            "region": "us-east-1", "durationMs": line["durationMs"], "slices": 2, "awsCalls": 21,
            "awsRetries": 0, "awsThrottles": 0, "awsErrors": 1, "clusters": 2, "services": 160,
            "failures": 1,
        })
    );
    let line = sweeps.next().unwrap();
    assert_eq!(
        [&line["level"], &line["awsThrottles"], &line["problem"]],
        [
            &json!("error"),
            &json!(3),
            &json!("AWS throttled every attempt")
        ]
    );
}

#[test]
fn a_request_for_a_running_sweep_is_told_when_to_retry() {
    let changes = [
        ("CALL_BURST", "18"),
        ("CALL_RATE", "1"),
        ("SUBREQUEST_BUDGET", "18"),
    ];
    let world = World::new(Ecs::uniform(5, 100), &changes);
    let status = world.read(&world.refresher());
    assert_eq!(status.progress.unwrap().calls_left, 39);
    // The burst is immediate, and the rest takes a second for each call.
    assert_eq!(status.retry_after, Duration::from_secs(39 - 18));
}

#[test]
fn a_health_check_is_repeated_after_half_a_minute() {
    let world = World::new(Ecs::uniform(1, 1), &[]);
    let refresher = world.refresher();
    let check = || world.platform.run(refresher.check("r-1"));
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
    assert_eq!(
        world.read(&refresher).total.calls,
        3,
        "two checks and a sweep"
    );
}

#[test]
fn concurrent_health_checks_are_one_call() {
    let world = World::new(
        Ecs::uniform(1, 5),
        &[("CALL_BURST", "10"), ("CALL_RATE", "1")],
    );
    let refresher = world.refresher();
    let checks = (0..60).map(|_| refresher.check("r-1"));
    let healths: Vec<Health> = world.platform.run(join_all(checks));
    assert!(healths.iter().all(|health| health.cause.is_none()));
    let used: u32 = healths.iter().map(|health| health.usage.calls).sum();
    assert_eq!((used, world.calls()), (1, 1));
    // The rate limiter has tokens left for a sweep.
    let before = world.platform.elapsed();
    assert!(world.read(&refresher).version.is_some());
    assert_eq!(world.platform.elapsed() - before, LATENCY * 3);
}

#[test]
fn a_health_check_whose_request_is_dropped_does_not_block_the_others() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    let refresher = world.refresher();
    let mut dropped = Box::pin(refresher.check("r-1"));
    world.platform.poll_once(dropped.as_mut());
    let mut waiting = Box::pin(refresher.check("r-2"));
    world.platform.poll_once(waiting.as_mut());
    drop(dropped);
    assert_eq!(world.platform.run(waiting).cause, None);
    assert_eq!(world.platform.run(refresher.check("r-3")).cause, None);
}

#[test]
fn a_store_that_fails_is_logged_and_nothing_more() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    world.disk.shared.broken.set(true);
    assert!(world.read(&world.refresher()).version.is_some());
    let lines = world.platform.lines();
    let errors = lines
        .iter()
        .filter(|line| line.contains("\"event\":\"storage\""));
    assert_eq!(errors.count(), 3);
}

#[test]
fn an_item_of_another_identity_or_format_is_dropped() {
    for change in [
        ("EXPOSE_TAGS", "owner"),
        ("AWS_ACCESS_KEY_ID", "AKIDOTHER"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:5000"),
    ] {
        let mut world = World::new(Ecs::uniform(1, 5), &[]);
        world.read(&world.refresher());
        world.changes = vec![change];
        assert!(world.read(&world.refresher()).version.is_some());
        assert_eq!(world.calls(), 2 * world.needed(), "{change:?}");
        let lines = world.platform.lines();
        let dropped = |line: &String| line.contains("\"event\":\"storage\"");
        assert!(lines.iter().any(dropped), "{change:?}");
    }
    let world = World::new(Ecs::uniform(1, 5), &[]);
    for bytes in [vec![], vec![0xff; 40], b"{\"format\":1}".to_vec()] {
        let calls = world.calls();
        world
            .disk
            .shared
            .saved
            .borrow_mut()
            .insert("snapshot", bytes);
        assert!(world.read(&world.refresher()).version.is_some());
        assert_eq!(world.calls(), calls + world.needed());
    }
}

#[test]
fn items_of_another_identity_are_removed_from_the_store() {
    let mut world = World::new(Ecs::uniform(5, 100), &[("SUBREQUEST_BUDGET", "18")]);
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    world.advance(1_000);
    // The second sweep is stored after its first slice.
    world.read(&refresher);
    let stored = |world: &World| {
        let saved = world.disk.shared.saved.borrow();
        saved.keys().copied().collect::<Vec<_>>()
    };
    assert_eq!(stored(&world), ["snapshot", "sweep"]);
    world.changes = vec![("AWS_ACCESS_KEY_ID", "AKIDOTHER")];
    world.deny("UnrecognizedClientException");
    assert_eq!(world.read(&world.refresher()).version, None);
    assert_eq!(stored(&world), [""; 0]);
}

#[test]
fn a_snapshot_stored_by_a_clock_that_was_ahead_is_not_fresh_for_ever() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    world.advance(100_000);
    world.read(&world.refresher());
    let saved = world.disk.shared.saved.borrow().clone();
    let later = World::new(Ecs::uniform(1, 5), &[]);
    *later.disk.shared.saved.borrow_mut() = saved;
    assert!(later.read(&later.refresher()).version.is_some());
    assert_eq!(later.calls(), later.needed());
}

#[test]
fn the_version_grows_past_one_of_a_clock_that_was_ahead() {
    let world = World::new(Ecs::uniform(1, 5), &[]);
    let refresher = world.refresher();
    world.read(&refresher);
    let mut ahead = refresher.newest().unwrap();
    ahead.version += 30_000;
    let identity = world.platform.target("default", None).identity().to_owned();
    let bytes = encoding::encode(&identity, &ahead).unwrap();
    world
        .disk
        .shared
        .saved
        .borrow_mut()
        .insert("snapshot", bytes);
    let refresher = world.refresher();
    assert_eq!(world.read(&refresher).version, Some(ahead.version));
    world.advance(1_000);
    assert!(world.read(&refresher).version > Some(ahead.version));
}

#[test]
fn a_stored_snapshot_is_served_without_a_call_to_aws() {
    for age in [0, 10] {
        let world = World::new(Ecs::uniform(2, 30), &[]);
        let first = world.read(&world.refresher()).version;
        world.advance(age);
        world.latency.set(Duration::from_secs(10));
        let before = world.platform.now();
        let refresher = world.refresher();
        assert_eq!(world.read(&refresher).version, first);
        assert_eq!(world.platform.now(), before);
        assert_eq!(services(&refresher), 60);
        let encoded = refresher.encoded().unwrap();
        let read: VersionedSnapshot = encoding::decode(&encoded, None).unwrap();
        assert_eq!(
            (Some(read.version), read.snapshot),
            (first, refresher.newest().unwrap().snapshot)
        );
    }
}
