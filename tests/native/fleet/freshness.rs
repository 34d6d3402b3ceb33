//! Freshness: the age of what requests get, and the time that they wait for it, from the edge to AWS.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ecs_status::api::{Body, Request};
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::view::Fleet;
use ecs_status::fleet::view::report::{MergedReport, Unavailable};
use ecs_status::platform::{Clock, Spawn};
use futures_util::future::join_all;
use http::Response;

use crate::support::ask::get;
use crate::support::ecs::Ecs;
use crate::support::objects::{Edge, Objects};

const MAX_AGE: Duration = Duration::from_secs(15);
const FRESH_WAIT: Duration = Duration::from_secs(8);
const LATENCY: Duration = Duration::from_millis(20);
/// The time that a request may wait beyond a sweep.
const MARGIN: Duration = Duration::from_millis(50);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The outcome of a request for a report, and the time that it took.
struct Seen {
    report: Result<MergedReport, Unavailable>,
    waited: Duration,
}

impl Seen {
    fn age(&self) -> Duration {
        self.report.as_ref().unwrap().age
    }

    fn is_complete(&self) -> bool {
        self.report.as_ref().unwrap().snapshot.failures.is_empty()
    }

    fn services(&self) -> usize {
        let clusters = &self.report.as_ref().unwrap().snapshot.clusters;
        clusters.iter().map(|cluster| cluster.services.len()).sum()
    }
}

/// An edge with one isolate, and its requests.
struct World {
    edge: Edge,
    fleet: Rc<Fleet<Objects>>,
}

impl World {
    fn new(ecs: Ecs, latency: Duration, changes: &[(&str, &str)]) -> Self {
        let edge = Edge::new(ecs, latency, changes);
        let fleet = Rc::new(edge.fleet());
        Self { edge, fleet }
    }

    /// A fleet of five services that was swept a moment ago.
    fn swept(changes: &[(&str, &str)]) -> Self {
        let world = Self::new(Ecs::uniform(1, 5), LATENCY, changes);
        assert_eq!(world.ask(None).age(), Duration::ZERO);
        world
    }

    fn ask(&self, wait: Option<u64>) -> Seen {
        let platform = &self.edge.platform;
        let before = platform.now();
        let asked = self.fleet.report(platform, wait.map(seconds), "r-1");
        let report = platform.run(asked).0;
        let waited = platform.now().duration_since(before).unwrap();
        Seen { report, waited }
    }

    fn rest(&self, time: u64) {
        self.edge.rest(seconds(time));
    }

    fn sweeps(&self) -> usize {
        self.edge.begun().len()
    }
}

#[test]
fn a_lone_reader_never_gets_an_answer_older_than_max_age_nor_waits_longer_than_a_sweep() {
    for (clusters, services) in [(10, 10), (10, 100)] {
        for latency in [20, 80].map(Duration::from_millis) {
            for every in [20, 60, 200] {
                let what = format!("{services} of {clusters}, {latency:?}, every {every} s");
                let world = World::new(Ecs::uniform(clusters, services), latency, &[]);
                for round in 0..8 {
                    let seen = world.ask(None);
                    assert!(seen.age() <= MAX_AGE, "{what}: {:?} old", seen.age());
                    let sweep = *world.edge.sweeps().iter().max().unwrap();
                    let waited = seen.waited;
                    assert!(waited <= sweep + MARGIN, "{what}: waited {waited:?}");
                    assert!(waited <= FRESH_WAIT, "{what}: waited {waited:?}");
                    // It shows the change that was made right after the last answer.
                    assert_eq!(seen.services(), clusters * services + round, "{what}");
                    let mut ecs = world.edge.ecs.borrow_mut();
                    let first = ecs.clusters.values_mut().next().unwrap();
                    first.push(format!("new-{round}"));
                    drop(ecs);
                    world.rest(every);
                }
            }
        }
    }
}

#[test]
fn a_crowd_never_waits_and_costs_one_sweep_in_max_age() {
    for (clusters, services, latency) in [(1, 5, 20), (10, 100, 20), (10, 100, 80)] {
        let latency = Duration::from_millis(latency);
        let world = World::new(Ecs::uniform(clusters, services), latency, &[]);
        world.ask(None);
        let interval = Duration::from_millis(20);
        let seen: Rc<RefCell<Vec<(Duration, Duration)>>> = Rc::default();
        let platform = &world.edge.platform;
        for _ in 0..60 * 50 {
            let (fleet, clock) = (Rc::clone(&world.fleet), platform.clone());
            let seen = Rc::clone(&seen);
            platform.spawn(async move {
                let before = clock.now();
                let report = fleet.report(&clock, None, "r-1").await.0.unwrap();
                let waited = clock.now().duration_since(before).unwrap();
                seen.borrow_mut().push((waited, report.age));
            });
            world.edge.rest(interval);
        }
        platform.settle();
        let mut seen = seen.take();
        assert_eq!(seen.len(), 60 * 50);
        assert!(seen.iter().all(|(_, age)| *age <= MAX_AGE));
        seen.sort_unstable();
        let (at_99_percent, longest) = (seen[seen.len() * 99 / 100].0, seen.last().unwrap().0);
        assert_eq!(at_99_percent, Duration::ZERO);
        // The request that starts a sweep comes up to an interval after it was due.
        assert!(longest <= interval, "{longest:?}");
        let begun = world.edge.begun();
        assert!((4..=5).contains(&begun.len()), "{} sweeps", begun.len());
        for pair in begun.windows(2) {
            let apart = pair[1].duration_since(pair[0]).unwrap();
            assert!(apart >= MAX_AGE, "{apart:?} apart");
        }
    }
}

#[test]
fn the_edge_asks_its_object_once_ahead_of_expiry() {
    let world = World::swept(&[]);
    let hop = Duration::from_millis(3);
    world.edge.objects.set_hop(hop);
    // A sweep takes three calls after each other.
    let due = MAX_AGE.saturating_sub(world.edge.sweeps()[0]);
    world.edge.rest(due);
    assert_eq!(world.ask(None).waited, Duration::ZERO);
    assert_eq!(world.edge.objects.reads(), 1);
    world.edge.rest(Duration::from_millis(1));
    assert_eq!(world.ask(None).waited, hop);
    for _ in 0..20 {
        let seen = world.ask(None);
        assert_eq!(seen.waited, Duration::ZERO, "its copy is fresh");
        assert!(seen.age() > due);
    }
    assert_eq!(world.edge.objects.reads(), 2);
    world.edge.rest(Duration::from_millis(100));
    let seen = world.ask(None);
    assert!(seen.waited == hop && seen.age() < Duration::from_millis(200));
    assert_eq!((world.edge.objects.reads(), world.sweeps()), (3, 2));
}

#[test]
fn a_thousand_viewers_of_a_stale_snapshot_share_one_sweep() {
    for rest in [20, 299, 100_000] {
        let world = World::swept(&[]);
        world.rest(rest);
        let platform = &world.edge.platform;
        let isolates: Vec<_> = (0..10).map(|_| world.edge.fleet()).collect();
        let viewers = (0..1_000).map(|n| isolates[n % 10].report(platform, None, "r-1"));
        let reports = platform.run(join_all(viewers));
        for (report, _) in reports {
            assert_eq!(report.unwrap().age, Duration::ZERO, "after {rest} s");
        }
        assert_eq!(world.sweeps(), 2, "after {rest} s");
    }
}

#[test]
fn after_fresh_wait_the_snapshot_in_hand_is_served_and_the_sweep_goes_on() {
    let world = World::swept(&[]);
    world.rest(20);
    world.edge.set_latency(seconds(4));
    let seen = world.ask(None);
    assert_eq!((seen.waited, seen.age()), (FRESH_WAIT, seconds(28)));
    assert!(seen.is_complete(), "nothing has failed");
    world.rest(5);
    let seen = world.ask(None);
    assert_eq!((seen.waited, seen.age()), (Duration::ZERO, seconds(1)));
    assert_eq!(world.sweeps(), 2);
}

#[test]
fn nobody_waits_for_a_sweep_that_took_longer_than_fresh_wait_the_last_time() {
    let world = World::new(Ecs::uniform(1, 5), seconds(4), &[]);
    assert_eq!(world.ask(None).waited, seconds(12), "there is nothing else");
    world.rest(60);
    let seen = world.ask(None);
    assert_eq!((seen.waited, seen.age()), (Duration::ZERO, seconds(60)));
    assert!(seen.is_complete());
    world.rest(13);
    let seen = world.ask(None);
    assert_eq!((seen.waited, seen.age()), (Duration::ZERO, seconds(1)));
    assert_eq!(world.sweeps(), 2);
}

#[test]
fn a_preference_to_wait_takes_the_place_of_fresh_wait() {
    // Seconds preferred, what is got: seconds waited and the age in seconds.
    for (wait, waited, age) in [(0, 0, 20), (5, 5, 25), (8, 8, 28), (13, 12, 0), (99, 12, 0)] {
        let world = World::swept(&[]);
        world.rest(20);
        world.edge.set_latency(seconds(4));
        let seen = world.ask(Some(wait));
        let got = (seen.waited.as_secs(), seen.age().as_secs());
        assert_eq!(got, (waited, age), "wait={wait}");
        world.rest(1);
        assert_eq!(world.sweeps(), 2, "wait={wait}");
        assert!(seen.is_complete());
    }
}

#[test]
fn a_preference_to_wait_bounds_the_wait_for_the_first_snapshot_too() {
    for (wait, waited) in [(0, 0), (5, 5)] {
        let world = World::new(Ecs::uniform(1, 5), seconds(4), &[]);
        let seen = world.ask(Some(wait));
        assert_eq!(seen.waited, seconds(waited));
        assert_eq!(seen.report.unwrap_err().cause, Cause::NotDone);
        assert_eq!(world.ask(None).waited, seconds(12 - waited));
        assert_eq!(world.sweeps(), 1);
    }
}

#[test]
fn fresh_wait_is_configurable_and_0_serves_what_there_is() {
    for (fresh_wait, waited) in [("0", 0), ("3", 3), ("30", 12)] {
        let world = World::swept(&[("FRESH_WAIT", fresh_wait)]);
        world.rest(20);
        world.edge.set_latency(seconds(4));
        assert_eq!(world.ask(None).waited, seconds(waited), "{fresh_wait}");
    }
}

#[test]
fn several_targets_are_waited_for_within_one_fresh_wait() {
    let targets = r#"[{"name": "near", "region": "us-east-1"}, {"name": "far", "region": "eu-west-1"},
        {"name": "also far", "region": "eu-west-1"}]"#;
    let world = World::new(Ecs::uniform(1, 5), LATENCY, &[("TARGETS", targets)]);
    assert_eq!(world.ask(None).services(), 15);
    world.rest(20);
    world.edge.far.set(seconds(2));
    let seen = world.ask(None);
    assert_eq!(seen.waited, seconds(6), "side by side");
    assert!(seen.age() <= seconds(6));
    world.rest(20);
    world.edge.far.set(seconds(4));
    let seen = world.ask(None);
    assert_eq!((seen.waited, seen.age()), (FRESH_WAIT, seconds(28)));
    let ages = |seen: &Seen| {
        let targets = &seen.report.as_ref().unwrap().targets;
        let ages = targets.iter().map(|target| target.age.unwrap().as_secs());
        ages.collect::<Vec<_>>()
    };
    assert_eq!(
        ages(&seen),
        [7, 28, 28],
        "each target as fresh as it can be"
    );
    assert!(seen.is_complete());
}

#[test]
fn while_aws_fails_nobody_waits() {
    let world = World::swept(&[]);
    world.rest(20);
    world.edge.refuse(Some("UnrecognizedClientException"));
    let seen = world.ask(None);
    assert_eq!((seen.waited, seen.is_complete()), (LATENCY, false));
    for second in 0..3_000 {
        let seen = world.ask(None);
        assert_eq!(seen.waited, Duration::ZERO, "after {second} s");
        assert!(!seen.is_complete());
        world.rest(1);
    }
    world.rest(600);
    // An hour after the last good sweep, the failure is the answer.
    let seen = world.ask(None);
    assert_eq!(seen.report.unwrap_err().cause, Cause::UnknownKey);
    world.edge.refuse(None);
    world.rest(15);
    assert_eq!(world.ask(None).age(), Duration::ZERO);
}

#[test]
fn a_snapshot_beyond_max_stale_is_awaited_for_as_long_as_a_sweep_takes() {
    let world = World::swept(&[]);
    world.rest(301);
    world.edge.set_latency(seconds(5));
    let seen = world.ask(None);
    assert_eq!((seen.waited, seen.age()), (seconds(15), Duration::ZERO));
}

#[test]
fn a_snapshot_beyond_max_stale_is_awaited_within_sweep_timeout() {
    let world = World::swept(&[("SWEEP_TIMEOUT", "10")]);
    world.rest(301);
    world.edge.set_latency(Duration::from_millis(2_900));
    let mut ecs = world.edge.ecs.borrow_mut();
    ecs.page = Some(1);
    drop(ecs);
    let seen = world.ask(None);
    assert_eq!(seen.waited, seconds(10));
    assert_eq!((seen.age(), seen.is_complete()), (seconds(311), false));
}

/// The response to a request of an isolate that has read the fleet before, and the time that it took.
fn respond(edge: &Edge, change: impl Fn(&mut Request)) -> (Response<Body>, Duration) {
    let api = edge.api();
    let platform = &edge.platform;
    let mut request = get("/metrics");
    platform.run(api.handle(&request, platform));
    edge.rest(seconds(20));
    edge.set_latency(seconds(4));
    let before = platform.now();
    change(&mut request);
    let response = platform.run(api.handle(&request, platform));
    (response, platform.now().duration_since(before).unwrap())
}

#[test]
fn requests_say_how_long_they_wait_by_prefer_or_as_prometheus_does() {
    type Change = fn(&mut Request);
    let cases: [(&str, Change, u64); 7] = [
        ("nothing", |_| (), 8_000),
        ("wait=0", |r| r.prefer = Some("wait=0".into()), 0),
        (
            "wait=3",
            |r| r.prefer = Some("respond-async, wait=3".into()),
            3_000,
        ),
        ("wait=x", |r| r.prefer = Some("wait=x".into()), 8_000),
        (
            "scrape",
            |r| r.scrape_timeout = Some("5.000000".into()),
            4_500,
        ),
        (
            "long scrape",
            |r| r.scrape_timeout = Some("60".into()),
            12_000,
        ),
        (
            "both",
            |r| {
                r.prefer = Some("wait=2".into());
                r.scrape_timeout = Some("5".into());
            },
            2_000,
        ),
    ];
    for (name, change, waited) in cases {
        let edge = Edge::new(Ecs::uniform(1, 5), LATENCY, &[]);
        let (response, took) = respond(&edge, change);
        assert_eq!(response.status(), 200, "{name}");
        assert_eq!(took, Duration::from_millis(waited), "{name}");
    }
}

#[test]
fn every_format_waits_alike() {
    for target in [
        "/list",
        "/list?format=text",
        "/list?format=csv&owner=K2",
        "/metrics",
        "/badge.svg?service=service-0000",
    ] {
        let edge = Edge::new(Ecs::uniform(1, 5), LATENCY, &[]);
        let (response, took) = respond(&edge, |request| *request = get(target));
        assert_eq!(
            (response.status().as_u16(), took),
            (200, FRESH_WAIT),
            "{target}"
        );
        assert_eq!(response.headers()["age"], "28", "{target}");
        let control = "public, max-age=0, must-revalidate";
        assert_eq!(response.headers()["cache-control"], control, "{target}");
    }
}
