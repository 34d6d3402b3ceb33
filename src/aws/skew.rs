//! The correction of a clock that differs from AWS's (AWS SDKs, clock skew correction).

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use http::Response;

use super::error::ServiceError;
use super::moment;

/// A clock is off if it differs from AWS's by more than this; AWS accepts five minutes.
const TOLERATED_SKEW: Duration = Duration::from_mins(4);

/// What is further from ours is no clock. At the end of the calendar nothing could be signed.
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

/// AWS's clock, as far as it is known: ours, and how far AWS's is from it.
#[derive(Debug, Default)]
pub(super) struct SkewedClock(Cell<Skew>);

/// How far AWS's clock is from ours.
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
    /// The moment that AWS's clock shows when ours shows `now`.
    pub(super) fn at_aws(&self, now: SystemTime) -> SystemTime {
        self.0.get().apply(now)
    }

    /// Takes AWS's clock from the answer's `Date`, if the error can come from the time `signed`
    /// being off. Whether another attempt is worth it: another call may have corrected the clock
    /// meanwhile.
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
    moment::from_http_date(value)
}
