//! Refresher: the one place that sweeps a target, for any number of readers. It holds the newest
//! snapshot, runs one sweep at a time, in slices that fit an invocation, and remembers failures.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use super::encoding::{self, PART};
use super::marks::Marks;
use super::patch::PatchedClusters;
use super::policy::{Decision, LastFailure, Policy};
use super::status::{EventStatus, Health, SnapshotStatus};
use super::store::{PausedSweep, Store, VersionedSnapshot};
use crate::aws::budget::{Budget, Usage};
use crate::config::{Config, TargetConfig};
use crate::fleet::model::cause::Cause;
use crate::fleet::sweep::target_client::TargetClient;
use crate::fleet::sweep::{KnownClusters, SweepProgress};
use crate::platform::Platform;
use crate::time::since;

/// The time for which the result of a health check is remembered, so that `/healthz` cannot be used
/// to flood AWS.
pub const HEALTH_MAX_AGE: Duration = Duration::from_secs(30);

/// The time that a request waits beyond that of a slice.
const GRACE: Duration = Duration::from_secs(1);

/// The time after its deadline at which a slice that has not ended counts as lost.
pub(super) const LEASE_MARGIN: Duration = Duration::from_secs(10);

/// Refreshes the snapshot of one target.
#[derive(Debug)]
pub struct Refresher<P, S> {
    pub(super) platform: P,
    pub(super) target: TargetClient<P>,
    pub(super) policy: Policy,
    pub(super) sweep_timeout: Duration,
    /// The requests that one slice of a sweep may make.
    pub(super) slice_requests: u32,
    /// Whether events may come.
    pub(super) takes_events: bool,
    pub(super) store: S,
    pub(super) state: RefCell<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) is_loaded: bool,
    pub(super) newest: Option<VersionedSnapshot>,
    /// The version of the snapshot that was stored last, and its bytes, until they are sent or the next
    /// sweep starts.
    pub(super) stored: Option<(u64, Vec<u8>)>,
    /// The newest changes of the newest snapshot, in order.
    pub(super) patched: Vec<PatchedClusters>,
    pub(super) last_failure: Option<LastFailure>,
    /// The sweep that a slice works on, or that waits for its next slice.
    pub(super) sweep: Option<PausedSweep>,
    /// The calls of the paused sweep that is in the store, if there is one.
    pub(super) stored_calls: Option<u32>,
    /// The number of the newest slice, and the time until which its lease lasts.
    pub(super) slice: u64,
    pub(super) leased_until: Option<SystemTime>,
    pub(super) sweep_waiters: Vec<oneshot::Sender<()>>,
    /// The time at which the store is forgotten if nobody reads, where it is known.
    pub(super) forgotten_at: Option<SystemTime>,
    /// The requests of the newest sweep, and those since the refresher started.
    pub(super) usage: Usage,
    pub(super) total: Usage,
    /// What events have marked as changed, and where it lies.
    pub(super) marks: Marks,
    pub(super) clusters: KnownClusters,
    pub(super) events: EventStatus,
    pub(super) last_event_at: Option<SystemTime>,
    /// The time at which the newest rereading started, the time until which its lease lasts, and its
    /// requests, unless a reader was charged for them.
    pub(super) reread_at: Option<SystemTime>,
    pub(super) rereading_until: Option<SystemTime>,
    pub(super) reread_usage: Option<Usage>,
    pub(super) reread_waiters: Vec<oneshot::Sender<()>>,
    health: Option<Health>,
    /// The time until which a health check counts as running, and those who wait for it.
    checking_until: Option<SystemTime>,
    check_waiters: Vec<oneshot::Sender<Health>>,
}

impl<P: Platform + Clone + 'static, S: Store + 'static> Refresher<P, S> {
    /// A refresher that loads what `store` has before its first sweep.
    pub fn new(
        platform: &P,
        target: &TargetConfig,
        config: &Config,
        policy: Policy,
        store: S,
    ) -> Self {
        Self {
            platform: platform.clone(),
            target: TargetClient::new(platform, target.clone(), config),
            policy,
            sweep_timeout: config.sweep_timeout,
            slice_requests: config.subrequest_budget,
            takes_events: config.events_token.is_some(),
            store,
            state: RefCell::default(),
        }
    }

    /// The status of the snapshot, for the request called `request_id`, which prefers to wait for
    /// `wait`.
    ///
    /// 1. A fresh snapshot is served at once, and so is a stale one if waiting would be in vain. If
    ///    it expires soon, a sweep starts behind the response.
    /// 2. Too soon after a failure nothing is served.
    /// 3. All others wait for the same sweep, as long as the policy says.
    /// 4. A snapshot that is not too old stands in if the sweep failed or is still running.
    /// 5. What events have marked as changed is read anew, in the time that is left.
    pub async fn read(self: &Rc<Self>, wait: Option<Duration>, request_id: &str) -> SnapshotStatus {
        self.load();
        let wait_until = self.platform.now() + wait.unwrap_or(self.policy.limits().fresh_wait);
        let mut status = self.read_swept(wait, request_id).await;
        if !self.takes_events {
            return status;
        }
        // (5)
        if status.version.is_some()
            && let Some(usage) = self.reread(wait_until, request_id).await
        {
            status.usage += usage;
            // That the sweep is not done is no failure of the target, and still true.
            let not_done = status.last_failure.filter(|f| f.cause == Cause::NotDone);
            let last_failure = not_done.or(self.state.borrow().last_failure);
            status = self.status(true, last_failure, status.usage);
        }
        status.events = self.event_status();
        status
    }

    async fn read_swept(
        self: &Rc<Self>,
        wait: Option<Duration>,
        request_id: &str,
    ) -> SnapshotStatus {
        let policy = if self.is_sweep_marked() {
            self.policy.of_changed_target()
        } else {
            self.policy
        };
        let now = self.platform.now();
        let (newest, last_failure) = {
            let state = self.state.borrow();
            let newest = state.newest.as_ref();
            (newest.map(VersionedSnapshot::newest), state.last_failure)
        };
        match policy.decide(newest, last_failure, wait, now) {
            // (1)
            Decision::Serve { refresh } => {
                if refresh {
                    self.start(request_id);
                }
                self.status(true, last_failure, Usage::default())
            }
            // (2)
            Decision::Refuse(_) => self.status(false, last_failure, Usage::default()),
            Decision::Wait { at_most } => {
                // (3)
                let is_starter = self.start(request_id);
                let is_done = self.wait(|state| &mut state.sweep_waiters, at_most).await;
                let (mut last_failure, usage) = {
                    let state = self.state.borrow();
                    let is_charged = is_starter && is_done;
                    let usage = if is_charged {
                        state.usage
                    } else {
                        Usage::default()
                    };
                    (state.last_failure, usage)
                };
                let now = self.platform.now();
                let age = newest.map(|newest| since(newest.generated_at, now));
                if !is_done && age.is_some_and(|age| age <= self.policy.limits().max_stale) {
                    return self.status(true, last_failure, usage);
                }
                if !is_done {
                    last_failure = Some(LastFailure {
                        cause: Cause::NotDone,
                        at: now,
                        in_a_row: 0,
                    });
                }
                // (4)
                let may_stand_in = age.is_some_and(|age| self.policy.may_stand_in(age));
                let is_served = last_failure.is_none() || may_stand_in;
                self.status(is_served, last_failure, usage)
            }
        }
    }

    /// The newest snapshot.
    pub fn newest(&self) -> Option<VersionedSnapshot> {
        self.state.borrow().newest.clone()
    }

    /// The newest snapshot for a reader in the same memory, who needs no bytes of it.
    pub fn share(&self) -> Option<VersionedSnapshot> {
        let mut state = self.state.borrow_mut();
        state.stored = None;
        state.newest.clone()
    }

    /// What is sent to a reader who has version `known`: what has changed since, or all of the newest
    /// snapshot.
    pub fn encoded_since(&self, known: Option<u64>) -> Option<Vec<u8>> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let newest = state.newest.as_ref()?;
        let is_known = |(before, _): &PatchedClusters| Some(*before) == known;
        let first = state.patched.iter().position(is_known);
        if let Some(patched) = first.and_then(|first| state.patched.get(first..)) {
            return encoding::encode(PART, &newest.part(patched));
        }
        let is_newest = |(version, _): &mut (u64, Vec<u8>)| *version == newest.version;
        match state.stored.take_if(is_newest) {
            Some((_, bytes)) => Some(bytes),
            None => encoding::encode(self.target.identity(), newest),
        }
    }

    /// The newest snapshot as it is stored and sent.
    pub fn encoded(&self) -> Option<Vec<u8>> {
        self.encoded_since(None)
    }

    /// Checks the credentials and the permissions, for the request called `request_id`. All who ask at once wait for the
    /// same check, and its result is remembered for [`HEALTH_MAX_AGE`].
    pub async fn check(self: &Rc<Self>, request_id: &str) -> Health {
        let now = self.platform.now();
        let (known, last_event_at) = {
            let state = self.state.borrow();
            (state.health.clone(), state.last_event_at)
        };
        if let Some(health) = known
            && since(health.checked_at, now) < HEALTH_MAX_AGE
        {
            return Health {
                usage: Usage::default(),
                last_event_at,
                ..health
            };
        }
        let (sender, receiver) = oneshot::channel();
        let is_starter = {
            let mut state = self.state.borrow_mut();
            state.check_waiters.push(sender);
            let is_running = state.checking_until.is_some_and(|until| until > now);
            if !is_running {
                state.checking_until = Some(now + self.sweep_timeout + LEASE_MARGIN);
            }
            !is_running
        };
        if is_starter {
            let (refresher, request_id) = (Rc::clone(self), request_id.to_owned());
            self.platform
                .spawn(async move { refresher.run_check(&request_id).await });
        }
        let patience = self.platform.sleep(self.sweep_timeout + GRACE);
        let health = match select(receiver, pin!(patience)).await {
            Either::Left((Ok(health), _)) => health,
            Either::Left(_) | Either::Right(_) => Health {
                causes: vec![Cause::TimedOut],
                checked_at: self.platform.now(),
                usage: Usage::default(),
                last_event_at,
            },
        };
        let usage = if is_starter {
            health.usage
        } else {
            Usage::default()
        };
        Health { usage, ..health }
    }

    async fn run_check(&self, request_id: &str) {
        let budget = Budget::new(request_id, self.platform.now(), self.sweep_timeout);
        // A sweep in progress has its own renewal.
        if self.state.borrow().sweep.is_none() {
            self.target.allow_renewal();
        }
        let health = Health {
            causes: self.target.check(&budget).await,
            checked_at: self.platform.now(),
            usage: budget.usage(),
            last_event_at: self.state.borrow().last_event_at,
        };
        let mut state = self.state.borrow_mut();
        state.total += health.usage;
        state.health = Some(health.clone());
        state.checking_until = None;
        for waiter in state.check_waiters.drain(..) {
            // A waiter that gave up has dropped the other end.
            let _ = waiter.send(health.clone());
        }
    }

    /// Continues the sweep that another invocation has paused, if there is one.
    pub async fn resume(self: &Rc<Self>, request_id: &str) {
        self.load();
        let is_paused = self.state.borrow().sweep.is_some();
        if is_paused && let Some(slice) = self.try_acquire_lease() {
            self.run_slices(slice, request_id).await;
        }
    }

    fn status(
        &self,
        is_served: bool,
        last_failure: Option<LastFailure>,
        usage: Usage,
    ) -> SnapshotStatus {
        let state = self.state.borrow();
        let newest = state.newest.as_ref().filter(|_| is_served);
        let sweep = state.sweep.as_ref();
        let progress = sweep.map(|paused| paused.sweep.borrow().progress());
        SnapshotStatus {
            version: newest.map(|newest| newest.version),
            last_failure,
            retry_after: match (last_failure, progress) {
                (Some(failure), None) => self.policy.pause_left(failure, self.platform.now()),
                (_, Some(progress)) => self.least_time_for(progress),
                (None, None) => GRACE,
            },
            progress: progress.filter(|_| newest.is_none()),
            usage,
            total: state.total,
            events: EventStatus::default(),
        }
    }

    /// The time that the remaining calls take at least.
    fn least_time_for(&self, progress: SweepProgress) -> Duration {
        let calls = u32::try_from(progress.calls_left).unwrap_or(u32::MAX);
        self.target.ecs().limiter().wait(calls, self.platform.now())
    }

    /// Acquires the lease to run a slice, if no slice is running, and returns the slice's number.
    pub(super) fn try_acquire_lease(&self) -> Option<u64> {
        let now = self.platform.now();
        let leased_until = self.state.borrow().leased_until;
        match leased_until {
            Some(until) if until > now => return None,
            // The invocation of the slice has ended, and with it the calls that were in flight.
            Some(_) => self.discard_sweep(),
            None => {}
        }
        let mut state = self.state.borrow_mut();
        state.slice += 1;
        // The slice extends the lease to its own deadline as soon as it runs.
        state.leased_until = Some(now + LEASE_MARGIN);
        Some(state.slice)
    }

    /// Starts a slice, if none is running. Returns whether it did.
    fn start(self: &Rc<Self>, request_id: &str) -> bool {
        let Some(slice) = self.try_acquire_lease() else {
            return false;
        };
        let (refresher, request_id) = (Rc::clone(self), request_id.to_owned());
        self.platform
            .spawn(async move { refresher.run_slices(slice, &request_id).await });
        true
    }

    /// Waits until the sweep or the rereading is done, but no longer than `at_most`, and than a slice may
    /// take. `waiters`: those who wait for it. Returns whether it is.
    pub(super) async fn wait(
        &self,
        waiters: fn(&mut State) -> &mut Vec<oneshot::Sender<()>>,
        at_most: Option<Duration>,
    ) -> bool {
        let (sender, receiver) = oneshot::channel();
        waiters(&mut self.state.borrow_mut()).push(sender);
        let longest = self.sweep_timeout + GRACE;
        let patience = self.platform.sleep(at_most.unwrap_or(longest).min(longest));
        matches!(
            select(receiver, pin!(patience)).await,
            Either::Left((Ok(()), _))
        )
    }
}
