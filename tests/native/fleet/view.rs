//! View of the fleet: when the source is read, and how its replies and the copies in memory combine.

use std::time::{Duration, SystemTime};

use ecs_status::aws::budget::Usage;
use ecs_status::aws::protocol::OperationName;
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::model::policy_denial::PolicyDenial;
use ecs_status::fleet::refresh::policy::LastFailure;
use ecs_status::fleet::refresh::status::Health;
use ecs_status::fleet::refresh::store::VersionedSnapshot;
use ecs_status::fleet::view::Fleet;
use ecs_status::fleet::view::report::{MergedReport, Unavailable};
use ecs_status::fleet::view::source::SnapshotReply;
use ecs_status::platform::{Clock, Sleep};
use futures_util::future::join;

use crate::support::ecs::Ecs;
use crate::support::model::{failure, snapshot, status};
use crate::support::source::Script;
use crate::support::{Fake, ask, config, start};

/// The duration of the sweeps of scripted snapshots.
const SWEEP: Duration = Duration::from_secs(2);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn usage(calls: u32) -> Usage {
    Usage {
        calls,
        ..Usage::default()
    }
}

/// A reply without a snapshot, after `calls` calls in all, of which three were for this request.
fn unchanged(version: Option<u64>, last_failure: Option<LastFailure>, calls: u32) -> SnapshotReply {
    let mut status = status(version);
    status.last_failure = last_failure;
    status.retry_after = seconds(7);
    status.usage = usage(3);
    status.total = usage(calls);
    SnapshotReply {
        status,
        snapshot: None,
    }
}

/// A reply with an empty snapshot of that version.
fn newer(version: u64, generated_at: SystemTime) -> SnapshotReply {
    SnapshotReply {
        snapshot: Some(VersionedSnapshot {
            version,
            sweep_duration: SWEEP,
            snapshot: snapshot(generated_at, Vec::new()),
        }),
        ..unchanged(Some(version), None, 3)
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
    let list = (0..targets).map(target).collect::<Vec<_>>().join(",");
    let config = config(&[("TARGETS", &format!("[{list}]"))]).unwrap();
    let platform = Fake::script(Vec::new());
    let script = Script::new(&platform, targets);
    World {
        fleet: Fleet::new(config, script.clone()),
        platform,
        script,
    }
}

impl World {
    /// Adds a reply of the first target that comes at once.
    fn reply(&self, reply: SnapshotReply) {
        self.script.reply(0, Duration::ZERO, Some(reply));
    }

    /// Adds a reply of the first target that comes later.
    fn reply_after(&self, after: u64, reply: SnapshotReply) {
        self.script.reply(0, seconds(after), Some(reply));
    }

    fn ask(&self) -> (Result<MergedReport, Unavailable>, Usage) {
        self.platform
            .run(self.fleet.report(&self.platform, None, "r-1"))
    }

    /// The reports of two requests, of which the second is made a second after the first.
    fn ask_twice(&self) -> [Result<MergedReport, Unavailable>; 2] {
        let first = self.fleet.report(&self.platform, None, "r-1");
        let second = async {
            self.platform.sleep(seconds(1)).await;
            self.fleet.report(&self.platform, None, "r-2").await
        };
        let (first, second) = self.platform.run(join(first, second));
        [first.0, second.0]
    }

    fn advance(&self, by: u64) {
        self.platform.advance(seconds(by));
    }
}

fn reasons(report: &MergedReport) -> Vec<&str> {
    let failures = report.snapshot.failures.iter();
    failures.map(|failure| failure.reason.as_str()).collect()
}

#[test]
fn the_source_is_read_only_for_a_copy_that_is_not_fresh() {
    let world = world(1);
    let start = world.platform.now();
    world.reply(newer(41, start));
    for _ in 0..3 {
        assert_eq!(world.ask().0.unwrap().snapshot.generated_at, start);
    }
    world.advance(13);
    world.ask().0.unwrap();
    assert_eq!(world.script.known(), [None]);
    // It would be stale before a sweep of two seconds is done: the source is told, once.
    world.advance(1);
    world.reply(unchanged(Some(41), None, 3));
    for _ in 0..3 {
        assert_eq!(world.ask().0.unwrap().snapshot.generated_at, start);
    }
    world.advance(1);
    world.ask().0.unwrap();
    world.advance(1);
    let now = world.platform.now();
    world.reply(newer(42, now));
    let report = world.ask().0.unwrap();
    assert_eq!(
        (report.snapshot.generated_at, report.age),
        (now, Duration::ZERO)
    );
    assert_eq!(world.script.known(), [None, Some(41), Some(41)]);
}

#[test]
fn a_late_reply_does_not_bring_an_older_snapshot_back() {
    let world = world(1);
    let start = world.platform.now();
    world.reply(newer(42, start));
    world.ask().0.unwrap();
    world.advance(16);
    world.reply(newer(41, start + seconds(10)));
    assert_eq!(world.ask().0.unwrap().snapshot.generated_at, start);
    // There is nothing to serve any more, and then there is again.
    world.reply(unchanged(None, None, 3));
    world.ask().0.unwrap_err();
    world.reply(newer(40, start));
    world.ask().0.unwrap();
    assert_eq!(world.script.known(), [None, Some(42), Some(42), None]);
}

/// A world whose copy of version 41 is not fresh any more.
fn with_a_stale_copy() -> World {
    let world = world(1);
    world.reply(newer(41, world.platform.now()));
    world.ask().0.unwrap();
    world.advance(16);
    world
}

#[test]
fn a_late_reply_without_a_snapshot_leaves_a_newer_copy_and_the_fleet_reachable() {
    let world = with_a_stale_copy();
    let now = world.platform.now();
    world.reply_after(5, unchanged(Some(41), None, 3));
    world.reply_after(1, newer(42, now));
    for report in world.ask_twice() {
        let report = report.unwrap();
        assert_eq!(reasons(&report), [""; 0]);
        assert_eq!(report.snapshot.generated_at, now);
    }
    // Both reads were sent with the version that was known when they were sent.
    assert_eq!(world.script.known(), [None, Some(41), Some(41)]);
}

#[test]
fn two_replies_with_the_same_snapshot_leave_the_fleet_reachable() {
    let world = with_a_stale_copy();
    let now = world.platform.now();
    world.reply_after(5, newer(42, now));
    world.reply_after(1, newer(42, now));
    for report in world.ask_twice() {
        let report = report.unwrap();
        assert_eq!(reasons(&report), [""; 0]);
        assert_eq!(report.snapshot.generated_at, now);
    }
}

#[test]
fn a_late_refusal_does_not_drop_a_newer_copy() {
    for world in [with_a_stale_copy(), world(1)] {
        let now = world.platform.now();
        let refused = Some(failure(Cause::Throttled, now));
        world.reply_after(5, unchanged(None, refused, 3));
        world.reply_after(1, newer(42, now));
        let reports = world.ask_twice();
        // The copy is fresh: it is served without a read.
        for report in [reports.into(), vec![world.ask().0]].concat() {
            let report = report.unwrap();
            assert_eq!(reasons(&report), [""; 0]);
            assert_eq!(report.snapshot.generated_at, now);
        }
    }
}

#[test]
fn a_refusal_after_the_sweep_of_the_copy_holds_for_the_copy_too() {
    for world in [with_a_stale_copy(), world(1)] {
        let now = world.platform.now();
        // A request that does not wait long gets a snapshot that is about to become too old.
        let mut standing_in = newer(42, now);
        standing_in.status.last_failure = Some(failure(Cause::NotDone, now + seconds(2)));
        let refused = Some(failure(Cause::Throttled, now + seconds(5)));
        world.reply_after(5, unchanged(None, refused, 3));
        world.reply_after(1, standing_in);
        let [refused, standing_in] = world.ask_twice();
        assert!(reasons(&standing_in.unwrap())[0].starts_with(&*Cause::NotDone.reason()));
        assert_eq!(refused.unwrap_err().cause, Cause::Throttled);
        world.reply(newer(43, now));
        world.ask().0.unwrap();
        assert_eq!(world.script.known().last(), Some(&None));
    }
}

/// What a request gets that waits five seconds for the second target, while another request learns that
/// nothing of the first one may be served any more. It has a copy of the first one that expires
/// meanwhile, or, if `is_read`, reads such a snapshot itself.
fn refused_meanwhile(is_read: bool, second: SnapshotReply) -> Result<MergedReport, Unavailable> {
    let world = world(2);
    let start = world.platform.now();
    let at_once = |target, reply| world.script.reply(target, Duration::ZERO, Some(reply));
    at_once(0, newer(41, start));
    at_once(1, newer(41, start - seconds(10)));
    world.ask().0.unwrap();
    if is_read {
        world.advance(17);
        at_once(0, newer(42, start + seconds(2)));
    } else {
        world.advance(13);
    }
    let refused = failure(Cause::Throttled, world.platform.now() + seconds(1));
    world.script.reply(1, seconds(5), Some(second));
    at_once(0, unchanged(None, Some(refused), 3));
    at_once(1, unchanged(Some(41), None, 3));
    let [first, other] = world.ask_twice();
    assert_eq!(reasons(&other.unwrap()), [Cause::Throttled.reason()]);
    first
}

#[test]
fn no_target_is_missing_in_silence_that_was_refused_while_the_request_waited_for_another() {
    let now = world(1).platform.now();
    for is_read in [false, true] {
        let report = refused_meanwhile(is_read, newer(42, now + seconds(20))).unwrap();
        assert_eq!(reasons(&report), [Cause::Throttled.reason()]);
        let complete: Vec<_> = report
            .targets
            .iter()
            .map(|target| target.complete)
            .collect();
        assert_eq!(complete, [false, true]);
        // Then the second one may not be served, either.
        let refused = |cause| unchanged(None, Some(failure(cause, now + seconds(20))), 3);
        let unavailable = refused_meanwhile(is_read, refused(Cause::ServerError)).unwrap_err();
        assert_eq!(unavailable.cause, Cause::Throttled.min(Cause::ServerError));
        let unavailable = refused_meanwhile(is_read, refused(Cause::UnknownKey)).unwrap_err();
        assert_eq!(unavailable.cause, Cause::UnknownKey);
    }
}

/// What two requests get, of which the second is made while the first one waits for its second target:
/// what they read of the first target is `first` and `second`.
fn read_side_by_side(
    first: SnapshotReply,
    second: SnapshotReply,
) -> [Result<MergedReport, Unavailable>; 2] {
    let world = world(2);
    let now = world.platform.now();
    let at_once = |target, reply| world.script.reply(target, Duration::ZERO, Some(reply));
    at_once(0, newer(41, now));
    at_once(1, newer(41, now));
    world.ask().0.unwrap();
    world.advance(17);
    world.script.reply(1, seconds(5), Some(newer(42, now)));
    at_once(0, first);
    at_once(0, second);
    at_once(1, unchanged(Some(41), None, 3));
    world.ask_twice()
}

#[test]
fn that_a_sweep_is_not_done_is_told_only_to_the_request_that_has_waited_for_it() {
    let at = start() + seconds(18);
    let (not_done, failed) = (failure(Cause::NotDone, at), failure(Cause::Throttled, at));
    for own in [None, Some(failed)] {
        for version in [None, Some(41)] {
            let told = unchanged(version, Some(not_done), 3);
            let [first, second] =
                read_side_by_side(unchanged(Some(41), own, 3), told).map(Result::unwrap);
            let of_own = own.map(|failure| failure.cause.reason());
            let shown: Vec<_> = first.targets.iter().map(|target| target.age).collect();
            assert_eq!(shown, [Some(seconds(22)); 2], "{own:?}, {version:?}");
            assert_eq!(reasons(&first).len(), usize::from(own.is_some()));
            let prefix = of_own.unwrap_or_default();
            assert!(
                reasons(&first)
                    .iter()
                    .all(|reason| reason.starts_with(&*prefix))
            );
            assert_eq!(second.targets[0].age.is_some(), version.is_some());
            assert!(reasons(&second)[0].starts_with(&*Cause::NotDone.reason()));
        }
    }
}

#[test]
fn a_copy_that_the_source_says_to_serve_is_at_hand_though_another_request_has_dropped_it() {
    let world = with_a_stale_copy();
    let now = world.platform.now();
    let refused = Some(failure(Cause::Throttled, now + seconds(2)));
    world.reply_after(5, unchanged(Some(41), None, 3));
    world.reply_after(1, unchanged(None, refused, 3));
    let [served, refused] = world.ask_twice();
    assert_eq!(reasons(&served.unwrap()), [""; 0]);
    assert_eq!(refused.unwrap_err().cause, Cause::Throttled);
}

#[test]
fn a_target_of_which_the_source_has_nothing_and_says_no_cause_is_not_missing_in_silence() {
    let world = world(2);
    world.reply(unchanged(None, None, 3));
    world
        .script
        .reply(1, Duration::ZERO, Some(newer(41, world.platform.now())));
    let report = world.ask().0.unwrap();
    assert_eq!(reasons(&report), [Cause::ObjectUnreachable.reason()]);
}

#[test]
fn a_reply_about_the_copy_in_memory_updates_its_status() {
    let world = world(1);
    world.reply(newer(41, world.platform.now()));
    let report = world.ask().0.unwrap();
    let target = &report.targets[0];
    assert_eq!((target.complete, target.usage), (true, usage(3)));
    world.advance(16);
    let failed = failure(Cause::Throttled, world.platform.now());
    world.reply(unchanged(Some(41), Some(failed), 9));
    let report = world.ask().0.unwrap();
    let target = &report.targets[0];
    assert_eq!((target.complete, target.usage), (false, usage(9)));
    assert_eq!(
        (report.modified_at, report.snapshot.failures.len()),
        (failed.at, 1)
    );
}

#[test]
fn a_copy_is_served_while_the_source_does_not_reply_until_it_is_too_old() {
    let world = world(1);
    world.reply(newer(41, world.platform.now()));
    world.ask().0.unwrap();
    world.advance(3_600);
    world.script.reply(0, Duration::ZERO, None);
    let report = world.ask().0.unwrap();
    let reason = Cause::ObjectUnreachable.reason();
    assert!(reasons(&report)[0].starts_with(&*reason));
    world.advance(1);
    world.script.reply(0, Duration::ZERO, None);
    let unavailable = world.ask().0.unwrap_err();
    assert_eq!(
        (unavailable.cause, unavailable.retry_after),
        (Cause::ObjectUnreachable, seconds(5))
    );
}

#[test]
fn a_process_without_a_store_sweeps_slice_after_slice() {
    let platform = Ecs::uniform(5, 100).platform();
    let changes = [("SUBREQUEST_BUDGET", "18"), ("CALL_BURST", "1000")];
    let fleet = ask::fleet(&platform, &changes);
    let report = platform
        .run(fleet.report(&platform, None, "r-1"))
        .0
        .unwrap();
    let clusters = report.snapshot.clusters.iter();
    let sizes: Vec<_> = clusters.map(|cluster| cluster.services.len()).collect();
    assert_eq!(sizes, [100; 5]);
    let lines = platform.lines();
    let is_storage = |line: &String| line.contains("\"event\":\"storage\"");
    assert!(!lines.iter().any(is_storage));
}

#[test]
fn the_preference_to_wait_reaches_the_source_of_every_target() {
    for wait in [None, Some(Duration::ZERO), Some(seconds(9))] {
        let world = world(2);
        for target in 0..2 {
            let reply = newer(1, world.platform.now());
            world.script.reply(target, Duration::ZERO, Some(reply));
        }
        let asked = world.fleet.report(&world.platform, wait, "r-1");
        world.platform.run(asked).0.unwrap();
        assert_eq!(world.script.waits(), [wait; 2]);
    }
}

#[test]
fn the_usage_of_all_targets_is_added_up() {
    let world = world(3);
    for target in 0..3 {
        let reply = newer(1, world.platform.now());
        world.script.reply(target, Duration::ZERO, Some(reply));
    }
    assert_eq!(world.ask().1, usage(9));
}

#[test]
fn health_names_the_first_target_whose_keys_do_not_work() {
    let world = world(3);
    let start = world.platform.now();
    let check = |cause: Option<Cause>, after| {
        Some(Health {
            causes: cause.into_iter().collect(),
            checked_at: start + seconds(after),
            usage: usage(1),
            last_event_at: None,
        })
    };
    let ask = |healths: [Option<Health>; 3]| {
        world.script.checks(healths);
        let asked = world.fleet.health(&world.platform, "r-1");
        let (health, target) = world.platform.run(asked);
        assert_eq!(health.checked_at, start);
        (health.causes, target.map(str::to_owned), health.usage.calls)
    };
    assert_eq!(
        ask([check(None, 2), check(None, 0), check(None, 1)]),
        (vec![], None, 3)
    );
    assert_eq!(
        ask([
            check(None, 0),
            check(Some(Cause::RoleRefused), 1),
            check(Some(Cause::UnknownKey), 2)
        ]),
        (vec![Cause::RoleRefused], Some("t1".into()), 3)
    );
    assert_eq!(
        ask([check(None, 0), check(None, 1), None]),
        (vec![Cause::ObjectUnreachable], Some("t2".into()), 2)
    );
}

#[test]
fn a_failure_of_a_replaced_snapshot_is_not_reported_of_its_successor() {
    for has_copy in [true, false] {
        let world = world(2);
        let version = |at: SystemTime| at.duration_since(start()).unwrap().as_secs();
        let newer = |at| newer(version(at), at);
        let (old, failed, new) = (start(), start() + seconds(20), start() + seconds(21));
        let reply = |target, after, reply| world.script.reply(target, seconds(after), Some(reply));
        let stale = has_copy.then(|| version(old));
        reply(
            0,
            0,
            if has_copy {
                newer(old)
            } else {
                unchanged(None, None, 0)
            },
        );
        reply(
            0,
            0,
            unchanged(stale, Some(failure(Cause::Throttled, failed)), 0),
        );
        reply(0, 0, newer(new));
        reply(1, 0, newer(old));
        reply(1, 5, newer(new));
        reply(1, 4, newer(new));
        world.ask().0.unwrap();
        world.advance(20);
        let [first, second] = world.ask_twice().map(Result::unwrap);
        assert_eq!(reasons(&second), [""; 0]);
        assert_eq!(reasons(&first), [""; 0], "has a copy: {has_copy}");
        assert_eq!(first.snapshot.generated_at, new);
    }
}

#[test]
fn a_key_that_another_target_works_with_is_not_blamed() {
    let now = start();
    let of = |cause| unchanged(None, Some(failure(cause, now)), 0);
    let with_copy = |cause| {
        let mut reply = newer(1, now);
        reply.status.last_failure = Some(failure(cause, now));
        reply
    };
    let denied = Cause::NotAllowed(OperationName::ListServices, PolicyDenial::Unstated);
    for (other, expected) in [
        (newer(1, now), Cause::RegionNotEnabled),
        (of(denied), Cause::RegionNotEnabled),
        (with_copy(denied), Cause::RegionNotEnabled),
        // Whether the key works was not seen, or only some time ago.
        (of(Cause::UnknownKey), Cause::UnknownKey),
        (of(Cause::Throttled), Cause::UnknownKey),
        (of(Cause::WrongSecret), Cause::UnknownKey),
        (with_copy(Cause::Unreachable), Cause::UnknownKey),
        (with_copy(Cause::UnknownKey), Cause::UnknownKey),
    ] {
        let world = world(2);
        world
            .script
            .reply(0, Duration::ZERO, Some(of(Cause::UnknownKey)));
        world.script.reply(1, Duration::ZERO, Some(other));
        match world.ask().0 {
            Ok(report) => {
                let reason = reasons(&report)
                    .into_iter()
                    .find(|reason| reason.starts_with(&*expected.reason()));
                assert!(reason.is_some(), "{expected:?}: {:?}", reasons(&report));
            }
            Err(unavailable) => assert_eq!(unavailable.cause, expected),
        }
    }
}

#[test]
fn a_session_of_a_role_does_not_show_that_its_key_still_works() {
    let targets = r#"[
        {"name": "t0", "region": "us-east-1"},
        {"name": "t1", "region": "us-east-1", "roleArn": "arn:aws:iam::123456789012:role/r"}
    ]"#;
    let now = start();
    for (other, expected) in [
        (newer(1, now), Cause::UnknownKey),
        (
            unchanged(None, Some(failure(Cause::RoleRefused, now)), 0),
            Cause::RegionNotEnabled,
        ),
    ] {
        let platform = Fake::script(Vec::new());
        let script = Script::new(&platform, 2);
        let fleet = Fleet::new(config(&[("TARGETS", targets)]).unwrap(), script.clone());
        let refused = unchanged(None, Some(failure(Cause::UnknownKey, now)), 0);
        script.reply(0, Duration::ZERO, Some(refused));
        script.reply(1, Duration::ZERO, Some(other));
        match platform.run(fleet.report(&platform, None, "r-1")).0 {
            Ok(report) => assert!(reasons(&report)[0].starts_with(&*expected.reason())),
            Err(unavailable) => assert_eq!(unavailable.cause, expected),
        }
    }
}
