//! Whole responses, whatever ECS sends.
use std::time::Duration;

use crate::support::ask::get;
use crate::support::ecs::{ACCOUNT, Ecs};
use crate::support::model::{failure, status};
use crate::support::source::Script;
use crate::support::{Fake, Reply, ask, config, response};
use ecs_status::api::{Api, Body, Request};
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::view::Fleet;
use ecs_status::fleet::view::in_process::InProcess;
use ecs_status::fleet::view::source::SnapshotReply;
use ecs_status::platform::Clock;
use http::Response;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const KEY_ID: &str = "AKIDEXAMPLEEXAMPLE";
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKEN";
const MESSAGE: &str = "words of AWS itself";

/// The API of a fleet that is read with these keys, with these variables changed.
fn api(platform: &Fake, changes: &[(&str, &str)]) -> Api<InProcess<Fake>> {
    let keys = [
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", TOKEN),
    ];
    ask::api(platform, &[changes, &keys].concat())
}

/// The responses of one fleet to requests, one after the other.
fn ask_all(platform: &Fake, requests: &[Request]) -> Vec<Response<Body>> {
    let api = api(platform, &[]);
    let ask = |request| platform.run(api.handle(request, platform));
    requests.iter().map(ask).collect()
}

fn body(response: &Response<Body>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// A response as `curl -i` shows it, with its headers sorted: their order means nothing.
fn shown(response: &Response<Body>) -> String {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\n", value.to_str().unwrap())
    };
    let mut headers: Vec<_> = response.headers().iter().map(header).collect();
    headers.sort_unstable();
    let body = std::str::from_utf8(response.body()).unwrap();
    format!("{}\n{}\n{body}", response.status(), headers.concat())
}

#[test]
fn responses_are_as_the_contract_says() {
    let paths = [
        "/list",
        "/list?owner=K2",
        "/list?nope=1",
        "/nope",
        "/healthz",
        "/",
        "/robots.txt",
        "/favicon.ico",
    ];
    let responses = ask_all(&Ecs::partly_denied().platform(), &paths.map(get));
    let all: Vec<_> = paths
        .iter()
        .zip(&responses)
        .map(|(path, response)| format!("GET {path}\n{}", shown(response)))
        .collect();
    insta::assert_snapshot!(all.join("\n\n---\n"));
}

#[test]
fn an_invalid_configuration_is_named_by_healthz_and_the_log_only() {
    let platform = Ecs::default().platform();
    let api = api(
        &platform,
        &[("AWS_REGION", "sydney"), ("LOG_LEVEL", "loud")],
    );
    let ask = |path| platform.run(api.handle(&get(path), &platform));
    assert_eq!(ask("/").status(), 200);
    let list = ask("/list");
    assert_eq!(list.status(), 500);
    assert!(!String::from_utf8_lossy(list.body()).contains("AWS_REGION"));
    let health = ask("/healthz");
    assert_eq!(health.status(), 500);
    assert_eq!(
        body(&health)["variables"],
        json!(["AWS_REGION", "LOG_LEVEL"])
    );
    assert_eq!(
        platform
            .lines()
            .iter()
            .filter(|line| line.contains("AWS_REGION is malformed"))
            .count(),
        2
    );
}

#[test]
fn a_snapshot_is_served_until_its_age_limit_and_then_replaced() {
    let platform = Ecs::uniform(1, 1).platform();
    let api = api(&platform, &[]);
    let age = || {
        let response = platform.run(api.handle(&get("/list"), &platform));
        response.headers()["age"].to_str().unwrap().to_owned()
    };
    assert_eq!(age(), "0");
    platform.advance(Duration::from_secs(15));
    assert_eq!(age(), "15");
    platform.advance(Duration::from_millis(1));
    assert_eq!(age(), "0");
    let calls: Vec<u64> = platform
        .lines()
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["event"] == "request")
        .map(|line| line["awsCalls"].as_u64().unwrap())
        .collect();
    assert_eq!(calls, [4, 0, 4]);
}

#[test]
fn a_badge_is_a_picture_in_every_state() {
    let failing = |code| {
        Ecs::uniform(1, 1)
            .failing("ListClusters", "", code)
            .platform()
    };
    let slow = Fake::new(|_| Reply {
        after: Duration::from_mins(5),
        sent: response(200, &[], "{}"),
    });
    let fine = || Ecs::uniform(1, 1).platform();
    let broken = [("AWS_REGION", "nowhere")];
    let closed = [("LIST_TOKEN", "0123456789abcdef")];
    for (platform, changes, path, status, label) in [
        (
            failing("AccessDeniedException"),
            &[][..],
            "/badge.svg",
            502,
            "ecs",
        ),
        (
            failing("ThrottlingException"),
            &[],
            "/badge.svg?service=web",
            503,
            "web",
        ),
        (slow, &[], "/badge.svg?owner=K2", 504, "K2"),
        (fine(), &broken, "/badge.svg?service=web", 500, "ecs"),
    ] {
        let api = api(&platform, changes);
        let response = platform.run(api.handle(&get(path), &platform));
        assert_eq!(response.status(), status);
        let header = |name| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(header("content-type"), Some("image/svg+xml"));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("retry-after").is_some(), status == 503, "{status}");
        let svg = std::str::from_utf8(response.body()).unwrap();
        assert!(
            svg.contains(&format!("<title>{label}: unknown</title>")),
            "{svg}"
        );
        assert!(svg.contains("fill=\"#666\""), "{svg}");
        let lines = platform.lines();
        let line: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!(
            (&line["status"], line["problem"].is_string()),
            (&json!(status), true)
        );
    }
    // The client's own faults stay problems.
    for (changes, request, status) in [
        (&[][..], get("/badge.svg?nope=1"), 400),
        (&closed, get("/badge.svg"), 401),
        (&[], ask::request("POST", "/badge.svg"), 405),
        (
            &[],
            Request {
                is_over_limit: true,
                ..get("/badge.svg")
            },
            429,
        ),
    ] {
        let platform = fine();
        let response = platform.run(api(&platform, changes).handle(&request, &platform));
        assert_eq!(response.status(), status);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
}

#[test]
fn repeated_health_checks_call_aws_once() {
    let platform = Ecs::default().platform();
    let api = api(&platform, &[]);
    for _ in 0..20 {
        let response = platform.run(api.handle(&get("/healthz"), &platform));
        assert_eq!(body(&response)["status"], "ok");
    }
    let calls = platform
        .lines()
        .iter()
        .filter(|line| line.contains("\"awsCall\""))
        .count();
    assert_eq!(calls, 1);
}

#[test]
fn a_bearer_token_is_required_where_one_is_configured() {
    let platform = Ecs::uniform(1, 1).platform();
    let api = api(&platform, &[("LIST_TOKEN", "0123456789abcdef")]);
    let ask = |path: &str, authorization: Option<&str>| {
        let request = Request {
            authorization: authorization.map(str::to_owned),
            ..get(path)
        };
        platform.run(api.handle(&request, &platform))
    };
    for (given, challenge) in [
        (None, "Bearer realm=\"ecs-status\""),
        (
            Some("Basic 0123456789abcdef"),
            "Bearer realm=\"ecs-status\"",
        ),
        (Some("Bearer"), "Bearer realm=\"ecs-status\""),
        (
            Some("Bearer 0123456789abcdeF"),
            "Bearer realm=\"ecs-status\", error=\"invalid_token\"",
        ),
    ] {
        let response = ask("/list?nope=1", given);
        assert_eq!(response.status(), 401, "{given:?}");
        assert_eq!(response.headers()["www-authenticate"], challenge);
        assert_eq!(response.headers()["cache-control"], "private, no-store");
        assert_eq!(body(&response)["status"], 401);
    }
    assert!(
        !platform
            .lines()
            .iter()
            .any(|line| line.contains("\"awsCall\"")),
        "AWS is not called"
    );
    for given in ["Bearer 0123456789abcdef", "bearer  0123456789abcdef "] {
        let response = ask("/list", Some(given));
        assert_eq!(response.status(), 200, "{given}");
        assert_eq!(response.headers()["cache-control"], "private, no-store");
    }
    assert_eq!(ask("/", None).status(), 200);
    assert_eq!(ask("/healthz", None).status(), 200);
    assert!(
        !platform
            .lines()
            .iter()
            .any(|line| line.contains("0123456789abcde"))
    );
}

#[test]
fn a_retry_after_is_rounded_up_to_whole_seconds() {
    let platform = Fake::script(Vec::new());
    for (milliseconds, header) in [(6_000, "6"), (6_200, "7"), (6_999, "7"), (7_000, "7")] {
        let script = Script::new(&platform, 1);
        let mut status = status(None);
        status.last_failure = Some(failure(Cause::Throttled, platform.now()));
        status.retry_after = Duration::from_millis(milliseconds);
        let snapshot = None;
        script.reply(0, Duration::ZERO, Some(SnapshotReply { status, snapshot }));
        let api = Api::new(Ok(Fleet::new(config(&[]).unwrap(), script)));
        let response = platform.run(api.handle(&get("/list"), &platform));
        assert_eq!(response.status(), 503);
        assert_eq!(
            response.headers()["retry-after"],
            header,
            "{milliseconds} ms"
        );
    }
}

/// Any JSON, with secrets anywhere in it.
fn leaky_json() -> impl Strategy<Value = Value> {
    let arn = format!("arn:aws:ecs:us-east-1:{ACCOUNT}:service/web/api");
    let key = prop::sample::select(vec![
        "clusterArns",
        "clusters",
        "serviceArns",
        "services",
        "failures",
        "nextToken",
        "clusterArn",
        "clusterName",
        "serviceArn",
        "serviceName",
        "status",
        "tags",
        "key",
        "value",
        "deployments",
        "rolloutState",
        "capacityProviders",
        "launchType",
        "desiredCount",
        "runningCount",
        "pendingCount",
        "__type",
        "message",
        "reason",
        "arn",
    ]);
    let cluster = format!("arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/web");
    let text = prop::sample::select(vec![
        SECRET.to_owned(),
        KEY_ID.to_owned(),
        TOKEN.to_owned(),
        ACCOUNT.to_owned(),
        arn.clone(),
        cluster,
        format!("x {arn}, y {SECRET}"),
        "ACTIVE".into(),
        "PRIMARY".into(),
        "FARGATE".into(),
        "MISSING".into(),
        "ThrottlingException".into(),
        "☃".into(),
        String::new(),
    ]);
    let leaf = prop_oneof![
        4 => text.prop_map(Value::from),
        1 => Just(Value::Null),
        1 => (0_u32..5).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect()),
        ]
    })
}

/// A body that ECS might send: of the right shape, or of any.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let shaped = (leaky_json(), leaky_json(), leaky_json()).prop_map(|(name, tag, rest)| {
        let cluster = format!("arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/web");
        let text = |value: &Value| value.as_str().unwrap_or(SECRET).to_owned();
        let tags = json!([{"key": text(&tag), "value": text(&name)}, {"key": "owner", "value": rest.to_string()}]);
        json!({
            "clusterArns": [cluster], "nextToken": null, "failures": rest,
            "serviceArns": [format!("arn:aws:ecs:us-east-1:{ACCOUNT}:service/web/{}", text(&name))],
            "clusters": [{"clusterArn": cluster, "clusterName": text(&tag), "status": "ACTIVE", "tags": tags,
                "capacityProviders": [text(&name)]}],
            "services": [{"serviceName": text(&name), "status": "ACTIVE", "launchType": "FARGATE",
                "desiredCount": 1, "runningCount": 1, "pendingCount": 0, "tags": tags,
                "deployments": [{"status": "PRIMARY", "rolloutState": text(&tag)}]}],
        })
    });
    let json = prop_oneof![shaped, leaky_json()].prop_map(|value| value.to_string().into_bytes());
    let xml = leaky_json().prop_map(|value| {
        format!("<ErrorResponse><Error><Code>{value}</Code><Message>{MESSAGE} {SECRET}</Message></Error></ErrorResponse>").into_bytes()
    });
    prop_oneof![6 => json, 1 => xml, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_response_or_log_line_holds_a_secret_whatever_ecs_sends(
        replies in prop::collection::vec((prop::sample::select(vec![200_u16, 200, 200, 400, 403, 500]), bodies()), 1..6),
    ) {
        let mut index = 0;
        let platform = Fake::new(move |_| {
            let (status, body) = &replies[index % replies.len()];
            index += 1;
            let sent = response(*status, &[], "").map(|r| r.map(|_| body.clone()));
            Reply { after: Duration::ZERO, sent }
        });
        let paths = ["/list", "/list?owner=K2", "/healthz", "/list?format=text", "/list?format=csv", "/metrics", "/badge.svg"];
        for (path, response) in paths.iter().zip(ask_all(&platform, &paths.map(get))) {
            let text = String::from_utf8(response.body().to_vec()).unwrap();
            for secret in [SECRET, KEY_ID, TOKEN, ACCOUNT, MESSAGE, "arn:aws"] {
                prop_assert!(!text.contains(secret), "{text}");
            }
            if response.status() == 200 && !matches!(*path, "/list" | "/list?owner=K2" | "/healthz") {
                continue;
            }
            if *path == "/badge.svg" {
                prop_assert!(text.contains(">unknown</text>"), "{text}");
                prop_assert_eq!(&response.headers()["cache-control"], "no-store");
                continue;
            }
            let body: Value = serde_json::from_str(&text).unwrap();
            if response.status() == 200 {
                prop_assert!(body["clusters"].is_array() || body["status"] == "ok", "{text}");
            } else {
                prop_assert_eq!(&body["status"], response.status().as_u16());
                prop_assert_eq!(&response.headers()["cache-control"], "no-store");
            }
        }
        for line in platform.lines() {
            for secret in [SECRET, KEY_ID, TOKEN] {
                prop_assert!(!line.contains(secret), "{line}");
            }
            if line.contains("\"level\":\"info\"") {
                for secret in [ACCOUNT, MESSAGE, "arn:aws"] {
                    prop_assert!(!line.contains(secret), "{line}");
                }
            }
        }
    }
}
