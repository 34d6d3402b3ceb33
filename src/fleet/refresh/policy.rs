//! Policy: decides when to sweep and what to serve meanwhile. Pure: times in, a decision out.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::config::AgeLimits;
use crate::fleet::model::cause::Cause;
use crate::time::since;

/// The pause after a failed sweep. It doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The age up to which a snapshot counts as fresh although anything may have changed since.
const MAX_AGE_IF_CHANGED: Duration = Duration::from_secs(15);

/// Decides by the age of a snapshot when to sweep and what to serve meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    limits: AgeLimits,
    /// Whether a sweep can run behind a response.
    has_background: bool,
}

/// The failure of the newest sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// The most specific cause.
    pub cause: Cause,
    /// The time at which the sweep ended.
    pub at: SystemTime,
    /// The number of sweeps that have failed in a row.
    pub in_a_row: u32,
}

/// The newest snapshot, as far as a decision depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Newest {
    /// The end of its sweep.
    pub generated_at: SystemTime,
    /// The duration of its sweep.
    pub sweep_duration: Duration,
}

/// The answer to a request for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The snapshot in hand is served at once.
    Serve {
        /// A new sweep is due, behind the response.
        refresh: bool,
    },
    /// The request waits for a sweep.
    Wait {
        /// The time after which it stops waiting. `None`: as long as a sweep may take.
        at_most: Option<Duration>,
    },
    /// There is nothing to serve, and it is too soon to call AWS again.
    Refuse(LastFailure),
}

impl Policy {
    /// A policy with these limits.
    #[must_use]
    pub fn new(limits: AgeLimits) -> Self {
        Self {
            limits,
            has_background: true,
        }
    }

    /// The policy where nothing runs behind a response: every request for a snapshot that is not
    /// fresh waits for the sweep, whatever it prefers.
    #[must_use]
    pub fn without_background(limits: AgeLimits) -> Self {
        Self {
            limits: AgeLimits {
                max_stale: Duration::ZERO,
                ..limits
            },
            has_background: false,
        }
    }

    /// The policy where all of the target has changed, as far as is known: a snapshot is fresh no longer
    /// than by default, however many events come.
    #[must_use]
    pub fn of_changed_target(self) -> Self {
        let limits = AgeLimits {
            max_age: self.limits.max_age.min(MAX_AGE_IF_CHANGED),
            ..self.limits
        };
        Self { limits, ..self }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> AgeLimits {
        self.limits
    }

    /// Whether `newest` would be stale before a sweep that starts now is done. Under steady traffic
    /// sweeps are `max_age` apart then, and no request waits.
    #[must_use]
    pub fn is_refresh_due(&self, newest: Newest, now: SystemTime) -> bool {
        let age = since(newest.generated_at, now);
        self.has_background && age.saturating_add(newest.sweep_duration) > self.limits.max_age
    }

    /// The decision about `newest`, if there is a snapshot, after the failure of the newest sweep, if
    /// it failed. `wait`: the time for which the request prefers to wait.
    #[must_use]
    pub fn decide(
        &self,
        newest: Option<Newest>,
        last_failure: Option<LastFailure>,
        wait: Option<Duration>,
        now: SystemTime,
    ) -> Decision {
        let is_paused =
            |failure: &LastFailure| since(failure.at, now) < self.pause(failure.in_a_row);
        let paused = last_failure.filter(is_paused);
        let wait = wait.filter(|_| self.has_background);
        let Some(newest) = newest else {
            return paused.map_or(Decision::Wait { at_most: wait }, Decision::Refuse);
        };
        let age = since(newest.generated_at, now);
        let may_start = paused.is_none();
        if age <= self.limits.max_age {
            return Decision::Serve {
                refresh: may_start && self.is_refresh_due(newest, now),
            };
        }
        // AWS failed a moment ago: a request should not wait to see it fail again.
        let is_failing = last_failure.is_some_and(|failure| self.is_recent(failure, now));
        if is_failing && self.may_stand_in(age) {
            return Decision::Serve { refresh: may_start };
        }
        if age <= self.limits.max_stale {
            let limit = wait.unwrap_or(self.limits.fresh_wait);
            // A sweep that takes longer would be waited for in vain.
            return if may_start && !limit.is_zero() && newest.sweep_duration <= limit {
                Decision::Wait {
                    at_most: Some(limit),
                }
            } else {
                Decision::Serve { refresh: may_start }
            };
        }
        paused.map_or(Decision::Wait { at_most: wait }, Decision::Refuse)
    }

    /// Whether a snapshot of this age may be served if a new sweep fails or is not done in time.
    #[must_use]
    pub fn may_stand_in(&self, age: Duration) -> bool {
        age <= self.limits.max_stale_if_error
    }

    fn is_recent(&self, failure: LastFailure, now: SystemTime) -> bool {
        since(failure.at, now) <= self.limits.max_stale.max(self.pause(failure.in_a_row))
    }

    /// The pause after this many failures in a row: a second, doubled with each failure, but no longer
    /// than a snapshot is fresh, so that recovery takes no longer than a refresh.
    #[must_use]
    pub fn pause(&self, failures_in_a_row: u32) -> Duration {
        let doublings = failures_in_a_row.saturating_sub(1).min(16);
        (FIRST_PAUSE * (1 << doublings)).min(self.limits.max_age.max(FIRST_PAUSE))
    }

    /// The rest of the pause after a failure.
    #[must_use]
    pub fn pause_left(&self, failure: LastFailure, now: SystemTime) -> Duration {
        self.pause(failure.in_a_row)
            .saturating_sub(since(failure.at, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::UNIX_EPOCH;

    const LIMITS: AgeLimits = AgeLimits {
        max_age: Duration::from_secs(15),
        fresh_wait: Duration::from_secs(8),
        max_stale: Duration::from_mins(5),
        max_stale_if_error: Duration::from_hours(1),
    };
    const SERVE: Decision = Decision::Serve { refresh: false };
    const REFRESH: Decision = Decision::Serve { refresh: true };
    const WAIT: Decision = Decision::Wait { at_most: None };

    fn policy() -> Policy {
        Policy::new(LIMITS)
    }

    fn wait(seconds: u64) -> Decision {
        Decision::Wait {
            at_most: Some(Duration::from_secs(seconds)),
        }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    /// A snapshot of second 0, whose sweep took `duration` seconds.
    fn newest(duration: u64) -> Newest {
        Newest {
            generated_at: at(0),
            sweep_duration: Duration::from_secs(duration),
        }
    }

    fn failure(seconds: u64, in_a_row: u32) -> LastFailure {
        LastFailure {
            cause: Cause::Throttled,
            at: at(seconds),
            in_a_row,
        }
    }

    #[test]
    fn the_age_decides_while_sweeps_succeed() {
        let decide = |age| policy().decide(Some(newest(1)), None, None, at(age));
        assert_eq!([0, 14].map(decide), [SERVE; 2]);
        assert_eq!(
            decide(15),
            REFRESH,
            "it expires before a sweep would be done"
        );
        assert_eq!([16, 300].map(decide), [wait(8); 2]);
        assert_eq!([301, 9_999_999].map(decide), [WAIT; 2]);
        assert_eq!(policy().decide(None, None, None, at(0)), WAIT);
    }

    #[test]
    fn a_sweep_starts_ahead_of_expiry_by_the_duration_of_the_last_one() {
        for (duration, age, expected) in [
            (3, 12, SERVE),
            (3, 13, REFRESH),
            (15, 0, SERVE),
            (16, 0, REFRESH),
            (0, 15, SERVE),
        ] {
            let decision = policy().decide(Some(newest(duration)), None, None, at(age));
            assert_eq!(decision, expected, "{duration} s, {age} s old");
        }
    }

    #[test]
    fn nobody_waits_for_a_sweep_that_takes_longer_than_the_wait() {
        let decide = |duration, wait: Option<u64>| {
            let wait = wait.map(Duration::from_secs);
            policy().decide(Some(newest(duration)), None, wait, at(20))
        };
        assert_eq!((decide(8, None), decide(9, None)), (wait(8), REFRESH));
        assert_eq!((decide(2, Some(2)), decide(3, Some(2))), (wait(2), REFRESH));
        assert_eq!(
            (decide(9, Some(20)), decide(0, Some(0))),
            (wait(20), REFRESH)
        );
    }

    #[test]
    fn a_preference_bounds_the_wait_for_the_first_snapshot_too() {
        let decide =
            |seconds| policy().decide(None, None, Some(Duration::from_secs(seconds)), at(0));
        assert_eq!([0, 9].map(decide), [0, 9].map(wait));
    }

    #[test]
    fn after_a_failure_the_old_snapshot_is_served_and_aws_gets_a_pause() {
        let decide = |failure, now| policy().decide(Some(newest(1)), Some(failure), None, at(now));
        assert_eq!(decide(failure(100, 3), 103), SERVE);
        assert_eq!(decide(failure(100, 3), 104), REFRESH);
        assert_eq!(decide(failure(3_000, 9), 3_014), SERVE);
        assert_eq!(decide(failure(3_000, 9), 3_015), REFRESH);
        // Nobody has asked for a while: an old failure says nothing about now.
        assert_eq!(decide(failure(3_000, 9), 3_301), WAIT);
        let last = failure(3_600, 1);
        assert_eq!(decide(last, 3_600), SERVE);
        let late = failure(3_601, 9);
        assert_eq!(decide(late, 3_601), Decision::Refuse(late));
        assert_eq!(decide(late, 3_616), WAIT);
    }

    #[test]
    fn without_a_snapshot_the_failure_is_reported_until_the_pause_is_over() {
        let last = failure(0, 2);
        let decide = |now| policy().decide(None, Some(last), None, at(now));
        assert_eq!(decide(1), Decision::Refuse(last));
        assert_eq!(decide(2), WAIT);
        assert_eq!(policy().pause_left(last, at(1)), Duration::from_secs(1));
    }

    #[test]
    fn without_background_work_a_request_for_a_stale_snapshot_waits() {
        let policy = Policy::without_background(LIMITS);
        let decide = |wait, now| policy.decide(Some(newest(9)), None, wait, at(now));
        assert_eq!(decide(None, 15), SERVE);
        assert_eq!(decide(None, 16), WAIT);
        assert_eq!(
            decide(Some(Duration::ZERO), 16),
            WAIT,
            "whatever it prefers"
        );
        let failing = policy.decide(Some(newest(9)), Some(failure(16, 3)), None, at(17));
        assert_eq!(failing, SERVE);
    }

    #[test]
    fn pauses_double_up_to_the_age_at_which_a_snapshot_is_stale() {
        let pauses = [1, 2, 3, 4, 5, 99].map(|n| policy().pause(n).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 15, 15]);
        let eager = Policy::new(AgeLimits {
            max_age: Duration::ZERO,
            ..LIMITS
        });
        assert_eq!(eager.pause(9), Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn nothing_is_served_beyond_the_limits_and_aws_is_never_asked_in_a_pause(
            limits in (0_u64..100, 0_u64..30, 0_u64..500, 0_u64..5_000),
            snapshot in prop::option::of((0_u64..6_000, 0_u64..60)),
            failed in prop::option::of((0_u64..6_000, 1_u32..12)),
            wait in prop::option::of(0_u64..40),
        ) {
            let seconds = Duration::from_secs;
            let limits = AgeLimits {
                max_age: seconds(limits.0),
                fresh_wait: seconds(limits.1),
                max_stale: seconds(limits.2),
                max_stale_if_error: seconds(limits.3),
            };
            let policy = Policy::new(limits);
            let now = 6_000;
            let failure = failed.map(|(ago, in_a_row)| failure(now - ago, in_a_row));
            let paused = failure.is_some_and(|f| !policy.pause_left(f, at(now)).is_zero());
            let newest = snapshot.map(|(age, duration)| Newest {
                generated_at: at(now - age),
                sweep_duration: seconds(duration),
            });
            let age = snapshot.map(|(age, _)| seconds(age));
            match policy.decide(newest, failure, wait.map(seconds), at(now)) {
                Decision::Serve { refresh } => {
                    let age = age.unwrap();
                    let limit = limits.max_age.max(limits.max_stale);
                    prop_assert!(age <= limit || failure.is_some() && policy.may_stand_in(age));
                    prop_assert!(!(refresh && paused));
                    prop_assert!(refresh || paused || age <= limits.max_age);
                }
                Decision::Wait { at_most } => {
                    prop_assert!(!paused && age.is_none_or(|age| age > limits.max_age));
                    let is_stale = age.is_some_and(|age| age <= limits.max_stale);
                    let most = wait.map(seconds).or(is_stale.then_some(limits.fresh_wait));
                    prop_assert_eq!(at_most, most);
                }
                Decision::Refuse(_) => prop_assert!(paused),
            }
        }
    }
}
