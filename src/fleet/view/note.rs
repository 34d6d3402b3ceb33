//! Note: passes what events tell on to the targets.
//!
//! Requests share an outbox, but no future: the runtime of a Worker ties each to its own request. So
//! every request has its own timer, the first to wake passes on what all have collected, and the others
//! look for the outcome.

use std::cell::RefCell;
use std::time::Duration;

use super::Fleet;
use super::outbox::{INTERVAL, Outcome};
use super::source::SnapshotSource;
use crate::aws::event::Change;
use crate::config::TargetConfig;
use crate::platform::{Clock, Sleep};

/// The first pause between two looks for the outcome. Each is twice as long as the one before, as long
/// as they are shorter than [`INTERVAL`]; then the request passes on its change itself.
const FIRST_LOOK: Duration = Duration::from_millis(30);

impl<S: SnapshotSource> Fleet<S> {
    /// Notes a change for the next reader. Returns whether it concerns a target; `None` if the targets
    /// could not be told.
    pub async fn note(
        &self,
        platform: &(impl Clock + Sleep),
        change: Change,
        request_id: &str,
    ) -> Option<bool> {
        if !(0..self.config.targets.len()).any(|target| self.may_concern(target, &change)) {
            return Some(false);
        }
        let (batch, wait) = self.outbox.add(&change, platform.now());
        if !wait.is_zero() {
            platform.sleep(wait).await;
        }
        let mut look = FIRST_LOOK;
        let changes = loop {
            if let Some(changes) = self.outbox.take(batch, platform.now()) {
                break changes;
            }
            if let Some(outcome) = self.outbox.outcome(batch, &change) {
                return outcome;
            }
            if look >= INTERVAL {
                // The request that has taken the batch was cancelled.
                break vec![change.clone()];
            }
            platform.sleep(look).await;
            look *= 2;
        };
        let mut outcomes: Vec<Outcome> = vec![Some(false); changes.len()];
        for target in 0..self.config.targets.len() {
            if !changes
                .iter()
                .any(|change| self.may_concern(target, change))
            {
                continue;
            }
            let noted = self.source.note(target, &changes, request_id).await;
            for (index, outcome) in outcomes.iter_mut().enumerate() {
                let noted = noted.as_ref().and_then(|noted| noted.get(index));
                *outcome = match (noted, *outcome) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), known) => known,
                    (None, _) => None,
                };
            }
        }
        self.outbox.add_outcomes(batch, (changes, outcomes));
        self.outbox.outcome(batch, &change).flatten()
    }

    /// Whether the change may concern the target, as far as is known here.
    fn may_concern(&self, target: usize, change: &Change) -> bool {
        let is_here = |target: &TargetConfig| target.region == change.region;
        let cached = self.cached.get(target).map(RefCell::borrow);
        let newest = cached.as_ref().and_then(|cached| cached.newest.as_ref());
        let account = newest.and_then(|newest| newest.snapshot.account.as_ref());
        self.config.targets.get(target).is_some_and(is_here)
            && account.is_none_or(|account| *account == change.account)
    }
}
