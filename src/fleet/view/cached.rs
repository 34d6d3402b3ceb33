//! Cached snapshot: what one isolate or process knows of one target.

use std::time::{Duration, SystemTime};

use crate::aws::budget::Usage;
use crate::config::Config;
use crate::fleet::model::cause::Cause;
use crate::fleet::refresh::policy::{LastFailure, Policy};
use crate::fleet::refresh::status::{EventStatus, SnapshotStatus};
use crate::fleet::refresh::store::VersionedSnapshot;
use crate::time::since;

/// The time after which to ask a source again that does not respond.
pub(super) const RETRY_UNREACHABLE: Duration = Duration::from_secs(5);

/// Where events are taken, the source is asked as often, and caches serve a report no longer, whatever
/// the age up to which a snapshot is fresh.
pub(super) const EVENTS_MAX_AGE: Duration = Duration::from_secs(2);

/// A request that comes earlier than that by so little asks all the same; the next one has to come
/// later in return.
const EARLIEST: Duration = Duration::from_millis(100);

/// The snapshot of a target as this isolate knows it.
#[derive(Debug, Default)]
pub(super) struct CachedSnapshot {
    pub(super) newest: Option<VersionedSnapshot>,
    pub(super) total: Usage,
    pub(super) events: EventStatus,
    last_failure: Option<LastFailure>,
    /// The version for which a refresh ahead of its expiry was requested.
    refresh_requested: Option<u64>,
    /// The time from which the source is asked whether an event has come.
    ask_from: Option<SystemTime>,
}

impl CachedSnapshot {
    /// The version of the snapshot, if there is one.
    pub(super) fn version(&self) -> Option<u64> {
        self.newest.as_ref().map(|newest| newest.version)
    }

    /// Whether the snapshot is served without asking the source. The first request that finds it
    /// fresh, but due for a refresh, asks.
    pub(super) fn is_usable(
        &mut self,
        config: &Config,
        wait: Option<Duration>,
        now: SystemTime,
    ) -> bool {
        if self.last_failure.is_some() {
            return false;
        }
        let waits = wait.is_none_or(|wait| !wait.is_zero());
        if config.events_token.is_some() && self.is_event_due(waits, now) {
            return false;
        }
        let Some(newest) = &self.newest else {
            return false;
        };
        let policy = Policy::new(config.age_limits);
        let is_fresh = since(newest.snapshot.generated_at, now) <= policy.limits().max_age;
        let version = Some(newest.version);
        if is_fresh
            && policy.is_refresh_due(newest.newest(), now)
            && self.refresh_requested != version
        {
            self.refresh_requested = version;
            return false;
        }
        is_fresh
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

    /// Takes the reply to a request that was sent when `sent` was the version. Replies may arrive in
    /// another order than they were given in.
    ///
    /// That the sweep is not done concerns only the request that has waited for it, as long as it
    /// prefers: the snapshot and its failure stay what they are for all others.
    pub(super) fn update(
        &mut self,
        sent: Option<u64>,
        status: &SnapshotStatus,
        snapshot: Option<VersionedSnapshot>,
    ) {
        let known = self.version();
        if status.version < known {
            // Nothing may be served any more, unless a snapshot has arrived meanwhile that is newer than
            // the failure.
            let failed_at = status.last_failure.map(|failure| failure.at);
            let copied_at = self.newest.as_ref().map(|n| n.snapshot.generated_at);
            if status.version.is_some() || (sent != known && failed_at <= copied_at) {
                return;
            }
            if !is_not_done(status) {
                self.newest = None;
            }
        }
        if let Some(snapshot) = snapshot.filter(|newest| Some(newest.version) > known) {
            self.newest = Some(snapshot);
            self.last_failure = None;
        }
        if !is_not_done(status) {
            self.last_failure = status.last_failure;
        }
        self.total = status.total;
        self.events = status.events;
    }

    /// The status of the snapshot while the source does not respond.
    pub(super) fn stand_in(&mut self, policy: &Policy, now: SystemTime) -> SnapshotStatus {
        let may_stand_in = |newest: &VersionedSnapshot| {
            policy.may_stand_in(since(newest.snapshot.generated_at, now))
        };
        self.newest = self.newest.take().filter(may_stand_in);
        self.last_failure = Some(unreachable(now));
        SnapshotStatus {
            version: self.version(),
            last_failure: self.last_failure,
            progress: None,
            retry_after: RETRY_UNREACHABLE,
            usage: Usage::default(),
            total: Usage::default(),
            events: EventStatus::default(),
        }
    }

    /// The snapshot that a request shows, and why it is not newer, or missing. `read` is what was read
    /// for this request; since then another one may have read a newer snapshot, or that none may be
    /// served any more.
    pub(super) fn seen(&self, read: Option<&Read>, now: SystemTime) -> Seen<'_> {
        let known = self.version();
        let has_waited_in_vain = |read: &&Read| {
            read.status.version.is_none() && read.sent == known && is_not_done(&read.status)
        };
        if let Some(read) = read.filter(has_waited_in_vain) {
            return (None, read.status.last_failure);
        }
        let read = read.filter(|read| read.status.version == known);
        let failure = read.map_or(self.last_failure, |read| read.status.last_failure);
        // A target without a snapshot may not be missing in silence.
        let unknown = known.is_none().then(|| unreachable(now));
        (self.newest.as_ref(), failure.or(unknown))
    }
}

/// The newest snapshot of a target, and the reason why it is not newer, or missing.
pub(super) type Seen<'a> = (Option<&'a VersionedSnapshot>, Option<LastFailure>);

/// What a request has read of a target.
#[derive(Debug)]
pub(super) struct Read {
    /// The version that was known when the request was sent.
    pub(super) sent: Option<u64>,
    pub(super) status: SnapshotStatus,
}

/// Whether the request has waited in vain for a sweep that goes on.
fn is_not_done(status: &SnapshotStatus) -> bool {
    let failure = status.last_failure;
    failure.is_some_and(|failure| failure.cause == Cause::NotDone)
}

fn unreachable(now: SystemTime) -> LastFailure {
    LastFailure {
        cause: Cause::ObjectUnreachable,
        at: now,
        in_a_row: 1,
    }
}
