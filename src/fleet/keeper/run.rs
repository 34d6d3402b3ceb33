//! A keeper's sweep, slice by slice.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use super::{Keeper, LOST_AFTER, MAX_REST, SWEEP};
use crate::aws::budget::{Budget, Usage};
use crate::aws::platform::Platform;
use crate::fleet::driver::drive;
use crate::fleet::failure::Cause;
use crate::fleet::record::SweepRecord;
use crate::fleet::refresh::{Failed, since};
use crate::fleet::stored::{Store, Underway};
use crate::fleet::sweep::Sweep;

impl<P: Platform + Clone + 'static, S: Store + 'static> Keeper<P, S> {
    /// Runs a slice after the other, until the sweep is done or another invocation goes on with it.
    pub(super) async fn run(&self, run: u64, request_id: &str) {
        loop {
            let sweep = self.underway();
            let now = self.platform.now();
            let pacer = self.target.ecs().pacer();
            let budget = Budget::new(request_id, now, self.sweep_timeout)
                .with_requests(self.slice, pacer.wait(self.slice, now));
            self.state.borrow_mut().running_until = Some(budget.deadline() + LOST_AFTER);
            let answers = sweep.borrow().answers();
            match self.target.prepare(&budget).await {
                Ok(()) => drive(self.target.ecs(), &sweep, &budget).await,
                Err(cause) => sweep.borrow_mut().abandon(cause),
            }
            if !self.account(run, budget.usage()) {
                return;
            }
            if sweep.borrow().answers() == answers && !sweep.borrow().is_done() {
                // The platform allows less than a slice needs to get anywhere.
                sweep.borrow_mut().abandon(Cause::SubrequestLimit);
            }
            if sweep.borrow().is_done() {
                self.finish(request_id);
                return;
            }
            self.save_underway();
            if self.store.resume_later().await {
                self.state.borrow_mut().running_until = None;
                return;
            }
        }
    }

    /// The sweep that waits for its next slice, or a new one.
    fn underway(&self) -> Rc<RefCell<Sweep>> {
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        if state
            .underway
            .as_ref()
            .is_some_and(|u| since(u.stopped_at, now) > MAX_REST)
        {
            state.underway = None;
        }
        let underway = state.underway.get_or_insert_with(|| Underway {
            sweep: Rc::new(RefCell::new(self.target.sweep())),
            started_at: now,
            stopped_at: now,
            slices: 0,
            usage: Usage::default(),
            paced_until: now,
        });
        Rc::clone(&underway.sweep)
    }

    /// Notes what a slice used. False if the slice was given up for lost meanwhile, and another one
    /// works on its sweep.
    fn account(&self, run: u64, usage: Usage) -> bool {
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        state.total += usage;
        if state.run != run {
            return false;
        }
        if let Some(underway) = &mut state.underway {
            underway.usage += usage;
            underway.slices = underway.slices.saturating_add(1);
            underway.stopped_at = now;
            underway.paced_until = self.target.ecs().pacer().full_at(now);
        }
        true
    }

    /// The sweep is done: keeps what it found, or why it found nothing, and wakes those who wait.
    fn finish(&self, request_id: &str) {
        let now = self.platform.now();
        let Some(underway) = self.state.borrow_mut().underway.take() else {
            return;
        };
        let sweep = underway.sweep.replace(self.target.sweep());
        let found = self.target.finish(sweep, now);
        let mut record = SweepRecord::new(request_id, &self.target, &underway, now);
        match found {
            Ok(mut snapshot) => {
                record.found(&snapshot);
                if let Some(before) = self.newest() {
                    let oldest = now.checked_sub(self.policy.max_stale_if_error);
                    snapshot.keep_from(&before.snapshot, oldest.unwrap_or(UNIX_EPOCH));
                }
                self.keep(snapshot);
            }
            Err(cause) => {
                record.failed(cause);
                let mut state = self.state.borrow_mut();
                state.failed = Some(Failed {
                    cause,
                    at: now,
                    in_a_row: state.failed.map_or(0, |failed| failed.in_a_row) + 1,
                });
            }
        }
        record.write(&self.platform);
        if underway.slices > 1 {
            self.save(SWEEP, None);
        }
        let mut state = self.state.borrow_mut();
        state.usage = underway.usage;
        state.running_until = None;
        for waiting in state.waiting.drain(..) {
            // Who does not wait any more has dropped the other end.
            let _ = waiting.send(());
        }
    }
}
