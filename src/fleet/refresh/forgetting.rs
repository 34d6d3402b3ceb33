//! Forgetting: a target that nobody reads any more, as one that left the configuration or has another
//! name now, leaves no names and tags in its store.
//!
//! A store requests one invocation at a time, for two purposes: to continue a paused sweep, at once,
//! and to forget, a day after the last reader at the earliest. Which of them it is follows from the
//! age of what is stored: a paused sweep is minutes old, and what is forgotten a day.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::log;
use super::refresher::Refresher;
use super::store::Store;
use crate::platform::{Log, Platform};
use crate::time::since;

/// The time without a reader after which a store may be forgotten. Twice that time after the last
/// one, it is.
pub const UNREAD: Duration = Duration::from_hours(24);

/// The age of what a store forgets. It may be younger than the last reader's request by the time that
/// the sweep took after that.
const FORGETTABLE: Duration = Duration::from_hours(12);

impl<P: Platform + Clone + 'static, S: Store + 'static> Refresher<P, S> {
    /// Postpones forgetting on behalf of a reader. It is due again after twice [`UNREAD`], and is
    /// postponed only when less than [`UNREAD`] is left, so a store writes that once a day at most.
    pub async fn postpone_forgetting(&self) {
        let now = self.platform.now();
        let is_far = |at: SystemTime| at >= now + UNREAD;
        if self.forgotten_at().is_some_and(is_far) {
            return;
        }
        match self.store.next_wake().await {
            Some(at) if is_far(at) => self.state.borrow_mut().forgotten_at = Some(at),
            // It continues a sweep, and requests the next one at its end.
            Some(at) if at <= now => {}
            // Another reader or the end of a sweep has requested it meanwhile.
            _ if self.forgotten_at().is_some_and(is_far) => {}
            _ => self.schedule_forgetting().await,
        }
    }

    /// Continues the sweep that another invocation has paused, or forgets everything if nobody has
    /// read for a day, for an invocation that the store has requested.
    ///
    /// # Errors
    /// The platform's own words, if the store could not be cleared.
    pub async fn wake(self: &Rc<Self>, request_id: &str) -> Result<(), String> {
        self.load();
        if self.is_forgettable() {
            return self.forget().await;
        }
        self.resume(request_id).await;
        let known = self.forgotten_at();
        let is_unset = self.store.next_wake().await.is_none();
        // A reader may have requested it meanwhile.
        if is_unset && self.forgotten_at() == known {
            self.schedule_forgetting().await;
        }
        Ok(())
    }

    /// Whether nothing that is stored or running is younger than [`FORGETTABLE`].
    fn is_forgettable(&self) -> bool {
        let now = self.platform.now();
        let state = self.state.borrow();
        let newest = state.newest.as_ref().map(|n| n.snapshot.generated_at);
        let paused = state.sweep.as_ref().map(|paused| paused.stopped_at);
        let youngest = newest.max(paused).max(state.leased_until);
        youngest.is_none_or(|at| since(at, now) >= FORGETTABLE)
    }

    async fn forget(&self) -> Result<(), String> {
        clear(&self.store, &self.platform, self.target.name()).await?;
        let before = self.state.take();
        let mut state = self.state.borrow_mut();
        state.is_loaded = true;
        state.slice = before.slice;
        state.total = before.total;
        state.events = before.events;
        state.last_event_at = before.last_event_at;
        Ok(())
    }

    fn forgotten_at(&self) -> Option<SystemTime> {
        self.state.borrow().forgotten_at
    }

    async fn schedule_forgetting(&self) {
        let delay = 2 * UNREAD;
        self.state.borrow_mut().forgotten_at = Some(self.platform.now() + delay);
        if let Err(error) = self.store.wake_after(delay).await {
            self.state.borrow_mut().forgotten_at = None;
            log::storage(
                &self.platform,
                self.target.name(),
                "alarm",
                "not set",
                &error,
            );
        }
    }
}

/// Removes everything that `store` has of `target`, which need not be configured any more.
///
/// # Errors
/// The platform's own words.
pub async fn clear(store: &impl Store, log: &impl Log, target: &str) -> Result<(), String> {
    store.clear().await?;
    log::forgotten(log, target);
    Ok(())
}
