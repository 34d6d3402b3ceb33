//! Persistence: what a refresher loads from its store and saves to it.

use std::rc::Rc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::encoding;
use super::log;
use super::refresher::Refresher;
use super::store::{PausedSweep, Store, VersionedSnapshot, version_at};
use crate::fleet::model::snapshot::Snapshot;
use crate::platform::Platform;

/// The greatest difference between two clocks of the platform.
const MAX_SKEW: Duration = Duration::from_mins(1);

/// The calls that may have to be made again if the memory is lost between two slices. Each save of a
/// sweep counts against the plan's limit of rows written, and each slice takes one for its alarm.
const CHECKPOINT_CALLS: u32 = 300;

const SNAPSHOT: &str = "snapshot";
const SWEEP: &str = "sweep";

impl<P: Platform + Clone + 'static, S: Store + 'static> Refresher<P, S> {
    /// Replaces the newest snapshot, in memory and in the store.
    pub(super) fn publish(&self, snapshot: Snapshot, sweep_duration: Duration) {
        let mut state = self.state.borrow_mut();
        let before = state.newest.as_ref().map_or(0, |newest| newest.version);
        let newest = VersionedSnapshot {
            version: version_at(snapshot.generated_at).max(before + 1),
            sweep_duration,
            snapshot: Rc::new(snapshot),
        };
        state.last_failure = None;
        state.patched.clear();
        state.newest = Some(newest);
        drop(state);
        if let Some(encoded) = S::PERSISTENT.then(|| self.encoded()).flatten() {
            self.save(SNAPSHOT, Some(&encoded));
            let mut state = self.state.borrow_mut();
            state.stored = state.newest.as_ref().map(|n| (n.version, encoded));
        }
    }

    /// Saves the paused sweep, if enough calls were made since it was saved last.
    pub(super) fn save_sweep(&self) {
        let saved = {
            let state = self.state.borrow();
            let stored_calls = state.stored_calls.unwrap_or_default();
            let is_due = |paused: &&PausedSweep| {
                S::PERSISTENT && paused.usage.calls.saturating_sub(stored_calls) >= CHECKPOINT_CALLS
            };
            state.sweep.as_ref().filter(is_due).and_then(|paused| {
                let bytes = encoding::encode(self.target.identity(), paused)?;
                Some((bytes, paused.usage.calls))
            })
        };
        if let Some((bytes, calls)) = saved {
            self.state.borrow_mut().stored_calls = Some(calls);
            self.save(SWEEP, Some(&bytes));
        }
    }

    /// Removes the current sweep from memory and from the store, so that no later invocation can
    /// continue it.
    pub(super) fn discard_sweep(&self) {
        let is_stored = {
            let mut state = self.state.borrow_mut();
            state.sweep = None;
            state.stored_calls.take().is_some()
        };
        if is_stored {
            self.save(SWEEP, None);
        }
    }

    fn save(&self, name: &'static str, bytes: Option<&[u8]>) {
        if let Err(error) = self.store.save(name, bytes) {
            self.log_storage(name, "not saved", &error);
        }
    }

    /// Loads what an earlier life of this refresher has saved, once.
    pub(super) fn load(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().is_loaded, true) {
            return;
        }
        let newest: Option<VersionedSnapshot> = self.load_item(SNAPSHOT);
        let paused: Option<PausedSweep> = self.load_item(SWEEP);
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        state.events.silent_since = Some(now);
        // A snapshot of the future, saved by a clock that was ahead, would count as fresh until then.
        let latest = now + MAX_SKEW;
        let is_plausible = |newest: &VersionedSnapshot| {
            newest.snapshot.generated_at <= latest && newest.version <= version_at(latest)
        };
        if let Some(newest) = newest.filter(is_plausible) {
            state.newest = Some(newest);
            if self.takes_events {
                // The marks of the earlier life are lost, and what was read anew then.
                state.marks.add_all();
            }
        }
        if let Some(paused) = paused {
            let limiter = self.target.ecs().limiter();
            limiter.resume(paused.limited_until, now);
            state.stored_calls = Some(paused.usage.calls);
            let swept_at = state.newest.as_ref().map(|n| n.snapshot.generated_at);
            let is_done = swept_at.is_some_and(|at| paused.started_at < at);
            state.sweep = Some(paused);
            drop(state);
            if is_done {
                // It could not be removed when the snapshot was saved.
                self.discard_sweep();
            }
        }
    }

    /// Loads and decodes an item. One that cannot be used is removed from the store.
    fn load_item<T: DeserializeOwned>(&self, name: &'static str) -> Option<T> {
        let bytes = match self.store.load(name) {
            Ok(bytes) => bytes?,
            Err(error) => {
                self.log_storage(name, "not loaded", &error);
                return None;
            }
        };
        match encoding::decode(&bytes, Some(self.target.identity())) {
            Ok(value) => Some(value),
            Err(error) => {
                self.log_storage(name, "dropped", &error.to_string());
                self.save(name, None);
                None
            }
        }
    }

    fn log_storage(&self, name: &'static str, outcome: &'static str, message: &str) {
        log::storage(&self.platform, self.target.name(), name, outcome, message);
    }
}
