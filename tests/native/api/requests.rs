//! Requests: equivalent paths, malformed requests, and reports that an edge cannot send.

use ecs_status::api::{Api, Body, Request};
use ecs_status::fleet::view::Fleet;
use http::Response;
use serde_json::Value;

use crate::support::Fake;
use crate::support::ask::{ask, ask_with, get, request, text};
use crate::support::config::config;
use crate::support::ecs::Ecs;

fn problem(response: &Response<Body>) -> Value {
    assert_eq!(response.headers()["cache-control"], "no-store");
    serde_json::from_slice(response.body()).unwrap()
}

fn calls(platform: &Fake) -> usize {
    let lines = platform.lines();
    lines
        .iter()
        .filter(|line| line.contains("\"awsCall\""))
        .count()
}

#[test]
fn equivalent_paths_have_the_same_route() {
    let platform = Ecs::uniform(1, 1).platform();
    let list = text(&ask(&platform, "/list?format=csv"));
    for path in ["/%6Cist", "/%6c%69%73%74", "/l%69st"] {
        let found = text(&ask(&platform, &format!("{path}?format=csv")));
        assert_eq!(found, list, "{path}");
        let refused = ask_with(&platform, &[], &request("POST", path));
        assert_eq!(refused.status(), 405, "{path}");
    }
    let lines = platform.lines().join("\n");
    assert!(lines.contains("\"route\":\"/list\"") && !lines.contains("%6"));
}

#[test]
fn a_path_without_a_route_is_repeated_in_its_canonical_form() {
    let platform = Ecs::default().platform();
    for (path, repeated) in [
        ("/%6eope", "/nope"),
        ("/%2Flist", "//list"),
        ("/%1b%E2%80%AE\u{202e}", "/%1B%E2%80%AE%E2%80%AE"),
        ("/%256Cist", "/%256Cist"),
    ] {
        let response = ask(&platform, path);
        assert_eq!(response.status(), 404);
        let detail = format!("No route matches \"{repeated}\"; see / for the routes.");
        assert_eq!(problem(&response)["detail"], detail);
    }
}

#[test]
fn a_malformed_request_is_refused_on_every_route_before_the_token_and_any_call() {
    let platform = Ecs::uniform(1, 1).platform();
    let token = [("LIST_TOKEN", "0123456789abcdef")];
    for path in ["/", "/list", "/metrics", "/healthz", "/page.js", "/nope"] {
        for method in ["GET", "OPTIONS", "POST"] {
            let refuse = |query: &str| {
                let query = request(method, &format!("{path}?{query}"));
                ask_with(&platform, &token, &query)
            };
            let response = refuse("owner=\"K2\"");
            assert_eq!(response.status(), 400, "{method} {path}");
            let problem = problem(&response);
            assert_eq!(problem["code"], "malformed-query");
            assert_eq!(problem["validKeys"][1], "owner");
            let response = refuse(&"x".repeat(65_535));
            assert_eq!(response.status(), 414, "{method} {path}");
        }
    }
    let long = problem(&ask(&platform, &format!("/{}", "x".repeat(65_534))));
    assert_eq!(long["code"], "uri-too-long");
    let detail = "The path and the query exceed 65534 bytes.";
    assert_eq!(long["detail"], detail);
    assert_eq!(calls(&platform), 0);
}

#[test]
fn a_report_that_the_edge_cannot_send_is_a_problem_that_names_the_limit_and_the_filters() {
    let platform = Ecs::uniform(1, 20).platform();
    let api = |limit: Option<usize>| {
        let api = Api::new(Ok(Fleet::in_process(&platform, config(&[]).unwrap())));
        match limit {
            Some(bytes) => api.with_body_limit(bytes),
            None => api,
        }
    };
    let ask = |limit, request: &Request| platform.run(api(limit).handle(request, &platform));
    for path in ["/list", "/list?format=csv", "/list?format=text", "/metrics"] {
        let whole = text(&ask(None, &get(path)));
        let length = serde_json::to_string(&whole).unwrap().len();
        let same = ask(Some(length), &get(path));
        assert_eq!(same.status(), 200, "{path}");
        for method in ["GET", "HEAD"] {
            let refused = ask(Some(length - 1), &request(method, path));
            assert_eq!(refused.status(), 503, "{method} {path}");
            assert!(!refused.headers().contains_key("retry-after"));
        }
        let problem = problem(&ask(Some(length - 1), &get(path)));
        assert_eq!(problem["code"], "response-too-large");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("exceeds the {} bytes", length - 1)));
        assert!(detail.contains("filter by environment, owner, contact, target or region"));
        let narrowed = get("/list?owner=nobody");
        assert_eq!(ask(Some(length - 1), &narrowed).status(), 200);
    }
    let lines = platform.lines();
    let refused = |line: &&String| line.contains("\"status\":503");
    let line = lines.iter().rfind(refused).unwrap();
    assert!(line.contains("can be returned at once"));
}
