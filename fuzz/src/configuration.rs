//! The configuration. The input is lines of `NAME=value`; what is required and not in it has a
//! value that is right.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ecs_status::aws::endpoint::Endpoint;
use ecs_status::aws::sigv4;
use ecs_status::config::{Config, ConfigError, Problem, Target};
use ecs_status::fleet::withhold::account_of;
use http::{Method, Request};

use super::support::start;

const COMPLETE: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    (SECRET, "hush-hush"),
    ("AWS_REGION", "us-east-1"),
];
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

/// Values that are wrong, so that every sentence is known that says so.
const WRONG: [(&str, &str); 29] = [
    ("AWS_ACCESS_KEY_ID", "?"),
    (SECRET, " ? ? "),
    ("AWS_SESSION_TOKEN", "? ?"),
    ("AWS_REGION", "?"),
    ("AWS_ENDPOINT_URL_ECS", "?"),
    ("AWS_ENDPOINT_URL_STS", "?"),
    ("FILTER_TAGS", ","),
    ("EXPOSE_TAGS", ","),
    ("LIST_TOKEN", "?"),
    ("CORS_ORIGIN", "?"),
    ("LOG_LEVEL", "?"),
    ("SNAPSHOT_MAX_AGE", "?"),
    ("SNAPSHOT_MAX_STALE", "?"),
    ("SNAPSHOT_MAX_STALE_IF_ERROR", "?"),
    ("SWEEP_TIMEOUT", "?"),
    ("SUBREQUEST_BUDGET", "?"),
    ("CALL_BURST", "?"),
    ("CALL_RATE", "?"),
    ("AWS_ACCESS_KEY_ID", ""),
    (SECRET, ""),
    ("AWS_REGION", ""),
    ("TARGETS", "?"),
    ("TARGETS", "[]"),
    ("TARGETS", r#"[{"name":"","region":"us-east-1"}]"#),
    ("TARGETS", r#"[{"name":"a","region":"?"}]"#),
    (
        "TARGETS",
        r#"[{"name":"a","region":"us-east-1","roleArn":"?"}]"#,
    ),
    (
        "TARGETS",
        r#"[{"name":"a","region":"us-east-1","externalId":"xx"}]"#,
    ),
    (
        "TARGETS",
        r#"[{"name":"a","region":"us-east-1","roleArn":"arn:aws:iam::123456789012:role/a","externalId":"?"}]"#,
    ),
    (
        "TARGETS",
        r#"[{"name":"a","region":"us-east-1"},{"name":"a","region":"us-east-1"}]"#,
    ),
];

static SENTENCES: LazyLock<BTreeSet<String>> = LazyLock::new(sentences);

/// What is accepted keeps all limits and can be signed for; what is refused is named, and its value
/// is not; the secret never shows.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let lines: Vec<_> = text.split('\n').filter_map(|l| l.split_once('=')).collect();
    match read(&lines) {
        Ok(config) => {
            usable(&config);
            let other: Vec<_> = [(SECRET, "another-secret")]
                .into_iter()
                .chain(lines)
                .collect();
            let other = read(&other).expect("only the secret is another one");
            assert_eq!(format!("{config:?}"), format!("{other:?}"));
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            for problem in &error.problems {
                let sentence = sentence(problem);
                assert!(SENTENCES.contains(&sentence), "{sentence}");
            }
        }
    }
}

/// The first value of a name counts.
fn read(values: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_lookup(|name| {
        let mut values = values.iter().chain(&COMPLETE);
        let (_, value) = values.find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    })
}

fn sentences() -> BTreeSet<String> {
    let errors = WRONG.map(|wrong| read(&[wrong]).expect_err(wrong.1));
    let problems = errors.iter().flat_map(|error| &error.problems);
    problems.map(sentence).collect()
}

/// Without the number of a target.
fn sentence(problem: &Problem) -> String {
    let text = problem.to_string();
    match text.split_once("in target ") {
        Some((before, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}in target {rest}")
        }
        None => text,
    }
}

fn usable(config: &Config) {
    assert!((1..=45).contains(&config.targets.len()));
    let names: BTreeSet<_> = config.targets.iter().map(|t| &t.name).collect();
    assert_eq!(names.len(), config.targets.len());
    for target in &config.targets {
        usable_target(target, config);
    }
    for key in &config.filter_tags {
        assert!((1..=128).contains(&key.chars().count()), "{key}");
        assert!(
            config
                .expose_tags
                .as_ref()
                .is_none_or(|tags| tags.contains(key))
        );
    }
    let policy = config.policy;
    assert!(policy.max_age.as_secs() <= 3_600);
    assert!(policy.max_stale.as_secs() <= 86_400);
    assert!(policy.max_stale_if_error.as_secs() <= 86_400);
    assert!((1..=300).contains(&config.sweep_timeout.as_secs()));
    assert!((18..=10_000).contains(&config.subrequest_budget));
    assert!((1..=10_000).contains(&config.call_burst) && (1..=10_000).contains(&config.call_rate));
    if let Some(origin) = &config.cors_origin {
        assert!(http::HeaderValue::from_str(origin).is_ok(), "{origin}");
    }
}

fn usable_target(target: &Target, config: &Config) {
    assert!((1..=64).contains(&target.name.chars().count()));
    assert!(!target.name.chars().any(char::is_control));
    let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(target.region.chars().all(is_region), "{}", target.region);
    usable_endpoint(&target.ecs_endpoint, target, config);
    if let Some(role) = &target.role {
        assert!(account_of(&role.arn).is_some());
        usable_endpoint(&role.sts_endpoint, target, config);
    }
}

/// What is signed is what HTTP clients send: they take a URL apart as the URL standard says, and
/// write it anew.
fn usable_endpoint(endpoint: &Endpoint, target: &Target, config: &Config) {
    let uri = endpoint.uri();
    assert!(
        ["http", "https"].map(Some).contains(&uri.scheme_str()),
        "{uri}"
    );
    let authority = uri.authority().expect("it is absolute");
    let host = authority.host();
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    let is_address = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
    assert!(
        is_address || (!host.is_empty() && host.bytes().all(is_plain)),
        "{uri}"
    );
    match authority.as_str().strip_prefix(host) {
        Some("") => {}
        Some(port) => assert!(
            authority
                .port_u16()
                .is_some_and(|p| port == format!(":{p}")),
            "{uri}"
        ),
        None => panic!("{uri}"),
    }
    assert!(
        uri.path().starts_with('/') && uri.query().is_none(),
        "{uri}"
    );

    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    let signed = sigv4::sign(
        &mut request,
        &config.credentials,
        &target.region,
        "ecs",
        start(),
    );
    assert!(signed.is_ok(), "{uri}");
    assert_eq!(request.headers()["host"], authority.as_str());
}
