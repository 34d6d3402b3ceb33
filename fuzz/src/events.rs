//! Events from whoever has the token. The input is the body of a request to `/events`.

use std::cell::RefCell;
use std::time::Duration;

use ecs_status::api::{Api, Request};
use ecs_status::aws::event::Change;
use serde_json::Value;

use super::support::ask::get;
use super::support::ecs::{ACCOUNT, Ecs};
use super::support::events::{TOKEN, post};
use super::support::objects::{Edge, Objects};

/// The services of the fleet, and the calls that the longest rereading or a sweep of it takes.
const SERVICES: usize = 20;
const MAX_CALLS: usize = 8;

struct World {
    edge: Edge,
    api: Api<Objects>,
    report: Value,
    /// The bytes of a report that were like this one: what has the same bytes is not read again.
    same: Vec<u8>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

/// An event is answered by the contract, says the same as its members do, changes no report, and costs
/// the next reader a sweep at most.
pub fn check(body: &[u8]) {
    WORLD.with_borrow_mut(|world| world.check(body));
}

impl World {
    fn new() -> Self {
        let changes = [("EVENTS_TOKEN", TOKEN), ("SNAPSHOT_MAX_AGE", "3600")];
        let changes = [&changes[..], &[("CALL_BURST", "10000")]].concat();
        let edge = Edge::new(Ecs::uniform(2, SERVICES / 2), Duration::ZERO, &changes);
        let mut world = Self {
            api: edge.api(),
            edge,
            report: Value::Null,
            same: Vec::new(),
        };
        world.same = world.read();
        world.report = without_time(&world.same);
        world
    }

    fn respond(&self, request: &Request) -> (u16, Vec<u8>) {
        let platform = &self.edge.platform;
        let response = platform.run(self.api.handle(request, platform));
        (response.status().as_u16(), response.body().to_vec())
    }

    fn read(&self) -> Vec<u8> {
        let (status, report) = self.respond(&get("/list"));
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&report));
        report
    }

    fn calls(&self) -> usize {
        self.edge.ecs.borrow().calls.values().sum()
    }

    fn check(&mut self, body: &[u8]) {
        let calls = self.calls();
        let (status, answer) = self.respond(&post(body));
        let answer: Value = serde_json::from_slice(&answer).expect("it is JSON");
        let parsed = Change::parse(body);
        let expected = if parsed.is_ok() { 202 } else { 400 };
        assert_eq!(status, expected, "{answer}");
        if let Ok(change) = &parsed {
            let is_ours = |c: &Change| c.account == ACCOUNT && c.region == "us-east-1";
            let is_noted = change.as_ref().is_some_and(is_ours);
            assert_eq!(answer, serde_json::json!({"noted": is_noted}));
            // The one reader takes any depth, and half of a surrogate pair.
            if let (Some(change), Ok(event)) = (change, serde_json::from_slice(body)) {
                same(change, &event);
            }
        }
        assert_eq!(self.calls(), calls, "an event costs no call");
        // Past the time for which the edge's copy is trusted, and that between two sweeps.
        self.edge.rest(Duration::from_secs(16));
        let report = self.read();
        if report != self.same {
            assert_eq!(without_time(&report), self.report);
            self.same = report;
        }
        assert!(self.calls() <= calls + MAX_CALLS);
        self.edge.platform.forget_lines();
    }
}

fn without_time(report: &[u8]) -> Value {
    let mut report: Value = serde_json::from_slice(report).expect("it is JSON");
    report["generatedAt"] = Value::Null;
    report
}

/// The change is what the members of the event say.
fn same(change: &Change, event: &Value) {
    assert_eq!(
        (&event["source"], &event["account"]),
        (&"aws.ecs".into(), &change.account.as_str().into())
    );
    assert_eq!(event["region"], change.region);
    if let Some((cluster, service)) = &change.service {
        let text = event.to_string();
        for name in [cluster, service] {
            let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            assert!(!name.is_empty() && name.len() <= 255 && name.chars().all(is_valid));
            assert!(text.contains(name.as_str()), "{name} is not in {text}");
        }
    }
}
