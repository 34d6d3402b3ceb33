//! Pacer: keeps calls below a rate, so that a public URL never throttles the account's own work.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A token bucket, kept as the moment at which it is full again (the generic cell rate algorithm;
/// ITU-T I.371, annex A).
#[derive(Debug)]
pub struct Pacer {
    burst: u32,
    interval: Duration,
    full_at: Cell<SystemTime>,
}

impl Pacer {
    /// At most `burst` calls at once, then `rate` a second; both at least 1.
    #[must_use]
    pub fn new(burst: u32, rate: u32) -> Self {
        Self {
            burst: burst.max(1),
            interval: Duration::from_secs(1) / rate.max(1),
            full_at: Cell::new(UNIX_EPOCH),
        }
    }

    /// Takes a token for one call: how long to wait with it.
    pub fn take(&self, now: SystemTime) -> Duration {
        let wait = self.wait(1, now);
        self.full_at.set(self.full_at(now) + self.interval);
        wait
    }

    /// How long it takes, from `now`, until so many more calls could have been made.
    #[must_use]
    pub fn wait(&self, calls: u32, now: SystemTime) -> Duration {
        let after = self.full_at(now) + self.interval * calls;
        after
            .duration_since(now + self.interval * self.burst)
            .unwrap_or_default()
    }

    /// When all tokens are there again.
    #[must_use]
    pub fn full_at(&self, now: SystemTime) -> SystemTime {
        self.full_at.get().max(now)
    }

    /// Goes on where another pacer was, but as if no more than all tokens were taken: what was
    /// stored by a clock that was ahead must not hold calls up.
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
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let pacer = Pacer::new(3, 10);
        let now = UNIX_EPOCH + Duration::from_hours(1);
        assert_eq!(pacer.wait(6, now).as_millis(), 300);
        let waits: Vec<_> = (0..6).map(|_| pacer.take(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        assert_eq!(pacer.take(now + Duration::from_hours(1)), Duration::ZERO);
    }

    #[test]
    fn a_moment_far_ahead_holds_nothing_up() {
        let (pacer, now) = (Pacer::new(3, 10), UNIX_EPOCH + Duration::from_hours(1));
        pacer.resume(now + Duration::from_hours(1), now);
        assert_eq!(pacer.take(now), Duration::from_millis(100));
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_sees_more_than_the_burst_and_the_rate(
            burst in 1_u32..60, rate in 1_u32..50, gaps in prop::collection::vec(0_u64..400, 1..200),
        ) {
            let pacer = Pacer::new(burst, rate);
            let mut now = UNIX_EPOCH + Duration::from_hours(1);
            let mut made = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                made.push(now + pacer.take(now));
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
