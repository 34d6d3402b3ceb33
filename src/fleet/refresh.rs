//! Fresh or not: when to sweep, and what to serve meanwhile.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::driver::drive;
use super::failure::Cause;
use super::snapshot::{Cluster, Snapshot};
use super::target::Target;
use crate::aws::budget::{Budget, Usage};
use crate::aws::platform::Platform;
use crate::config::Config;

/// How long the outcome of a health check is remembered, so that asking for it cannot be used to
/// hammer AWS.
pub const HEALTH_MAX_AGE: Duration = Duration::from_secs(30);

/// A snapshot as it is served.
#[derive(Clone, Debug)]
pub struct Served {
    /// What the newest sweeps found, of all targets.
    pub snapshot: Rc<Snapshot>,
    /// How old its oldest part is.
    pub age: Duration,
    /// How it stands with each target, in the order of the configuration.
    pub standings: Vec<Standing>,
}

/// How it stands with a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub target: String,
    /// Its AWS region.
    pub region: String,
    /// How old its snapshot is; none if nothing of it is shown.
    pub age: Option<Duration>,
    /// Whether all of it could be read, by the newest sweep.
    pub complete: bool,
    /// What all sweeps of it used so far, as long as it is known.
    pub usage: Usage,
}

/// What a health check found.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether the keys work, or the first target for which they do not, and why.
    pub keys: Result<(), (String, Cause)>,
    /// When AWS was asked.
    pub checked_at: SystemTime,
}

/// The fleet as this process knows it.
#[derive(Debug)]
pub struct Fleet<P> {
    platform: P,
    config: Config,
    targets: Vec<Target<P>>,
    /// The newest snapshots of all targets in one, as long as none of them is replaced.
    merged: RefCell<Option<Rc<Snapshot>>>,
    health: RefCell<Option<Health>>,
}

impl<P: Platform + Clone> Fleet<P> {
    /// A fleet that nothing is known of yet.
    pub fn new(platform: P, config: Config) -> Self {
        let target = |target| Target::new(&platform, target, &config);
        Self {
            targets: config.targets.iter().cloned().map(target).collect(),
            platform,
            config,
            merged: RefCell::default(),
            health: RefCell::default(),
        }
    }
}

impl<P: Platform> Fleet<P> {
    /// How it is configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The snapshot in hand, after new sweeps of the targets of which it is not fresh; and what
    /// the sweeps used. A target that cannot be read makes it incomplete.
    ///
    /// # Errors
    /// If no target could be read: the most telling cause.
    pub async fn snapshot(&self, request_id: &str) -> (Result<Served, Cause>, Usage) {
        let now = self.platform.now();
        let mut parts: Vec<Part<'_, P>> = Vec::with_capacity(self.targets.len());
        let mut due = Vec::new();
        for target in &self.targets {
            match target.fresh(now, self.config.snapshot_max_age) {
                Some(snapshot) => parts.push(Ok(snapshot)),
                None => due.push(target),
            }
        }
        let merged = self.merged.borrow().clone();
        if due.is_empty()
            && let Some(snapshot) = merged
        {
            return (Ok(served(snapshot, now)), Usage::default());
        }
        let budget = Budget::new(request_id, now, self.config.sweep_timeout);
        let sweeps = drive(&due, &budget).await;
        let now = self.platform.now();
        for (target, sweep) in due.into_iter().zip(sweeps) {
            parts.push(target.finish(sweep, now).map_err(|cause| (cause, target)));
        }
        let found = merge(parts);
        *self.merged.borrow_mut() = found.as_ref().ok().map(Rc::clone);
        (found.map(|snapshot| served(snapshot, now)), budget.usage())
    }

    /// Whether the keys work for every target: a signed `ListClusters` of one item each, not more
    /// often than every [`HEALTH_MAX_AGE`].
    pub async fn health(&self, request_id: &str) -> (Health, Usage) {
        let now = self.platform.now();
        let known = self.health.borrow().clone();
        if let Some(health) = known
            && let Ok(age) = now.duration_since(health.checked_at)
            && age < HEALTH_MAX_AGE
        {
            return (health, Usage::default());
        }
        let budget = Budget::new(request_id, now, self.config.sweep_timeout);
        let mut keys = Ok(());
        for target in &self.targets {
            if let Err(cause) = target.check(&budget).await {
                keys = Err((target.name().to_owned(), cause));
                break;
            }
        }
        let health = Health {
            keys,
            checked_at: self.platform.now(),
        };
        *self.health.borrow_mut() = Some(health.clone());
        (health, budget.usage())
    }
}

fn served(snapshot: Rc<Snapshot>, now: SystemTime) -> Served {
    let age = now
        .duration_since(snapshot.generated_at)
        .unwrap_or_default();
    Served {
        snapshot,
        age,
        standings: Vec::new(),
    }
}

/// A target's snapshot, or why there is none.
type Part<'a, P> = Result<Rc<Snapshot>, (Cause, &'a Target<P>)>;

/// All targets' snapshots in one, as old as the oldest. A target without one is a failure.
fn merge<P: Platform>(parts: Vec<Part<'_, P>>) -> Result<Rc<Snapshot>, Cause> {
    if let [Ok(snapshot)] = parts.as_slice() {
        return Ok(Rc::clone(snapshot));
    }
    let mut merged: Option<Snapshot> = None;
    let mut failed = Vec::new();
    let mut worst: Option<Cause> = None;
    for part in parts {
        match (part, &mut merged) {
            (Ok(part), None) => merged = Some(Snapshot::clone(&part)),
            (Ok(part), Some(merged)) => {
                merged.generated_at = merged.generated_at.min(part.generated_at);
                merged.clusters.extend_from_slice(&part.clusters);
                merged.failures.extend_from_slice(&part.failures);
            }
            (Err((cause, target)), _) => {
                worst = Some(worst.map_or(cause, |worst| worst.min(cause)));
                failed.push(target.failure(cause));
            }
        }
    }
    let mut merged = merged.ok_or(worst.unwrap_or(Cause::Unreadable))?;
    merged.failures.extend(failed);
    merged.failures.sort_unstable();
    merged.clusters.sort_by(|a, b| place(a).cmp(&place(b)));
    Ok(Rc::new(merged))
}

/// What a report is sorted by.
fn place(cluster: &Cluster) -> [&str; 3] {
    [&cluster.target, &cluster.region, &cluster.cluster_name]
}
