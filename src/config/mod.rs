//! Config, from named values: Worker variables and secrets, or the Lambda's environment.

pub mod location;
mod targets;
mod token;
mod values;

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::aws::credentials::Credentials;
use crate::aws::endpoint::Endpoint;
use crate::aws::platform::Level;
use crate::fleet::refresh::Policy;

pub use token::Token;
use values::Values;
pub use values::{ConfigError, Problem};

const TAG_KEYS: &str = "tag keys separated by commas, such as environment,owner,contact";

/// The filter keys, unless `FILTER_TAGS` says otherwise.
pub const FILTER_TAGS: [&str; 3] = ["environment", "owner", "contact"];

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// The keys that calls are signed with.
    pub credentials: Credentials,
    /// What is reported, at least one.
    pub targets: Vec<Target>,
    /// The tags that can be filtered by.
    pub filter_tags: Vec<String>,
    /// The tags that may be shown; all, if none.
    pub expose_tags: Option<Vec<String>>,
    /// What a request has to bring to see the fleet, if anything.
    pub list_token: Option<Token>,
    /// The origin of other sites' pages that may read the answers: `*` for any; none, if none may.
    pub cors_origin: Option<String>,
    /// How old a snapshot may be for what.
    pub policy: Policy,
    /// How long the calls of a slice of a sweep may take together, and how long a request waits.
    pub sweep_timeout: Duration,
    /// How many requests a slice of a sweep may make.
    pub subrequest_budget: u32,
    /// How many calls a target's account may see at once, after a quiet time.
    pub call_burst: u32,
    /// How many calls a second it may see then.
    pub call_rate: u32,
}

/// A region of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is called in the report; different for each.
    pub name: String,
    /// The AWS region, such as `ap-southeast-2`.
    pub region: String,
    /// Where ECS answers.
    pub ecs_endpoint: Endpoint,
    /// The role to assume first, where the account is another one.
    pub role: Option<Role>,
}

/// A role that the configured keys may assume.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What the role's account demands of us by the condition `sts:ExternalId`.
    pub external_id: Option<String>,
    /// Where STS answers.
    pub sts_endpoint: Endpoint,
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Role([withheld])")
    }
}

impl Config {
    /// Reads the configuration by `lookup`, which answers the value of a name. White space around
    /// a value is dropped, and an empty value counts as none.
    ///
    /// # Errors
    /// All problems at once, each with its variable's name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut values = Values::new(lookup);
        let access_key_id = values.required(
            "AWS_ACCESS_KEY_ID",
            "the access key id of the read-only IAM user, letters and digits",
            |id| id.bytes().all(|b| b.is_ascii_alphanumeric()).then_some(id),
        );
        let secret_access_key = values.required(
            "AWS_SECRET_ACCESS_KEY",
            "the secret that belongs to AWS_ACCESS_KEY_ID, without spaces",
            printable,
        );
        let session_token = values.optional(
            "AWS_SESSION_TOKEN",
            "the token of temporary credentials, without spaces",
            printable,
        );
        let targets = targets::read(&mut values);
        let filter_tags = values.optional("FILTER_TAGS", TAG_KEYS, |text| tag_keys(&text));
        let expose_tags = values.optional("EXPOSE_TAGS", TAG_KEYS, |text| tag_keys(&text));
        let list_token = values.optional(
            "LIST_TOKEN",
            "16 or more letters, digits or characters of -._~+/=",
            Token::new,
        );
        let cors_origin = values.optional(
            "CORS_ORIGIN",
            "*, none, or one origin such as https://dash.example",
            |text| origin(&text),
        );
        let policy = Policy {
            max_age: seconds(&mut values, "SNAPSHOT_MAX_AGE", 0..=3_600, 15),
            max_stale: seconds(&mut values, "SNAPSHOT_MAX_STALE", 0..=86_400, 300),
            max_stale_if_error: seconds(
                &mut values,
                "SNAPSHOT_MAX_STALE_IF_ERROR",
                0..=86_400,
                3_600,
            ),
        };
        let sweep_timeout = seconds(&mut values, "SWEEP_TIMEOUT", 1..=300, 20);
        // Fewer than all first calls with all their attempts would not get anywhere.
        let subrequest_budget = number(&mut values, "SUBREQUEST_BUDGET", 18..=10_000, 45);
        let call_burst = number(&mut values, "CALL_BURST", 1..=10_000, 50);
        let call_rate = number(&mut values, "CALL_RATE", 1..=10_000, 10);
        values.optional("LOG_LEVEL", "one of error, warn, info, debug", |name| {
            Level::from_name(&name)
        });
        let (Some(id), Some(secret), true) =
            (access_key_id, secret_access_key, values.problems.is_empty())
        else {
            return Err(ConfigError {
                problems: values.problems,
            });
        };
        // What may not be shown could be found out by filtering.
        let mut filter_tags = filter_tags.unwrap_or_else(|| FILTER_TAGS.map(String::from).to_vec());
        if let Some(exposed) = &expose_tags {
            filter_tags.retain(|key| exposed.contains(key));
        }
        Ok(Self {
            credentials: Credentials::new(id, secret, session_token),
            targets,
            filter_tags,
            expose_tags,
            list_token,
            cors_origin: cors_origin.unwrap_or_else(|| Some("*".to_owned())),
            policy,
            sweep_timeout,
            subrequest_budget,
            call_burst,
            call_rate,
        })
    }
}

/// The level that `LOG_LEVEL` names; `info` where it is absent or malformed, so that a broken
/// configuration can still be logged.
#[must_use]
pub fn log_level(lookup: impl Fn(&str) -> Option<String>) -> Level {
    lookup("LOG_LEVEL")
        .and_then(|name| Level::from_name(name.trim()))
        .unwrap_or(Level::Info)
}

fn printable(text: String) -> Option<String> {
    text.bytes().all(|b| b.is_ascii_graphic()).then_some(text)
}

/// `*`, or an origin as browsers write it: scheme, host and perhaps a port, in lower case, without
/// a path (RFC 6454, section 6.2); none for `none`.
#[allow(clippy::option_option, reason = "malformed, nobody, somebody")]
fn origin(text: &str) -> Option<Option<String>> {
    if text == "none" {
        return Some(None);
    }
    let authority = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_host = |host: &str| {
        let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b);
        !host.is_empty() && !host.ends_with(':') && host.bytes().all(byte)
    };
    (text == "*" || authority.is_some_and(is_host)).then(|| Some(text.to_owned()))
}

fn tag_keys(text: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    for key in text.split(',').map(str::trim) {
        // AWS: a tag key has 1 to 128 characters.
        if !(1..=128).contains(&key.chars().count()) || keys.iter().any(|k| k == key) {
            return None;
        }
        keys.push(key.to_owned());
    }
    Some(keys)
}

/// A whole number in `range`, or `default` where the variable is absent.
fn number<F: Fn(&str) -> Option<String>>(
    values: &mut Values<F>,
    variable: &'static str,
    range: RangeInclusive<u32>,
    default: u32,
) -> u32 {
    let Some(text) = values.get(variable) else {
        return default;
    };
    let number = text.parse().ok().filter(|number| range.contains(number));
    if number.is_none() {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        values.problem(variable, expected, false);
    }
    number.unwrap_or(default)
}

fn seconds<F: Fn(&str) -> Option<String>>(
    values: &mut Values<F>,
    variable: &'static str,
    range: RangeInclusive<u32>,
    default: u32,
) -> Duration {
    Duration::from_secs(number(values, variable, range, default).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 3] = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_REGION", "ap-southeast-2"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| {
            let found = |(key, value): &(&str, &str)| (*key == name).then(|| (*value).to_owned());
            changes
                .iter()
                .find_map(found)
                .or_else(|| COMPLETE.iter().find_map(found))
        })
    }

    #[test]
    fn keys_and_region_suffice() {
        let config = read(&[]).unwrap();
        assert_eq!(
            config.targets,
            [Target {
                name: "default".into(),
                region: "ap-southeast-2".into(),
                ecs_endpoint: Endpoint::of("ecs", "ap-southeast-2").unwrap(),
                role: None,
            }]
        );
        assert_eq!(config.filter_tags, ["environment", "owner", "contact"]);
        assert_eq!(config.policy.max_age, Duration::from_secs(15));
        assert_eq!(config.policy.max_stale, Duration::from_mins(5));
        assert_eq!(config.policy.max_stale_if_error, Duration::from_hours(1));
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
            .problems
            .iter()
            .map(|p| (p.variable, p.missing))
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
                .contains("AWS_REGION is missing: an AWS region"),
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
            ("FILTER_TAGS", "owner,,contact"),
            ("FILTER_TAGS", "owner,owner"),
            ("SNAPSHOT_MAX_AGE", "15s"),
            ("SNAPSHOT_MAX_AGE", "3601"),
            ("SWEEP_TIMEOUT", "301"),
            ("SNAPSHOT_MAX_STALE", "-1"),
            ("SNAPSHOT_MAX_STALE_IF_ERROR", "1h"),
            ("SUBREQUEST_BUDGET", "17"),
            ("SUBREQUEST_BUDGET", "10001"),
            ("CALL_BURST", "zero"),
            ("CALL_RATE", "0.5"),
            ("EXPOSE_TAGS", "a,,b"),
            ("LIST_TOKEN", "too short"),
            ("LIST_TOKEN", "with a space inside of it"),
            ("CORS_ORIGIN", "other.example"),
            ("CORS_ORIGIN", "https://other.example/"),
            ("CORS_ORIGIN", "https://a.example,https://b.example"),
            ("CORS_ORIGIN", "https://*.example"),
            ("LOG_LEVEL", "loud"),
        ] {
            let error = read(&[(variable, value)]).unwrap_err();
            assert_eq!(error.problems.len(), 1, "{variable}={value}");
            assert_eq!(
                (error.problems[0].variable, error.problems[0].missing),
                (variable, false)
            );
            assert!(!error.to_string().contains(value), "{error}");
        }
    }

    #[test]
    fn any_one_or_no_origin_may_read_the_answers() {
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
    fn white_space_around_a_value_is_dropped_and_an_empty_value_is_none() {
        let config = read(&[
            ("AWS_REGION", " us-east-1\n"),
            ("FILTER_TAGS", " team , owner "),
            ("AWS_SESSION_TOKEN", ""),
        ])
        .unwrap();
        assert_eq!(
            (config.targets[0].region.as_str(), config.filter_tags),
            ("us-east-1", vec!["team".to_owned(), "owner".to_owned()])
        );
    }
}
