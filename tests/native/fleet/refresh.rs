//! Refresher: one sweep for all who ask, across failures, health checks and restarts.

use std::time::Duration;

use crate::support::ecs::Ecs;
use crate::support::world::{LATENCY, World, services};
use ecs_status::aws::protocol::OperationName;
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::model::policy_denial::PolicyDenial;
use ecs_status::fleet::refresh::encoding;
use ecs_status::fleet::refresh::status::Health;
use ecs_status::fleet::refresh::store::VersionedSnapshot;
use ecs_status::platform::{Clock, Sleep};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

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
                    == Cause::NotAllowed(OperationName::ListClusters, PolicyDenial::Unstated)
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
fn a_health_check_is_repeated_after_half_a_minute() {
    let world = World::new(Ecs::uniform(1, 1), &[]);
    let refresher = world.refresher();
    let check = || world.platform.run(refresher.check("r-1"));
    assert_eq!((check().usage.calls, check().usage.calls), (4, 0));
    world.advance(29);
    assert_eq!(check().usage.calls, 0);
    world.advance(1);
    world.deny("UnrecognizedClientException");
    let health = check();
    assert_eq!(
        (health.usage.calls, health.causes),
        (1, vec![Cause::UnknownKey])
    );
    assert_eq!(health.checked_at, world.platform.now());
    assert_eq!(
        world.read(&refresher).total.calls,
        6,
        "two checks and a sweep"
    );
}

#[test]
fn concurrent_health_checks_are_one() {
    let world = World::new(
        Ecs::uniform(1, 5),
        &[("CALL_BURST", "10"), ("CALL_RATE", "1")],
    );
    let refresher = world.refresher();
    let checks = (0..60).map(|_| refresher.check("r-1"));
    let healths: Vec<Health> = world.platform.run(join_all(checks));
    assert!(healths.iter().all(|health| health.causes.is_empty()));
    let used: u32 = healths.iter().map(|health| health.usage.calls).sum();
    assert_eq!((used, world.calls()), (4, 4));
    // The rate limiter has tokens left for a sweep.
    let before = world.platform.elapsed();
    assert!(world.read(&refresher).version.is_some());
    assert_eq!(world.platform.elapsed(), before + LATENCY * 3);
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
    assert_eq!(world.platform.run(waiting).causes, []);
    assert_eq!(world.platform.run(refresher.check("r-3")).causes, []);
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
        ("EXPOSE_DEPLOYMENTS", "false"),
        ("STUCK_AFTER", "60"),
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
    let mut world = World::new(Ecs::uniform(5, 800), &[("SUBREQUEST_BUDGET", "300")]);
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    world.advance(1_000);
    // The second sweep is stored after its first slice.
    world.read(&refresher);
    assert_eq!(world.disk.shared.names(), ["snapshot", "sweep"]);
    world.changes = vec![("AWS_ACCESS_KEY_ID", "AKIDOTHER")];
    world.deny("UnrecognizedClientException");
    assert_eq!(world.read(&world.refresher()).version, None);
    assert_eq!(world.disk.shared.names(), [""; 0]);
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
