//! What an edge lends to the rooms: a way to send, a clock, sleep, randomness and a log.

use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use http::{Request, Response};

/// The response headers that anything here reads. An adapter may leave out all others, and on a
/// 200 these too.
pub const RESPONSE_HEADERS: [&str; 4] = [
    "date",
    "x-amz-retry-after",
    "x-amzn-errortype",
    "x-amzn-requestid",
];

/// No answer of the operations used here comes near this size, in bytes; a longer one is refused
/// rather than risking the 128 MB that a Worker has for everything.
pub const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// Sends one HTTP request and reads the whole response.
pub trait HttpSend {
    /// Resolves to the response, whatever its status, or to the reason why there is none. Gives up
    /// after `timeout`, and refuses bodies longer than [`MAX_RESPONSE_BYTES`].
    fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> impl Future<Output = Result<Response<Vec<u8>>, SendError>>;
}

/// Tells the time. Workers' clock stands still between I/O, so it is read anew for each attempt.
pub trait Clock {
    /// The present moment, in UTC.
    fn now(&self) -> SystemTime;
}

/// Waits.
pub trait Sleep {
    /// Resolves after `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;
}

/// Random numbers, for jitter and request ids. Not for keys.
pub trait Rng {
    /// 64 evenly distributed bits.
    fn bits(&self) -> u64;
}

/// Takes structured log lines.
pub trait Log {
    /// Whether a line of this level would be written.
    fn enabled(&self, level: Level) -> bool;
    /// Writes `line`, one JSON object.
    fn write(&self, level: Level, line: String);
}

/// What else the host of this code can do.
pub trait Host {
    /// Runs `task` to its end, beside everything else.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);

    /// How much memory this code has taken so far, in bytes, where that can be told.
    fn memory_bytes(&self) -> Option<u64>;
}

/// Everything an edge lends.
pub trait Platform: HttpSend + Clock + Sleep + Rng + Log + Host {}

impl<T: HttpSend + Clock + Sleep + Rng + Log + Host> Platform for T {}

/// How serious a log line is; the names are those of `LOG_LEVEL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The answer was an error of ours or of AWS.
    Error,
    /// Something went wrong and was survived.
    Warn,
    /// One line a request.
    Info,
    /// One line an AWS call.
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

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// No connection, or it broke; the runtime's own words, for the log.
    Unreachable(String),
    /// The time allowed for this attempt ran out.
    TimedOut,
    /// The body is longer than [`MAX_RESPONSE_BYTES`].
    TooLarge,
    /// The platform's limit of subrequests for one invocation is used up.
    SubrequestLimit,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(detail) => write!(f, "no response: {detail}"),
            Self::TimedOut => f.write_str("no response in time"),
            Self::TooLarge => write!(f, "the response is over {MAX_RESPONSE_BYTES} bytes"),
            Self::SubrequestLimit => f.write_str("the subrequest limit is used up"),
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
    fn a_response_that_is_too_large_is_told_with_the_limit() {
        let told = SendError::TooLarge.to_string();
        assert_eq!(told, "the response is over 8388608 bytes");
    }
}
