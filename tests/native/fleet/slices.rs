//! Slices: a sweep in pieces, from alarm to alarm, over restarts, lost pieces and a store that fails.

use std::time::Duration;

use crate::support::ecs::Ecs;
use crate::support::world::{World, services};
use crate::support::{Fake, Reply};
use ecs_status::fleet::model::cause::Cause;
use ecs_status::platform::{SendError, Sleep};
use futures_util::future::join;

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

/// A fleet of 5,000 services, whose sweep takes 552 calls.
fn five_thousand() -> World {
    let world = World::new(Ecs::uniform(50, 100), &[]);
    assert_eq!(world.needed(), 552);
    world
}

#[test]
fn a_sweep_is_saved_after_so_many_calls_that_it_takes_few_writes() {
    for (clusters, slices, writes) in [(4, 2, 2), (10, 3, 3), (50, 13, 15)] {
        let world = World::new(Ecs::uniform(clusters, 100), &[]);
        let refresher = world.refresher();
        let mut before = 0;
        for _ in 0..2 {
            world.read(&refresher);
            assert_eq!(world.alarms(&refresher), slices - 1);
            let written = world.disk.shared.writes.get();
            assert_eq!(written - before, writes, "{clusters} clusters");
            before = written;
            world.advance(1_000);
        }
        assert_eq!(world.disk.shared.names(), ["snapshot"]);
    }
}

#[test]
fn a_refresher_that_is_evicted_between_two_slices_repeats_the_calls_since_the_last_save() {
    // Saves follow the seventh slice of 45 calls, and there are thirteen.
    for (slices, repeated) in [(1, 45), (6, 6 * 45), (7, 0), (8, 45), (12, 5 * 45)] {
        let world = five_thousand();
        let first = world.refresher();
        world.platform.run(first.read(None, "r-1"));
        for _ in 1..slices {
            assert!(world.disk.shared.alarm.replace(false));
            world.platform.run(first.resume("alarm"));
        }
        drop(first);
        let refresher = world.refresher();
        world.alarms(&refresher);
        // Without a saved sweep, the next request starts one.
        world.read(&refresher);
        world.alarms(&refresher);
        assert_eq!(services(&refresher), 5_000);
        assert_eq!(world.calls(), world.needed() + repeated, "{slices} slices");
        assert_eq!(world.disk.shared.names(), ["snapshot"]);
    }
}

#[test]
fn a_saved_sweep_that_is_older_than_the_snapshot_is_dropped() {
    let world = five_thousand();
    let refresher = world.refresher();
    world.read(&refresher);
    while !world.disk.shared.names().contains(&"sweep") {
        assert!(world.disk.shared.alarm.replace(false));
        world.platform.run(refresher.resume("alarm"));
    }
    let saved = world.disk.shared.saved.borrow()["sweep"].clone();
    world.alarms(&refresher);
    assert_eq!(world.disk.shared.names(), ["snapshot"]);
    // It could not be removed.
    world.disk.shared.saved.borrow_mut().insert("sweep", saved);
    let restarted = world.refresher();
    let calls = world.calls();
    world.platform.run(restarted.resume("alarm"));
    assert_eq!((services(&restarted), world.calls()), (5_000, calls));
    assert_eq!(world.disk.shared.names(), ["snapshot"]);
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
    let changes = [("SUBREQUEST_BUDGET", "300"), ("SNAPSHOT_MAX_STALE", "0")];
    let world = World::new(Ecs::uniform(5, 800), &changes);
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
fn a_sweep_that_no_other_invocation_can_continue_stops_and_says_why() {
    let world = five_thousand();
    world.disk.shared.full.set(true);
    let refresher = world.refresher();
    let status = world.read(&refresher);
    assert_eq!(world.calls(), 45, "one invocation makes no more calls");
    let cause = status.last_failure.unwrap().cause;
    assert_eq!((status.version, cause), (None, Cause::StorageUnavailable));
    assert_eq!(
        status.usage.calls, 0,
        "the sweep is accounted for when it is done"
    );
    assert!(
        world.platform.elapsed() < Duration::from_secs(1),
        "nobody waits in vain"
    );
}

#[test]
fn without_another_invocation_requests_continue_the_sweep_in_memory() {
    let world = five_thousand();
    world.disk.shared.full.set(true);
    let refresher = world.refresher();
    for slices in 1..13 {
        let status = world.read(&refresher);
        let cause = status.last_failure.unwrap().cause;
        assert_eq!((status.version, cause), (None, Cause::StorageUnavailable));
        assert_eq!(world.calls(), slices * 45);
        // Too soon: AWS is left alone for a second.
        world.read(&refresher);
        assert_eq!(world.calls(), slices * 45);
        world.advance(1);
    }
    let status = world.read(&refresher);
    assert!(status.version.is_some() && status.last_failure.is_none());
    assert_eq!(services(&refresher), 5_000);
    assert_eq!(world.calls(), world.needed());
    assert_eq!(status.usage.calls as usize, world.needed());
}

#[test]
fn without_another_invocation_the_old_snapshot_is_served_with_the_cause() {
    let world = five_thousand();
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    let first = refresher.newest().map(|newest| newest.version);
    world.disk.shared.full.set(true);
    for age in [16, 400, 3_000] {
        world.advance(age);
        let status = world.read(&refresher);
        world.platform.settle();
        let status = if status.last_failure.is_some() {
            status
        } else {
            world.read(&refresher)
        };
        assert_eq!(status.version, first, "{age} s later");
        let cause = status.last_failure.unwrap().cause;
        assert_eq!(cause, Cause::StorageUnavailable, "{age} s later");
    }
}

#[test]
fn alarms_continue_the_sweep_once_they_can_be_set_again() {
    let world = five_thousand();
    world.disk.shared.full.set(true);
    let refresher = world.refresher();
    world.read(&refresher);
    world.disk.shared.full.set(false);
    assert_eq!(world.alarms(&refresher), 0);
    world.advance(1);
    world.read(&refresher);
    assert_eq!(world.alarms(&refresher), 11);
    let status = world.read(&refresher);
    assert!(status.version.is_some() && status.last_failure.is_none());
    assert_eq!(
        (services(&refresher), world.calls()),
        (5_000, world.needed())
    );
}

#[test]
fn a_request_that_continues_the_sweep_before_the_alarm_has_failed_keeps_it() {
    let world = five_thousand();
    world.disk.shared.full.set(true);
    world
        .disk
        .shared
        .alarm_latency
        .set(Duration::from_millis(100));
    let refresher = world.refresher();
    let late = async {
        while world.calls() < 45 {
            world.platform.sleep(Duration::from_millis(10)).await;
        }
        world.platform.sleep(Duration::from_millis(50)).await;
        world.disk.shared.full.set(false);
        refresher.read(None, "r-2").await
    };
    let (first, second) = world.platform.run(join(refresher.read(None, "r-1"), late));
    for status in [first, second] {
        assert_eq!(status.last_failure.unwrap().cause, Cause::NotDone);
    }
    world.alarms(&refresher);
    assert_eq!(
        (services(&refresher), world.calls()),
        (5_000, world.needed())
    );
}
