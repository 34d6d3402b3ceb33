//! Clock skew: corrects a clock that differs from that of AWS (AWS SDKs and Tools Reference Guide,
//! "Clock skew correction").

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use http::Response;

use crate::aws::error::ServiceError;
use crate::time;

/// The difference from which on a clock counts as wrong; AWS accepts five minutes.
const TOLERATED_SKEW: Duration = Duration::from_mins(4);

/// The greatest difference that is believed. At the end of the calendar nothing could be signed.
const GREATEST_SKEW: Duration = Duration::from_hours(100 * 365 * 24);

/// The error codes that a wrong clock can cause.
const SKEW_CODES: [&str; 6] = [
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// The clock of AWS, as far as it is known: the local clock and its difference.
#[derive(Debug, Default)]
pub(super) struct SkewedClock(Cell<Skew>);

/// The difference of the clock of AWS from the local one.
#[derive(Clone, Copy, Debug, Default)]
enum Skew {
    #[default]
    None,
    Ahead(Duration),
    Behind(Duration),
}

impl Skew {
    fn between(ours: SystemTime, theirs: SystemTime) -> Self {
        match theirs.duration_since(ours) {
            Ok(ahead) => Self::Ahead(ahead),
            Err(behind) => Self::Behind(behind.duration()),
        }
    }

    fn size(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Ahead(size) | Self::Behind(size) => size,
        }
    }

    fn apply(self, now: SystemTime) -> SystemTime {
        match self {
            Self::None => None,
            Self::Ahead(size) => now.checked_add(size),
            Self::Behind(size) => now.checked_sub(size),
        }
        .unwrap_or(now)
    }
}

impl SkewedClock {
    /// The time at AWS when the local clock shows `now`.
    pub(super) fn at_aws(&self, now: SystemTime) -> SystemTime {
        self.0.get().apply(now)
    }

    /// Takes the clock of AWS from the response's `Date`, if the error can be caused by the time
    /// `signed`. Returns whether another attempt is worthwhile, which it is too if another call has
    /// corrected the clock meanwhile.
    pub(super) fn correct(
        &self,
        error: &ServiceError,
        response: &Response<Vec<u8>>,
        signed: SystemTime,
        now: SystemTime,
    ) -> bool {
        if !SKEW_CODES.contains(&error.code.as_str()) {
            return false;
        }
        let Some(theirs) = date(response) else {
            return false;
        };
        let skew = Skew::between(now, theirs);
        let is_off = Skew::between(signed, theirs).size() > TOLERATED_SKEW;
        let is_corrected = is_off && skew.size() < GREATEST_SKEW;
        if is_corrected {
            self.0.set(skew);
        }
        is_corrected
    }
}

fn date(response: &Response<Vec<u8>>) -> Option<SystemTime> {
    let value = response.headers().get(http::header::DATE)?.to_str().ok()?;
    time::from_http_date(value)
}
