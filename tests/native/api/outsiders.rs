//! Outsiders: those without the token, and what they are not told.
use std::time::Duration;

use crate::support::ask::{ask_with, get, text};
use crate::support::ecs::Ecs;
use crate::support::{Fake, Reply, Sent, error};
use ecs_status::api::{Body, Request};
use http::Response;
use serde_json::Value;

const TOKEN: &str = "0123456789abcdef";
const TARGETS: &str = r#"[{"name": "billing", "region": "eu-west-1"}]"#;

fn with_token(target: &str, token: &str) -> Request {
    Request {
        authorization: Some(format!("Bearer {token}")),
        ..get(target)
    }
}

/// A platform where every call to AWS has the result of `sent` after a while.
fn failing(sent: fn() -> Sent, after: Duration) -> Fake {
    Fake::new(move |_| Reply {
        after,
        sent: sent(),
    })
}

fn ask(platform: &Fake, request: &Request) -> Response<Body> {
    let changes = [("LIST_TOKEN", TOKEN), ("TARGETS", TARGETS)];
    ask_with(platform, &changes, request)
}

#[test]
fn the_health_check_tells_an_outsider_the_status_and_nothing_else() {
    let failures: [(fn() -> Sent, Duration); 4] = [
        (|| error(400, "AccessDeniedException"), Duration::ZERO),
        (|| error(400, "ThrottlingException"), Duration::ZERO),
        (|| error(500, ""), Duration::ZERO),
        (|| error(500, ""), Duration::from_mins(5)),
    ];
    let mut told = Vec::new();
    for (sent, after) in failures {
        let platform = || failing(sent, after);
        let holder = ask(&platform(), &with_token("/healthz", TOKEN));
        let insider: Value = serde_json::from_slice(holder.body()).unwrap();
        assert!(insider["detail"].as_str().unwrap().contains("billing"));
        assert_eq!(holder.headers()["cache-control"], "no-store");
        for request in [
            get("/healthz"),
            with_token("/healthz", "fedcba9876543210"),
            with_token("/healthz", ""),
        ] {
            let platform = platform();
            let response = ask(&platform, &request);
            assert_eq!(response.status(), holder.status());
            assert_eq!(
                response.headers().get("retry-after"),
                holder.headers().get("retry-after")
            );
            let mut body: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(body["code"], "unhealthy");
            assert_ne!(insider["code"], "unhealthy");
            // The log has the cause.
            let line = platform.lines().pop().unwrap();
            assert!(line.contains("billing"), "{line}");
            for member in ["status", "title"] {
                body.as_object_mut().unwrap().remove(member);
            }
            told.push(body);
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn the_health_check_of_a_fleet_that_is_well_is_the_same_for_all() {
    let ask = |request| ask(&Ecs::uniform(1, 1).platform(), &request);
    let (outsider, holder) = (ask(get("/healthz")), ask(with_token("/healthz", TOKEN)));
    assert_eq!(text(&outsider), text(&holder));
    assert_eq!(outsider.headers()["cache-control"], "no-store");
    assert_eq!(holder.headers()["cache-control"], "private, no-store");
}

#[test]
fn the_health_check_without_a_configured_token_names_the_cause_for_all() {
    let platform = failing(|| error(400, "AccessDeniedException"), Duration::ZERO);
    let response = ask_with(&platform, &[("TARGETS", TARGETS)], &get("/healthz"));
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(body["detail"].as_str().unwrap().contains("billing"));
    assert_eq!(response.headers()["cache-control"], "no-store");
}
