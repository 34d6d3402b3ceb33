//! Retry: the errors that are worth another attempt, and the wait before it (AWS SDKs and Tools
//! Reference Guide, "Retry behavior", standard mode).

use std::cell::Cell;
use std::time::Duration;

use crate::aws::error::{Error, ServiceError};
use crate::platform::SendError;

/// Attempts of one call, the first one included.
pub const MAX_ATTEMPTS: u32 = 3;

/// The wait before the second attempt, at most; it doubles with each attempt.
const BASE_BACKOFF: Duration = Duration::from_secs(1);

/// The longest wait before another attempt.
pub const MAX_BACKOFF: Duration = Duration::from_secs(20);

const THROTTLES: [&str; 14] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Whether AWS throttles the call. ECS does so with status 400.
#[must_use]
pub fn is_throttle(error: &ServiceError) -> bool {
    error.status == 429 || THROTTLES.contains(&error.code.as_str())
}

/// Whether the status is that of a fault that may pass. A Worker gets those from 520 to 524 from
/// Cloudflare, in place of a response (Cloudflare Docs, "Cloudflare 5xx errors").
#[must_use]
pub fn is_transient(status: u16) -> bool {
    matches!(status, 500 | 502..=504 | 520..=524)
}

/// Whether another attempt may succeed.
#[must_use]
pub fn is_retryable(error: &Error) -> bool {
    match error {
        Error::Service(error) => {
            is_throttle(error)
                || is_transient(error.status)
                || matches!(
                    error.code.as_str(),
                    "RequestTimeout" | "RequestTimeoutException"
                )
        }
        Error::Send(SendError::Unreachable(_) | SendError::TimedOut) => true,
        Error::Send(SendError::TooLarge | SendError::SubrequestLimit)
        | Error::StaleSession
        | Error::Decode(_)
        | Error::Signing(_)
        | Error::DeadlineExceeded
        | Error::OutOfRequests => false,
    }
}

/// The wait before the next attempt after `failed` ones: full jitter over `2^(failed - 1)` s, or
/// what AWS asked for, and [`MAX_BACKOFF`] at most. `random` is uniformly distributed.
#[must_use]
pub fn backoff(failed: u32, random: u64, asked: Option<Duration>) -> Duration {
    let jittered = || {
        let ceiling = BASE_BACKOFF.saturating_mul(1 << failed.saturating_sub(1).min(30));
        let millis = (u128::from(random) * ceiling.min(MAX_BACKOFF).as_millis()) >> 64;
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    };
    asked.unwrap_or_else(jittered).min(MAX_BACKOFF)
}

/// The tokens that retries cost, so that a broken service does not see three times the calls: a
/// retry takes 5 of 500, a success returns what its call took, and at least 1.
#[derive(Debug)]
pub struct RetryQuota(Cell<u32>);

impl RetryQuota {
    const CAPACITY: u32 = 500;
    const COST: u32 = 5;

    /// Takes the tokens of one retry, if enough are left.
    pub fn take(&self) -> bool {
        match self.0.get().checked_sub(Self::COST) {
            Some(left) => {
                self.0.set(left);
                true
            }
            None => false,
        }
    }

    /// Returns the tokens of a call that succeeded after `retries` retries.
    pub fn give_back(&self, retries: u32) {
        let back = (retries * Self::COST).max(1);
        self.0.set((self.0.get() + back).min(Self::CAPACITY));
    }
}

impl Default for RetryQuota {
    fn default() -> Self {
        Self(Cell::new(Self::CAPACITY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn service(status: u16, code: &str) -> Error {
        Error::Service(ServiceError {
            status,
            code: code.into(),
            ..ServiceError::default()
        })
    }

    #[test]
    fn throttles_server_errors_and_broken_connections_are_retried() {
        for error in [
            service(400, "ThrottlingException"),
            service(429, ""),
            service(400, "RequestTimeout"),
            service(500, "ServerException"),
            service(502, ""),
            service(503, ""),
            service(504, ""),
            service(520, ""),
            service(522, ""),
            service(524, ""),
            Error::Send(SendError::Unreachable("reset".into())),
            Error::Send(SendError::TimedOut),
        ] {
            assert!(is_retryable(&error), "{error:?}");
        }
    }

    #[test]
    fn errors_that_would_repeat_are_not_retried() {
        for error in [
            service(400, "InvalidParameterException"),
            service(400, "AccessDeniedException"),
            service(403, "SignatureDoesNotMatch"),
            service(501, ""),
            service(525, ""),
            service(530, "1016"),
            Error::StaleSession,
            Error::Send(SendError::TooLarge),
            Error::Send(SendError::SubrequestLimit),
            Error::DeadlineExceeded,
        ] {
            assert!(!is_retryable(&error), "{error:?}");
        }
    }

    #[test]
    fn the_backoff_doubles_up_to_its_limit() {
        let longest = |failed| backoff(failed, u64::MAX, None).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 99].map(longest),
            [999, 1999, 3999, 7999, 15_999, 19_999, 19_999]
        );
        assert_eq!(backoff(5, 0, None), Duration::ZERO);
    }

    #[test]
    fn a_wait_that_aws_asks_for_is_honoured_within_the_limit() {
        let asked = |s| backoff(1, 0, Some(Duration::from_secs(s)));
        assert_eq!(asked(3), Duration::from_secs(3));
        assert_eq!(asked(3_000), MAX_BACKOFF);
    }

    #[test]
    fn a_hundred_retries_exhaust_the_quota_and_successes_refill_it() {
        let quota = RetryQuota::default();
        assert_eq!((0..1_000).filter(|_| quota.take()).count(), 100);
        quota.give_back(2);
        assert!(quota.take() && quota.take() && !quota.take());
        (0..10_000).for_each(|_| quota.give_back(0));
        assert_eq!((0..1_000).filter(|_| quota.take()).count(), 100);
    }

    proptest! {
        #[test]
        fn jitter_stays_below_its_ceiling(failed in 1_u32..100, random: u64) {
            let ceiling = Duration::from_secs(1 << (failed - 1).min(5)).min(MAX_BACKOFF);
            prop_assert!(backoff(failed, random, None) <= ceiling);
        }
    }
}
