//! View: the fleet as one isolate or process knows it: its copies of the snapshots, and the source of
//! newer ones.

mod blame;
mod health;
pub mod in_process;
mod join_all;
mod merge;
mod note;
pub mod outbox;
pub mod report;
pub mod source;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::aws::budget::Usage;
use crate::config::Config;
use crate::fleet::model::cause::Cause;
use crate::fleet::model::snapshot::Snapshot;
use crate::fleet::refresh::policy::{LastFailure, Policy};
use crate::fleet::refresh::status::{EventStatus, SnapshotStatus};
use crate::fleet::refresh::store::VersionedSnapshot;
use crate::platform::{Clock, Platform};
use crate::time::since;
use blame::Blame;
use in_process::InProcess;
use join_all::join_all;
use merge::{Part, merge};
use outbox::Outbox;
use report::{MergedReport, TargetStatus, Unavailable};
use source::{SnapshotReply, SnapshotRequest, SnapshotSource};

/// The time after which to ask a source again that does not respond.
const RETRY_UNREACHABLE: Duration = Duration::from_secs(5);

/// Where events are taken, the source is asked as often, and caches serve a report no longer, whatever
/// the age up to which a snapshot is fresh.
const EVENTS_MAX_AGE: Duration = Duration::from_secs(2);

/// A request that comes earlier than that by so little asks all the same; the next one has to come
/// later in return.
const EARLIEST: Duration = Duration::from_millis(100);

/// The snapshot of a target as this isolate knows it.
#[derive(Clone, Debug, Default)]
struct CachedSnapshot {
    newest: Option<VersionedSnapshot>,
    last_failure: Option<LastFailure>,
    total: Usage,
    /// The version for which a refresh ahead of its expiry was requested.
    refresh_requested: Option<u64>,
    events: EventStatus,
    /// The time from which the source is asked whether an event has come.
    ask_from: Option<SystemTime>,
}

impl CachedSnapshot {
    fn version(&self) -> Option<u64> {
        self.newest.as_ref().map(|newest| newest.version)
    }

    /// Whether it is time to ask whether an event has come, or the source has said that a reader who
    /// `waits` gets a newer snapshot. If so, the others need not ask.
    fn is_event_due(&mut self, waits: bool, now: SystemTime) -> bool {
        let is_due = self.ask_from.is_none_or(|from| now + EARLIEST >= from);
        if is_due {
            let nominal = self.ask_from.map_or(now, |from| from.max(now));
            self.ask_from = Some(nominal + EVENTS_MAX_AGE);
        }
        let is_pending = waits && std::mem::take(&mut self.events.is_pending);
        is_due || is_pending
    }
}

/// The fleet as this isolate or process knows it.
#[derive(Debug)]
pub struct Fleet<S> {
    config: Config,
    source: S,
    cached: RefCell<Vec<CachedSnapshot>>,
    merged: RefCell<Option<Merged>>,
    outbox: Outbox,
}

/// The merge of all targets, valid as long as none of its parts changes.
#[derive(Debug)]
struct Merged {
    parts: Vec<(Option<u64>, Option<LastFailure>)>,
    snapshot: Rc<Snapshot>,
}

impl<P: Platform + Clone + 'static> Fleet<InProcess<P>> {
    /// A fleet that this process sweeps itself.
    pub fn in_process(platform: &P, config: Config) -> Self {
        let source = InProcess::new(platform, &config);
        Self::new(config, source)
    }
}

impl<S: SnapshotSource> Fleet<S> {
    /// A fleet without any snapshot yet.
    pub fn new(config: Config, source: S) -> Self {
        Self {
            cached: RefCell::new(vec![CachedSnapshot::default(); config.targets.len()]),
            merged: RefCell::default(),
            outbox: Outbox::default(),
            config,
            source,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The merged report of all targets, and the requests to AWS that it took. The source is asked
    /// for each target whose cached snapshot is not fresh, once for each that expires soon, and, where
    /// events are taken, every [`EVENTS_MAX_AGE`]. `wait`
    /// is the time for which the request prefers to wait; all targets are waited for side by side. A
    /// target that cannot be read makes the report incomplete.
    ///
    /// # Errors
    /// If there is nothing to serve of any target.
    pub async fn report(
        &self,
        clock: &impl Clock,
        wait: Option<Duration>,
        request_id: &str,
    ) -> (Result<MergedReport, Unavailable>, Usage) {
        let reads = (0..self.config.targets.len()).map(|target| async move {
            if self.is_usable(target, wait, clock.now()) {
                return None;
            }
            let known = self.known(target);
            let request = SnapshotRequest {
                known: known.as_ref(),
                wait,
                request_id,
            };
            Some(match self.source.read(target, request).await {
                Some(SnapshotReply { status, snapshot }) => {
                    let sent = known.map(|known| known.version);
                    self.update(target, sent, &status, snapshot);
                    status
                }
                None => self.stand_in(target, clock.now()),
            })
        });
        let statuses = join_all(reads).await;
        let mut usage = Usage::default();
        statuses.iter().flatten().for_each(|s| usage += s.usage);
        let failures = self.failures(&statuses, clock.now());
        let merged = self.merged_report(&failures, clock.now());
        let report = merged.ok_or_else(|| unavailable(&statuses, &failures));
        (report, usage)
    }

    /// For each target, why its cached snapshot is not newer, or missing. `statuses` are those that were
    /// read for this request; while it waited for other targets, another one may have read a newer
    /// snapshot, or that none may be served any more.
    fn failures(
        &self,
        statuses: &[Option<SnapshotStatus>],
        now: SystemTime,
    ) -> Vec<Option<LastFailure>> {
        let cached = self.cached.borrow();
        let newest = cached.iter().zip(statuses);
        let failures = newest.map(|(cached, status)| {
            let known = cached.version();
            let status = status.as_ref().filter(|status| status.version == known);
            let failure = status.map_or(cached.last_failure, |status| status.last_failure);
            // A target without a snapshot may not be missing in silence.
            failure.or_else(|| known.is_none().then_some(unreachable(now)))
        });
        let failures: Vec<_> = failures.collect();
        let targets = self.config.targets.iter().zip(&failures);
        let blame = Blame::of(targets.map(|(target, failure)| {
            let cause = failure.map(|failure| failure.cause);
            (target, failure.is_none(), cause)
        }));
        let blamed = |failure: LastFailure| LastFailure {
            cause: blame.on(failure.cause),
            ..failure
        };
        let failures = failures.into_iter();
        failures.map(|failure| failure.map(blamed)).collect()
    }

    /// Whether the cached snapshot of `target` is served without asking the source. The first
    /// request that finds it fresh, but due for a refresh, asks.
    fn is_usable(&self, target: usize, wait: Option<Duration>, now: SystemTime) -> bool {
        let mut cached = self.cached.borrow_mut();
        let cached = cached.get_mut(target).filter(|c| c.last_failure.is_none());
        let Some(cached) = cached else {
            return false;
        };
        let waits = wait.is_none_or(|wait| !wait.is_zero());
        if self.config.events_token.is_some() && cached.is_event_due(waits, now) {
            return false;
        }
        let Some(newest) = &cached.newest else {
            return false;
        };
        let policy = Policy::new(self.config.age_limits);
        let is_fresh = since(newest.snapshot.generated_at, now) <= policy.limits().max_age;
        let version = Some(newest.version);
        if is_fresh
            && policy.is_refresh_due(newest.newest(), now)
            && cached.refresh_requested != version
        {
            cached.refresh_requested = version;
            return false;
        }
        is_fresh
    }

    fn known(&self, target: usize) -> Option<VersionedSnapshot> {
        self.cached.borrow().get(target)?.newest.clone()
    }

    /// Takes the reply to a request that was sent when `sent` was the cached version. Replies may
    /// arrive in another order than they were given in.
    fn update(
        &self,
        target: usize,
        sent: Option<u64>,
        status: &SnapshotStatus,
        snapshot: Option<VersionedSnapshot>,
    ) {
        let mut cached = self.cached.borrow_mut();
        let Some(cached) = cached.get_mut(target) else {
            return;
        };
        let known = cached.version();
        if status.version < known {
            // Nothing may be served any more, unless a snapshot has arrived meanwhile that is newer than
            // the failure.
            let failed_at = status.last_failure.map(|failure| failure.at);
            let copied_at = cached.newest.as_ref().map(|n| n.snapshot.generated_at);
            if status.version.is_some() || (sent != known && failed_at <= copied_at) {
                return;
            }
            cached.newest = None;
        }
        if let Some(snapshot) = snapshot.filter(|newest| Some(newest.version) > known) {
            cached.newest = Some(snapshot);
        }
        cached.last_failure = status.last_failure;
        cached.total = status.total;
        cached.events = status.events;
    }

    /// The status of the cached snapshot while the source does not respond.
    fn stand_in(&self, target: usize, now: SystemTime) -> SnapshotStatus {
        let mut cached = self.cached.borrow_mut();
        let last_failure = unreachable(now);
        let mut status = SnapshotStatus {
            version: None,
            last_failure: Some(last_failure),
            progress: None,
            retry_after: RETRY_UNREACHABLE,
            usage: Usage::default(),
            total: Usage::default(),
            events: EventStatus::default(),
        };
        if let Some(cached) = cached.get_mut(target) {
            let policy = Policy::new(self.config.age_limits);
            let may_stand_in = |newest: &VersionedSnapshot| {
                policy.may_stand_in(since(newest.snapshot.generated_at, now))
            };
            cached.newest = cached.newest.take().filter(may_stand_in);
            status.version = cached.version();
            cached.last_failure = Some(last_failure);
        }
        status
    }

    /// The report of all targets, with their failures.
    fn merged_report(
        &self,
        failures: &[Option<LastFailure>],
        now: SystemTime,
    ) -> Option<MergedReport> {
        let cached = self.cached.borrow();
        let targets = self.config.targets.iter().zip(cached.iter().zip(failures));
        let takes_events = self.config.events_token.is_some();
        let mut most = self.config.age_limits.max_age;
        let mut modified_at = None;
        let parts: Vec<(Part<'_>, &CachedSnapshot)> = targets
            .map(|(target, (cached, last_failure))| {
                let part = Part {
                    target: &target.name,
                    region: &target.region,
                    snapshot: cached.newest.as_ref().map(|newest| &newest.snapshot),
                    last_failure: *last_failure,
                };
                let newest = cached.newest.as_ref().map(VersionedSnapshot::modified_at);
                let failed = part.last_failure.map(|failure| failure.at);
                modified_at = modified_at.max(newest).max(failed);
                (part, cached)
            })
            .collect();
        let targets = parts.iter().map(|(part, cached)| {
            let snapshot = part.snapshot;
            let is_whole = snapshot.is_some_and(|snapshot| snapshot.failures.is_empty());
            TargetStatus {
                target: part.target.to_owned(),
                region: part.region.to_owned(),
                age: snapshot.map(|snapshot| since(snapshot.generated_at, now)),
                complete: part.last_failure.is_none() && is_whole,
                usage: cached.total,
                events: cached
                    .events
                    .silent_since
                    .filter(|_| takes_events)
                    .map(|at| (since(at, now), cached.events.total)),
            }
        });
        let targets = targets.collect();
        if takes_events {
            let is_pending = parts.iter().any(|(_, cached)| cached.events.is_pending);
            let limit = if is_pending {
                Duration::ZERO
            } else {
                EVENTS_MAX_AGE
            };
            most = most.min(limit);
        }
        let versions = parts.iter();
        let versions = versions.map(|(part, cached)| (cached.version(), part.last_failure));
        let versions: Vec<_> = versions.collect();
        let parts: Vec<Part<'_>> = parts.into_iter().map(|(part, ..)| part).collect();
        let snapshot = self.merge_once(versions, &parts)?;
        let age = since(snapshot.generated_at, now);
        let left = self.config.age_limits.max_age.saturating_sub(age);
        Some(MergedReport {
            age,
            // The rest of the time: not every cache subtracts the age.
            fresh_for: left.min(most),
            modified_at: modified_at.unwrap_or(now),
            snapshot,
            targets,
        })
    }

    /// The merge of `parts`, which is made once for these versions.
    fn merge_once(
        &self,
        versions: Vec<(Option<u64>, Option<LastFailure>)>,
        parts: &[Part<'_>],
    ) -> Option<Rc<Snapshot>> {
        let mut merged = self.merged.borrow_mut();
        if let Some(merged) = merged.as_ref().filter(|merged| merged.parts == versions) {
            return Some(Rc::clone(&merged.snapshot));
        }
        let snapshot = merge(parts)?;
        *merged = Some(Merged {
            parts: versions,
            snapshot: Rc::clone(&snapshot),
        });
        Some(snapshot)
    }
}

fn unreachable(now: SystemTime) -> LastFailure {
    LastFailure {
        cause: Cause::ObjectUnreachable,
        at: now,
        in_a_row: 1,
    }
}

/// Why there is nothing to serve: the first of the causes, in their order.
fn unavailable(
    statuses: &[Option<SnapshotStatus>],
    failures: &[Option<LastFailure>],
) -> Unavailable {
    let causes = failures.iter().map(|failure| Some(failure.as_ref()?.cause));
    let failing = causes
        .zip(statuses)
        .filter_map(|(cause, status)| Some((cause?, status)));
    let first = failing.min_by_key(|(cause, _)| *cause);
    let (cause, status) = first.unwrap_or((Cause::ObjectUnreachable, &None));
    let status = status.as_ref();
    Unavailable {
        cause,
        progress: status.and_then(|status| status.progress),
        retry_after: status.map_or(RETRY_UNREACHABLE, |status| status.retry_after),
    }
}
