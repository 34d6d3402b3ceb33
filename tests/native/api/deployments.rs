//! Deployments in every format: versions, times, reasons, filters, and what hides them.
use std::time::Duration;

use crate::support::ask::{ask, ask_with, assert_badge, get, text};
use crate::support::ecs::{ACCOUNT, Ecs};
use crate::support::rollouts::{ago, definition, deployment, events, service, with};
use crate::support::{Fake, Reply, error};
use serde_json::{Value, json};

/// One service of each kind, read an instant after the tests start.
fn rollouts() -> Fake {
    let named = |name: &str, revision: u32, described: Value| {
        let tags = json!([
            {"key": "environment", "value": "production"}, {"key": "owner", "value": "payments"},
        ]);
        let mut described = with(described, json!({"serviceName": name, "tags": tags}));
        let deployments = described["deployments"].as_array_mut().unwrap();
        for (deployment, back) in deployments.iter_mut().zip(0..) {
            let definition = definition(&format!("{name}:{}", revision - back));
            deployment["taskDefinition"] = definition.into();
        }
        described
    };
    let old = || deployment("ACTIVE", "COMPLETED", [2, 2], 500_000);
    let new = |counts, age| deployment("PRIMARY", "IN_PROGRESS", counts, age);
    let failing = with(new([2, 0], 700), json!({"failedTasks": 7}));
    let pull = events(&[(
        60,
        "was unable to place a task. Reason: CannotPullContainerError: \
         123456789012.dkr.ecr.eu-west-1.amazonaws.com/secret: not found.",
    )]);
    let services = vec![
        named(
            "checkout",
            58,
            with(
                service([2, 2, 0], json!([failing, old()])),
                json!({"events": pull}),
            ),
        ),
        named(
            "search",
            4,
            service([2, 2, 0], json!([new([2, 1], 901), old()])),
        ),
        named(
            "web",
            103,
            service([2, 3, 1], json!([new([2, 1], 90), old()])),
        ),
        named(
            "worker",
            9,
            service(
                [2, 2, 0],
                json!([deployment("PRIMARY", "COMPLETED", [2, 2], 260_000)]),
            ),
        ),
    ];
    Ecs::holding(vec![("prod", services)]).platform()
}

fn report(response: &str) -> Value {
    serde_json::from_str(response).unwrap()
}

fn names(path: &str) -> Vec<String> {
    let report = report(&text(&ask(&rollouts(), path)));
    let services = report["clusters"][0]["services"].as_array().cloned();
    let services = services.unwrap_or_default().into_iter();
    services
        .map(|service| service["serviceName"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_format_tells_versions_times_and_reasons() {
    let platform = rollouts();
    let json: Value = report(&text(&ask(&platform, "/list")));
    let json = serde_json::to_string_pretty(&json).unwrap();
    insta::assert_snapshot!("json", json);
    for (name, path) in [
        ("text", "/list?format=text"),
        ("csv", "/list?format=csv"),
        ("metrics", "/metrics?state=failing"),
    ] {
        insta::assert_snapshot!(name, text(&ask(&platform, path)));
    }
}

#[test]
fn a_rollout_whose_tasks_fail_is_unhealthy_although_the_old_ones_run() {
    assert_eq!(names("/list?unhealthy=true"), ["checkout", "search"]);
    assert_eq!(names("/list?state=failing"), ["checkout"]);
    assert_eq!(
        names("/list?state=deploying&state=healthy"),
        ["web", "worker"]
    );
    assert_eq!(
        names("/list?state=failing&state=stuck&deployed=15m"),
        ["checkout"]
    );
}

#[test]
fn services_are_selected_by_the_time_since_their_deployment() {
    for (time, expected) in [
        ("1m", &[][..]),
        ("2m", &["web"]),
        ("15m", &["checkout", "web"]),
        ("16m", &["checkout", "search", "web"]),
        ("72h", &["checkout", "search", "web"]),
        ("4d", &["checkout", "search", "web", "worker"]),
    ] {
        assert_eq!(names(&format!("/list?deployed={time}")), expected, "{time}");
    }
}

#[test]
fn a_table_of_ordinary_names_fits_160_columns() {
    let table = text(&ask(&rollouts(), "/list?format=text"));
    let longest = table.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(160), "{longest:?}\n{table}");
}

#[test]
fn a_badge_shows_the_version_and_is_red_where_a_rollout_fails() {
    let platform = rollouts();
    for (query, title, colour) in [
        ("service=checkout", "checkout: 2/2", "#c2331d"),
        ("service=search", "search: 2/2", "#c2331d"),
        ("service=web", "web: 3/2", "#3a7d0a"),
        (
            "service=checkout&show=version",
            "checkout: checkout:58",
            "#c2331d",
        ),
        ("service=worker&show=version", "worker: worker:9", "#3a7d0a"),
        ("show=version", "ecs: 4 versions", "#c2331d"),
        ("service=nope&show=version", "nope: no match", "#666"),
        ("state=stuck&show=version", "stuck: search:4", "#c2331d"),
    ] {
        assert_badge(&platform, query, title, colour);
    }
}

#[test]
fn hidden_deployments_leave_the_state_alone() {
    let platform = rollouts();
    let hidden = [("EXPOSE_DEPLOYMENTS", "false")];
    let answer = |path: &str| ask_with(&platform, &hidden, &get(path));
    let report = report(&text(&answer("/list?state=failing")));
    let service = report["clusters"][0]["services"][0].as_object().unwrap();
    assert_eq!(service["state"], "failing");
    for member in ["reason", "taskDefinition", "deployedAt", "deployments"] {
        assert!(!service.contains_key(member), "{member}");
    }
    for path in [
        "/list",
        "/list?format=text",
        "/list?format=csv",
        "/metrics",
        "/badge.svg",
    ] {
        let body = text(&answer(path));
        for hidden in [
            "checkout:58",
            "image-pull",
            "2026-11",
            "VERSION",
            "deployment_",
        ] {
            let generated_at = hidden == "2026-11" && !path.ends_with("csv");
            assert!(
                generated_at || !body.contains(hidden),
                "{path} {hidden}: {body}"
            );
        }
    }
    let csv = text(&answer("/list?format=csv"));
    assert!(
        csv.lines().skip(1).all(|line| line.ends_with(",,,")),
        "{csv}"
    );
    assert_eq!(answer("/list?deployed=24h").status(), 400);
    assert_eq!(answer("/badge.svg?show=version").status(), 400);
}

#[test]
fn no_answer_holds_an_arn_or_a_text_of_aws() {
    let platform = rollouts();
    for path in [
        "/list",
        "/list?format=text",
        "/list?format=csv",
        "/metrics",
        "/badge.svg?show=version",
    ] {
        let body = text(&ask(&platform, path));
        for part in ["arn:aws", ACCOUNT, "CannotPull", "secret", "ecs-svc"] {
            assert!(!body.contains(part), "{path} {part}: {body}");
        }
    }
}

#[test]
fn metrics_of_a_fleet_that_cannot_be_read_say_so_with_a_200() {
    let targets =
        r#"[{"name":"sydney","region":"ap-southeast-2"},{"name":"dublin","region":"eu-west-1"}]"#;
    for code in ["AccessDeniedException", "ThrottlingException"] {
        let platform = Fake::new(move |_| Reply {
            after: Duration::ZERO,
            sent: error(400, code),
        });
        let request = get("/metrics?target=dublin");
        let response = ask_with(&platform, &[("TARGETS", targets)], &request);
        let expected = "# HELP ecs_status_up Whether the report includes a snapshot of the target.\n\
                        # TYPE ecs_status_up gauge\n\
                        ecs_status_up{target=\"dublin\",region=\"eu-west-1\"} 0\n\
                        # HELP ecs_up Whether the last sweep of the target could read all of it.\n\
                        # TYPE ecs_up gauge\n\
                        ecs_up{target=\"dublin\",region=\"eu-west-1\"} 0\n\
                        # HELP ecs_status_complete Whether the whole target could be read.\n\
                        # TYPE ecs_status_complete gauge\n\
                        ecs_status_complete{target=\"dublin\",region=\"eu-west-1\"} 0\n";
        assert_eq!(text(&response), expected, "{code}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-ecs-status-complete"], "false");
        let lines = platform.lines();
        assert!(
            lines.last().unwrap().contains("could not be read"),
            "{lines:?}"
        );
    }
}

#[test]
fn a_time_that_ecs_tells_in_another_form_is_the_same_time() {
    let described = |created: Value| {
        let primary = deployment("PRIMARY", "COMPLETED", [1, 1], 0);
        let primary = with(primary, json!({"createdAt": created}));
        let services = vec![service([1, 1, 0], json!([primary]))];
        let platform = Ecs::holding(vec![("web", services)]).platform();
        let report = report(&text(&ask(&platform, "/list")));
        report["clusters"][0]["services"][0]["deployedAt"].clone()
    };
    let expected = described(json!(ago(60)));
    assert!(expected.is_string());
    assert_eq!(described(expected.clone()), expected);
    assert_eq!(described(json!(ago(60) + 0.75)), expected);
    for unknown in [json!(null), json!("yesterday"), json!(-1), json!(1e300)] {
        assert_eq!(described(unknown.clone()), Value::Null, "{unknown}");
    }
}
