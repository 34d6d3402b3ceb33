//! Formats of the report, and the parameters that select services.
use crate::support::Fake;
use crate::support::ask::{ask, ask_with, assert_badge, get, text};
use crate::support::ecs::{Ecs, service};
use ecs_status::api::Request;
use serde_json::Value;

const TARGETS: &str =
    r#"[{"name":"sydney","region":"ap-southeast-2"},{"name":"dublin","region":"eu-west-1"}]"#;

/// Every state, and names that would break a format that does not escape them.
fn nasty() -> Fake {
    let own = [
        ("owner", "K2"),
        ("environment", "production"),
        ("contact", "k2@example.com"),
    ];
    let clusters = vec![
        (
            "web",
            vec![
                service("api", [2, 2, 0], "COMPLETED", &own),
                service("batch", [0, 0, 0], "COMPLETED", &[("owner", "")]),
                service("deploying", [3, 1, 2], "IN_PROGRESS", &[]),
                service("broken", [1, 1, 0], "FAILED", &own[..1]),
                service("lacking", [2, 0, 0], "COMPLETED", &own[..2]),
                service("leaving", [1, 2, 0], "COMPLETED", &[]),
            ],
        ),
        (
            "<b>\"x\"&amp;</b>",
            vec![
                service(
                    "=HYPERLINK(\"evil.example\",\"x\")",
                    [1, 1, 0],
                    "COMPLETED",
                    &[
                        ("a;b=c\\", "d;e=f\\"),
                        ("owner", "@SUM(1)"),
                        ("Owner", "\u{1b}[31mred\u{1b}[0m"),
                        ("costCentre", "line\r\nbreak,\"quoted\""),
                        ("cost centre", "]]></text><script>alert(1)</script>"),
                    ],
                ),
                service("日本 ☃ \u{202e}txt\u{9b}\t'", [1, 1, 0], "COMPLETED", &[]),
            ],
        ),
    ];
    Ecs::holding(clusters).platform()
}

const PATHS: [&str; 4] = [
    "/list?format=text",
    "/list?format=csv",
    "/metrics",
    "/badge.svg",
];

#[test]
fn every_format_is_as_the_contract_says() {
    let platform = nasty();
    for (name, path) in ["text", "csv", "metrics", "badge"].into_iter().zip(PATHS) {
        insta::assert_snapshot!(name, text(&ask(&platform, path)));
    }
    let several = ask_with(
        &platform,
        &[("TARGETS", TARGETS)],
        &get("/list?format=text&owner=K2"),
    );
    insta::assert_snapshot!("text_of_several_targets", text(&several));
}

#[test]
fn an_incomplete_fleet_is_marked_in_every_format() {
    let platform = || Ecs::partly_denied().platform();
    for path in ["/list", PATHS[0], PATHS[1], PATHS[2], PATHS[3]] {
        let response = ask(&platform(), path);
        assert_eq!(
            response.headers()["x-ecs-status-complete"],
            "false",
            "{path}"
        );
        assert_eq!(
            response.headers()["cache-control"],
            "public, max-age=15, must-revalidate"
        );
        let whole = ask(&nasty(), path);
        assert_eq!(whole.headers()["x-ecs-status-complete"], "true", "{path}");
    }
    let table = text(&ask(&platform(), PATHS[0]));
    let failure =
        "failure: default us-east-1 cluster-0001 the IAM policy does not allow ecs:ListServices\n";
    assert!(table.ends_with(failure), "{table}");
    assert!(table.contains(", incomplete\n"), "{table}");
    let badge = text(&ask(&platform(), PATHS[3]));
    assert!(badge.contains("1/1 (incomplete)"), "{badge}");
}

#[test]
fn the_format_parameter_takes_precedence_over_accept_and_json_is_the_default() {
    let platform = nasty();
    for (query, accept, content_type) in [
        ("", None, "application/json"),
        ("", Some("*/*"), "application/json"),
        ("", Some("image/png"), "application/json"),
        ("", Some("text/plain"), "text/plain; charset=utf-8"),
        (
            "",
            Some("text/csv"),
            "text/csv; charset=utf-8; header=present",
        ),
        ("?format=json", Some("text/csv"), "application/json"),
        (
            "?format=text",
            Some("text/csv"),
            "text/plain; charset=utf-8",
        ),
    ] {
        let request = Request {
            accept: accept.map(str::to_owned),
            ..get(&format!("/list{query}"))
        };
        let response = ask_with(&platform, &[], &request);
        assert_eq!(
            response.headers()["content-type"],
            content_type,
            "{query} {accept:?}"
        );
        assert_eq!(response.headers()["vary"], "accept");
    }
}

#[test]
fn an_invalid_parameter_is_refused_with_the_valid_values() {
    let platform = nasty();
    for (path, detail) in [
        ("/list?format=xml", "format must be json, text or csv."),
        ("/list?format=", "format must be json, text or csv."),
        (
            "/list?format=csv&format=csv",
            "format was given more than once.",
        ),
        (
            "/list?state=broken",
            "state must be failing, rolling-back, stuck, stopped, deploying, starting, short, draining \
             or healthy.",
        ),
        (
            "/metrics?deployed=yesterday",
            "deployed must be a number of minutes, hours or days, such as 30m, 24h or 7d.",
        ),
        (
            "/list?deployed=1h&deployed=1h",
            "deployed was given more than once.",
        ),
        ("/badge.svg?show=tasks", "show must be version."),
        (
            "/badge.svg?show=version&show=version",
            "show was given more than once.",
        ),
        ("/list?unhealthy=yes", "unhealthy must be true or false."),
        ("/list?unhealthy", "unhealthy must be true or false."),
        (
            "/list?unhealthy=true&unhealthy=true",
            "unhealthy was given more than once.",
        ),
        (
            "/list?missing=team",
            "missing must be one of environment, owner, contact.",
        ),
        (
            "/list?missing=target",
            "missing must be one of environment, owner, contact.",
        ),
        (
            "/list?service=api",
            "\"service\" is not a filter key. Valid filter keys: environment, owner, contact, target, \
             region. Other parameters: format, unhealthy, missing, state, deployed.",
        ),
        (
            "/metrics?format=text",
            "\"format\" is not a filter key. Valid filter keys: environment, owner, contact, target, \
             region. Other parameters: unhealthy, missing, state, deployed.",
        ),
        (
            "/badge.svg?nope=1",
            "\"nope\" is not a filter key. Valid filter keys: environment, owner, contact, target, \
             region. Other parameters: service, show, unhealthy, missing, state, deployed.",
        ),
    ] {
        let response = ask(&platform, path);
        assert_eq!(response.status(), 400, "{path}");
        let problem: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(problem["detail"], detail, "{path}");
    }
    assert!(
        platform
            .lines()
            .iter()
            .all(|line| !line.contains("awsCall\""))
    );
}

#[test]
fn a_parameter_takes_precedence_over_a_filter_tag_of_the_same_name() {
    let platform = nasty();
    let changes = [("FILTER_TAGS", "format,service,owner,unhealthy")];
    let answer = |path: &str| ask_with(&platform, &changes, &get(path));
    assert_eq!(answer("/list?format=x").status(), 400);
    assert_eq!(answer("/metrics?format=x").status(), 400);
    assert_eq!(answer("/list?unhealthy=x").status(), 400);
    assert_eq!(answer("/list?missing=format").status(), 200);
    let list = text(&answer("/list?service=api"));
    assert!(list.contains("\"clusters\":[]"), "a tag: {list}");
    assert!(text(&answer("/badge.svg?service=api")).contains("2/2"));
    let problem: Value = serde_json::from_slice(answer("/list?nope").body()).unwrap();
    assert_eq!(
        problem["validKeys"],
        serde_json::json!(["service", "owner", "target", "region"])
    );
}

/// The services' names in a report.
fn names(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap();
    let clusters = report["clusters"].as_array().unwrap().iter();
    clusters
        .flat_map(|cluster| cluster["services"].as_array().unwrap())
        .map(|service| service["serviceName"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn unhealthy_and_missing_narrow_the_report_in_every_format() {
    let platform = nasty();
    let list = |query: &str| names(&text(&ask(&platform, &format!("/list?{query}"))));
    let unhealthy = ["broken", "deploying", "lacking", "leaving"];
    assert_eq!(list("unhealthy=true"), unhealthy);
    assert_eq!(list("unhealthy=false"), list(""));
    assert_eq!(
        list("unhealthy=true&missing=owner"),
        ["deploying", "leaving"]
    );
    assert_eq!(list("missing=environment&owner="), ["batch"]);
    assert_eq!(
        list("missing=contact&missing=environment&owner=K2"),
        ["broken"]
    );
    let metrics = text(&ask(&platform, "/metrics?unhealthy=true"));
    let running = metrics
        .lines()
        .filter(|line| line.starts_with("ecs_service_running_tasks{"));
    assert_eq!(running.count(), unhealthy.len());
    let csv = text(&ask(&platform, "/list?format=csv&unhealthy=true"));
    assert_eq!(csv.lines().count(), 1 + unhealthy.len());
}

#[test]
fn a_badge_names_its_services_and_shows_their_health() {
    let platform = nasty();
    for (query, title, colour) in [
        ("service=api", "api: 2/2", "#3a7d0a"),
        ("service=batch", "batch: 0/0", "#3a7d0a"),
        ("service=deploying", "deploying: 1/3", "#8f6a00"),
        ("service=lacking", "lacking: 0/2", "#c2331d"),
        ("service=api&service=broken", "api broken: 3/3", "#c2331d"),
        ("service=nope", "nope: no match", "#666"),
        ("service=API", "API: no match", "#666"),
        (
            "owner=K2&environment=production",
            "K2 production: 2/4",
            "#c2331d",
        ),
        (
            "unhealthy=true&missing=owner",
            "no owner unhealthy: 3/4",
            "#8f6a00",
        ),
        ("owner=", "ecs: 0/0", "#3a7d0a"),
        ("service=%3Cscript%3E", "&lt;script&gt;: no match", "#666"),
    ] {
        assert_badge(&platform, query, title, colour);
    }
    let long = text(&ask(
        &platform,
        &format!("/badge.svg?service={}", "x".repeat(500)),
    ));
    assert!(long.contains(&format!("<title>{}…: no match</title>", "x".repeat(40))));
}

#[test]
fn every_format_requires_the_bearer_token() {
    let platform = nasty();
    for path in PATHS {
        let changes = [("LIST_TOKEN", "0123456789abcdef")];
        let request = get(path);
        assert_eq!(
            ask_with(&platform, &changes, &request).status(),
            401,
            "{path}"
        );
        let request = Request {
            authorization: Some("Bearer 0123456789abcdef".into()),
            ..request
        };
        let response = ask_with(&platform, &changes, &request);
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["cache-control"], "private, no-store");
    }
}
