//! Platform: the ports that an edge implements, so that everything else runs without I/O.

use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use http::header::DATE;
use http::{HeaderName, Request, Response};
use serde::Serialize;

/// The response headers that this crate reads. An adapter may omit all others, and on a 200 these
/// too.
pub const RESPONSE_HEADERS: [HeaderName; 4] =
    [DATE, X_AMZ_RETRY_AFTER, X_AMZN_ERRORTYPE, X_AMZN_REQUESTID];

/// The wait before the next attempt, in milliseconds.
pub const X_AMZ_RETRY_AFTER: HeaderName = HeaderName::from_static("x-amz-retry-after");
/// The code of an error.
pub const X_AMZN_ERRORTYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// The id that AWS gave the request.
pub const X_AMZN_REQUESTID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The longest response body that is accepted, in bytes. No response of the operations used here
/// comes near it, and a Worker has 128 MB for everything.
pub const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// Sends one HTTP request and reads the whole response.
pub trait HttpSend {
    /// Resolves to the response, whatever its status. Gives up after `timeout`, and refuses bodies
    /// longer than [`MAX_RESPONSE_BYTES`].
    ///
    /// # Errors
    /// The reason why there is no response.
    fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> impl Future<Output = Result<Response<Vec<u8>>, SendError>>;
}

/// Tells the time. The clock of a Worker stands still between I/O, so it is read again for each
/// attempt.
pub trait Clock {
    /// The current time, in UTC.
    fn now(&self) -> SystemTime;
}

/// Waits.
pub trait Sleep {
    /// Resolves after `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;
}

/// Provides random numbers for jitter and request ids. Not for keys.
pub trait Rng {
    /// 64 uniformly distributed bits.
    fn bits(&self) -> u64;
}

/// Takes structured log lines.
pub trait Log {
    /// Whether a line of this level would be written.
    fn enabled(&self, level: Level) -> bool;

    /// Writes `line`, one JSON object.
    fn write(&self, level: Level, line: String);

    /// Writes `record` as one JSON object, if its level is enabled.
    fn record(&self, level: Level, record: &impl Serialize) {
        if self.enabled(level)
            && let Ok(line) = serde_json::to_string(record)
        {
            self.write(level, line);
        }
    }
}

/// Runs tasks beside the current one.
pub trait Spawn {
    /// Runs `task` to its end.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
}

/// Measures memory.
pub trait Memory {
    /// The memory that this code has taken so far, in bytes, where the platform can tell.
    fn memory_bytes(&self) -> Option<u64>;
}

/// Everything that an edge provides.
pub trait Platform: HttpSend + Clock + Sleep + Rng + Log + Spawn + Memory {}

impl<T: HttpSend + Clock + Sleep + Rng + Log + Spawn + Memory> Platform for T {}

/// The severity of a log line, by the names of `LOG_LEVEL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The response was an error of this service or of AWS.
    Error,
    /// A fault that was survived.
    Warn,
    /// One line per request and per sweep.
    Info,
    /// One line per AWS call.
    Debug,
}

impl Level {
    /// The level called `name`, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "error" => Some(Self::Error),
            "warn" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" => Some(Self::Debug),
            _ => None,
        }
    }
}

/// The reason why a request has no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// No connection, or it broke. Holds the runtime's own words, for the log.
    Unreachable(String),
    /// The time allowed for the attempt ran out.
    TimedOut,
    /// The body is longer than [`MAX_RESPONSE_BYTES`].
    TooLarge,
    /// The platform's limit of subrequests for one invocation is reached.
    SubrequestLimit,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(detail) => write!(f, "no response: {detail}"),
            Self::TimedOut => f.write_str("no response in time"),
            Self::TooLarge => write!(f, "the response exceeds {MAX_RESPONSE_BYTES} bytes"),
            Self::SubrequestLimit => f.write_str("the subrequest limit is reached"),
        }
    }
}

impl std::error::Error for SendError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_the_names_of_log_level() {
        for level in [Level::Error, Level::Warn, Level::Info, Level::Debug] {
            let name = serde_json::to_value(level).unwrap();
            assert_eq!(Level::from_name(name.as_str().unwrap()), Some(level));
        }
        assert_eq!(Level::from_name("loud"), None);
    }

    #[test]
    fn a_response_that_is_too_large_is_reported_with_the_limit() {
        let message = SendError::TooLarge.to_string();
        assert_eq!(message, "the response exceeds 8388608 bytes");
    }
}
