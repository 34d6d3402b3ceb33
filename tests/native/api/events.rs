//! Events: who may send them, and what they are answered.

use std::time::Duration;

use ecs_status::api::{Api, Body, MAX_BODY_BYTES, Request};
use http::Response;
use serde_json::{Value, json};

use crate::support::Fake;
use crate::support::ask::{ask, get, request};
use crate::support::ecs::Ecs;
use crate::support::events::{TOKEN, deployment, noted, post, send, task};
use crate::support::objects::{Edge, Objects};

/// An edge that takes events, with a fleet of two clusters of one service each.
fn edge(changes: &[(&str, &str)]) -> Edge {
    let changes = [changes, &[("EVENTS_TOKEN", TOKEN)]].concat();
    Edge::new(Ecs::uniform(2, 1), Duration::ZERO, &changes)
}

/// The API over a fleet that was read a moment ago.
fn read_api(edge: &Edge) -> Api<Objects> {
    let api = edge.api();
    assert_eq!(respond(&api, edge, &get("/list")).status(), 200);
    api
}

fn respond(api: &Api<Objects>, edge: &Edge, request: &Request) -> Response<Body> {
    edge.platform.run(api.handle(request, &edge.platform))
}

fn whole() -> Vec<u8> {
    deployment("cluster-0000", "service-0000")
        .to_string()
        .into_bytes()
}

fn problem(response: &Response<Body>) -> Value {
    let cache_control = &response.headers()["cache-control"];
    assert!(cache_control.to_str().unwrap().contains("no-store"));
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn an_event_requires_its_own_token() {
    let edge = edge(&[("LIST_TOKEN", "list-token-0123456789")]);
    let api = edge.api();
    for (given, status) in [
        (None, 401),
        (Some("Bearer"), 401),
        (Some("Bearer list-token-0123456789"), 401),
        (Some("Basic event-token-0123456789"), 401),
        (Some("Bearer EVENT-TOKEN-0123456789"), 401),
        (Some("Bearer event-token-012345678"), 401),
        (Some("Bearer event-token-0123456789"), 202),
        (Some("bearer  event-token-0123456789 "), 202),
    ] {
        let request = Request {
            authorization: given.map(str::to_owned),
            ..post(&whole())
        };
        let response = respond(&api, &edge, &request);
        assert_eq!(response.status(), status, "{given:?}");
        assert_eq!(api.takes_body(&request), status == 202, "{given:?}");
        let challenge = response.headers().contains_key("www-authenticate");
        assert_eq!(challenge, status == 401);
    }
    let lines = edge.platform.lines().join("\n");
    assert!(!lines.contains("event-token"), "{lines}");
}

#[test]
fn without_a_token_in_the_configuration_there_is_no_route() {
    let edge = Edge::new(Ecs::uniform(1, 1), Duration::ZERO, &[]);
    let api = edge.api();
    for method in ["POST", "GET", "HEAD", "OPTIONS", "PUT"] {
        let request = Request {
            method: method.into(),
            ..post(&whole())
        };
        assert_eq!(respond(&api, &edge, &request).status(), 404, "{method}");
        assert!(!api.takes_body(&request));
    }
    let help = respond(&api, &edge, &get("/"));
    assert!(!String::from_utf8_lossy(help.body()).contains("/events"));
    let broken = [("EVENTS_TOKEN", TOKEN), ("AWS_REGION", "nowhere")];
    let broken = crate::support::ask::api(&edge.platform, &broken);
    let response = edge
        .platform
        .run(broken.handle(&post(&whole()), &edge.platform));
    assert_eq!(
        response.status(),
        404,
        "nothing is taken, and /healthz says why"
    );
}

#[test]
fn other_methods_are_told_those_of_the_route() {
    let edge = edge(&[]);
    let api = edge.api();
    for (method, status) in [("GET", 405), ("HEAD", 405), ("PUT", 405), ("OPTIONS", 204)] {
        let request = Request {
            authorization: None,
            method: method.into(),
            ..post(&whole())
        };
        let response = respond(&api, &edge, &request);
        assert_eq!(response.status(), status, "{method}");
        assert_eq!(response.headers()["allow"], "POST, OPTIONS", "{method}");
        assert!(!api.takes_body(&request));
    }
    let help = respond(&api, &edge, &get("/"));
    assert!(String::from_utf8_lossy(help.body()).contains("  POST /events "));
}

#[test]
fn a_body_that_is_no_event_is_refused_and_so_is_one_that_is_too_long() {
    let edge = edge(&[]);
    let api = read_api(&edge);
    let calls = edge.ecs.borrow().calls.clone();
    let nested = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    for body in [
        "",
        "\n",
        "x",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"source":"aws.ecs"}"#,
        &nested,
    ] {
        let response = respond(&api, &edge, &post(body.as_bytes()));
        assert_eq!(response.status(), 400, "{}", &body[..body.len().min(40)]);
        assert_eq!(problem(&response)["code"], "malformed-event");
    }
    let padded = |length: usize| {
        let mut body = whole();
        body.resize(length, b' ');
        body
    };
    assert!(noted(&respond(&api, &edge, &post(&padded(MAX_BODY_BYTES)))));
    let cut = Request {
        is_body_too_long: true,
        ..post(b"")
    };
    for request in [post(&padded(MAX_BODY_BYTES + 1)), cut] {
        let response = respond(&api, &edge, &request);
        assert_eq!(response.status(), 413);
        assert_eq!(problem(&response)["code"], "body-too-long");
    }
    assert_eq!(edge.ecs.borrow().calls, calls, "AWS sees no call");
}

#[test]
fn an_event_is_noted_if_it_concerns_a_service_of_a_target() {
    let edge = edge(&[]);
    let unread = send(
        &edge.api(),
        &edge.platform,
        &deployment("cluster-0000", "service-0000"),
    );
    assert!(!unread, "nothing that was read could be out of date");
    let api = read_api(&edge);
    let calls = edge.ecs.borrow().calls.clone();
    let with = |changes: &[(&str, &str)], mut event: Value| {
        for (member, value) in changes {
            let resources = event["resources"].to_string();
            let old = event[*member].as_str().unwrap().to_owned();
            event["resources"] = serde_json::from_str(&resources.replace(&old, value)).unwrap();
            event[*member] = (*value).into();
        }
        event
    };
    let known = || deployment("cluster-0000", "service-0000");
    let mut of_ec2 = task("cluster-0000", "service-0000");
    of_ec2["detail"]["launchType"] = "EC2".into();
    let mut of_no_service = task("cluster-0000", "service-0000");
    of_no_service["detail"]["group"] = "family:batch".into();
    for (event, is_noted) in [
        (known(), true),
        (task("cluster-0001", "service-0000"), true),
        (deployment("cluster-0000", "just-created"), true),
        (with(&[("account", "210987654321")], known()), false),
        (with(&[("region", "eu-west-1")], known()), false),
        (with(&[("source", "aws.ec2")], known()), false),
        (
            with(
                &[("detail-type", "ECS Container Instance State Change")],
                known(),
            ),
            false,
        ),
        (of_ec2, false),
        (of_no_service, false),
        (deployment("cluster-0000", "no name"), false),
    ] {
        assert_eq!(send(&api, &edge.platform, &event), is_noted, "{event}");
    }
    assert_eq!(edge.ecs.borrow().calls, calls, "AWS sees no call");
}

#[test]
fn a_storm_of_events_is_not_limited_and_wrong_tokens_are() {
    let edge = edge(&[]);
    let api = read_api(&edge);
    let over_limit = |authorization: &str| Request {
        is_over_limit: true,
        authorization: Some(authorization.into()),
        ..post(&whole())
    };
    let right = format!("Bearer {TOKEN}");
    assert!(noted(&respond(&api, &edge, &over_limit(&right))));
    let wrong = respond(&api, &edge, &over_limit("Bearer event-token-of-another"));
    assert_eq!(wrong.status(), 429);
}

#[test]
fn an_event_that_no_object_takes_is_to_be_sent_again() {
    let edge = edge(&[]);
    let api = read_api(&edge);
    edge.objects.set_deaf(true);
    let response = respond(&api, &edge, &post(&whole()));
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    edge.objects.set_deaf(false);
    edge.rest(Duration::from_secs(2));
    assert!(noted(&respond(&api, &edge, &post(&whole()))));
}

#[test]
fn an_event_leaves_one_log_line_with_nothing_of_its_content() {
    let edge = edge(&[]);
    let api = read_api(&edge);
    let before = edge.platform.lines().len();
    assert!(send(
        &api,
        &edge.platform,
        &deployment("cluster-0000", "made-up-name")
    ));
    let lines = edge.platform.lines().split_off(before);
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    let line: Value = serde_json::from_str(line).unwrap();
    let said = json!([
        line["event"],
        line["route"],
        line["status"],
        line["noted"],
        line["awsCalls"]
    ]);
    assert_eq!(said, json!(["request", "/events", 202, true, 0]));
    let text = line.to_string();
    for content in ["made-up-name", "cluster-0000", "123456789012", "arn:"] {
        assert!(!text.contains(content), "{text}");
    }
}

#[test]
fn the_health_and_the_metrics_say_when_the_last_event_came() {
    let edge = edge(&[]);
    let api = read_api(&edge);
    let health = || -> Value {
        serde_json::from_slice(respond(&api, &edge, &get("/healthz")).body()).unwrap()
    };
    let metric = |name: &str| {
        let response = respond(&api, &edge, &get("/metrics"));
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        let sample = format!("{name}{{target=\"default\",region=\"us-east-1\"}} ");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&sample).map(str::to_owned));
        line.map(|value| value.parse::<u64>().unwrap())
    };
    assert!(
        health()["lastEventAt"].is_null()
            && health().as_object().unwrap().contains_key("lastEventAt")
    );
    edge.rest(Duration::from_secs(7));
    assert_eq!(
        metric("ecs_status_last_event_age_seconds"),
        Some(7),
        "since it listens"
    );
    assert_eq!(metric("ecs_status_events_total"), Some(0));
    assert!(send(
        &api,
        &edge.platform,
        &deployment("cluster-0000", "service-0000")
    ));
    edge.rest(Duration::from_secs(5));
    assert_eq!(health()["lastEventAt"], "2026-11-22T19:40:07Z");
    assert_eq!(metric("ecs_status_last_event_age_seconds"), Some(5));
    assert_eq!(metric("ecs_status_events_total"), Some(1));
    let platform = Ecs::uniform(1, 1).platform();
    for path in ["/healthz", "/metrics"] {
        let response = ask(&platform, path);
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert!(!text.contains("vent"), "events are not taken: {text}");
    }
}

#[test]
fn only_the_holder_of_the_token_is_told_when_the_last_event_came() {
    let token = "list-token-0123456789";
    let edge = edge(&[("LIST_TOKEN", token)]);
    let api = edge.api();
    for (authorization, is_told) in [(None, false), (Some(format!("Bearer {token}")), true)] {
        let request = Request {
            authorization,
            ..get("/healthz")
        };
        let response = respond(&api, &edge, &request);
        assert_eq!(response.status(), 200);
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert_eq!(text.contains("lastEventAt"), is_told, "{text}");
    }
}

#[test]
fn a_fleet_in_the_same_process_takes_no_events() {
    let platform: Fake = Ecs::uniform(1, 1).platform();
    let api = crate::support::ask::api(&platform, &[("EVENTS_TOKEN", TOKEN)]);
    assert_eq!(
        platform.run(api.handle(&get("/list"), &platform)).status(),
        200
    );
    assert!(!send(
        &api,
        &platform,
        &deployment("cluster-0000", "service-0000")
    ));
    let refused = platform.run(api.handle(&request("POST", "/list"), &platform));
    assert_eq!(refused.headers()["allow"], "GET, HEAD, OPTIONS");
}
