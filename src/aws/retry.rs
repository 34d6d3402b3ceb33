//! Which errors are worth another attempt, and when (AWS SDKs and Tools Reference Guide, "Retry
//! behavior", standard mode).

use std::cell::Cell;
use std::time::Duration;

use super::error::{Error, ServiceError};
use super::platform::SendError;

/// Attempts of one call, the first one included.
pub const MAX_ATTEMPTS: u32 = 3;

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

/// Whether AWS asks for fewer calls. ECS does so with status 400.
#[must_use]
pub fn is_throttle(error: &ServiceError) -> bool {
    error.status == 429 || THROTTLES.contains(&error.code.as_str())
}

/// Whether the same call may succeed if it is made again.
#[must_use]
pub fn is_retryable(error: &Error) -> bool {
    match error {
        Error::Service(error) => {
            is_throttle(error)
                || matches!(error.status, 500 | 502 | 503 | 504)
                || matches!(
                    error.code.as_str(),
                    "RequestTimeout" | "RequestTimeoutException"
                )
        }
        Error::Send(SendError::Unreachable(_) | SendError::TimedOut) => true,
        Error::Send(SendError::TooLarge | SendError::SubrequestLimit)
        | Error::Unreadable(_)
        | Error::Signing(_)
        | Error::DeadlineExceeded
        | Error::OutOfRequests => false,
    }
}

/// The wait before the attempt after `failed` ones: full jitter over `2^(failed - 1)` s, or what
/// AWS asked for, and [`MAX_BACKOFF`] at most. `random` is evenly distributed.
#[must_use]
pub fn backoff(failed: u32, random: u64, asked: Option<Duration>) -> Duration {
    let wait = asked.unwrap_or_else(|| {
        let ceiling = 1_000_u64.saturating_mul(1 << failed.saturating_sub(1).min(20));
        let ceiling = ceiling.min(20_000);
        let millis = (u128::from(random) * u128::from(ceiling)) >> 64;
        Duration::from_millis(u64::try_from(millis).unwrap_or(ceiling))
    });
    wait.min(MAX_BACKOFF)
}

/// The tokens that retries are paid with, so that a broken service is not asked three times as
/// often: a retry takes 5 of 500, a success gives back what its call took and at least 1.
#[derive(Debug)]
pub struct RetryQuota(Cell<u32>);

impl RetryQuota {
    const CAPACITY: u32 = 500;
    const COST: u32 = 5;

    /// Pays for a retry, if the tokens suffice.
    pub fn take(&self) -> bool {
        match self.0.get().checked_sub(Self::COST) {
            Some(left) => {
                self.0.set(left);
                true
            }
            None => false,
        }
    }

    /// A call succeeded after `retries` of them.
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
            Error::Send(SendError::Unreachable("reset".into())),
            Error::Send(SendError::TimedOut),
        ] {
            assert!(is_retryable(&error), "{error:?}");
        }
    }

    #[test]
    fn what_would_fail_again_is_not_retried() {
        for error in [
            service(400, "InvalidParameterException"),
            service(400, "AccessDeniedException"),
            service(403, "SignatureDoesNotMatch"),
            service(501, ""),
            Error::Send(SendError::TooLarge),
            Error::Send(SendError::SubrequestLimit),
            Error::DeadlineExceeded,
        ] {
            assert!(!is_retryable(&error), "{error:?}");
        }
    }

    #[test]
    fn the_wait_grows_to_its_limit() {
        let longest = |failed| backoff(failed, u64::MAX, None).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 99].map(longest),
            [999, 1999, 3999, 7999, 15_999, 19_999, 19_999]
        );
        assert_eq!(backoff(5, 0, None), Duration::ZERO);
    }

    #[test]
    fn a_wait_that_aws_asks_for_is_kept_within_the_limit() {
        let asked = |s| backoff(1, 0, Some(Duration::from_secs(s)));
        assert_eq!(asked(3), Duration::from_secs(3));
        assert_eq!(asked(3_000), MAX_BACKOFF);
    }

    #[test]
    fn a_hundred_failures_in_a_row_use_the_quota_up_and_successes_fill_it() {
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
