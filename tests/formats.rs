//! The formats of the report, and the parameters that choose among services.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use ecs_status::api::Request;
use serde_json::Value;
use support::Fake;
use support::ask::{ask, ask_with, get, given, text};
use support::given::{Given, holding, service};

const TARGETS: &str =
    r#"[{"name":"sydney","region":"ap-southeast-2"},{"name":"dublin","region":"eu-west-1"}]"#;

/// Every state, and names that would break a format that does not escape them.
fn nasty() -> Vec<Given> {
    let own = [
        ("owner", "K2"),
        ("environment", "production"),
        ("contact", "k2@example.com"),
    ];
    vec![
        given(
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
        given(
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
    ]
}

const PATHS: [&str; 4] = [
    "/list?format=text",
    "/list?format=csv",
    "/metrics",
    "/badge.svg",
];

#[test]
fn every_format_looks_as_it_should() {
    let platform = holding(nasty());
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
    let platform = || {
        let mut ecs = support::ecs::Ecs::uniform(2, 1);
        let denied = ("ListServices".to_owned(), "cluster-0001".to_owned());
        ecs.errors.insert(denied, "AccessDeniedException");
        Fake::new(move |request| support::Reply {
            after: std::time::Duration::ZERO,
            sent: ecs.answer(request),
        })
    };
    for path in ["/list", PATHS[0], PATHS[1], PATHS[2], PATHS[3]] {
        let response = ask(&platform(), path);
        assert_eq!(
            response.headers()["x-ecs-status-complete"],
            "false",
            "{path}"
        );
        assert_eq!(
            response.headers()["cache-control"],
            "public, max-age=15, stale-while-revalidate=285"
        );
        let whole = ask(&holding(nasty()), path);
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
fn the_parameter_wins_over_accept_and_json_is_the_default() {
    let platform = holding(nasty());
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
fn a_parameter_that_cannot_be_read_is_400_and_says_what_can() {
    let platform = holding(nasty());
    for (path, detail) in [
        ("/list?format=xml", "format is one of json, text, csv."),
        ("/list?format=", "format is one of json, text, csv."),
        (
            "/list?format=csv&format=csv",
            "format is given more than once.",
        ),
        ("/list?unhealthy=yes", "unhealthy is true or false."),
        ("/list?unhealthy", "unhealthy is true or false."),
        (
            "/list?unhealthy=true&unhealthy=true",
            "unhealthy is given more than once.",
        ),
        (
            "/list?missing=team",
            "missing names a tag: one of environment, owner, contact.",
        ),
        (
            "/list?missing=target",
            "missing names a tag: one of environment, owner, contact.",
        ),
        (
            "/list?service=api",
            "\"service\" is no filter key; the valid ones are environment, owner, contact, target, \
             region. The other parameters are format, unhealthy, missing.",
        ),
        (
            "/metrics?format=text",
            "\"format\" is no filter key; the valid ones are environment, owner, contact, target, \
             region. The other parameters are unhealthy, missing.",
        ),
        (
            "/badge.svg?nope=1",
            "\"nope\" is no filter key; the valid ones are environment, owner, contact, target, \
             region. The other parameters are service, unhealthy, missing.",
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
fn the_parameters_win_over_tags_of_the_same_name() {
    let platform = holding(nasty());
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
    let platform = holding(nasty());
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
fn a_badge_says_what_it_counts_and_how_that_does() {
    let platform = holding(nasty());
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
        let svg = text(&ask(&platform, &format!("/badge.svg?{query}")));
        assert!(
            svg.contains(&format!("<title>{title}</title>")),
            "{query}: {svg}"
        );
        assert!(
            svg.contains(&format!("fill=\"{colour}\"")),
            "{query}: {svg}"
        );
    }
    let long = text(&ask(
        &platform,
        &format!("/badge.svg?service={}", "x".repeat(500)),
    ));
    assert!(long.contains(&format!("<title>{}…: no match</title>", "x".repeat(40))));
}

#[test]
fn metrics_and_the_badge_want_the_token_too() {
    let platform = holding(nasty());
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
