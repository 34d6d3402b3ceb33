//! Config: parsed from named variables, which are Worker variables and secrets or the environment
//! of a Lambda function.

mod bearer_token;
mod endpoints;
mod error;
mod pasted;
mod reader;
mod targets;
mod values;

use std::time::Duration;

use crate::aws::credentials::Credentials;
use crate::platform::Level;
pub use bearer_token::BearerToken;
pub use error::{ConfigError, VariableError};
use reader::VariableReader;
pub use targets::{Role, TargetConfig};

const TOKEN: &str = "16 or more letters, digits or characters of -._~+/=";
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
    /// Whether versions, deployments and the reasons why services fail may be shown.
    pub expose_deployments: bool,
    /// The token that a request needs to see the fleet, if any.
    pub list_token: Option<BearerToken>,
    /// The token that an event has to carry. `None`: no events are taken.
    pub events_token: Option<BearerToken>,
    /// The origin of other sites whose pages may read the responses: `*` for any, `None` for none.
    pub cors_origin: Option<String>,
    /// The ages up to which a snapshot is served.
    pub age_limits: AgeLimits,
    /// The time after which a rollout that does not end is stuck.
    pub stuck_after: Duration,
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
    /// Parses the variables that `lookup` returns by name. White space and byte order marks around a
    /// value are dropped. An empty value counts as none, except for a secret.
    ///
    /// # Errors
    /// All errors at once, each with the name of its variable.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::from_variables(VariableReader::new(&lookup))
    }

    fn from_variables(mut variables: VariableReader<'_>) -> Result<Self, ConfigError> {
        let credentials = credentials(&mut variables);
        let targets = targets::read(&mut variables);
        let filter_tags =
            variables.optional("FILTER_TAGS", TAG_KEYS, |text| values::tag_keys(&text));
        let expose_tags =
            variables.optional("EXPOSE_TAGS", TAG_KEYS, |text| values::tag_keys(&text));
        let expose_deployments =
            variables.optional("EXPOSE_DEPLOYMENTS", "true or false", |text| {
                values::boolean(&text)
            });
        let mut token = |name| variables.optional_secret(name, TOKEN, BearerToken::new);
        let (list_token, events_token) = (token("LIST_TOKEN"), token("EVENTS_TOKEN"));
        let cors_origin = variables.optional(
            "CORS_ORIGIN",
            "*, none, or one origin such as https://dash.example",
            |text| values::origin(&text),
        );
        let age_limits = AgeLimits {
            max_age: variables.seconds("SNAPSHOT_MAX_AGE", 0..=3_600, 15),
            fresh_wait: variables.seconds("FRESH_WAIT", 0..=30, 8),
            max_stale: variables.seconds("SNAPSHOT_MAX_STALE", 0..=86_400, 300),
            max_stale_if_error: variables.seconds("SNAPSHOT_MAX_STALE_IF_ERROR", 0..=86_400, 3_600),
        };
        let stuck_after = variables.seconds("STUCK_AFTER", 1..=86_400, 900);
        let sweep_timeout = variables.seconds("SWEEP_TIMEOUT", 1..=300, 20);
        // With fewer requests than the first six calls and all their attempts, a slice could make no
        // progress.
        let subrequest_budget = variables.number("SUBREQUEST_BUDGET", 18..=10_000, 45);
        let call_burst = variables.number("CALL_BURST", 1..=10_000, 50);
        let call_rate = variables.number("CALL_RATE", 1..=10_000, 10);
        variables.optional("LOG_LEVEL", "one of error, warn, info, debug", |name| {
            Level::from_name(&name)
        });
        let (Some(credentials), true) = (credentials, variables.errors.is_empty()) else {
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
            credentials,
            targets,
            filter_tags,
            expose_tags,
            expose_deployments: expose_deployments.unwrap_or(true),
            list_token,
            events_token,
            cors_origin: cors_origin.unwrap_or_else(|| Some("*".to_owned())),
            age_limits,
            stuck_after,
            sweep_timeout,
            subrequest_budget,
            call_burst,
            call_rate,
        })
    }
}

/// Parses the access key. Errors are added to `variables`.
fn credentials(variables: &mut VariableReader<'_>) -> Option<Credentials> {
    let id = variables.required_secret(
        "AWS_ACCESS_KEY_ID",
        "the access key id of the read-only IAM user, letters and digits",
        values::access_key_id,
    );
    let secret = variables.required_secret(
        "AWS_SECRET_ACCESS_KEY",
        "the secret that belongs to AWS_ACCESS_KEY_ID, without spaces",
        values::printable,
    );
    let errors = variables.errors.len();
    let token = variables.optional_secret(
        "AWS_SESSION_TOKEN",
        "the token of temporary credentials, without spaces",
        values::printable,
    );
    if variables.errors.len() == errors
        && let Some(id) = &id
    {
        let error = values::session_token_error(id, token.as_deref());
        variables.errors.extend(error);
    }
    Some(Credentials::new(id?, secret?, token))
}

/// The level that `LOG_LEVEL` names; `info` where it is absent or malformed, so that a broken
/// configuration can still be logged.
#[must_use]
pub fn log_level(lookup: impl Fn(&str) -> Option<String>) -> Level {
    lookup("LOG_LEVEL")
        .and_then(|name| Level::from_name(pasted::trim(&name)))
        .unwrap_or(Level::Info)
}
