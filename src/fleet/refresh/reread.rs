//! Reread: events mark services as changed, and a reader who comes then gets these read anew, without a
//! sweep. If nobody reads, AWS sees no call.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::log::SweepRecord;
use super::marks::ServicesByCluster;
use super::policy::LastFailure;
use super::refresher::{LEASE_MARGIN, Refresher, State};
use super::status::EventStatus;
use super::store::Store;
use crate::aws::budget::Usage;
use crate::aws::event::Change;
use crate::aws::protocol::OperationName;
use crate::fleet::model::cause::Cause;
use crate::fleet::model::snapshot::Snapshot;
use crate::fleet::sweep::{Description, Sweep};
use crate::platform::Platform;
use crate::time::since;

/// The time from the start of one rereading to the start of the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// Up to so many marked services are always read one by one; beyond that, no more than a fifth of the
/// fleet, since a sweep describes ten services with one call.
const FEW: usize = 10;
const MAX_PART: usize = 5;

/// The most patches that are remembered for readers who have an earlier version.
const MAX_PATCHES: usize = 32;

/// What the marks ask for.
#[derive(Debug)]
enum Due {
    Nothing,
    /// These services are described.
    Services(Vec<(Description, Vec<String>)>),
    /// The target is swept.
    Sweep,
}

impl<P: Platform + Clone + 'static, S: Store + 'static> Refresher<P, S> {
    /// Notes that something has changed. Returns of each change whether it concerns the target. A
    /// target that has not been read at all has nothing that could be out of date.
    pub fn note(&self, changes: &[Change]) -> Vec<bool> {
        self.load();
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        let account = state.account();
        let mut noted = Vec::with_capacity(changes.len());
        for change in changes {
            let is_ours =
                account.as_ref() == Some(&change.account) && change.region == self.target.region();
            noted.push(is_ours);
            if is_ours {
                match change.service.clone() {
                    Some((cluster, service)) => state.marks.add(cluster, service),
                    None => state.marks.add_all(),
                }
                state.events.total = state.events.total.saturating_add(1);
                state.events.silent_since = Some(now);
                state.last_event_at = Some(now);
            }
        }
        noted
    }

    /// The status of the events.
    pub(super) fn event_status(&self) -> EventStatus {
        let state = self.state.borrow();
        let now = self.platform.now();
        EventStatus {
            is_pending: state.rereading_until.is_some_and(|until| until > now),
            ..state.events
        }
    }

    /// Whether the marks ask for a sweep.
    pub(super) fn is_sweep_marked(&self) -> bool {
        matches!(self.due(), Due::Sweep)
    }

    fn due(&self) -> Due {
        let state = self.state.borrow();
        if state.marks.is_all() {
            return Due::Sweep;
        }
        let (parts, count) = state.marks.services();
        let Some(newest) = state.newest.as_ref().filter(|_| count > 0) else {
            return Due::Nothing;
        };
        let snapshot = &newest.snapshot;
        let services: usize = snapshot.clusters.iter().map(|c| c.services.len()).sum();
        if count > FEW.max(services / MAX_PART) {
            return Due::Sweep;
        }
        let redactor = self.target.redactor().and(snapshot.account.clone());
        let is_shown = |name: &String| redactor.text(name.clone()) == *name;
        let mut due = Vec::with_capacity(parts.len());
        for (cluster, services) in parts {
            let known = state.clusters.get(&cluster).cloned();
            // Where a name is redacted, services could be taken for each other.
            match known.filter(|_| is_shown(&cluster) && services.iter().all(is_shown)) {
                Some(known) => due.push((known, services)),
                None => return Due::Sweep,
            }
        }
        Due::Services(due)
    }

    /// Reads anew what is marked, for a reader who waits no longer than `until`. `None` if there is
    /// nothing to read; else the requests to AWS on the reader's behalf.
    pub(super) async fn reread(
        self: &Rc<Self>,
        until: SystemTime,
        request_id: &str,
    ) -> Option<Usage> {
        let arrived = self.state.borrow().marks.newest();
        let mut done = None;
        // One that is running may have begun before the reader came.
        for _ in 0..2 {
            let is_due = self.state.borrow().marks.has_until(arrived)
                && matches!(self.due(), Due::Services(_));
            if !is_due || !self.start_rereading(request_id) {
                break;
            }
            let mut usage = done.unwrap_or_default();
            let left = since(self.platform.now(), until);
            let is_done = !left.is_zero()
                && self
                    .wait(|state| &mut state.reread_waiters, Some(left))
                    .await;
            if let Some(more) = self.state.borrow_mut().reread_usage.take_if(|_| is_done) {
                usage += more;
            }
            done = Some(usage);
            if !is_done {
                break;
            }
        }
        done
    }

    /// Starts a rereading, if none is running. Returns whether one is: none starts too soon after a
    /// failure.
    fn start_rereading(self: &Rc<Self>, request_id: &str) -> bool {
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        if state.rereading_until.is_some_and(|until| until > now) {
            return true;
        }
        let pause = state
            .last_failure
            .map(|failure| self.policy.pause_left(failure, now));
        if pause.is_some_and(|left| !left.is_zero()) {
            return false;
        }
        state.rereading_until = Some(now + INTERVAL + self.sweep_timeout + LEASE_MARGIN);
        drop(state);
        let (refresher, request_id) = (Rc::clone(self), request_id.to_owned());
        self.platform
            .spawn(async move { refresher.run_rereading(&request_id).await });
        true
    }

    async fn run_rereading(&self, request_id: &str) {
        let next_at = self.state.borrow().reread_at.map(|at| at + INTERVAL);
        let pause = next_at.map(|at| since(self.platform.now(), at));
        if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
            self.platform.sleep(pause).await;
        }
        let started_at = self.platform.now();
        self.state.borrow_mut().reread_at = Some(started_at);
        if let Due::Services(parts) = self.due() {
            self.reread_services(parts, started_at, request_id).await;
        }
        let mut state = self.state.borrow_mut();
        state.rereading_until = None;
        for waiter in state.reread_waiters.drain(..) {
            // A waiter that gave up has dropped the other end.
            let _ = waiter.send(());
        }
    }

    async fn reread_services(
        &self,
        parts: Vec<(Description, Vec<String>)>,
        started_at: SystemTime,
        request_id: &str,
    ) {
        let (number, account) = {
            let state = self.state.borrow();
            (state.marks.newest(), state.account())
        };
        let names = |(cluster, services): &(Description, Vec<String>)| {
            (cluster.name().to_owned(), services.clone())
        };
        let read: ServicesByCluster = parts.iter().map(names).collect();
        let sweep = RefCell::new(self.target.sweep_of(account, parts.into_iter()));
        let budget = self.budget(request_id, started_at);
        self.run(&sweep, &budget).await;
        let now = self.platform.now();
        let mut sweep: Sweep = sweep.into_inner();
        if !sweep.is_done() {
            sweep.abandon(Cause::SubrequestLimit);
        }
        let mut record = SweepRecord::new(
            "reread",
            request_id,
            &self.target,
            (started_at, now),
            budget.usage(),
        );
        let found = self.target.finish(sweep, now);
        match &found {
            Ok(found) => record.found(found),
            Err(cause) => record.failed(*cause),
        }
        record.write(&self.platform);
        let mut state = self.state.borrow_mut();
        state.total += budget.usage();
        state.reread_usage = Some(budget.usage());
        match found {
            Ok(found) => {
                state.patch(&read, found, number, (started_at, now));
                let max_age = self.policy.limits().max_age;
                let age = state
                    .newest
                    .as_ref()
                    .map(|n| since(n.snapshot.generated_at, now));
                if age.is_some_and(|age| age <= max_age) {
                    // Without a sweep that is due, the failure was that of a rereading.
                    state.last_failure = None;
                }
            }
            // The next sweep says what it is with these services.
            Err(
                Cause::NotAllowed(OperationName::DescribeServices, _)
                | Cause::Unreadable
                | Cause::LeftOut,
            ) => state.take_off(&read, &[], number),
            Err(cause) => {
                let failures = state.last_failure.map_or(0, |failure| failure.in_a_row);
                state.last_failure = Some(LastFailure {
                    cause,
                    at: now,
                    in_a_row: failures.saturating_add(1),
                });
            }
        }
    }
}

impl State {
    /// The account of the target, as far as it is known.
    fn account(&self) -> Option<String> {
        let newest = self.newest.as_ref();
        let swept = newest.and_then(|newest| newest.snapshot.account.clone());
        let sweep = self.sweep.as_ref();
        swept.or_else(|| Some(sweep?.sweep.borrow().account()?.to_owned()))
    }

    /// Publishes what was `found` of the services that were `read` at the mark of this number, from the
    /// first to the second of these times. It is not stored: whoever loses it sweeps.
    fn patch(
        &mut self,
        read: &ServicesByCluster,
        found: Snapshot,
        number: u64,
        (started_at, now): (SystemTime, SystemTime),
    ) {
        let Some(newest) = &mut self.newest else {
            return;
        };
        let generated_at = newest.snapshot.generated_at;
        let swept_at = generated_at.checked_sub(newest.sweep_duration);
        if swept_at.is_some_and(|swept_at| swept_at >= started_at) {
            // The sweep has read these services later, and has taken off the marks from before.
            return;
        }
        let before = newest.version;
        newest.advance(now);
        let snapshot = Rc::make_mut(&mut newest.snapshot);
        let clusters = snapshot.clusters.len();
        let unread = snapshot.patch(read, found);
        let is_same_length = snapshot.clusters.len() == clusters;
        if self.patched.len() >= MAX_PATCHES || !is_same_length || !snapshot.has_clusters(read) {
            self.patched.clear();
        } else {
            let names = read.iter().map(|(name, _)| name.clone());
            self.patched.push((before, names.collect()));
        }
        self.take_off(read, &unread, number);
    }

    fn take_off(&mut self, read: &ServicesByCluster, unread: &[(String, String)], number: u64) {
        let is_swept = self.sweep.is_some();
        for (cluster, services) in read {
            for service in services {
                let is_unread = |(c, s): &(String, String)| c == cluster && s == service;
                if !unread.iter().any(is_unread) {
                    self.marks.take_off(cluster, service, number, is_swept);
                }
            }
        }
    }
}
