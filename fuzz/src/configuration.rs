//! Configuration. The input is lines of `NAME=value`; a required variable that is not in it has a
//! valid value.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ecs_status::aws::arn::account_of;
use ecs_status::aws::endpoint::Endpoint;
use ecs_status::aws::sigv4;
use ecs_status::config::{Config, TargetConfig, VariableError};
use http::{Method, Request};

use super::support::{self, config, start};

const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

/// Invalid values, from which every sentence about an invalid value is known.
const INVALID: [(&str, &str); 25] = [
    ("AWS_ACCESS_KEY_ID", "?"),
    (SECRET, "\u{e9}"),
    ("AWS_SESSION_TOKEN", "\u{e9}"),
    ("AWS_REGION", "?"),
    ("AWS_ENDPOINT_URL_ECS", "?"),
    ("AWS_ENDPOINT_URL_STS", "?"),
    ("AWS_USE_FIPS_ENDPOINT", "?"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "?"),
    ("FILTER_TAGS", ","),
    ("EXPOSE_TAGS", ","),
    ("EXPOSE_DEPLOYMENTS", "?"),
    ("STUCK_AFTER", "?"),
    ("LIST_TOKEN", "?"),
    ("CORS_ORIGIN", "?"),
    ("LOG_LEVEL", "?"),
    ("SNAPSHOT_MAX_AGE", "?"),
    ("FRESH_WAIT", "?"),
    ("SNAPSHOT_MAX_STALE", "?"),
    ("SNAPSHOT_MAX_STALE_IF_ERROR", "?"),
    ("SWEEP_TIMEOUT", "?"),
    ("SUBREQUEST_BUDGET", "?"),
    ("CALL_BURST", "?"),
    ("CALL_RATE", "?"),
    ("AWS_REGION", ""),
    ("AWS_ACCESS_KEY_ID", "ASIA"),
];

/// Invalid lists of targets.
const INVALID_TARGETS: [&str; 8] = [
    "?",
    "[]",
    r#"[{"name":"","region":"us-east-1"}]"#,
    r#"[{"name":"a","region":"?"}]"#,
    r#"[{"name":"a","region":"us-east-1","roleArn":"?"}]"#,
    r#"[{"name":"a","region":"us-east-1","externalId":"xx"}]"#,
    r#"[{"name":"a","region":"us-east-1","roleArn":"arn:aws:iam::123456789012:role/a","externalId":"?"}]"#,
    r#"[{"name":"a","region":"us-east-1"},{"name":"a","region":"us-east-1"}]"#,
];

/// Configurations that are invalid as a whole.
const INCONSISTENT: [&[(&str, &str)]; 9] = [
    &[("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SESSION_TOKEN", "t")],
    &[
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_ENDPOINT_URL_ECS", "http://a"),
    ],
    &[
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_ENDPOINT_URL_STS", "http://a"),
    ],
    &[
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_ENDPOINT_URL_ECS", "http://a"),
    ],
    &[
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_ENDPOINT_URL_STS", "http://a"),
    ],
    &[
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_REGION", "us-isof-east-1"),
    ],
    &[("TARGETS_2", r#"[{"name":"a","region":"us-east-1"}]"#)],
    &[
        ("TARGETS", r#"[{"name":"a","region":"us-east-1"}]"#),
        ("TARGETS_1", r#"[{"name":"b","region":"us-east-1"}]"#),
    ],
    &[
        (
            "TARGETS",
            r#"[{"name":"a","region":"us-east-1"},{"name":"b","region":"us-east-2"}]"#,
        ),
        (
            "AWS_ENDPOINT_URL_ECS",
            "https://ecs.us-east-1.amazonaws.com",
        ),
    ],
];

/// What an error may say behind what is expected.
const HINTS: [&str; 4] = [
    " (the value is empty)",
    " (the value stands in quotes)",
    " (the value contains white space)",
    " (the value contains an invisible character)",
];

static SENTENCES: LazyLock<BTreeSet<String>> = LazyLock::new(sentences);

/// An accepted configuration is within all limits and can be signed with; a refused variable is named
/// without its value; the secret never shows.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let lines: Vec<_> = text.split('\n').filter_map(|l| l.split_once('=')).collect();
    match config(&lines) {
        Ok(config) => {
            check_config(&config);
            let other: Vec<_> = [(SECRET, "another-secret")]
                .into_iter()
                .chain(lines)
                .collect();
            let other = support::config(&other).expect("only the secret differs");
            assert_eq!(format!("{config:?}"), format!("{other:?}"));
        }
        Err(error) => {
            assert!(!error.errors.is_empty());
            for error in &error.errors {
                let sentence = sentence(error);
                assert!(SENTENCES.contains(&sentence), "{sentence}");
            }
        }
    }
}

fn sentences() -> BTreeSet<String> {
    let single = INVALID.iter().map(std::slice::from_ref);
    let changes = single.chain(INCONSISTENT);
    let lists = INVALID_TARGETS.map(|list| [("TARGETS", list)]);
    let changes = changes.chain(lists.iter().map(<[_; 1]>::as_slice));
    let errors: Vec<_> = changes
        .map(|changes| config(changes).expect_err(changes[0].1))
        .collect();
    let errors = errors.iter().flat_map(|error| &error.errors);
    errors.map(sentence).collect()
}

/// The sentence of an error, without the number of a target or of a part of the targets, and without
/// a hint.
fn sentence(error: &VariableError) -> String {
    let text = error.to_string();
    let hint = HINTS.iter().find_map(|hint| text.strip_suffix(hint));
    let text = hint.unwrap_or(&text);
    let text = match text.rsplit_once(" (did you mean ") {
        Some((before, meant)) => {
            let region = meant.strip_suffix("?)").expect("a hint is closed");
            assert!(Endpoint::of("ecs", region).is_ok(), "{region}");
            before
        }
        None => text,
    };
    let text = without_number(text, "in target ");
    let is_part = text.starts_with("TARGETS_");
    let text = without_number(&text, "TARGETS_");
    let is_gap = text.ends_with("the numbers have no gap");
    match text.strip_prefix("TARGETS_") {
        Some(rest) if is_part && !is_gap => format!("TARGETS{rest}"),
        _ => text,
    }
}

/// `text` without the digits behind the first `before`.
fn without_number(text: &str, before: &str) -> String {
    match text.split_once(before) {
        Some((start, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{start}{before}{rest}")
        }
        None => text.to_owned(),
    }
}

fn check_config(config: &Config) {
    assert!((1..=45).contains(&config.targets.len()));
    let names: BTreeSet<_> = config.targets.iter().map(|t| &t.name).collect();
    assert_eq!(names.len(), config.targets.len());
    for target in &config.targets {
        check_target(target, config);
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
    let limits = config.age_limits;
    assert!(limits.max_age.as_secs() <= 3_600);
    assert!(limits.fresh_wait.as_secs() <= 30);
    assert!(limits.max_stale.as_secs() <= 86_400);
    assert!(limits.max_stale_if_error.as_secs() <= 86_400);
    assert!((1..=300).contains(&config.sweep_timeout.as_secs()));
    assert!((18..=10_000).contains(&config.subrequest_budget));
    assert!((1..=10_000).contains(&config.call_burst) && (1..=10_000).contains(&config.call_rate));
    if let Some(origin) = &config.cors_origin {
        assert!(http::HeaderValue::from_str(origin).is_ok(), "{origin}");
    }
}

fn check_target(target: &TargetConfig, config: &Config) {
    assert!((1..=64).contains(&target.name.chars().count()));
    assert!(!target.name.chars().any(char::is_control));
    let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(target.region.chars().all(is_region), "{}", target.region);
    check_endpoint(&target.ecs_endpoint, target, config);
    if let Some(role) = &target.role {
        assert!(account_of(&role.arn).is_some());
        check_endpoint(&role.sts_endpoint, target, config);
    }
}

/// A signed URL is the URL that HTTP clients send, which parse it by the URL standard and serialize
/// it again.
fn check_endpoint(endpoint: &Endpoint, target: &TargetConfig, config: &Config) {
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
