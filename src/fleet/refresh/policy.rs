//! Policy: decides when to sweep and what to serve meanwhile. Pure: times in, a decision out.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::config::AgeLimits;
use crate::fleet::model::cause::Cause;
use crate::time::since;

/// The pause after a failed sweep. It doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Decides by the age of a snapshot when to sweep and what to serve meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Policy(AgeLimits);

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

/// The answer to a request for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The snapshot in hand is served at once.
    Serve {
        /// A new sweep is due, behind the response.
        refresh: bool,
    },
    /// The request waits for a sweep.
    Wait,
    /// There is nothing to serve, and it is too soon to call AWS again.
    Refuse(LastFailure),
}

impl Policy {
    /// A policy with these limits.
    #[must_use]
    pub fn new(limits: AgeLimits) -> Self {
        Self(limits)
    }

    /// The policy where nothing runs behind a response: a request for a stale snapshot waits.
    #[must_use]
    pub fn without_background(limits: AgeLimits) -> Self {
        Self(AgeLimits {
            max_stale: Duration::ZERO,
            ..limits
        })
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> AgeLimits {
        self.0
    }

    /// The decision about a snapshot of `generated_at`, if there is one, after the failure of the
    /// newest sweep, if it failed.
    #[must_use]
    pub fn decide(
        &self,
        generated_at: Option<SystemTime>,
        last_failure: Option<LastFailure>,
        now: SystemTime,
    ) -> Decision {
        let is_paused =
            |failure: &LastFailure| since(failure.at, now) < self.pause(failure.in_a_row);
        let paused = last_failure.filter(is_paused);
        let age = generated_at.map(|at| since(at, now));
        match age {
            Some(age) if age <= self.0.max_age => Decision::Serve { refresh: false },
            Some(age) if age <= self.0.max_stale => Decision::Serve {
                refresh: paused.is_none(),
            },
            // AWS failed a moment ago: a request should not wait to see it fail again.
            Some(age)
                if self.may_stand_in(age)
                    && last_failure.is_some_and(|f| self.is_recent(f, now)) =>
            {
                Decision::Serve {
                    refresh: paused.is_none(),
                }
            }
            _ => paused.map_or(Decision::Wait, Decision::Refuse),
        }
    }

    /// Whether a snapshot of this age may be served if a new sweep fails or is not done in time.
    #[must_use]
    pub fn may_stand_in(&self, age: Duration) -> bool {
        age <= self.0.max_stale_if_error
    }

    fn is_recent(&self, failure: LastFailure, now: SystemTime) -> bool {
        since(failure.at, now) <= self.0.max_stale.max(self.pause(failure.in_a_row))
    }

    /// The pause after this many failures in a row: a second, doubled with each failure, but no longer
    /// than a snapshot is fresh, so that recovery takes no longer than a refresh.
    #[must_use]
    pub fn pause(&self, failures_in_a_row: u32) -> Duration {
        let doublings = failures_in_a_row.saturating_sub(1).min(16);
        (FIRST_PAUSE * (1 << doublings)).min(self.0.max_age.max(FIRST_PAUSE))
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
        max_stale: Duration::from_mins(5),
        max_stale_if_error: Duration::from_hours(1),
    };
    const POLICY: Policy = Policy(LIMITS);
    const SERVE: Decision = Decision::Serve { refresh: false };
    const REFRESH: Decision = Decision::Serve { refresh: true };

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn failed(seconds: u64, in_a_row: u32) -> LastFailure {
        LastFailure {
            cause: Cause::Throttled,
            at: at(seconds),
            in_a_row,
        }
    }

    #[test]
    fn the_age_decides_while_sweeps_succeed() {
        let decide = |age| POLICY.decide(Some(at(0)), None, at(age));
        assert_eq!([0, 15].map(decide), [SERVE; 2]);
        assert_eq!([16, 300].map(decide), [REFRESH; 2]);
        assert_eq!([301, 9_999_999].map(decide), [Decision::Wait; 2]);
        assert_eq!(POLICY.decide(None, None, at(0)), Decision::Wait);
    }

    #[test]
    fn after_a_failure_the_old_snapshot_is_served_and_aws_gets_a_pause() {
        let decide = |failure, now| POLICY.decide(Some(at(0)), Some(failure), at(now));
        assert_eq!(decide(failed(100, 3), 103), SERVE);
        assert_eq!(decide(failed(100, 3), 104), REFRESH);
        assert_eq!(decide(failed(3_000, 9), 3_014), SERVE);
        assert_eq!(decide(failed(3_000, 9), 3_015), REFRESH);
        // Nobody has asked for a while: an old failure says nothing about now.
        assert_eq!(decide(failed(3_000, 9), 3_301), Decision::Wait);
        let last = failed(3_600, 1);
        assert_eq!(decide(last, 3_600), SERVE);
        let late = failed(3_601, 9);
        assert_eq!(decide(late, 3_601), Decision::Refuse(late));
        assert_eq!(decide(late, 3_616), Decision::Wait);
    }

    #[test]
    fn without_a_snapshot_the_failure_is_reported_until_the_pause_is_over() {
        let failure = failed(0, 2);
        let decide = |now| POLICY.decide(None, Some(failure), at(now));
        assert_eq!(decide(1), Decision::Refuse(failure));
        assert_eq!(decide(2), Decision::Wait);
        assert_eq!(POLICY.pause_left(failure, at(1)), Duration::from_secs(1));
    }

    #[test]
    fn without_background_work_a_request_for_a_stale_snapshot_waits() {
        let policy = Policy::without_background(LIMITS);
        assert_eq!(policy.decide(Some(at(0)), None, at(15)), SERVE);
        assert_eq!(policy.decide(Some(at(0)), None, at(16)), Decision::Wait);
        assert_eq!(
            policy.decide(Some(at(0)), Some(failed(16, 3)), at(17)),
            SERVE
        );
    }

    #[test]
    fn pauses_double_up_to_the_age_at_which_a_snapshot_is_stale() {
        let pauses = [1, 2, 3, 4, 5, 99].map(|n| POLICY.pause(n).as_secs());
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
            limits in (0_u64..100, 0_u64..500, 0_u64..5_000),
            age in prop::option::of(0_u64..6_000),
            failure in prop::option::of((0_u64..6_000, 1_u32..12)),
        ) {
            let seconds = Duration::from_secs;
            let limits = AgeLimits {
                max_age: seconds(limits.0),
                max_stale: seconds(limits.1),
                max_stale_if_error: seconds(limits.2),
            };
            let policy = Policy::new(limits);
            let now = 6_000;
            let failure = failure.map(|(ago, in_a_row)| failed(now - ago, in_a_row));
            let paused = failure.is_some_and(|f| !policy.pause_left(f, at(now)).is_zero());
            match policy.decide(age.map(|age| at(now - age)), failure, at(now)) {
                Decision::Serve { refresh } => {
                    let age = seconds(age.unwrap());
                    let limit = limits.max_age.max(limits.max_stale);
                    prop_assert!(age <= limit || failure.is_some() && policy.may_stand_in(age));
                    prop_assert!(!(refresh && paused));
                    prop_assert!(refresh || paused || age <= limits.max_age);
                }
                Decision::Wait => prop_assert!(!paused && age.is_none_or(|age| seconds(age) > limits.max_age)),
                Decision::Refuse(_) => prop_assert!(paused),
            }
        }
    }
}
