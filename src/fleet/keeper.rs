//! Keeper: the one place that sweeps a target, for however many ask. It keeps the newest snapshot,
//! lets one sweep run at a time, in slices that fit an invocation, and remembers what failed.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use serde::de::DeserializeOwned;

use super::driver::drive;
use super::failure::Cause;
use super::reading::{Health, Word};
use super::record::{self, SweepRecord};
use super::refresh::{Decision, Failed, Policy, since};
use super::snapshot::Snapshot;
use super::stored::{self, Store, Underway, Versioned};
use super::sweep::{Extent, Sweep};
use super::target::Target;
use crate::aws::budget::{Budget, Usage};
use crate::aws::platform::Platform;
use crate::config::{self, Config};

/// How long the outcome of a health check is remembered, so that asking for it cannot be used to
/// hammer AWS.
pub const HEALTH_MAX_AGE: Duration = Duration::from_secs(30);

/// How much longer than a slice of a sweep may take a request waits for it.
const GRACE: Duration = Duration::from_secs(1);

/// How long after its deadline a slice that did not end counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// How long a sweep may rest between two slices before it is begun anew.
const MAX_REST: Duration = Duration::from_mins(5);

const SNAPSHOT: &str = "snapshot";
const SWEEP: &str = "sweep";

/// Keeps the newest snapshot of one target.
#[derive(Debug)]
pub struct Keeper<P, S> {
    platform: P,
    target: Target<P>,
    policy: Policy,
    sweep_timeout: Duration,
    /// How many requests a slice of a sweep may make.
    slice: u32,
    store: S,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    is_loaded: bool,
    newest: Option<Versioned>,
    /// The newest snapshot as it is stored.
    encoded: Option<Rc<Vec<u8>>>,
    failed: Option<Failed>,
    /// The sweep that a slice is at work on, or that waits for its next one.
    underway: Option<Underway>,
    /// The number of the newest slice, and until when it is believed to be running.
    run: u64,
    running_until: Option<SystemTime>,
    waiting: Vec<oneshot::Sender<()>>,
    /// What the newest sweep used, and what all did.
    usage: Usage,
    total: Usage,
    health: Option<Health>,
}

impl<P: Platform + Clone + 'static, S: Store + 'static> Keeper<P, S> {
    /// A keeper that looks into `store` before its first sweep.
    pub fn new(
        platform: &P,
        target: &config::Target,
        config: &Config,
        policy: Policy,
        store: S,
    ) -> Self {
        Self {
            platform: platform.clone(),
            target: Target::new(platform, target.clone(), config),
            policy,
            sweep_timeout: config.sweep_timeout,
            slice: config.subrequest_budget,
            store,
            state: RefCell::default(),
        }
    }

    /// What there is to serve, for the request called `request_id`.
    ///
    /// 1. A snapshot that is young enough is served at once; if it is not fresh, a sweep starts.
    /// 2. Too soon after a failure there is nothing.
    /// 3. All others wait for the same sweep, as long as a slice of one may take.
    /// 4. What is not too old stands in if the sweep failed or is not done by then.
    pub async fn read(self: &Rc<Self>, request_id: &str) -> Word {
        self.load();
        let now = self.platform.now();
        let (generated_at, failed) = {
            let state = self.state.borrow();
            let newest = state.newest.as_ref();
            (newest.map(|n| n.snapshot.generated_at), state.failed)
        };
        match self.policy.decide(generated_at, failed, now) {
            // (1)
            Decision::Serve { refresh } => {
                if refresh {
                    self.start(request_id);
                }
                self.word(true, failed, Usage::default())
            }
            // (2)
            Decision::Refuse(_) => self.word(false, failed, Usage::default()),
            Decision::Wait => {
                // (3)
                let is_mine = self.start(request_id);
                let is_done = self.wait().await;
                let (mut failed, usage) = {
                    let state = self.state.borrow();
                    let usage = if is_mine && is_done {
                        state.usage
                    } else {
                        Usage::default()
                    };
                    (state.failed, usage)
                };
                let now = self.platform.now();
                if !is_done && failed.is_none() {
                    failed = Some(Failed {
                        cause: Cause::NotDone,
                        at: now,
                        in_a_row: 0,
                    });
                }
                // (4)
                let is_kept = failed.is_none()
                    || generated_at.is_some_and(|at| self.policy.is_kept(since(at, now)));
                self.word(is_kept, failed, usage)
            }
        }
    }

    /// The newest snapshot.
    pub fn newest(&self) -> Option<Versioned> {
        self.state.borrow().newest.clone()
    }

    /// The newest snapshot as it is stored.
    pub fn encoded(&self) -> Option<Rc<Vec<u8>>> {
        self.state.borrow().encoded.clone()
    }

    /// Whether the keys work: a signed `ListClusters` of one item, not more often than every
    /// [`HEALTH_MAX_AGE`].
    pub async fn check(&self, request_id: &str) -> Health {
        let now = self.platform.now();
        let known = self.state.borrow().health.clone();
        if let Some(health) = known
            && since(health.checked_at, now) < HEALTH_MAX_AGE
        {
            return Health {
                usage: Usage::default(),
                ..health
            };
        }
        let budget = Budget::new(request_id, now, self.sweep_timeout);
        let cause = self.target.check(&budget).await.err();
        let health = Health {
            cause,
            checked_at: self.platform.now(),
            usage: budget.usage(),
        };
        let mut state = self.state.borrow_mut();
        state.total += health.usage;
        state.health = Some(health.clone());
        health
    }

    /// Goes on with a sweep that another invocation left, if there is one.
    pub async fn resume(&self, request_id: &str) {
        self.load();
        let is_underway = self.state.borrow().underway.is_some();
        if is_underway && let Some(run) = self.claim() {
            self.run(run, request_id).await;
        }
    }

    fn word(&self, is_served: bool, failed: Option<Failed>, usage: Usage) -> Word {
        let state = self.state.borrow();
        let newest = state.newest.as_ref().filter(|_| is_served);
        let extent = state
            .underway
            .as_ref()
            .map(|underway| underway.sweep.borrow().extent());
        Word {
            version: newest.map(|newest| newest.version),
            failed,
            retry_after: match (failed, extent) {
                (Some(failed), None) => self.policy.pause_left(failed, self.platform.now()),
                (_, Some(extent)) => self.time_for(extent),
                (None, None) => GRACE,
            },
            extent: extent.filter(|_| newest.is_none()),
            usage,
            total: state.total,
        }
    }

    /// How long the calls that are left take at least.
    fn time_for(&self, extent: Extent) -> Duration {
        let calls = u32::try_from(extent.calls_left).unwrap_or(u32::MAX);
        self.target.ecs().pacer().wait(calls, self.platform.now())
    }

    /// Takes the right to run a slice, if none is running.
    fn claim(&self) -> Option<u64> {
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        match state.running_until {
            Some(until) if until > now => return None,
            // Its invocation was taken down, and with it the calls that were out.
            Some(_) => state.underway = None,
            None => {}
        }
        state.run += 1;
        state.running_until = Some(now + self.sweep_timeout + LOST_AFTER);
        Some(state.run)
    }

    /// Starts a slice, if none is running; whether it did.
    fn start(self: &Rc<Self>, request_id: &str) -> bool {
        let Some(run) = self.claim() else {
            return false;
        };
        let (keeper, request_id) = (Rc::clone(self), request_id.to_owned());
        self.platform
            .spawn(async move { keeper.run(run, &request_id).await });
        true
    }

    /// Waits until the sweep is done, but not longer than a slice may take; whether it is.
    async fn wait(&self) -> bool {
        let (done, is_done) = oneshot::channel();
        self.state.borrow_mut().waiting.push(done);
        let patience = self.platform.sleep(self.sweep_timeout + GRACE);
        matches!(
            select(is_done, pin!(patience)).await,
            Either::Left((Ok(()), _))
        )
    }

    /// Runs a slice after the other, until the sweep is done or another invocation goes on with it.
    async fn run(&self, run: u64, request_id: &str) {
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
            underway.slices += 1;
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

    fn keep(&self, snapshot: Snapshot) {
        let mut state = self.state.borrow_mut();
        let millis = since(UNIX_EPOCH, snapshot.generated_at).as_millis();
        let before = state.newest.as_ref().map_or(0, |newest| newest.version);
        let newest = Versioned {
            version: u64::try_from(millis).unwrap_or_default().max(before + 1),
            snapshot: Rc::new(snapshot),
        };
        state.failed = None;
        if S::KEEPS {
            state.encoded = stored::encode(self.target.identity(), &newest).map(Rc::new);
        }
        state.newest = Some(newest);
        let encoded = state.encoded.clone();
        drop(state);
        if let Some(encoded) = encoded {
            self.save(SNAPSHOT, Some(&encoded));
        }
    }

    fn save_underway(&self) {
        let bytes = {
            let state = self.state.borrow();
            let underway = state.underway.as_ref().filter(|_| S::KEEPS);
            underway.and_then(|underway| stored::encode(self.target.identity(), underway))
        };
        if let Some(bytes) = bytes {
            self.save(SWEEP, Some(&bytes));
        }
    }

    fn save(&self, name: &'static str, bytes: Option<&[u8]>) {
        if let Err(error) = self.store.save(name, bytes) {
            record::store_failed(
                &self.platform,
                self.target.name(),
                name,
                "not saved",
                &error,
            );
        }
    }

    /// Takes what an earlier life of this keeper left, once.
    fn load(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().is_loaded, true) {
            return;
        }
        let newest: Option<(Versioned, Vec<u8>)> = self.stored(SNAPSHOT);
        let underway: Option<(Underway, Vec<u8>)> = self.stored(SWEEP);
        let mut state = self.state.borrow_mut();
        if let Some((newest, encoded)) = newest {
            state.newest = Some(newest);
            state.encoded = Some(Rc::new(encoded));
        }
        if let Some((underway, _)) = underway {
            self.target.ecs().pacer().resume(underway.paced_until);
            state.underway = Some(underway);
        }
    }

    fn stored<T: DeserializeOwned>(&self, name: &'static str) -> Option<(T, Vec<u8>)> {
        let dropped = |why: &str| {
            record::store_failed(&self.platform, self.target.name(), name, "dropped", why);
        };
        let bytes = match self.store.load(name) {
            Ok(bytes) => bytes?,
            Err(error) => {
                dropped(&error);
                return None;
            }
        };
        match stored::decode(&bytes, Some(self.target.identity())) {
            Ok(value) => Some((value, bytes)),
            Err(useless) => {
                dropped(&useless.to_string());
                None
            }
        }
    }
}
