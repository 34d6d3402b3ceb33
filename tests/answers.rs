//! Whole answers: what a request gets, whatever ECS says.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use std::time::Duration;

use ecs_status::api::{self, Body, Request};
use ecs_status::config::{Config, ConfigError};
use ecs_status::fleet::reading::InProcess;
use ecs_status::fleet::view::Fleet;
use http::Response;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::ask::{self, get};
use support::ecs::{ACCOUNT, Ecs};
use support::{Fake, Reply, answer};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const KEY_ID: &str = "AKIDEXAMPLE";
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKEN";
const MESSAGE: &str = "words that AWS said";

fn config(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let ours = [
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", TOKEN),
    ];
    let changes: Vec<_> = changes.iter().chain(&ours).copied().collect();
    ask::config(&changes)
}

fn ask(platform: &Fake, requests: &[Request]) -> Vec<Response<Body>> {
    let fleet = Fleet::in_process(platform, config(&[]).unwrap());
    let ask = |request| platform.run(api::handle(request, Ok(&fleet), platform));
    requests.iter().map(ask).collect()
}

fn serving(mut ecs: Ecs) -> Fake {
    Fake::new(move |request| Reply {
        after: Duration::ZERO,
        sent: ecs.answer(request),
    })
}

fn body(response: &Response<Body>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// A response as curl -i would show it.
fn shown(response: &Response<Body>) -> String {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\n", value.to_str().unwrap())
    };
    let headers: Vec<_> = response.headers().iter().map(header).collect();
    let body = std::str::from_utf8(response.body()).unwrap();
    format!("{}\n{}\n{body}", response.status(), headers.concat())
}

#[test]
fn answers_look_as_the_contract_says() {
    let mut ecs = Ecs::uniform(2, 1);
    let denied = ("ListServices".to_owned(), "cluster-0001".to_owned());
    ecs.errors.insert(denied, "AccessDeniedException");
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
    let answers = ask(&serving(ecs), &paths.map(get));
    let all: Vec<_> = paths
        .iter()
        .zip(&answers)
        .map(|(path, answer)| format!("GET {path}\n{}", shown(answer)))
        .collect();
    insta::assert_snapshot!(all.join("\n\n---\n"));
}

#[test]
fn a_broken_configuration_is_named_by_healthz_and_the_log_only() {
    let platform = serving(Ecs::default());
    let error = config(&[("AWS_REGION", "sydney"), ("LOG_LEVEL", "loud")]).unwrap_err();
    let broken: Result<&Fleet<InProcess<Fake>>, _> = Err(&error);
    let ask = |path| platform.run(api::handle(&get(path), broken, &platform));
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
fn a_snapshot_is_served_until_it_is_too_old_and_then_read_anew() {
    let platform = serving(Ecs::uniform(1, 1));
    let fleet = Fleet::in_process(&platform, config(&[]).unwrap());
    let age = || {
        let response = platform.run(api::handle(&get("/list"), Ok(&fleet), &platform));
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
fn health_is_asked_of_aws_once_in_a_while() {
    let platform = serving(Ecs::default());
    let fleet = Fleet::in_process(&platform, config(&[]).unwrap());
    for _ in 0..20 {
        let response = platform.run(api::handle(&get("/healthz"), Ok(&fleet), &platform));
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
fn a_token_is_asked_for_where_one_is_set() {
    let platform = serving(Ecs::uniform(1, 1));
    let fleet = Fleet::in_process(
        &platform,
        config(&[("LIST_TOKEN", "0123456789abcdef")]).unwrap(),
    );
    let ask = |path: &str, authorization: Option<&str>| {
        let request = Request {
            authorization: authorization.map(str::to_owned),
            ..get(path)
        };
        platform.run(api::handle(&request, Ok(&fleet), &platform))
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
        "AWS is not asked"
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

/// Any JSON, with what must stay secret anywhere in it.
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

/// A body as ECS might send it to `operation`: of the right shape, or of any.
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
    fn whatever_ecs_says_no_answer_tells_a_secret(
        replies in prop::collection::vec((prop::sample::select(vec![200_u16, 200, 200, 400, 403, 500]), bodies()), 1..6),
    ) {
        let mut index = 0;
        let platform = Fake::new(move |_| {
            let (status, body) = &replies[index % replies.len()];
            index += 1;
            let sent = answer(*status, &[], "").map(|r| r.map(|_| body.clone()));
            Reply { after: Duration::ZERO, sent }
        });
        let paths = ["/list", "/list?owner=K2", "/healthz", "/list?format=text", "/list?format=csv", "/metrics", "/badge.svg"];
        for (path, response) in paths.iter().zip(ask(&platform, &paths.map(get))) {
            let text = String::from_utf8(response.body().to_vec()).unwrap();
            for secret in [SECRET, KEY_ID, TOKEN, ACCOUNT, MESSAGE, "arn:aws"] {
                prop_assert!(!text.contains(secret), "{text}");
            }
            if response.status() == 200 && !matches!(*path, "/list" | "/list?owner=K2" | "/healthz") {
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
