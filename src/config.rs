//! Config, from named values: Worker variables and secrets, or the Lambda's environment.

use std::fmt;
use std::time::Duration;

use crate::aws::credentials::Credentials;
use crate::aws::endpoint::Endpoint;
use crate::aws::platform::Level;

/// Seconds that a sweep may take, unless `SWEEP_TIMEOUT` says otherwise.
const SWEEP_TIMEOUT: u64 = 20;
/// Seconds that a snapshot counts as fresh, unless `SNAPSHOT_MAX_AGE` says otherwise.
const SNAPSHOT_MAX_AGE: u64 = 15;
/// The filter keys, unless `FILTER_TAGS` says otherwise.
pub const FILTER_TAGS: [&str; 3] = ["environment", "owner", "contact"];

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// The keys that calls are signed with.
    pub credentials: Credentials,
    /// The AWS region, such as `ap-southeast-2`.
    pub region: String,
    /// Where ECS answers.
    pub ecs_endpoint: Endpoint,
    /// The tags that can be filtered by.
    pub filter_tags: Vec<String>,
    /// How long a snapshot counts as fresh.
    pub snapshot_max_age: Duration,
    /// How long all calls of a sweep may take together.
    pub sweep_timeout: Duration,
}

/// What is wrong with one variable. Never holds its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub variable: &'static str,
    /// What it should be.
    pub expected: &'static str,
    /// Whether it is missing, rather than malformed.
    pub missing: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = if self.missing {
            "is missing"
        } else {
            "is malformed"
        };
        write!(f, "{} {fault}: {}", self.variable, self.expected)
    }
}

/// Everything that is wrong with the configuration, at least one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order in which the variables are documented.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

struct Values<F> {
    lookup: F,
    problems: Vec<Problem>,
}

impl<F: Fn(&str) -> Option<String>> Values<F> {
    fn get(&self, variable: &str) -> Option<String> {
        let value = (self.lookup)(variable)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    fn required<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        read: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(variable);
        let missing = value.is_none();
        let read = value.and_then(read);
        if read.is_none() {
            self.problems.push(Problem {
                variable,
                expected,
                missing,
            });
        }
        read
    }

    fn optional<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        read: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        self.get(variable)?;
        self.required(variable, expected, read)
    }
}

impl Config {
    /// Reads the configuration by `lookup`, which answers the value of a name. White space around
    /// a value is dropped, and an empty value counts as none.
    ///
    /// # Errors
    /// All problems at once, each with its variable's name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut values = Values {
            lookup,
            problems: Vec::new(),
        };
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
        let region = values.required(
            "AWS_REGION",
            "an AWS region such as ap-southeast-2",
            |region| is_region(&region).then_some(region),
        );
        let endpoint_override = values.optional(
            "AWS_ENDPOINT_URL_ECS",
            "an http or https URL without query, such as http://127.0.0.1:5000",
            |url| Endpoint::parse(&url).ok(),
        );
        let filter_tags = values.optional(
            "FILTER_TAGS",
            "tag keys separated by commas, such as environment,owner,contact",
            |text| filter_tags(&text),
        );
        let snapshot_max_age =
            values.optional("SNAPSHOT_MAX_AGE", "whole seconds from 0 to 3600", |text| {
                seconds(&text, 0, 3_600)
            });
        let sweep_timeout =
            values.optional("SWEEP_TIMEOUT", "whole seconds from 1 to 300", |text| {
                seconds(&text, 1, 300)
            });
        values.optional("LOG_LEVEL", "one of error, warn, info, debug", |name| {
            Level::from_name(&name)
        });
        // Silence would be read as "all these targets are in the report".
        values.optional::<()>(
            "TARGETS",
            "not supported by this version, which reports the one region in AWS_REGION",
            |_| None,
        );

        let (Some(id), Some(secret), Some(region), true) = (
            access_key_id,
            secret_access_key,
            region,
            values.problems.is_empty(),
        ) else {
            return Err(ConfigError {
                problems: values.problems,
            });
        };
        let ecs_endpoint = match endpoint_override {
            Some(endpoint) => endpoint,
            None => Endpoint::of("ecs", &region).map_err(|_| ConfigError {
                problems: vec![Problem {
                    variable: "AWS_REGION",
                    expected: "an AWS region such as ap-southeast-2",
                    missing: false,
                }],
            })?,
        };
        Ok(Self {
            credentials: Credentials::new(id, secret, session_token),
            region,
            ecs_endpoint,
            filter_tags: filter_tags.unwrap_or_else(|| FILTER_TAGS.map(String::from).to_vec()),
            snapshot_max_age: snapshot_max_age.unwrap_or(Duration::from_secs(SNAPSHOT_MAX_AGE)),
            sweep_timeout: sweep_timeout.unwrap_or(Duration::from_secs(SWEEP_TIMEOUT)),
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

/// `ap-southeast-2`, `us-gov-west-1`: lower-case words and a number, joined by hyphens. The region
/// becomes part of a host name.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] => {
            words.len() >= 2
                && words.iter().all(word)
                && !number.is_empty()
                && number.len() <= 2
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        [] => false,
    }
}

fn filter_tags(text: &str) -> Option<Vec<String>> {
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

fn seconds(text: &str, min: u64, max: u64) -> Option<Duration> {
    let seconds = text.parse().ok()?;
    (min..=max)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
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
            config.ecs_endpoint.uri(),
            "https://ecs.ap-southeast-2.amazonaws.com/"
        );
        assert_eq!(config.filter_tags, ["environment", "owner", "contact"]);
        assert_eq!(config.snapshot_max_age, Duration::from_secs(15));
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
            ("LOG_LEVEL", "loud"),
            ("TARGETS", "[]"),
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
    fn every_region_of_every_partition_is_a_region() {
        for region in [
            "us-east-1",
            "us-gov-west-1",
            "cn-northwest-1",
            "us-isob-east-1",
            "mx-central-1",
            "eusc-de-east-1",
        ] {
            assert!(is_region(region), "{region}");
        }
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
            (config.region.as_str(), config.filter_tags),
            ("us-east-1", vec!["team".to_owned(), "owner".to_owned()])
        );
    }
}
