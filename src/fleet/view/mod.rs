//! View: the fleet as one isolate or process knows it: its copies of the snapshots, and the source of
//! newer ones.

mod blame;
mod cached;
mod health;
pub mod in_process;
mod join_all;
mod merge;
mod note;
pub mod outbox;
pub mod report;
pub mod source;

use std::cell::{Ref, RefCell};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::aws::budget::Usage;
use crate::config::Config;
use crate::fleet::model::cause::Cause;
use crate::fleet::model::snapshot::Snapshot;
use crate::fleet::refresh::policy::{LastFailure, Policy};
use crate::fleet::refresh::store::VersionedSnapshot;
use crate::platform::{Clock, Platform};
use crate::time::since;
use blame::Blame;
use cached::{CachedSnapshot, EVENTS_MAX_AGE, RETRY_UNREACHABLE, Read, Seen};
use in_process::InProcess;
use join_all::join_all;
use merge::{Part, merge};
use outbox::Outbox;
use report::{MergedReport, TargetStatus, Unavailable};
use source::{SnapshotReply, SnapshotRequest, SnapshotSource};

/// The fleet as this isolate or process knows it.
#[derive(Debug)]
pub struct Fleet<S> {
    config: Config,
    source: S,
    cached: Vec<RefCell<CachedSnapshot>>,
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
            cached: config.targets.iter().map(|_| RefCell::default()).collect(),
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
        let reads = self.cached.iter().enumerate();
        let reads = reads.map(|(target, cached)| async move {
            let config = &self.config;
            if cached.borrow_mut().is_usable(config, wait, clock.now()) {
                return None;
            }
            let known = cached.borrow().newest.clone();
            let request = SnapshotRequest {
                known: known.as_ref(),
                wait,
                request_id,
            };
            let reply = self.source.read(target, request).await;
            let mut cached = cached.borrow_mut();
            let sent = known.as_ref().map(|known| known.version);
            let status = match reply {
                Some(SnapshotReply { status, snapshot }) => {
                    // What is not sent is at hand, whatever another request has read meanwhile.
                    let at_hand = known.filter(|known| Some(known.version) == status.version);
                    cached.update(sent, &status, snapshot.or(at_hand));
                    status
                }
                None => cached.stand_in(&Policy::new(config.age_limits), clock.now()),
            };
            Some(Read { sent, status })
        });
        let reads = join_all(reads).await;
        let mut usage = Usage::default();
        reads.iter().flatten().for_each(|r| usage += r.status.usage);
        let cached: Vec<_> = self.cached.iter().map(RefCell::borrow).collect();
        let now = clock.now();
        let seen = cached.iter().zip(&reads);
        let seen = seen.map(|(cached, read)| cached.seen(read.as_ref(), now));
        let seen = self.blamed(seen.collect());
        let merged = self.merged_report(&cached, &seen, now);
        let report = merged.ok_or_else(|| unavailable(&reads, &seen));
        (report, usage)
    }

    /// What is seen of each target, with the causes in the light of the other targets.
    fn blamed<'a>(&self, seen: Vec<Seen<'a>>) -> Vec<Seen<'a>> {
        let targets = self.config.targets.iter().zip(&seen);
        let blame = Blame::of(targets.map(|(target, (_, failure))| {
            let cause = failure.map(|failure| failure.cause);
            (target, failure.is_none(), cause)
        }));
        let blamed = |failure: LastFailure| LastFailure {
            cause: blame.on(failure.cause),
            ..failure
        };
        let seen = seen.into_iter();
        seen.map(|(newest, failure)| (newest, failure.map(blamed)))
            .collect()
    }

    /// The report of all targets, as far as they are `seen`.
    fn merged_report(
        &self,
        cached: &[Ref<'_, CachedSnapshot>],
        seen: &[Seen<'_>],
        now: SystemTime,
    ) -> Option<MergedReport> {
        let targets = self.config.targets.iter().zip(cached.iter().zip(seen));
        let takes_events = self.config.events_token.is_some();
        let mut most = self.config.age_limits.max_age;
        let mut modified_at = None;
        let parts: Vec<(Part<'_>, &Ref<'_, CachedSnapshot>)> = targets
            .map(|(target, (cached, (newest, last_failure)))| {
                let part = Part {
                    target: &target.name,
                    region: &target.region,
                    snapshot: newest.map(|newest| &newest.snapshot),
                    last_failure: *last_failure,
                };
                let failed = part.last_failure.map(|failure| failure.at);
                let newest = newest.map(VersionedSnapshot::modified_at);
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
        let version = |newest: &VersionedSnapshot| newest.version;
        let versions = seen.iter();
        let versions = versions.map(|(newest, failure)| (newest.map(version), *failure));
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

/// Why there is nothing to serve: the first of the causes, in their order.
fn unavailable(reads: &[Option<Read>], seen: &[Seen<'_>]) -> Unavailable {
    let failing = seen
        .iter()
        .zip(reads)
        .filter_map(|((_, failure), read)| Some((failure.as_ref()?.cause, read.as_ref())));
    let first = failing.min_by_key(|(cause, _)| *cause);
    let (cause, read) = first.unwrap_or((Cause::ObjectUnreachable, None));
    let status = read.map(|read| &read.status);
    Unavailable {
        cause,
        progress: status.and_then(|status| status.progress),
        retry_after: status.map_or(RETRY_UNREACHABLE, |status| status.retry_after),
    }
}
