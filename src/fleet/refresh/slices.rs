//! Slices: runs the sweep of a refresher in pieces that fit an invocation.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::LocalBoxFuture;

use super::log::{self, SweepRecord};
use super::policy::LastFailure;
use super::refresher::{LEASE_MARGIN, Refresher, State};
use super::store::{Continuation, PausedSweep, Store};
use crate::aws::budget::{Budget, Usage};
use crate::fleet::model::cause::Cause;
use crate::fleet::sweep::Sweep;
use crate::fleet::sweep::driver::drive;
use crate::platform::Platform;
use crate::time::since;

/// The longest pause between two slices after which a sweep is continued.
const MAX_PAUSE: Duration = Duration::from_mins(5);

impl<P: Platform + Clone + 'static, S: Store + 'static> Refresher<P, S> {
    /// Runs slices, beginning with number `slice`, until the sweep is done or another invocation
    /// continues it.
    pub(super) async fn run_slices(&self, slice: u64, request_id: &str) {
        let mut slice = slice;
        loop {
            let sweep = self.current_sweep();
            let now = self.platform.now();
            let budget = self.budget(request_id, now);
            self.state.borrow_mut().leased_until = Some(budget.deadline() + LEASE_MARGIN);
            let responses = sweep.borrow().responses();
            self.run(&sweep, &budget).await;
            if !self.end_slice(slice, budget.usage()) {
                return;
            }
            if sweep.borrow().responses() == responses && !sweep.borrow().is_done() {
                // The platform allows fewer requests than a slice needs to make progress.
                sweep.borrow_mut().abandon(Cause::SubrequestLimit);
            }
            if sweep.borrow().is_done() {
                self.finish_sweep(request_id);
                return;
            }
            self.save_sweep();
            // Before the alarm is set: it may fire at once.
            self.state.borrow_mut().leased_until = None;
            match self.store.resume_later().await {
                Ok(Continuation::OtherInvocation) => return,
                Ok(Continuation::SameInvocation) => {}
                Err(error) => return self.suspend(&error),
            }
            match self.try_acquire_lease() {
                Some(next) => slice = next,
                None => return,
            }
        }
    }

    /// The budget of a slice that starts now.
    pub(super) fn budget(&self, request_id: &str, now: SystemTime) -> Budget {
        let limiter = self.target.ecs().limiter();
        Budget::new(request_id, now, self.sweep_timeout)
            .with_requests(self.slice_requests, limiter.wait(self.slice_requests, now))
    }

    /// Makes the calls of `sweep` within `budget`. A future of its own: it is polled for
    /// each response, and has two callers.
    pub(super) fn run<'a>(
        &'a self,
        sweep: &'a RefCell<Sweep>,
        budget: &'a Budget,
    ) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            loop {
                match self.target.prepare(budget).await {
                    Ok(()) => drive(self.target.ecs(), sweep, budget).await,
                    Err(cause) => sweep.borrow_mut().abandon(cause),
                }
                // The role is assumed once more in this slice, or at the start of the next one.
                if sweep.borrow().is_done()
                    || !self.target.is_session_stale()
                    || !budget.has_requests()
                {
                    break;
                }
            }
        })
    }

    /// The paused sweep, or a new one.
    fn current_sweep(&self) -> Rc<RefCell<Sweep>> {
        let now = self.platform.now();
        let is_outdated = |paused: &PausedSweep| since(paused.stopped_at, now) > MAX_PAUSE;
        if self.state.borrow().sweep.as_ref().is_some_and(is_outdated) {
            self.discard_sweep();
        }
        let mut state = self.state.borrow_mut();
        if state.sweep.is_none() {
            state.marks.on_sweep_start();
            state.stored = None;
        }
        let current = state.sweep.get_or_insert_with(|| {
            self.target.allow_renewal();
            PausedSweep {
                sweep: Rc::new(RefCell::new(self.target.sweep())),
                started_at: now,
                stopped_at: now,
                slices: 0,
                usage: Usage::default(),
                limited_until: now,
            }
        });
        Rc::clone(&current.sweep)
    }

    /// Accounts for a slice. Returns false if the slice counted as lost meanwhile, and another one
    /// has taken its place.
    fn end_slice(&self, slice: u64, usage: Usage) -> bool {
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        state.total += usage;
        if state.slice != slice {
            return false;
        }
        if let Some(current) = &mut state.sweep {
            current.usage += usage;
            current.slices = current.slices.saturating_add(1);
            current.stopped_at = now;
            current.limited_until = self.target.ecs().limiter().full_at(now);
        }
        true
    }

    /// Leaves the paused sweep to the next request, since no other invocation will continue it and
    /// this one has no calls left. Those who wait are told so.
    fn suspend(&self, error: &str) {
        log::storage(
            &self.platform,
            self.target.name(),
            "alarm",
            "not set",
            error,
        );
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        if state.leased_until.is_some() {
            // A request has continued it meanwhile.
            return;
        }
        state.last_failure = Some(LastFailure {
            cause: Cause::StorageUnavailable,
            at: now,
            // The pause does not grow, since AWS has not failed.
            in_a_row: 1,
        });
        state.usage = Usage::default();
        state.wake_waiters();
    }

    /// Publishes the snapshot of a sweep that is done, or remembers its failure, and wakes the
    /// waiters.
    fn finish_sweep(&self, request_id: &str) {
        let now = self.platform.now();
        let Some(done) = self.state.borrow_mut().sweep.take() else {
            return;
        };
        let sweep = done.sweep.replace(self.target.sweep());
        let clusters = self.takes_events.then(|| sweep.known_clusters());
        let found = self.target.finish(sweep, now);
        let times = (done.started_at, now);
        let record = SweepRecord::new("sweep", request_id, &self.target, times, done.usage);
        let mut record = record.in_slices(done.slices);
        match found {
            Ok(mut snapshot) => {
                record.found(&snapshot);
                if let Some(before) = self.newest() {
                    let oldest = now.checked_sub(self.policy.limits().max_stale_if_error);
                    snapshot.carry_over(&before.snapshot, oldest.unwrap_or(UNIX_EPOCH));
                }
                self.publish(snapshot, since(done.started_at, now));
                let mut state = self.state.borrow_mut();
                state.clusters = clusters.unwrap_or_default();
                state.marks.on_sweep_end();
            }
            Err(cause) => {
                record.failed(cause);
                let mut state = self.state.borrow_mut();
                let failures = state.last_failure.map_or(0, |failure| failure.in_a_row);
                state.last_failure = Some(LastFailure {
                    cause,
                    at: now,
                    in_a_row: failures.saturating_add(1),
                });
            }
        }
        record.write(&self.platform);
        self.discard_sweep();
        let mut state = self.state.borrow_mut();
        state.usage = done.usage;
        state.leased_until = None;
        state.wake_waiters();
    }
}

impl State {
    /// Wakes those who wait for the sweep.
    fn wake_waiters(&mut self) {
        for waiter in self.sweep_waiters.drain(..) {
            // A waiter that gave up has dropped the other end.
            let _ = waiter.send(());
        }
    }
}
