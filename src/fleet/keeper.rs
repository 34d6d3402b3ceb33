//! Keeper: the one place that sweeps a target, for however many ask. It keeps the newest snapshot,
//! lets one sweep run at a time, in slices that fit an invocation, and remembers what failed.

mod memory;
mod run;

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use super::failure::Cause;
use super::reading::{Health, Word};
use super::refresh::{Decision, Failed, Policy, since};
use super::stored::{Store, Underway, Versioned};
use super::sweep::Extent;
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

/// How far two clocks of the platform may be apart.
const MAX_SKEW: Duration = Duration::from_mins(1);

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
                if !is_done {
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
        // The slice says itself how long it may take, as soon as it runs.
        state.running_until = Some(now + LOST_AFTER);
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
}
