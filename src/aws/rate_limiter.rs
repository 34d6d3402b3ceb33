//! Rate limiter: keeps calls below a rate, so that a public URL never throttles the work of the account.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A token bucket, stored as the time at which it is full again (generic cell rate algorithm, ITU-T
/// I.371, annex A).
#[derive(Debug)]
pub struct RateLimiter {
    burst: u32,
    interval: Duration,
    full_at: Cell<SystemTime>,
}

impl RateLimiter {
    /// Allows `burst` calls at once, then `rate` calls a second; both are at least 1.
    #[must_use]
    pub fn new(burst: u32, rate: u32) -> Self {
        Self {
            burst: burst.max(1),
            interval: Duration::from_secs(1) / rate.max(1),
            full_at: Cell::new(UNIX_EPOCH),
        }
    }

    /// Takes a token for one call, and returns how long the call has to wait.
    pub fn take(&self, now: SystemTime) -> Duration {
        let wait = self.wait(1, now);
        self.full_at.set(self.full_at(now) + self.interval);
        wait
    }

    /// The time from `now` until `calls` more calls could have been made.
    #[must_use]
    pub fn wait(&self, calls: u32, now: SystemTime) -> Duration {
        let after = self.full_at(now) + self.interval * calls;
        after
            .duration_since(now + self.interval * self.burst)
            .unwrap_or_default()
    }

    /// The time at which the bucket is full again.
    #[must_use]
    pub fn full_at(&self, now: SystemTime) -> SystemTime {
        self.full_at.get().max(now)
    }

    /// Continues another limiter whose bucket is full at `full_at`. At most all tokens count as
    /// taken: a time stored by a clock that was ahead must not block calls.
    pub fn resume(&self, full_at: SystemTime, now: SystemTime) {
        self.full_at
            .set(full_at.min(now + self.interval * self.burst));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_is_sent_at_once_and_the_rest_at_the_rate() {
        let limiter = RateLimiter::new(3, 10);
        let now = UNIX_EPOCH + Duration::from_hours(1);
        assert_eq!(limiter.wait(6, now).as_millis(), 300);
        let waits: Vec<_> = (0..6).map(|_| limiter.take(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        assert_eq!(limiter.take(now + Duration::from_hours(1)), Duration::ZERO);
    }

    #[test]
    fn a_time_far_ahead_blocks_no_call() {
        let (limiter, now) = (
            RateLimiter::new(3, 10),
            UNIX_EPOCH + Duration::from_hours(1),
        );
        limiter.resume(now + Duration::from_hours(1), now);
        assert_eq!(limiter.take(now), Duration::from_millis(100));
    }

    proptest! {
        #[test]
        fn no_period_sees_more_calls_than_burst_and_rate_allow(
            burst in 1_u32..60, rate in 1_u32..50, gaps in prop::collection::vec(0_u64..400, 1..200),
        ) {
            let limiter = RateLimiter::new(burst, rate);
            let mut now = UNIX_EPOCH + Duration::from_hours(1);
            let mut made = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                made.push(now + limiter.take(now));
            }
            for (index, start) in made.iter().enumerate() {
                for (count, end) in made.iter().enumerate().skip(index) {
                    let calls = u32::try_from(count - index + 1).unwrap();
                    let seconds = end.duration_since(*start).unwrap().as_secs_f64();
                    prop_assert!(f64::from(calls) <= f64::from(burst) + seconds * f64::from(rate) + 1.0 + 1e-6);
                }
            }
        }
    }
}
