//! Fresh, stale or expired: when to sweep, and what to serve meanwhile. Pure: moments in, a decision
//! out.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::failure::Cause;

/// The pause after a sweep that failed; it doubles with each that fails after it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How old a snapshot may be for what.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// It counts as fresh.
    pub max_age: Duration,
    /// It is served at once, while a new sweep is under way.
    pub max_stale: Duration,
    /// It is served because new sweeps fail.
    pub max_stale_if_error: Duration,
}

/// The newest sweep failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Why.
    pub cause: Cause,
    /// When it ended.
    pub at: SystemTime,
    /// How many failed one after the other.
    pub in_a_row: u32,
}

/// What becomes of a request for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The snapshot in hand is served at once.
    Serve {
        /// A new sweep is due, behind the answer.
        refresh: bool,
    },
    /// The request waits for a sweep.
    Wait,
    /// There is nothing to serve, and it is too early to ask AWS again.
    Refuse(Failed),
}

impl Policy {
    /// The same where nothing runs behind an answer: what is not fresh waits for a sweep.
    #[must_use]
    pub fn without_background(self) -> Self {
        Self {
            max_stale: Duration::ZERO,
            ..self
        }
    }

    /// What to do about a snapshot of `generated_at`, if there is one, after the newest sweep
    /// `failed`, if it did.
    #[must_use]
    pub fn decide(
        &self,
        generated_at: Option<SystemTime>,
        failed: Option<Failed>,
        now: SystemTime,
    ) -> Decision {
        let paused = failed.filter(|failed| since(failed.at, now) < self.pause(failed.in_a_row));
        let age = generated_at.map(|at| since(at, now));
        match age {
            Some(age) if age <= self.max_age => Decision::Serve { refresh: false },
            Some(age) if age <= self.max_stale => Decision::Serve {
                refresh: paused.is_none(),
            },
            // AWS failed a moment ago; nobody should wait to see it fail again.
            Some(age) if self.is_kept(age) && failed.is_some_and(|f| self.is_recent(f, now)) => {
                Decision::Serve {
                    refresh: paused.is_none(),
                }
            }
            _ => paused.map_or(Decision::Wait, Decision::Refuse),
        }
    }

    /// Whether a snapshot of this age may stand in where a new sweep failed or is not done in time.
    #[must_use]
    pub fn is_kept(&self, age: Duration) -> bool {
        age <= self.max_stale_if_error
    }

    fn is_recent(&self, failed: Failed, now: SystemTime) -> bool {
        since(failed.at, now) <= self.max_stale.max(self.pause(failed.in_a_row))
    }

    /// How long AWS is left alone after so many failures: a second, doubled with each, and not longer
    /// than a snapshot is fresh, so that it recovers as soon.
    #[must_use]
    pub fn pause(&self, failures_in_a_row: u32) -> Duration {
        let doublings = failures_in_a_row.saturating_sub(1).min(16);
        (FIRST_PAUSE * (1 << doublings)).min(self.max_age.max(FIRST_PAUSE))
    }

    /// How long until AWS is asked again, after a failure.
    #[must_use]
    pub fn pause_left(&self, failed: Failed, now: SystemTime) -> Duration {
        self.pause(failed.in_a_row)
            .saturating_sub(since(failed.at, now))
    }
}

/// How long ago `moment` was; nothing for one in the future, which another clock may have seen.
#[must_use]
pub fn since(moment: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(moment).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::UNIX_EPOCH;

    const POLICY: Policy = Policy {
        max_age: Duration::from_secs(15),
        max_stale: Duration::from_mins(5),
        max_stale_if_error: Duration::from_hours(1),
    };
    const SERVE: Decision = Decision::Serve { refresh: false };
    const REFRESH: Decision = Decision::Serve { refresh: true };

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn failed(seconds: u64, in_a_row: u32) -> Failed {
        Failed {
            cause: Cause::Throttled,
            at: at(seconds),
            in_a_row,
        }
    }

    #[test]
    fn age_decides_while_sweeps_succeed() {
        let decide = |age| POLICY.decide(Some(at(0)), None, at(age));
        assert_eq!([0, 15].map(decide), [SERVE; 2]);
        assert_eq!([16, 300].map(decide), [REFRESH; 2]);
        assert_eq!([301, 9_999_999].map(decide), [Decision::Wait; 2]);
        assert_eq!(POLICY.decide(None, None, at(0)), Decision::Wait);
    }

    #[test]
    fn after_a_failure_the_old_snapshot_is_served_and_aws_is_left_alone_for_a_while() {
        let decide = |failure, now| POLICY.decide(Some(at(0)), Some(failure), at(now));
        assert_eq!(decide(failed(100, 3), 103), SERVE);
        assert_eq!(decide(failed(100, 3), 104), REFRESH);
        assert_eq!(decide(failed(3_000, 9), 3_014), SERVE);
        assert_eq!(decide(failed(3_000, 9), 3_015), REFRESH);
        // Nobody asked for a while: what was then says nothing about now.
        assert_eq!(decide(failed(3_000, 9), 3_301), Decision::Wait);
        let last = failed(3_600, 1);
        assert_eq!(decide(last, 3_600), SERVE);
        let late = failed(3_601, 9);
        assert_eq!(decide(late, 3_601), Decision::Refuse(late));
        assert_eq!(decide(late, 3_616), Decision::Wait);
    }

    #[test]
    fn without_a_snapshot_a_failure_is_told_until_the_pause_is_over() {
        let failure = failed(0, 2);
        let decide = |now| POLICY.decide(None, Some(failure), at(now));
        assert_eq!(decide(1), Decision::Refuse(failure));
        assert_eq!(decide(2), Decision::Wait);
        assert_eq!(POLICY.pause_left(failure, at(1)), Duration::from_secs(1));
    }

    #[test]
    fn where_nothing_runs_behind_an_answer_what_is_not_fresh_waits() {
        let policy = POLICY.without_background();
        assert_eq!(policy.decide(Some(at(0)), None, at(15)), SERVE);
        assert_eq!(policy.decide(Some(at(0)), None, at(16)), Decision::Wait);
        assert_eq!(
            policy.decide(Some(at(0)), Some(failed(16, 3)), at(17)),
            SERVE
        );
    }

    #[test]
    fn pauses_double_up_to_the_time_that_a_snapshot_is_fresh() {
        let pauses = [1, 2, 3, 4, 5, 99].map(|n| POLICY.pause(n).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 15, 15]);
        let eager = Policy {
            max_age: Duration::ZERO,
            ..POLICY
        };
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
            let policy = Policy {
                max_age: seconds(limits.0),
                max_stale: seconds(limits.1),
                max_stale_if_error: seconds(limits.2),
            };
            let now = 6_000;
            let failure = failure.map(|(ago, in_a_row)| failed(now - ago, in_a_row));
            let paused = failure.is_some_and(|f| !policy.pause_left(f, at(now)).is_zero());
            match policy.decide(age.map(|age| at(now - age)), failure, at(now)) {
                Decision::Serve { refresh } => {
                    let age = seconds(age.unwrap());
                    let limit = policy.max_age.max(policy.max_stale);
                    prop_assert!(age <= limit || failure.is_some() && policy.is_kept(age));
                    prop_assert!(!(refresh && paused));
                    prop_assert!(refresh || paused || age <= policy.max_age);
                }
                Decision::Wait => prop_assert!(!paused && age.is_none_or(|age| seconds(age) > policy.max_age)),
                Decision::Refuse(_) => prop_assert!(paused),
            }
        }
    }
}
