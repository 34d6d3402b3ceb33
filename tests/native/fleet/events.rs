//! Events: what they mark is read anew for the next reader, for a call instead of a sweep.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use ecs_status::api::{Api, Body, Request};
use ecs_status::aws::event::Change;
use ecs_status::fleet::refresh::encoding;
use ecs_status::fleet::refresh::store::VersionedSnapshot;
use ecs_status::platform::{Clock, Spawn};
use http::Response;
use serde_json::{Value, json};

use crate::support::Fake;
use crate::support::ask::get;
use crate::support::ecs::{ACCOUNT, Ecs, service};
use crate::support::events::{TOKEN, deployment, noted, post, send, task};
use crate::support::objects::{Edge, Objects};
use crate::support::world;

const LATENCY: Duration = Duration::from_millis(20);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An edge that takes events, and one isolate of it.
struct World {
    edge: Edge,
    api: Rc<Api<Objects>>,
}

impl World {
    /// A fleet that was read a moment ago, and is swept every five minutes.
    fn new(ecs: Ecs) -> Self {
        Self::with(ecs, &[])
    }

    fn with(ecs: Ecs, changes: &[(&str, &str)]) -> Self {
        let own = [
            ("EVENTS_TOKEN", TOKEN),
            ("SNAPSHOT_MAX_AGE", "300"),
            ("CALL_BURST", "10000"),
        ];
        let edge = Edge::new(ecs, LATENCY, &[changes, &own].concat());
        let world = Self {
            api: Rc::new(edge.api()),
            edge,
        };
        world.list();
        world
    }

    fn respond(&self, request: &Request) -> Response<Body> {
        let platform = &self.edge.platform;
        platform.run(self.api.handle(request, platform))
    }

    fn report(&self, request: &Request) -> Value {
        let response = self.respond(request);
        assert_eq!(response.status(), 200, "{response:?}");
        serde_json::from_slice(response.body()).unwrap()
    }

    fn list(&self) -> Value {
        self.report(&get("/list"))
    }

    /// The running tasks of each service, by `cluster/service`.
    fn running(&self) -> Vec<(String, u64)> {
        running(&self.list())
    }

    /// The running tasks of one service, if it is shown.
    fn running_of(&self, name: &str) -> Option<u64> {
        let all = self.running();
        let found = all.into_iter().find(|(known, _)| known == name);
        found.map(|(_, running)| running)
    }

    fn send(&self, event: &Value) -> bool {
        send(&self.api, &self.edge.platform, event)
    }

    /// Sends events so far apart, whatever the answers take. Returns whether each was noted, and the
    /// longest wait.
    fn storm(&self, events: impl Iterator<Item = Value>, apart: Duration) -> (Vec<bool>, Duration) {
        let platform = &self.edge.platform;
        let answers: Rc<RefCell<Vec<(bool, Duration)>>> = Rc::default();
        for event in events {
            let (api, clock): (Rc<Api<Objects>>, Fake) = (Rc::clone(&self.api), platform.clone());
            let answers = Rc::clone(&answers);
            let request = post(event.to_string().as_bytes());
            platform.spawn(async move {
                let sent = clock.now();
                let is_noted = noted(&api.handle(&request, &clock).await);
                let waited = clock.now().duration_since(sent).unwrap();
                answers.borrow_mut().push((is_noted, waited));
            });
            self.edge.rest(apart);
        }
        platform.settle();
        let (answers, waits): (Vec<_>, Vec<_>) = answers.take().into_iter().unzip();
        (answers, waits.into_iter().max().unwrap())
    }

    fn rest(&self, time: u64) {
        self.edge.rest(seconds(time));
    }

    /// A service has this many running tasks from now on, and an event says that something changed.
    fn change(&self, cluster: &str, name: &str, running: u32) {
        self.set(
            cluster,
            name,
            service(name, [2, running, 0], "COMPLETED", &[]),
        );
        assert!(self.send(&deployment(cluster, name)));
    }

    /// A service is described so from now on.
    fn set(&self, cluster: &str, name: &str, described: Value) {
        let key = (cluster.to_owned(), name.to_owned());
        self.edge.ecs.borrow_mut().described.insert(key, described);
    }

    fn create(&self, cluster: &str, name: &str) {
        let mut ecs = self.edge.ecs.borrow_mut();
        ecs.clusters
            .entry(cluster.into())
            .or_default()
            .push(name.into());
    }

    fn remove(&self, cluster: &str, name: &str) {
        let mut ecs = self.edge.ecs.borrow_mut();
        ecs.clusters
            .get_mut(cluster)
            .unwrap()
            .retain(|known| known != name);
    }

    /// The calls so far, to describe services and of all other operations.
    fn calls(&self) -> (usize, usize) {
        let ecs = self.edge.ecs.borrow();
        let all: usize = ecs.calls.values().sum();
        let described = ecs.calls["DescribeServices"];
        (described, all - described)
    }
}

fn running(report: &Value) -> Vec<(String, u64)> {
    let clusters = report["clusters"].as_array().unwrap().iter();
    let services = clusters.flat_map(|cluster| {
        let services = cluster["services"].as_array().unwrap().iter();
        services.map(move |service| {
            let name = |value: &Value| value.as_str().unwrap().to_owned();
            let name = format!(
                "{}/{}",
                name(&cluster["clusterName"]),
                name(&service["serviceName"])
            );
            (name, service["runningCount"].as_u64().unwrap())
        })
    });
    services.collect()
}

#[test]
fn a_change_is_read_anew_by_one_call_and_the_age_stays_that_of_the_sweep() {
    let world = World::new(Ecs::uniform(3, 20));
    let before = world.list();
    let (described, others) = world.calls();
    world.rest(40);
    world.change("cluster-0001", "service-0007", 9);
    assert_eq!(world.calls(), (described, others), "nobody has asked");
    let response = world.respond(&get("/list"));
    let report: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(world.calls(), (described + 1, others));
    assert_eq!(report["generatedAt"], before["generatedAt"]);
    assert_eq!(report["complete"], true);
    assert_eq!(response.headers()["age"], "40");
    let changed: Vec<_> = running(&report)
        .into_iter()
        .filter(|(_, running)| *running != 1)
        .collect();
    assert_eq!(changed, [("cluster-0001/service-0007".into(), 9)]);
    assert_eq!(running(&report).len(), 60);
    world.rest(10);
    world.list();
    assert_eq!(world.calls(), (described + 1, others));
}

#[test]
fn if_nobody_reads_aws_sees_no_call() {
    let world = World::new(Ecs::uniform(2, 10));
    let calls = world.calls();
    for round in 0..600 {
        world.rest(1);
        let name = format!("service-{:04}", round % 10);
        assert!(world.send(&deployment("cluster-0000", &name)));
        assert!(world.send(&task("cluster-0001", &name)));
    }
    assert_eq!(world.calls(), calls);
}

#[test]
fn the_same_event_a_thousand_times_is_one_call() {
    let world = World::new(Ecs::uniform(2, 10));
    let (described, others) = world.calls();
    world.set(
        "cluster-0000",
        "service-0003",
        service("service-0003", [2, 5, 0], "COMPLETED", &[]),
    );
    let event = deployment("cluster-0000", "service-0003");
    let (answers, _) = world.storm((0..1_000).map(|_| event.clone()), Duration::from_millis(3));
    assert_eq!(answers, [true; 1_000]);
    assert_eq!(world.running_of("cluster-0000/service-0003"), Some(5));
    assert_eq!(world.calls(), (described + 1, others));
}

#[test]
fn marked_services_are_described_ten_a_call_and_six_calls_at_once() {
    let world = World::new(Ecs::uniform(2, 400));
    let (described, others) = world.calls();
    world.rest(20);
    for number in 0..70 {
        world.change("cluster-0000", &format!("service-{number:04}"), 5);
    }
    let before = world.edge.platform.now();
    let changed = world
        .running()
        .into_iter()
        .filter(|(_, running)| *running == 5);
    assert_eq!(changed.count(), 70);
    assert_eq!(world.calls(), (described + 7, others));
    let waited = world.edge.platform.now().duration_since(before).unwrap();
    assert_eq!(waited, 2 * LATENCY, "six, and then one");
    assert_eq!(world.edge.platform.peak(), 6);
}

#[test]
fn a_deleted_service_leaves_and_so_does_its_cluster_with_the_last_one() {
    let world = World::new(Ecs::uniform(2, 2));
    let calls = world.calls();
    world.rest(2);
    world.remove("cluster-0000", "service-0000");
    assert!(world.send(&task("cluster-0000", "service-0000")));
    assert_eq!(world.running_of("cluster-0000/service-0000"), None);
    let mut inactive = service("service-0001", [0, 0, 0], "COMPLETED", &[]);
    inactive["status"] = "INACTIVE".into();
    world.set("cluster-0000", "service-0001", inactive);
    world.rest(2);
    assert!(world.send(&task("cluster-0000", "service-0001")));
    let clusters = &world.list()["clusters"];
    assert_eq!(clusters.as_array().unwrap().len(), 1);
    assert_eq!(clusters[0]["clusterName"], "cluster-0001");
    assert_eq!(world.calls(), (calls.0 + 2, calls.1));
    world.edge.ecs.borrow_mut().clusters.remove("cluster-0001");
    world.rest(2);
    for name in ["service-0000", "service-0001"] {
        assert!(world.send(&task("cluster-0001", name)));
    }
    assert_eq!(world.list()["clusters"], json!([]));
}

#[test]
fn a_new_service_is_shown_in_its_place_and_in_a_cluster_that_had_none() {
    let mut ecs = Ecs::uniform(2, 2);
    ecs.clusters.insert("cluster-0000b".into(), Vec::new());
    ecs.providers
        .insert("cluster-0000b".into(), "FARGATE_SPOT".into());
    let world = World::new(ecs);
    let calls = world.calls();
    world.rest(2);
    world.create("cluster-0000", "service-0000b");
    world.create("cluster-0000b", "first");
    let mut first = service("first", [1, 1, 0], "COMPLETED", &[("owner", "K2")]);
    first.as_object_mut().unwrap().remove("launchType");
    world.set("cluster-0000b", "first", first);
    assert!(world.send(&deployment("cluster-0000", "service-0000b")));
    assert!(world.send(&deployment("cluster-0000b", "first")));
    let report = world.list();
    let names: Vec<String> = running(&report).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "cluster-0000/service-0000",
        "cluster-0000/service-0000b",
        "cluster-0000/service-0001",
        "cluster-0000b/first",
        "cluster-0001/service-0000",
        "cluster-0001/service-0001",
    ];
    assert_eq!(names, expected);
    let first = &report["clusters"][1]["services"][0];
    assert_eq!(first["capacityProviders"], json!(["FARGATE_SPOT"]));
    assert_eq!(first["tags"], json!({"owner": "K2"}));
    assert_eq!(world.calls(), (calls.0 + 2, calls.1));
}

#[test]
fn a_service_that_does_not_run_on_fargate_is_not_shown() {
    let world = World::new(Ecs::uniform(1, 3));
    world.rest(2);
    for (name, launch_type) in [
        ("service-0001", "EC2"),
        ("on-ec2", "EC2"),
        ("here", "EXTERNAL"),
    ] {
        if name != "service-0001" {
            world.create("cluster-0000", name);
        }
        let mut described = service(name, [1, 1, 0], "COMPLETED", &[]);
        described["launchType"] = launch_type.into();
        world.set("cluster-0000", name, described);
        assert!(world.send(&deployment("cluster-0000", name)));
    }
    let names: Vec<_> = world.running().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["cluster-0000/service-0000", "cluster-0000/service-0002"]
    );
}

#[test]
fn a_service_that_does_not_exist_is_looked_for_once_and_not_shown() {
    let world = World::new(Ecs::uniform(2, 10));
    let (described, others) = world.calls();
    let before = world.list();
    assert!(world.send(&deployment("cluster-0000", "invented")));
    world.rest(3);
    assert_eq!(world.list(), before);
    world.rest(3);
    assert_eq!(world.list(), before);
    assert_eq!(world.calls(), (described + 1, others));
}

#[test]
fn an_event_that_names_no_service_or_a_cluster_not_known_asks_for_a_sweep() {
    let mut nameless = deployment("cluster-0000", "service-0000");
    nameless["resources"] = json!([]);
    for event in [nameless, deployment("new", "first")] {
        let world = World::new(Ecs::uniform(1, 10));
        world.create("new", "first");
        assert!(world.send(&event));
        world.rest(14);
        world.list();
        assert_eq!(world.edge.begun().len(), 1, "no sooner than by default");
        world.rest(2);
        assert!(world.running_of("new/first").is_some());
        assert_eq!(world.edge.begun().len(), 2);
        world.rest(100);
        world.list();
        assert_eq!(world.edge.begun().len(), 2);
    }
}

#[test]
fn a_flood_of_marks_becomes_one_sweep() {
    let world = World::new(Ecs::uniform(2, 50));
    let needed: usize = world.edge.ecs.borrow().needed().values().sum();
    world.rest(20);
    let (described, others) = world.calls();
    for number in 0..21 {
        world.change("cluster-0000", &format!("service-{number:04}"), 3);
    }
    let changed = world
        .running()
        .into_iter()
        .filter(|(_, running)| *running == 3);
    assert_eq!(changed.count(), 21);
    let (now_described, now_others) = world.calls();
    assert_eq!(now_described + now_others, described + others + needed);
    world.rest(20);
    world.list();
    assert_eq!(world.calls(), (now_described, now_others));
}

#[test]
fn a_reread_starts_no_sooner_than_a_second_after_the_one_before() {
    let world = World::new(Ecs::uniform(2, 50));
    world.rest(20);
    let (described, others) = world.calls();
    let isolates: Vec<_> = (0..5).map(|_| world.edge.api()).collect();
    let platform = &world.edge.platform;
    for api in &isolates {
        platform.run(api.handle(&get("/list"), platform));
    }
    for round in 0..200 {
        world.edge.rest(Duration::from_millis(50));
        world.change("cluster-0000", &format!("service-{:04}", round % 5), 2);
        platform.run(isolates[round % 5].handle(&get("/list"), platform));
    }
    let spent = platform.elapsed().as_secs();
    let (calls, same) = world.calls();
    assert_eq!(same, others);
    let most = usize::try_from(spent).unwrap();
    assert!(
        (5..=most).contains(&(calls - described)),
        "{} in {spent} s",
        calls - described
    );
}

#[test]
fn who_does_not_wait_gets_what_there_is_for_no_time_and_who_waits_the_change() {
    let world = World::new(Ecs::uniform(2, 10));
    world.rest(20);
    world.change("cluster-0000", "service-0003", 5);
    let at_once = Request {
        prefer: Some("wait=0".into()),
        ..get("/list")
    };
    let before = world.edge.platform.now();
    let response = world.respond(&at_once);
    assert_eq!(world.edge.platform.now(), before);
    assert_eq!(
        response.headers()["cache-control"],
        "public, max-age=0, must-revalidate"
    );
    let report: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(running(&report).iter().all(|(_, running)| *running == 1));
    let response = world.respond(&get("/list"));
    assert_eq!(
        response.headers()["cache-control"],
        "public, max-age=2, must-revalidate"
    );
    let report: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(running(&report).contains(&("cluster-0000/service-0003".into(), 5)));
    assert_eq!(world.edge.objects.reads(), 3);
}

#[test]
fn a_reader_waits_no_longer_than_fresh_wait() {
    let world = World::with(Ecs::uniform(2, 10), &[("FRESH_WAIT", "2")]);
    world.rest(20);
    world.edge.set_latency(seconds(5));
    world.change("cluster-0000", "service-0003", 5);
    let before = world.edge.platform.now();
    assert_eq!(world.running_of("cluster-0000/service-0003"), Some(1));
    assert_eq!(
        world.edge.platform.now().duration_since(before).unwrap(),
        seconds(2)
    );
    world.rest(4);
    assert_eq!(
        world.running_of("cluster-0000/service-0003"),
        Some(5),
        "it went on"
    );
}

#[test]
fn the_edge_asks_its_object_every_two_seconds_at_most() {
    let world = World::new(Ecs::uniform(2, 10));
    let reads = world.edge.objects.reads();
    for _ in 0..600 {
        world.edge.rest(Duration::from_millis(100));
        world.list();
    }
    let asked = world.edge.objects.reads() - reads;
    assert!((29..=31).contains(&asked), "{asked} in 60 s");
    // A reader whose clock is not quite regular is not kept waiting for twice as long.
    let reads = world.edge.objects.reads();
    for round in 0..30 {
        world
            .edge
            .rest(Duration::from_millis(1_997 + 6 * (round % 2)));
        world.list();
    }
    assert_eq!(world.edge.objects.reads() - reads, 30);
}

#[test]
fn an_answer_is_fresh_for_two_seconds_and_no_longer_than_its_snapshot() {
    for (changes, age, max_age) in [
        (&[][..], 0, 2),
        (&[], 299, 1),
        (&[("SNAPSHOT_MAX_AGE", "15")], 3, 2),
        (&[("SNAPSHOT_MAX_AGE", "15")], 14, 1),
    ] {
        let world = World::with(Ecs::uniform(1, 1), changes);
        world.rest(age);
        let response = world.respond(&get("/metrics"));
        let expected = format!("public, max-age={max_age}, must-revalidate");
        assert_eq!(response.headers()["cache-control"], expected, "{age} s old");
    }
    let edge = Edge::new(Ecs::uniform(1, 1), LATENCY, &[]);
    let response = edge
        .platform
        .run(edge.api().handle(&get("/list"), &edge.platform));
    assert_eq!(
        response.headers()["cache-control"],
        "public, max-age=15, must-revalidate"
    );
}

#[test]
fn a_changed_report_has_a_later_date() {
    let world = World::new(Ecs::uniform(1, 3));
    let before = world.respond(&get("/list"));
    let modified = before.headers()["last-modified"]
        .to_str()
        .unwrap()
        .to_owned();
    let conditional = Request {
        if_modified_since: Some(modified),
        ..get("/list")
    };
    world.rest(10);
    assert_eq!(world.respond(&conditional).status(), 304);
    world.change("cluster-0000", "service-0001", 7);
    world.rest(2);
    let after = world.respond(&conditional);
    assert_eq!(after.status(), 200);
    assert_ne!(after.headers()["etag"], before.headers()["etag"]);
}

#[test]
fn during_an_outage_the_report_says_so_and_the_mark_stays() {
    let world = World::new(Ecs::uniform(2, 10));
    world.rest(20);
    let code = "ThrottlingException";
    world
        .edge
        .ecs
        .borrow_mut()
        .fail("DescribeServices", "cluster-0000", code);
    world.change("cluster-0000", "service-0003", 5);
    let report = world.list();
    assert_eq!(report["complete"], false);
    assert_eq!(running(&report).len(), 20);
    let reason = report["failures"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("the services are shown as of 2026-11-22T19:40:00Z"),
        "{reason}"
    );
    let (described, others) = world.calls();
    for _ in 0..60 {
        world.rest(1);
        world.list();
    }
    // Pauses of 1, 2, 4, … seconds, and three attempts each.
    let calls = world.calls();
    assert!(
        calls.0 - described <= 3 * 7 && calls.1 == others,
        "{calls:?}"
    );
    world.edge.refuse(None);
    world.rest(64);
    let report = world.list();
    assert_eq!(report["complete"], true);
    assert!(running(&report).contains(&("cluster-0000/service-0003".into(), 5)));
}

#[test]
fn a_service_that_may_not_be_described_any_more_stays_as_it_is_until_the_sweep() {
    let world = World::new(Ecs::uniform(2, 10));
    world.rest(20);
    world
        .edge
        .ecs
        .borrow_mut()
        .denied_services
        .push("service-0003".into());
    world.change("cluster-0000", "service-0003", 5);
    world.change("cluster-0000", "service-0004", 6);
    let report = world.list();
    assert_eq!(report["complete"], true);
    let found = running(&report);
    assert!(found.contains(&("cluster-0000/service-0003".into(), 1)));
    assert!(found.contains(&("cluster-0000/service-0004".into(), 6)));
    let calls = world.calls();
    world.rest(10);
    world.list();
    assert_eq!(world.calls(), calls, "once is enough");
    world.change("cluster-0000", "service-0003", 7);
    assert_eq!(world.list()["complete"], true);
    world.rest(300);
    assert_eq!(world.list()["complete"], false);
}

#[test]
fn tags_that_ecs_refuses_stay_as_they_were() {
    let world = World::new(Ecs::uniform(1, 3));
    let described = |running| {
        service(
            "service-0001",
            [2, running, 0],
            "COMPLETED",
            &[("owner", "K2")],
        )
    };
    world.set("cluster-0000", "service-0001", described(1));
    world.rest(2);
    assert!(world.send(&deployment("cluster-0000", "service-0001")));
    assert_eq!(
        world.list()["clusters"][0]["services"][1]["tags"]["owner"],
        "K2"
    );
    world.edge.ecs.borrow_mut().refuses_tags = true;
    let mut untagged = described(2);
    untagged["tags"] = json!([]);
    world.set("cluster-0000", "service-0001", untagged);
    assert!(world.send(&deployment("cluster-0000", "service-0001")));
    world.rest(2);
    let service = &world.list()["clusters"][0]["services"][1];
    assert_eq!(
        (&service["runningCount"], &service["tags"]["owner"]),
        (&json!(2), &json!("K2"))
    );
    let calls = world.calls();
    world.rest(5);
    assert_eq!(world.list()["complete"], true);
    assert_eq!(world.calls(), calls);
}

#[test]
fn a_forged_event_shows_nothing_and_costs_no_more_than_polling() {
    let world = World::new(Ecs::uniform(5, 20));
    let before = world.list();
    let needed: usize = world.edge.ecs.borrow().needed().values().sum();
    let (described, others) = world.calls();
    for round in 0..300 {
        for number in 0..3 {
            let (cluster, name) = match (round + number) % 3 {
                0 => (
                    "cluster-0003".to_owned(),
                    format!("invented-{round}-{number}"),
                ),
                1 => (format!("invented-{round}"), "service-0000".to_owned()),
                _ => ("cluster-0001".to_owned(), format!("<b>{round}</b>")),
            };
            let mut event = deployment(&cluster, &name);
            event["detail"]["reason"] = "made up".into();
            world.send(&event);
        }
        let report = world.list();
        assert_eq!(report["clusters"], before["clusters"]);
        assert_eq!(report["failures"], json!([]));
        world.edge.rest(Duration::from_millis(500));
    }
    let spent = usize::try_from(world.edge.platform.elapsed().as_secs()).unwrap();
    let (now_described, now_others) = world.calls();
    let calls = now_described + now_others - described - others;
    assert!(
        calls <= needed * (spent / 15 + 1),
        "{calls} calls in {spent} s"
    );
}

#[test]
fn of_two_targets_of_one_account_only_that_of_the_region_reads_anew() {
    let targets = r#"[{"name":"here","region":"us-east-1"},{"name":"there","region":"eu-west-1"}]"#;
    let world = World::with(Ecs::uniform(2, 10), &[("TARGETS", targets)]);
    world.rest(20);
    let (described, others) = world.calls();
    let notes = world.edge.objects.notes();
    world.change("cluster-0000", "service-0003", 5);
    assert_eq!(world.edge.objects.notes(), notes + 1);
    let report = world.list();
    assert_eq!(world.calls(), (described + 1, others));
    let clusters = report["clusters"].as_array().unwrap();
    let counts: Vec<_> = clusters
        .iter()
        .filter(|cluster| cluster["clusterName"] == "cluster-0000")
        .map(|cluster| {
            (
                cluster["target"].as_str().unwrap(),
                &cluster["services"][3]["runningCount"],
            )
        })
        .collect();
    assert_eq!(counts, [("here", &json!(5)), ("there", &json!(1))]);
    let mut abroad = deployment("cluster-0000", "service-0003");
    abroad["region"] = "eu-west-1".into();
    abroad["resources"] = json!([format!(
        "arn:aws:ecs:eu-west-1:{ACCOUNT}:service/cluster-0000/service-0003"
    )]);
    // The accounts of the fake are those of its ARNs, so the other target knows its own too.
    assert!(world.send(&abroad));
    world.rest(2);
    let report = world.list();
    let there = report["clusters"].as_array().unwrap().last().unwrap();
    assert_eq!(there["target"], "there");
    assert_eq!(world.calls(), (described + 2, others));
}

#[test]
fn ten_thousand_events_in_a_minute_are_a_few_requests_to_the_object_a_second() {
    let world = World::new(Ecs::uniform(10, 100));
    world.edge.objects.set_hop(Duration::from_millis(5));
    let (notes, calls) = (world.edge.objects.notes(), world.calls());
    let events = (0..10_000).map(|number| {
        let service = number * 7 % 200;
        let (cluster, service) = (service / 20, service % 20);
        deployment(
            &format!("cluster-{cluster:04}"),
            &format!("service-{service:04}"),
        )
    });
    let (answers, longest) = world.storm(events, Duration::from_millis(6));
    assert_eq!(answers, [true; 10_000]);
    assert!(
        longest < seconds(2),
        "EventBridge waits for 5 s: {longest:?}"
    );
    let notes = world.edge.objects.notes() - notes;
    assert!((60..=180).contains(&notes), "{notes} requests in a minute");
    assert_eq!(world.calls(), calls);
}

#[test]
fn an_event_out_of_order_is_a_hint_as_any_other() {
    let world = World::new(Ecs::uniform(2, 10));
    world.rest(20);
    world.change("cluster-0000", "service-0003", 5);
    assert_eq!(world.running_of("cluster-0000/service-0003"), Some(5));
    let mut old = deployment("cluster-0000", "service-0003");
    old["time"] = "2020-01-01T00:00:00Z".into();
    assert!(world.send(&old));
    world.rest(2);
    assert_eq!(world.running_of("cluster-0000/service-0003"), Some(5));
}

/// The change of a service in the one target.
fn change(cluster: &str, service: &str) -> Change {
    Change {
        account: ACCOUNT.into(),
        region: "us-east-1".into(),
        service: Some((cluster.into(), service.into())),
    }
}

/// A world of one object, whose sweeps take several slices.
fn sliced() -> world::World {
    let changes = [
        ("EVENTS_TOKEN", TOKEN),
        ("SUBREQUEST_BUDGET", "18"),
        ("SNAPSHOT_MAX_AGE", "300"),
        ("SNAPSHOT_MAX_STALE", "3600"),
    ];
    world::World::new(Ecs::uniform(2, 300), &changes)
}

fn running_in(
    refresher: &ecs_status::fleet::refresh::refresher::Refresher<Fake, world::Disk>,
    index: usize,
) -> u32 {
    refresher.newest().unwrap().snapshot.clusters[0].services[index].running_count
}

#[test]
fn a_mark_that_comes_during_the_slices_of_a_sweep_survives_it() {
    let world = sliced();
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    world.advance(301);
    let set = |name: &str, running| {
        let key = ("cluster-0000".to_owned(), name.to_owned());
        let described = service(name, [2, running, 0], "COMPLETED", &[]);
        world.ecs.borrow_mut().described.insert(key, described);
    };
    // Two slices: half of the services are described.
    let started = world
        .platform
        .run(refresher.read(Some(Duration::ZERO), "r-1"));
    assert_eq!(
        started.version,
        refresher.newest().map(|newest| newest.version)
    );
    world.platform.settle();
    assert!(world.disk.shared.alarm.replace(false));
    world.platform.run(refresher.resume("alarm"));
    set("service-0001", 7);
    assert_eq!(
        refresher.note(&[change("cluster-0000", "service-0001")]),
        [true]
    );
    // A reader during the sweep gets it, and the end of the sweep does not take it back.
    world.read(&refresher);
    assert_eq!(running_in(&refresher, 1), 7);
    world.alarms(&refresher);
    world.read(&refresher);
    assert_eq!(running_in(&refresher, 1), 7);
    let calls = world.calls();
    world.advance(5);
    world.read(&refresher);
    assert_eq!(world.calls(), calls, "nothing is marked any more");
}

#[test]
fn after_an_eviction_the_next_reader_gets_a_sweep() {
    let world = sliced();
    let first = world.refresher();
    world.read(&first);
    world.alarms(&first);
    let writes = world.disk.shared.writes.get();
    let key = ("cluster-0000".to_owned(), "service-0001".to_owned());
    let described = service("service-0001", [2, 7, 0], "COMPLETED", &[]);
    world.ecs.borrow_mut().described.insert(key, described);
    assert_eq!(
        first.note(&[change("cluster-0000", "service-0001")]),
        [true]
    );
    world.advance(20);
    world.read(&first);
    assert_eq!(running_in(&first, 1), 7);
    assert_eq!(
        world.disk.shared.writes.get(),
        writes,
        "a patch is not stored"
    );
    let (known, calls) = (first.newest().unwrap(), world.calls());
    drop(first);
    // The same object in a new life: the stored snapshot lacks the change.
    let second = world.refresher();
    assert_eq!(
        second.note(&[change("cluster-0000", "service-0002")]),
        [true]
    );
    world.read(&second);
    world.platform.settle();
    world.alarms(&second);
    let newest = second.newest().unwrap();
    assert_eq!(
        (running_in(&second, 1), newest.version > known.version),
        (7, true)
    );
    assert!(newest.snapshot.generated_at > known.snapshot.generated_at);
    assert_eq!(world.calls(), calls + world.needed());
    world.advance(20);
    world.read(&second);
    assert_eq!(world.calls(), calls + world.needed(), "once");
}

#[test]
fn an_isolate_that_is_sent_changes_has_the_report_of_one_that_reads_it_anew() {
    let world = World::new(Ecs::uniform(3, 20));
    let queries = [
        "/list",
        "/list?unhealthy=true",
        "/list?format=csv",
        "/list?format=text",
    ];
    let bodies = |api: &Api<Objects>| {
        let platform = &world.edge.platform;
        queries.map(|target| {
            let response = platform.run(api.handle(&get(target), platform));
            String::from_utf8(response.body().to_vec()).unwrap()
        })
    };
    let same = |what: &str| {
        world.rest(3);
        assert_eq!(bodies(&world.api), bodies(&world.edge.api()), "{what}");
    };
    same("nothing has changed");
    for (cluster, running) in [
        ("cluster-0000", 1),
        ("cluster-0002", 0),
        ("cluster-0000", 7),
    ] {
        world.change(cluster, "service-0003", running);
        same("a service has changed");
    }
    world.remove("cluster-0001", "service-0004");
    world.send(&deployment("cluster-0001", "service-0004"));
    same("a service is gone");
    world.create("cluster-0001", "service-0099");
    world.send(&deployment("cluster-0001", "service-0099"));
    same("a service is new");
    for number in (0..20).filter(|number| *number != 4) {
        let name = format!("service-{number:04}");
        world.remove("cluster-0002", &name);
        world.send(&deployment("cluster-0002", &name));
        same("a cluster becomes empty");
    }
    world.rest(301);
    same("a sweep has read all");
}

#[test]
fn a_reader_is_sent_what_has_changed_since_its_version() {
    let world = sliced();
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    let first = refresher.newest().unwrap();
    let whole = refresher.encoded().unwrap().len();
    let running = Cell::new(2);
    let change_one = |name: &str| {
        running.set(running.get() + 1);
        let key = ("cluster-0000".to_owned(), name.to_owned());
        let described = service(name, [2, running.get(), 0], "COMPLETED", &[]);
        world.ecs.borrow_mut().described.insert(key, described);
        refresher.note(&[change("cluster-0000", name)]);
        world.advance(2);
        world.read(&refresher);
        refresher.newest().unwrap()
    };
    let sent_to = |known: Option<&VersionedSnapshot>| {
        let version = known.map(|known| known.version);
        let bytes = refresher.encoded_since(version).unwrap();
        let newest = refresher.newest().unwrap();
        let sent = VersionedSnapshot::decode(&bytes, known).unwrap();
        assert_eq!(
            (sent.version, &sent.snapshot),
            (newest.version, &newest.snapshot)
        );
        (sent, bytes.len() < whole * 6 / 10)
    };
    let mut known = first.clone();
    for name in ["service-0001", "service-0002", "service-0001"] {
        let newest = change_one(name);
        assert!(newest.version > known.version);
        let (sent, is_small) = sent_to(Some(&known));
        assert!(is_small);
        known = sent;
    }
    let (sent, is_small) = sent_to(Some(&first));
    assert!(is_small, "who has missed two gets all three");
    let is_shared = |index: usize| {
        Rc::ptr_eq(
            &sent.snapshot.clusters[index],
            &first.snapshot.clusters[index],
        )
    };
    assert_eq!([is_shared(0), is_shared(1)], [false, true]);
    let patches = refresher.encoded_since(Some(first.version)).unwrap();
    assert!(VersionedSnapshot::decode(&patches, None).is_err());
    let mut other = first.clone();
    other.version -= 1;
    for known in [None, Some(&other)] {
        assert!(!sent_to(known).1, "its version is not known");
    }
    for _ in 0..30 {
        change_one("service-0003");
    }
    assert!(!sent_to(Some(&first)).1, "so many are not held");
    assert!(!sent_to(Some(&known)).1);
    world.advance(301);
    world.read(&refresher);
    world.alarms(&refresher);
    assert!(!sent_to(Some(&known)).1, "a sweep has changed anything");
}

#[test]
fn a_snapshot_that_was_patched_is_sent_with_its_patch() {
    let world = sliced();
    let refresher = world.refresher();
    world.read(&refresher);
    world.alarms(&refresher);
    let key = ("cluster-0000".to_owned(), "service-0001".to_owned());
    let described = service("service-0001", [2, 7, 0], "COMPLETED", &[]);
    world.ecs.borrow_mut().described.insert(key, described);
    refresher.note(&[change("cluster-0000", "service-0001")]);
    let status = world.read(&refresher);
    let sent: VersionedSnapshot = encoding::decode(&refresher.encoded().unwrap(), None).unwrap();
    assert_eq!(Some(sent.version), status.version);
    assert_eq!(sent.snapshot.clusters[0].services[1].running_count, 7);
}
