//! Problem details (RFC 9457). The caller's fault is explained; ours and AWS's are logged in full
//! and become one bare sentence.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use super::Answer;
use super::query::MalformedQuery;
use crate::config::ConfigError;
use crate::fleet::failure::Cause;
use crate::fleet::view::Unavailable;

/// The longest part of the caller's own words that is repeated, in characters.
const REPEATED: usize = 64;

/// The methods that every route has.
pub(super) const ALLOW: &str = "GET, HEAD, OPTIONS";

/// What to ask again after when AWS throttles.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The period of the rate limit in wrangler.toml.
const LIMIT_PERIOD: Duration = Duration::from_mins(1);

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Problem {
    body: Body,
    status: StatusCode,
    allow: Option<&'static str>,
    www_authenticate: Option<&'static str>,
    retry_after: Option<Duration>,
    /// For the log, where it is more than the detail.
    log: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    valid_keys: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variables: Vec<&'static str>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            body: Body {
                r#type: "about:blank",
                title: status.canonical_reason().unwrap_or("Error"),
                status: status.as_u16(),
                detail: detail.into(),
                valid_keys: Vec::new(),
                variables: Vec::new(),
            },
            status,
            allow: None,
            www_authenticate: None,
            retry_after: None,
            log: None,
        }
    }

    pub(super) fn not_found(path: &str) -> Self {
        let detail = format!(
            "There is nothing at {}; / tells what there is.",
            quoted(path)
        );
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = format!("This is read-only: use one of {ALLOW}.");
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        Self {
            allow: Some(ALLOW),
            ..problem
        }
    }

    pub(super) fn too_many_requests() -> Self {
        let detail = "You ask too often; wait a minute.";
        Self {
            retry_after: Some(LIMIT_PERIOD),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
        }
    }

    /// `given`: there was a token, and it was another one (RFC 6750, section 3).
    pub(super) fn unauthorized(given: bool) -> Self {
        let detail =
            "The fleet is shown to those who send the header Authorization: Bearer with its token.";
        let challenge = if given {
            "Bearer realm=\"ecs-status\", error=\"invalid_token\""
        } else {
            "Bearer realm=\"ecs-status\""
        };
        Self {
            www_authenticate: Some(challenge),
            ..Self::new(StatusCode::UNAUTHORIZED, detail)
        }
    }

    pub(super) fn malformed_query(error: MalformedQuery, valid: Vec<String>) -> Self {
        let detail = format!("The query cannot be read: {error}.");
        Self::new(StatusCode::BAD_REQUEST, detail).with_valid_keys(valid)
    }

    /// `others`: the parameters that are no filter keys.
    pub(super) fn unknown_key(key: &str, valid: Vec<String>, others: &[&str]) -> Self {
        let detail = format!(
            "{} is no filter key; the valid ones are {}. The other parameters are {}.",
            quoted(key),
            valid.join(", "),
            others.join(", ")
        );
        Self::new(StatusCode::BAD_REQUEST, detail).with_valid_keys(valid)
    }

    /// A parameter with a value that it cannot have.
    pub(super) fn bad_parameter(detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// `named`: the answer says which variables are wrong, and not only the log.
    pub(super) fn configuration(error: &ConfigError, named: bool) -> Self {
        let problem = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            if named {
                format!("The configuration is not usable: {error}.")
            } else {
                "The configuration is not usable; /healthz says which variable is wrong.".to_owned()
            },
        );
        let mut problem = Self {
            log: Some(error.to_string()),
            ..problem
        };
        if named {
            problem.body.variables = error.problems.iter().map(|p| p.variable).collect();
        }
        problem
    }

    pub(super) fn unavailable(unavailable: &Unavailable) -> Self {
        let cause = unavailable.cause;
        let detail = match unavailable.extent {
            Some(extent) if cause == Cause::NotDone => format!(
                "The first sweep is not done yet: {} of {} services in {} clusters are read, and at \
                 least {} calls are left.",
                extent.described, extent.services, extent.clusters, extent.calls_left
            ),
            _ => format!("The fleet could not be read: {}.", cause.reason()),
        };
        let problem = Self::of_aws(cause, detail);
        Self {
            retry_after: problem
                .retry_after
                .map(|least| least.max(unavailable.retry_after)),
            ..problem
        }
    }

    /// The keys do not work for `target`.
    pub(super) fn of_target(target: &str, cause: Cause) -> Self {
        let detail = format!(
            "The target \"{target}\" could not be read: {}.",
            cause.reason()
        );
        Self::of_aws(cause, detail)
    }

    fn of_aws(cause: Cause, detail: String) -> Self {
        let status = match cause {
            Cause::Throttled | Cause::NotDone | Cause::ObjectUnreachable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Cause::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        Self {
            retry_after: match cause {
                Cause::Throttled => Some(RETRY_AFTER),
                _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::ZERO),
            },
            ..Self::new(status, detail)
        }
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The answer could not be written.",
        )
    }

    fn with_valid_keys(mut self, valid: Vec<String>) -> Self {
        self.body.valid_keys = valid;
        self
    }

    pub(super) fn log_line(&self) -> String {
        match &self.log {
            Some(line) => line.clone(),
            // What the caller sent stays out of the log.
            None if self.status.is_client_error() => self.body.title.to_owned(),
            None => self.body.detail.clone(),
        }
    }

    pub(super) fn into_answer(self) -> Answer {
        let body = super::json(&self.body).unwrap_or_default();
        Answer {
            status: self.status,
            allow: self.allow,
            www_authenticate: self.www_authenticate,
            private: self.status == StatusCode::UNAUTHORIZED,
            retry_after: self.retry_after,
            ..Answer::ok("application/problem+json", body)
        }
    }
}

/// The caller's words, in quotes, cut where they are long.
fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(REPEATED).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
