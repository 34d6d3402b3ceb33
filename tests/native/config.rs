//! Configuration: what is accepted, and how each error names its variable and not its value.

use std::time::Duration;

use ecs_status::aws::endpoint::Endpoint;
use ecs_status::config::{Config, ConfigError, TargetConfig};
use serde_json::json;

const COMPLETE: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    ),
    ("AWS_REGION", "ap-southeast-2"),
];
const ROLE: &str = "arn:aws:iam::123456789012:role/ecs/status";

fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_lookup(|name| {
        let found = |(key, value): &(&str, &str)| (*key == name).then(|| (*value).to_owned());
        changes
            .iter()
            .find_map(found)
            .or_else(|| COMPLETE.iter().find_map(found))
    })
}

/// The one error of a configuration with these changes.
fn error(changes: &[(&str, &str)]) -> String {
    let error = read(changes).unwrap_err();
    assert_eq!(error.errors.len(), 1, "{error}");
    error.to_string()
}

/// The hosts of ECS and the regions of all targets.
fn hosts(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let targets = read(changes).unwrap().targets;
    let host = |target: &TargetConfig| {
        let uri = target.ecs_endpoint.uri();
        (uri.host().unwrap().to_owned(), target.region.clone())
    };
    targets.iter().map(host).collect()
}

#[test]
fn an_access_key_and_a_region_suffice() {
    let config = read(&[]).unwrap();
    assert_eq!(
        config.targets,
        [TargetConfig {
            name: "default".into(),
            region: "ap-southeast-2".into(),
            ecs_endpoint: Endpoint::of("ecs", "ap-southeast-2").unwrap(),
            role: None,
        }]
    );
    assert_eq!(config.filter_tags, ["environment", "owner", "contact"]);
    assert_eq!(config.age_limits.max_age, Duration::from_secs(15));
    assert_eq!(config.age_limits.fresh_wait, Duration::from_secs(8));
    assert_eq!(config.age_limits.max_stale, Duration::from_mins(5));
    assert_eq!(
        config.age_limits.max_stale_if_error,
        Duration::from_hours(1)
    );
    assert_eq!(
        (
            config.subrequest_budget,
            config.call_burst,
            config.call_rate
        ),
        (45, 50, 10)
    );
    assert_eq!(config.sweep_timeout, Duration::from_secs(20));
}

#[test]
fn every_missing_variable_is_named_at_once() {
    let error = Config::from_lookup(|_| None).unwrap_err();
    let named: Vec<_> = error
        .errors
        .iter()
        .map(|p| (p.variable.as_ref(), p.missing))
        .collect();
    assert_eq!(
        named,
        [
            ("AWS_ACCESS_KEY_ID", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("AWS_REGION", true)
        ]
    );
    assert!(
        error
            .to_string()
            .contains("AWS_REGION is missing: expected an AWS region"),
        "{error}"
    );
}

#[test]
fn a_malformed_variable_is_named_and_its_value_is_not() {
    for (variable, value) in [
        ("AWS_ACCESS_KEY_ID", "with space"),
        ("AWS_SECRET_ACCESS_KEY", "line\nbreak"),
        ("AWS_SESSION_TOKEN", "töken"),
        ("AWS_REGION", "evil.example/"),
        ("AWS_REGION", "sydney"),
        ("AWS_REGION", "ap-southeast-two"),
        ("AWS_ENDPOINT_URL_ECS", "localhost:8000"),
        ("AWS_ENDPOINT_URL_ECS", "https://{zone}.example"),
        ("AWS_USE_FIPS_ENDPOINT", "yes"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "1"),
        ("FILTER_TAGS", "owner,,contact"),
        ("FILTER_TAGS", "owner,owner"),
        ("SNAPSHOT_MAX_AGE", "15s"),
        ("SNAPSHOT_MAX_AGE", "3601"),
        ("FRESH_WAIT", "-1"),
        ("FRESH_WAIT", "31"),
        ("SWEEP_TIMEOUT", "301"),
        ("SNAPSHOT_MAX_STALE", "-1"),
        ("SNAPSHOT_MAX_STALE_IF_ERROR", "1h"),
        ("SUBREQUEST_BUDGET", "17"),
        ("SUBREQUEST_BUDGET", "10001"),
        ("CALL_BURST", "zero"),
        ("CALL_RATE", "0.5"),
        ("EXPOSE_TAGS", "a,,b"),
        ("EXPOSE_DEPLOYMENTS", "no"),
        ("STUCK_AFTER", "86401"),
        ("STUCK_AFTER", "15m"),
        ("LIST_TOKEN", "too short"),
        ("LIST_TOKEN", "with a space inside of it"),
        ("EVENTS_TOKEN", "0123456789abcde"),
        ("EVENTS_TOKEN", "with:a:colon:inside"),
        ("CORS_ORIGIN", "other.example"),
        ("CORS_ORIGIN", "https://other.example/"),
        ("CORS_ORIGIN", "https://a.example,https://b.example"),
        ("CORS_ORIGIN", "https://*.example"),
        ("LOG_LEVEL", "loud"),
    ] {
        let error = read(&[(variable, value)]).unwrap_err();
        assert_eq!(error.errors.len(), 1, "{variable}={value}");
        assert_eq!(
            (error.errors[0].variable.as_ref(), error.errors[0].missing),
            (variable, false)
        );
        assert!(!error.to_string().contains(value), "{error}");
    }
}

#[test]
fn a_request_waits_for_a_fresh_report_for_0_to_30_seconds() {
    for (value, seconds) in [("0", 0), ("30", 30), ("", 8)] {
        let config = read(&[("FRESH_WAIT", value)]).unwrap();
        let expected = Duration::from_secs(seconds);
        assert_eq!(config.age_limits.fresh_wait, expected, "{value}");
    }
}

#[test]
fn deployments_are_shown_unless_they_are_hidden_and_are_stuck_after_15_minutes() {
    let shown = |value| {
        let config = read(&[("EXPOSE_DEPLOYMENTS", value)]).unwrap();
        config.expose_deployments
    };
    assert_eq!(
        ["", "true", "false", "False"].map(shown),
        [true, true, false, false]
    );
    for (value, seconds) in [("", 900), ("1", 1), ("86400", 86_400)] {
        let config = read(&[("STUCK_AFTER", value)]).unwrap();
        assert_eq!(config.stuck_after, Duration::from_secs(seconds), "{value}");
    }
    assert!(read(&[("STUCK_AFTER", "0")]).is_err());
}

#[test]
fn cors_origin_is_any_one_or_no_origin() {
    for (value, expected) in [
        ("", Some("*")),
        ("*", Some("*")),
        ("none", None),
        ("https://dash.example", Some("https://dash.example")),
        ("http://localhost:8080", Some("http://localhost:8080")),
    ] {
        let config = read(&[("CORS_ORIGIN", value)]).unwrap();
        assert_eq!(config.cors_origin.as_deref(), expected, "{value}");
    }
}

#[test]
fn tags_that_are_not_exposed_cannot_be_filtered_by() {
    let config = read(&[("EXPOSE_TAGS", "team,owner")]).unwrap();
    assert_eq!(config.filter_tags, ["owner"]);
}

#[test]
fn white_space_and_byte_order_marks_around_a_value_are_dropped() {
    let config = read(&[
        ("AWS_ACCESS_KEY_ID", "\u{feff}AKIDEXAMPLE\r\n"),
        ("AWS_SECRET_ACCESS_KEY", " \u{feff}hush-hush\u{feff}"),
        ("AWS_REGION", "\u{feff} us-east-1\r\n"),
        ("FILTER_TAGS", " team , owner "),
        ("LIST_TOKEN", "\u{feff}0123456789abcdef\n"),
        ("EVENTS_TOKEN", "\u{feff}fedcba9876543210\n"),
        ("SNAPSHOT_MAX_AGE", "\u{feff}7\r\n"),
        ("LOG_LEVEL", "\u{feff}debug\r\n"),
    ])
    .unwrap();
    assert_eq!(config.credentials.access_key_id(), "AKIDEXAMPLE");
    assert_eq!(config.credentials.texts()[0], "hush-hush");
    assert_eq!(
        (config.targets[0].region.as_str(), config.filter_tags),
        ("us-east-1", vec!["team".to_owned(), "owner".to_owned()])
    );
    assert!(config.list_token.unwrap().is("0123456789abcdef"));
    assert!(config.events_token.unwrap().is("fedcba9876543210"));
    assert_eq!(config.age_limits.max_age, Duration::from_secs(7));
}

#[test]
fn an_empty_value_is_none_unless_it_is_a_secret() {
    for variable in [
        "FILTER_TAGS",
        "EXPOSE_TAGS",
        "EXPOSE_DEPLOYMENTS",
        "STUCK_AFTER",
        "CORS_ORIGIN",
        "SNAPSHOT_MAX_AGE",
        "LOG_LEVEL",
        "TARGETS",
        "TARGETS_1",
        "AWS_ENDPOINT_URL_ECS",
        "AWS_USE_FIPS_ENDPOINT",
    ] {
        for blank in ["", " \r\n", "\u{feff}"] {
            assert!(read(&[(variable, blank)]).is_ok(), "{variable}");
        }
    }
    for secret in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LIST_TOKEN",
        "EVENTS_TOKEN",
    ] {
        for blank in ["", " ", "\n", "\r\n", "\u{feff}", "\u{a0}"] {
            let error = error(&[(secret, blank)]);
            let start = format!("{secret} is malformed: expected ");
            assert!(error.starts_with(&start), "{error}");
            assert!(error.ends_with(" (the value is empty)"), "{error}");
        }
    }
    assert!(error(&[("AWS_REGION", " ")]).starts_with("AWS_REGION is missing"));
}

#[test]
fn quotes_around_a_whole_value_are_refused_by_name() {
    for (variable, value) in [
        ("AWS_ACCESS_KEY_ID", "\"AKIDEXAMPLE\""),
        ("AWS_SECRET_ACCESS_KEY", "'wJalrXUtnFEMI'"),
        ("AWS_SECRET_ACCESS_KEY", "\"wJalrXUtnFEMI\"\r\n"),
        ("AWS_SESSION_TOKEN", "`token`"),
        ("AWS_REGION", "\"us-east-1"),
        ("AWS_ENDPOINT_URL_ECS", "'http://127.0.0.1:5000'"),
        ("FILTER_TAGS", "\"owner,team\""),
        ("LIST_TOKEN", "\u{201c}0123456789abcdef\u{201d}"),
        ("SNAPSHOT_MAX_AGE", "\"15\""),
        ("LOG_LEVEL", "'info'"),
        ("TARGETS", r#"'[{"name":"a","region":"us-east-1"}]'"#),
    ] {
        let error = error(&[(variable, value)]);
        assert!(
            error.starts_with(&format!("{variable} is malformed")),
            "{error}"
        );
        let is_region = variable == "AWS_REGION";
        let hint = if is_region {
            "(did you mean us-east-1?)"
        } else {
            "(the value stands in quotes)"
        };
        assert!(error.ends_with(hint), "{error}");
    }
}

#[test]
fn what_is_inside_of_a_value_is_named() {
    for (value, hint) in [
        ("two words", "(the value contains white space)"),
        ("two\nlines", "(the value contains white space)"),
        (
            "zero\u{200b}width",
            "(the value contains an invisible character)",
        ),
        (
            "byte\u{feff}order",
            "(the value contains an invisible character)",
        ),
    ] {
        for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "LIST_TOKEN"] {
            let error = error(&[(variable, value)]);
            assert!(error.ends_with(hint), "{error}");
        }
    }
}

#[test]
fn a_region_that_is_written_otherwise_is_named() {
    for value in [
        "Ap-Southeast-2",
        "AP-SOUTHEAST-2",
        "ap-southeast -2",
        "ap_southeast_2",
        "ap-southeast-2b",
    ] {
        let error = error(&[("AWS_REGION", value)]);
        let expected = "AWS_REGION is malformed: expected an AWS region such as ap-southeast-2 \
                        (did you mean ap-southeast-2?)";
        assert_eq!(error, expected);
        let targets = json!([{"name": "a", "region": value}]).to_string();
        let error = crate::config::error(&[("TARGETS", &targets)]);
        assert!(
            error.contains("in target 1, as region an AWS region"),
            "{error}"
        );
        assert!(error.ends_with("(did you mean ap-southeast-2?)"), "{error}");
    }
    // A region that AWS opens tomorrow.
    assert!(read(&[("AWS_REGION", "mars-north-1")]).is_ok());
}

#[test]
fn a_temporary_key_needs_its_session_token_and_no_other_key_has_one() {
    assert!(
        read(&[
            ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
            ("AWS_SESSION_TOKEN", "token")
        ])
        .is_ok()
    );
    assert!(read(&[("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")]).is_ok());
    assert_eq!(
        error(&[("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")]),
        "AWS_SESSION_TOKEN is missing: expected the session token of the temporary access key in \
         AWS_ACCESS_KEY_ID, whose id starts with ASIA"
    );
    assert_eq!(
        error(&[
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SESSION_TOKEN", "token")
        ]),
        "AWS_SESSION_TOKEN is malformed: expected none, since the access key in \
         AWS_ACCESS_KEY_ID, whose id starts with AKIA, is not temporary"
    );
    // One error for a token that is malformed in itself.
    error(&[
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SESSION_TOKEN", "to ken"),
    ]);
}

const TWO_REGIONS: (&str, &str) = (
    "TARGETS",
    r#"[{"name":"a","region":"us-east-1"},{"name":"b","region":"eu-west-1"}]"#,
);

#[test]
fn an_endpoint_of_aws_in_one_region_is_refused_for_targets_in_two() {
    for url in [
        "https://ecs.us-east-1.amazonaws.com",
        "https://ecs.ap-south-1.api.aws",
        "https://vpce-1.ecs.us-east-1.vpce.amazonaws.com",
    ] {
        assert_eq!(
            error(&[TWO_REGIONS, ("AWS_ENDPOINT_URL_ECS", url)]),
            "AWS_ENDPOINT_URL_ECS is malformed: expected {region} in place of the region, since \
             the targets are in several regions"
        );
    }
    let pair = |host: &str, region: &str| (host.to_owned(), region.to_owned());
    let url = (
        "AWS_ENDPOINT_URL_ECS",
        "https://ecs-fips.{region}.amazonaws.com",
    );
    assert_eq!(
        hosts(&[TWO_REGIONS, url]),
        [
            pair("ecs-fips.us-east-1.amazonaws.com", "us-east-1"),
            pair("ecs-fips.eu-west-1.amazonaws.com", "eu-west-1")
        ]
    );
    // A proxy may serve all regions.
    let url = ("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:5000");
    assert_eq!(
        hosts(&[TWO_REGIONS, url]),
        [
            pair("127.0.0.1", "us-east-1"),
            pair("127.0.0.1", "eu-west-1")
        ]
    );
}

#[test]
fn the_region_of_an_endpoint_of_aws_is_the_one_that_is_reported() {
    let url = (
        "AWS_ENDPOINT_URL_ECS",
        "https://ecs.us-west-2.amazonaws.com",
    );
    let expected = (
        "ecs.us-west-2.amazonaws.com".to_owned(),
        "us-west-2".to_owned(),
    );
    assert_eq!(hosts(&[url]), [expected]);
}

#[test]
fn the_variants_of_the_endpoints_are_chosen_by_the_variables_of_the_sdks() {
    let fips = ("AWS_USE_FIPS_ENDPOINT", "True");
    let dual_stack = ("AWS_USE_DUALSTACK_ENDPOINT", "true");
    let targets = json!([{"name": "a", "region": "us-east-1", "roleArn": ROLE}]).to_string();
    let targets = ("TARGETS", targets.as_str());
    for (changes, expected) in [
        (
            vec![targets],
            ["ecs.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"],
        ),
        (
            vec![targets, fips],
            [
                "ecs-fips.us-east-1.amazonaws.com",
                "sts-fips.us-east-1.amazonaws.com",
            ],
        ),
        (
            vec![targets, dual_stack],
            ["ecs.us-east-1.api.aws", "sts.us-east-1.api.aws"],
        ),
        (
            vec![targets, fips, dual_stack],
            ["ecs-fips.us-east-1.api.aws", "sts-fips.us-east-1.api.aws"],
        ),
        (
            vec![targets, ("AWS_USE_FIPS_ENDPOINT", "FALSE")],
            ["ecs.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"],
        ),
    ] {
        let target = read(&changes).unwrap().targets.remove(0);
        let role = target.role.unwrap();
        let hosts = [&target.ecs_endpoint, &role.sts_endpoint].map(|e| e.uri().host().unwrap());
        assert_eq!(hosts, expected);
    }
    for variable in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        for other in ["AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_STS"] {
            let error = error(&[(variable, "true"), (other, "https://x.example")]);
            let expected = format!(
                "{variable} is malformed: expected false, since {other} names the endpoint"
            );
            assert_eq!(error, expected);
        }
    }
    assert_eq!(
        error(&[dual_stack, ("AWS_REGION", "us-isof-east-1")]),
        "AWS_USE_DUALSTACK_ENDPOINT is malformed: expected false, since a region of the targets has \
         no such endpoint"
    );
}

#[test]
fn targets_are_parsed_with_region_and_role() {
    let json = format!(
        r#"[{{"name":"sydney","region":"ap-southeast-2"}},
            {{"name":"Ümläut / 2","region":" us-gov-west-1\n","roleArn":"{ROLE} ","externalId":" a-b"}}]"#
    );
    let targets = read(&[("TARGETS", &json)]).unwrap().targets;
    assert_eq!(
        targets[0].ecs_endpoint,
        Endpoint::of("ecs", "ap-southeast-2").unwrap()
    );
    assert_eq!(targets[0].role, None);
    let role = targets[1].role.clone().unwrap();
    assert_eq!(
        (role.arn.as_str(), role.external_id.as_deref()),
        (ROLE, Some("a-b"))
    );
    assert_eq!(
        role.sts_endpoint,
        Endpoint::of("sts", "us-gov-west-1").unwrap()
    );
    assert!(!format!("{targets:?}").contains("123456789012"));
}

#[test]
fn an_error_names_the_number_of_the_target_and_not_its_value() {
    for (json, expected) in [
        ("{}", "a JSON array"),
        ("[]", "1 to 45"),
        (r#"[{"name":"a"}]"#, "a JSON array"),
        (
            r#"[{"name":"a","region":"us-east-1","rolearn":"x"}]"#,
            "a JSON array",
        ),
        (
            r#"[{"name":"","region":"us-east-1"}]"#,
            "in target 1, a name",
        ),
        (
            r#"[{"name":"a\n","region":"us-east-1"}]"#,
            "in target 1, a name",
        ),
        (
            r#"[{"name":"a","region":"us-east-1"},{"name":"b","region":"mars"}]"#,
            "in target 2, as region",
        ),
        (
            r#"[{"name":"a","region":"us-east-1"},{"name":"a","region":"us-east-2"}]"#,
            "in target 2, a name that no other has",
        ),
        (
            r#"[{"name":"a","region":"us-east-1","roleArn":"arn:aws:iam::1:role/x"}]"#,
            "in target 1, as roleArn",
        ),
        (
            r#"[{"name":"a","region":"us-east-1","externalId":"xx"}]"#,
            "in target 1, a roleArn",
        ),
    ] {
        let error = error(&[("TARGETS", json)]);
        assert!(error.starts_with("TARGETS is malformed"), "{error}");
        assert!(error.contains(expected), "{json}: {error}");
        assert!(!error.contains("mars"), "{error}");
    }
}

/// A list of targets of these names.
fn list(names: &[&str]) -> String {
    let item = |name: &&str| json!({"name": name, "region": "us-east-1"});
    names
        .iter()
        .map(item)
        .collect::<serde_json::Value>()
        .to_string()
}

#[test]
fn targets_may_be_split_over_numbered_variables() {
    let parts = [list(&["a", "b"]), list(&["c"]), list(&["d"])];
    let names = ["TARGETS_1", "TARGETS_2", "TARGETS_3"];
    let changes: Vec<(&str, &str)> = names
        .into_iter()
        .zip(parts.iter().map(String::as_str))
        .collect();
    let targets = read(&changes).unwrap().targets;
    let found: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(found, ["a", "b", "c", "d"]);
}

#[test]
fn an_error_in_a_part_of_the_targets_names_the_part() {
    let [a, b, both] = [list(&["a"]), list(&["b"]), list(&["b", "a"])];
    let many: Vec<String> = (0..45).map(|n| format!("t{n}")).collect();
    let many = list(&many.iter().map(String::as_str).collect::<Vec<_>>());
    for (changes, expected) in [
        (
            vec![("TARGETS_1", a.as_str()), ("TARGETS_3", b.as_str())],
            "TARGETS_2 is missing: expected the next part of the targets: the numbers have no gap",
        ),
        (
            vec![("TARGETS_2", b.as_str())],
            "TARGETS_1 is missing: expected the next part of the targets: the numbers have no gap",
        ),
        (
            vec![("TARGETS", a.as_str()), ("TARGETS_1", b.as_str())],
            "TARGETS is malformed: expected no value beside TARGETS_1: the targets stand in one or the other",
        ),
        (
            vec![("TARGETS_1", a.as_str()), ("TARGETS_2", both.as_str())],
            "TARGETS_2 is malformed: expected in target 2, a name that no other has",
        ),
        (
            vec![("TARGETS_1", a.as_str()), ("TARGETS_2", "[")],
            "TARGETS_2 is malformed: expected a JSON array of objects with name, region and, for \
             another account, roleArn and externalId",
        ),
        (
            vec![("TARGETS_1", many.as_str()), ("TARGETS_2", a.as_str())],
            "TARGETS_2 is malformed: expected 1 to 45 targets",
        ),
    ] {
        assert_eq!(error(&changes), expected);
    }
}
