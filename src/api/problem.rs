//! Problem: error responses as problem details (RFC 9457). A fault of the client is explained in
//! full; one of this service or of AWS is logged in full and becomes one sentence.

use std::fmt::Display;
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::api::escape::displayable;
use crate::api::problem_code::Code;
use crate::api::request::{MAX_BODY_BYTES, MAX_TARGET_BYTES, Malformed};
use crate::api::response::{self, Reply};
use crate::config::ConfigError;
use crate::fleet::model::cause::Cause;
use crate::fleet::view::report::Unavailable;

/// The most characters of the client's own words that are repeated.
const MAX_QUOTED: usize = 64;

/// When to retry after AWS has throttled.
const RETRY_THROTTLED: Duration = Duration::from_secs(5);

/// The period of the rate limit in wrangler.toml.
const RATE_LIMIT_PERIOD: Duration = Duration::from_mins(1);

/// An error response.
#[derive(Debug)]
pub(super) struct Problem {
    details: Details,
    status: StatusCode,
    allow: Option<&'static [&'static str]>,
    www_authenticate: Option<&'static str>,
    retry_after: Option<Duration>,
    /// The text for the log, where it says more than the detail.
    log: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    code: Code,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    valid_keys: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variables: Vec<String>,
    /// The IAM actions that are denied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<&'static str>,
}

// Those that take some code are not inlined, as a fresh isolate compiles the whole of a function for its
// first answer, which is hardly ever a problem.
impl Problem {
    fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self {
            details: Details {
                r#type: "about:blank",
                title: status.canonical_reason().unwrap_or("Error"),
                status: status.as_u16(),
                detail: detail.into(),
                code,
                valid_keys: Vec::new(),
                variables: Vec::new(),
                actions: Vec::new(),
            },
            status,
            allow: None,
            www_authenticate: None,
            retry_after: None,
            log: None,
        }
    }

    #[inline(never)]
    pub(super) fn no_route(path: &str) -> Self {
        let detail = format!("No route matches {}; see / for the routes.", quote(path));
        Self::new(StatusCode::NOT_FOUND, Code::NoRoute, detail)
    }

    /// `methods`: those of the route.
    #[inline(never)]
    pub(super) fn method_not_allowed(methods: &'static [&'static str]) -> Self {
        let detail = format!("Only {} are allowed.", enumerate(methods, "and"));
        Self {
            allow: Some(methods),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                Code::MethodNotAllowed,
                detail,
            )
        }
    }

    /// A request that no route can have.
    #[inline(never)]
    pub(super) fn malformed_request(malformed: Malformed, valid_keys: Vec<String>) -> Self {
        match malformed {
            Malformed::TooLong => {
                let detail = format!("The path and the query exceed {MAX_TARGET_BYTES} bytes.");
                Self::new(StatusCode::URI_TOO_LONG, Code::UriTooLong, detail)
            }
            Malformed::UnencodedQuery => {
                let error = "a space, a double quote, an angle bracket or a control character is \
                             not percent-encoded";
                Self::malformed_query(error, valid_keys)
            }
        }
    }

    pub(super) fn body_too_long() -> Self {
        let detail = format!("The body exceeds {MAX_BODY_BYTES} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLong, detail)
    }

    pub(super) fn malformed_event() -> Self {
        let detail = "The body is not an event of EventBridge: send the event as it is, as JSON.";
        Self::new(StatusCode::BAD_REQUEST, Code::MalformedEvent, detail)
    }

    pub(super) fn rate_limited() -> Self {
        let detail = "Too many requests: wait a minute.";
        Self {
            retry_after: Some(RATE_LIMIT_PERIOD),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, detail)
        }
    }

    /// A request without a token (RFC 6750, section 3).
    pub(super) fn missing_token() -> Self {
        Self::unauthorized(
            "A bearer token is required: send \"Authorization: Bearer <token>\".",
            "Bearer realm=\"ecs-status\"",
        )
    }

    /// A request with another token than the configured one (RFC 6750, section 3.1).
    pub(super) fn invalid_token() -> Self {
        Self::unauthorized(
            "The bearer token is not valid.",
            "Bearer realm=\"ecs-status\", error=\"invalid_token\"",
        )
    }

    fn unauthorized(detail: &str, challenge: &'static str) -> Self {
        Self {
            www_authenticate: Some(challenge),
            ..Self::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, detail)
        }
    }

    #[inline(never)]
    pub(super) fn malformed_query(error: impl Display, valid_keys: Vec<String>) -> Self {
        let detail = format!("The query is malformed: {error}.");
        Self::new(StatusCode::BAD_REQUEST, Code::MalformedQuery, detail).with_valid_keys(valid_keys)
    }

    /// `parameters`: those that are not filter keys.
    #[inline(never)]
    pub(super) fn unknown_key(key: &str, valid_keys: Vec<String>, parameters: &[&str]) -> Self {
        let detail = format!(
            "{} is not a filter key. Valid filter keys: {}. Other parameters: {}.",
            quote(key),
            valid_keys.join(", "),
            parameters.join(", ")
        );
        Self::new(StatusCode::BAD_REQUEST, Code::UnknownKey, detail).with_valid_keys(valid_keys)
    }

    /// A parameter with a value that it cannot have.
    pub(super) fn invalid_parameter(detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidParameter, detail)
    }

    /// `with_variables`: whether the response names the variables, and not only the log.
    #[inline(never)]
    pub(super) fn invalid_configuration(error: &ConfigError, with_variables: bool) -> Self {
        let detail = if with_variables {
            format!("The configuration is invalid: {error}.")
        } else {
            "The configuration is invalid; /healthz names the variables.".to_owned()
        };
        let mut problem = Self {
            log: Some(error.to_string()),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                Code::InvalidConfiguration,
                detail,
            )
        };
        if with_variables {
            let variables = error.errors.iter().map(|e| e.variable.to_string());
            problem.details.variables = variables.collect();
        }
        problem
    }

    /// No target has a snapshot to serve.
    #[inline(never)]
    pub(super) fn unavailable(unavailable: &Unavailable) -> Self {
        let cause = unavailable.cause;
        let problem = match unavailable.progress {
            Some(progress) if cause == Cause::NotDone => {
                let detail = format!(
                    "The first sweep is still running: {} of {} services in {} clusters have been \
                     described; at least {} calls remain.",
                    progress.described, progress.services, progress.clusters, progress.calls_left
                );
                Self::of_cause(cause, Code::FirstSweepRunning, detail)
            }
            _ => {
                let detail = format!("The fleet could not be read: {}.", cause.reason());
                Self::of_cause(cause, Code::of(cause), detail)
            }
        };
        Self {
            retry_after: problem
                .retry_after
                .map(|least| least.max(unavailable.retry_after)),
            ..problem
        }
    }

    /// An event that could not be passed on; the sender tries again.
    pub(super) fn event_not_noted() -> Self {
        let (cause, detail) = (
            Cause::ObjectUnreachable,
            "The event could not be noted: send it again.",
        );
        Self::of_cause(cause, Code::of(cause), detail.to_owned())
    }

    /// The health check of `target` failed for these causes, at least one. The status and the code
    /// are those of the first.
    #[inline(never)]
    pub(super) fn unhealthy_target(target: &str, causes: &[Cause]) -> Self {
        let Some(&first) = causes.first() else {
            return Self::internal();
        };
        let reasons: Vec<_> = causes.iter().map(|cause| cause.reason()).collect();
        let reasons = enumerate(&reasons.iter().map(|r| &**r).collect::<Vec<_>>(), "and");
        let detail = format!("The target \"{target}\" could not be read: {reasons}.");
        let mut problem = Self::of_cause(first, Code::of(first), detail);
        let denied = causes.iter().filter_map(|cause| match cause {
            Cause::NotAllowed(operation, _) => Some(operation.iam_action()),
            _ => None,
        });
        problem.details.actions = denied.collect();
        problem
    }

    fn of_cause(cause: Cause, code: Code, detail: String) -> Self {
        let status = match cause {
            Cause::Throttled
            | Cause::NotDone
            | Cause::ObjectUnreachable
            | Cause::StorageUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Cause::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        Self {
            retry_after: match cause {
                Cause::Throttled => Some(RETRY_THROTTLED),
                _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::ZERO),
            },
            ..Self::new(status, code, detail)
        }
    }

    /// A report that the edge cannot send, as it returns at most `max_bytes`.
    #[inline(never)]
    pub(super) fn response_too_large(max_bytes: usize, valid_keys: Vec<String>) -> Self {
        let detail = format!(
            "The report exceeds the {max_bytes} bytes that can be returned at once. Select fewer \
             services: filter by {}, or add unhealthy=true or missing=<tag>.",
            enumerate(
                &valid_keys.iter().map(String::as_str).collect::<Vec<_>>(),
                "or"
            )
        );
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::ResponseTooLarge,
            detail,
        )
        .with_valid_keys(valid_keys)
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "The response could not be written.",
        )
    }

    /// The problem of a health check for those without the token: the status, and nothing of the
    /// fleet. The log has all of it.
    #[inline(never)]
    pub(super) fn for_outsiders(self) -> Self {
        Self {
            log: Some(self.log_text()),
            retry_after: self.retry_after,
            ..Self::new(
                self.status,
                Code::Unhealthy,
                "The fleet cannot be read; with the token, this route names the cause.",
            )
        }
    }

    fn with_valid_keys(mut self, valid_keys: Vec<String>) -> Self {
        self.details.valid_keys = valid_keys;
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The text for the log. The client's words stay out of it.
    pub(super) fn log_text(&self) -> String {
        match &self.log {
            Some(text) => text.clone(),
            None if self.status.is_client_error() => self.details.title.to_owned(),
            None => self.details.detail.clone(),
        }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let body = response::json(&problem.details).unwrap_or_default();
        Self {
            status: problem.status,
            allow: problem.allow,
            www_authenticate: problem.www_authenticate,
            private: problem.status == StatusCode::UNAUTHORIZED,
            retry_after: problem.retry_after,
            ..Self::ok("application/problem+json", body)
        }
    }
}

/// `words` as an English list: `json, text or csv`.
pub(super) fn enumerate(words: &[&str], conjunction: &str) -> String {
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} {conjunction} {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The client's words in quotes, truncated if they are long, without characters that act instead of
/// being displayed.
fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_QUOTED).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("\"{}\"", displayable(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_follows_the_members_of_rfc_9457() {
        let reply = Reply::from(Problem::rate_limited());
        assert_eq!(
            String::from_utf8(reply.body.to_vec()).unwrap(),
            "{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429,\
             \"detail\":\"Too many requests: wait a minute.\",\"code\":\"rate-limited\"}\n"
        );
    }

    #[test]
    fn the_words_of_a_client_are_quoted_without_what_acts_on_a_terminal() {
        let problem = Problem::no_route("/a\u{1b}[31m\u{202e}b");
        assert!(problem.details.detail.contains("\"/a�[31m�b\""));
        let long = Problem::no_route(&"é".repeat(MAX_QUOTED + 1));
        assert!(long.details.detail.contains(&"é…\"".to_owned()));
    }

    #[test]
    fn a_list_of_words_has_a_conjunction_before_the_last() {
        assert_eq!(enumerate(&["a", "b", "c"], "or"), "a, b or c");
        assert_eq!(enumerate(&["a", "b"], "and"), "a and b");
        assert_eq!(enumerate(&["a"], "and"), "a");
    }
}
