//! Config: parsed from named variables, which are Worker variables and secrets or the environment
//! of a Lambda function.

mod bearer_token;
mod error;
mod reader;
mod targets;

use std::time::Duration;

use crate::aws::credentials::Credentials;
use crate::platform::Level;
pub use bearer_token::BearerToken;
pub use error::{ConfigError, VariableError};
use reader::VariableReader;
pub use targets::{Role, TargetConfig};

const TAG_KEYS: &str = "tag keys separated by commas, such as environment,owner,contact";

/// The filter keys, unless `FILTER_TAGS` says otherwise.
pub const FILTER_TAGS: [&str; 3] = ["environment", "owner", "contact"];

/// The configuration of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// The keys that calls are signed with.
    pub credentials: Credentials,
    /// The regions that are reported, at least one.
    pub targets: Vec<TargetConfig>,
    /// The tags that can be filtered by.
    pub filter_tags: Vec<String>,
    /// The tags that may be shown. `None`: all.
    pub expose_tags: Option<Vec<String>>,
    /// The token that a request needs to see the fleet, if any.
    pub list_token: Option<BearerToken>,
    /// The origin of other sites whose pages may read the responses: `*` for any, `None` for none.
    pub cors_origin: Option<String>,
    /// The ages up to which a snapshot is served.
    pub age_limits: AgeLimits,
    /// The time that the calls of one slice of a sweep share, and that a request waits for it.
    pub sweep_timeout: Duration,
    /// The requests that one slice of a sweep may make.
    pub subrequest_budget: u32,
    /// The calls that a target's account may see at once after a quiet period.
    pub call_burst: u32,
    /// The calls a second that it may see from then on.
    pub call_rate: u32,
}

/// The ages up to which a snapshot is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeLimits {
    /// The age up to which a snapshot counts as fresh.
    pub max_age: Duration,
    /// The time that a request for a stale snapshot waits for a newer one.
    pub fresh_wait: Duration,
    /// The age up to which it is served if a newer one takes longer than that.
    pub max_stale: Duration,
    /// The age up to which it is served because new sweeps fail.
    pub max_stale_if_error: Duration,
}

impl Config {
    /// Parses the variables that `lookup` returns by name. White space around a value is dropped, and
    /// an empty value counts as none.
    ///
    /// # Errors
    /// All errors at once, each with the name of its variable.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = VariableReader::new(lookup);
        let access_key_id = variables.required(
            "AWS_ACCESS_KEY_ID",
            "the access key id of the read-only IAM user, letters and digits",
            |id| id.bytes().all(|b| b.is_ascii_alphanumeric()).then_some(id),
        );
        let secret_access_key = variables.required(
            "AWS_SECRET_ACCESS_KEY",
            "the secret that belongs to AWS_ACCESS_KEY_ID, without spaces",
            printable,
        );
        let session_token = variables.optional(
            "AWS_SESSION_TOKEN",
            "the token of temporary credentials, without spaces",
            printable,
        );
        let targets = targets::read(&mut variables);
        let filter_tags = variables.optional("FILTER_TAGS", TAG_KEYS, |text| tag_keys(&text));
        let expose_tags = variables.optional("EXPOSE_TAGS", TAG_KEYS, |text| tag_keys(&text));
        let list_token = variables.optional(
            "LIST_TOKEN",
            "16 or more letters, digits or characters of -._~+/=",
            BearerToken::new,
        );
        let cors_origin = variables.optional(
            "CORS_ORIGIN",
            "*, none, or one origin such as https://dash.example",
            |text| origin(&text),
        );
        let age_limits = AgeLimits {
            max_age: variables.seconds("SNAPSHOT_MAX_AGE", 0..=3_600, 15),
            fresh_wait: variables.seconds("FRESH_WAIT", 0..=30, 8),
            max_stale: variables.seconds("SNAPSHOT_MAX_STALE", 0..=86_400, 300),
            max_stale_if_error: variables.seconds("SNAPSHOT_MAX_STALE_IF_ERROR", 0..=86_400, 3_600),
        };
        let sweep_timeout = variables.seconds("SWEEP_TIMEOUT", 1..=300, 20);
        // With fewer requests than the first six calls and all their attempts, a slice could make no
        // progress.
        let subrequest_budget = variables.number("SUBREQUEST_BUDGET", 18..=10_000, 45);
        let call_burst = variables.number("CALL_BURST", 1..=10_000, 50);
        let call_rate = variables.number("CALL_RATE", 1..=10_000, 10);
        variables.optional("LOG_LEVEL", "one of error, warn, info, debug", |name| {
            Level::from_name(&name)
        });
        let (Some(id), Some(secret), true) = (
            access_key_id,
            secret_access_key,
            variables.errors.is_empty(),
        ) else {
            return Err(ConfigError {
                errors: variables.errors,
            });
        };
        // A filter on a hidden tag would reveal its variables.
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
            age_limits,
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

/// `*`, or an origin as browsers write it: scheme, host and an optional port, in lower case, without
/// a path (RFC 6454, section 6.2). `Some(None)` for `none`.
#[allow(clippy::option_option, reason = "malformed, no origin, an origin")]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::endpoint::Endpoint;

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
            ("FILTER_TAGS", "owner,,contact"),
            ("FILTER_TAGS", "owner,owner"),
            ("SNAPSHOT_MAX_AGE", "15s"),
            ("SNAPSHOT_MAX_AGE", "3601"),
            ("FRESH_WAIT", "31"),
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
            assert_eq!(error.errors.len(), 1, "{variable}={value}");
            assert_eq!(
                (error.errors[0].variable, error.errors[0].missing),
                (variable, false)
            );
            assert!(!error.to_string().contains(value), "{error}");
        }
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
