//! Outbox: the changes that events tell, until they are passed on to the source. The first is passed on
//! at once; those that come within a second after it are collected, so that a storm of events is a
//! request a second.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use crate::aws::event::Change;
use crate::time::since;

/// The time for which changes are collected.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// The most different changes that are passed on together.
pub const MAX_CHANGES: usize = 100;

/// The most batches of which the outcome is held.
const MAX_OUTCOMES: usize = 16;

/// Whether a change was noted; `None` if it could not be passed on.
pub(super) type Outcome = Option<bool>;

#[derive(Debug, Default)]
pub(super) struct Outbox(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    /// The different changes of the batch that is collected, and its number.
    changes: Vec<Change>,
    batch: u64,
    /// The time at which the newest batch was passed on.
    sent_at: Option<SystemTime>,
    outcomes: Vec<(u64, Outcomes)>,
}

/// Different changes, and the outcome of each.
pub(super) type Outcomes = (Vec<Change>, Vec<Outcome>);

impl Outbox {
    /// Adds a change. Returns the number of its batch and the time until that is passed on.
    pub(super) fn add(&self, change: &Change, now: SystemTime) -> (u64, Duration) {
        let mut state = self.0.borrow_mut();
        if !state.changes.contains(change) {
            state.changes.push(change.clone());
        }
        let due = state.sent_at.map(|at| since(now, at + INTERVAL));
        let is_full = state.changes.len() >= MAX_CHANGES;
        let wait = due.filter(|_| !is_full).unwrap_or_default();
        (state.batch, wait)
    }

    /// Takes the batch of this number, unless another request has.
    pub(super) fn take(&self, batch: u64, now: SystemTime) -> Option<Vec<Change>> {
        let mut state = self.0.borrow_mut();
        if state.batch != batch {
            return None;
        }
        state.batch += 1;
        state.sent_at = Some(now);
        Some(std::mem::take(&mut state.changes))
    }

    pub(super) fn add_outcomes(&self, batch: u64, outcomes: Outcomes) {
        let mut state = self.0.borrow_mut();
        if state.outcomes.len() >= MAX_OUTCOMES {
            state.outcomes.remove(0);
        }
        state.outcomes.push((batch, outcomes));
    }

    /// The outcome of a change, if that of its batch is known.
    pub(super) fn outcome(&self, batch: u64, change: &Change) -> Option<Outcome> {
        let state = self.0.borrow();
        let mut batches = state.outcomes.iter().rev();
        let (_, (changes, outcomes)) = batches.find(|(known, _)| *known == batch)?;
        let index = changes.iter().position(|known| known == change)?;
        outcomes.get(index).copied()
    }
}
