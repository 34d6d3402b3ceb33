//! Store: bytes that outlive an invocation, and the two records that are kept in it.

use std::cell::RefCell;
use std::future::ready;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::policy::Newest;
use crate::aws::budget::Usage;
use crate::fleet::model::snapshot::Snapshot;
use crate::fleet::sweep::Sweep;
use crate::time::since;

/// Stores bytes by name beyond the process, or at least beyond this invocation.
pub trait Store {
    /// Whether anything is stored at all.
    const PERSISTENT: bool;

    /// The bytes that were saved under `name`.
    ///
    /// # Errors
    /// The platform's own words, for the log.
    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String>;

    /// Saves `bytes` under `name`, or removes what was saved there.
    ///
    /// # Errors
    /// The platform's own words, for the log.
    fn save(&self, name: &'static str, bytes: Option<&[u8]>) -> Result<(), String>;

    /// Requests another invocation for the rest of the paused sweep, where the platform limits one.
    ///
    /// # Errors
    /// If there will be none. The platform's own words, for the log.
    fn resume_later(&self) -> impl Future<Output = Result<Continuation, String>>;

    /// The time of the next invocation that was requested, by [`Store::resume_later`] or by
    /// [`Store::wake_after`].
    fn next_wake(&self) -> impl Future<Output = Option<SystemTime>> {
        ready(None)
    }

    /// Requests an invocation after `delay`, and none that was requested before.
    ///
    /// # Errors
    /// The platform's own words, for the log.
    fn wake_after(&self, _delay: Duration) -> impl Future<Output = Result<(), String>> {
        ready(Ok(()))
    }

    /// Removes everything that was saved, and what the platform has made for it.
    ///
    /// # Errors
    /// The platform's own words, for the log.
    fn clear(&self) -> impl Future<Output = Result<(), String>> {
        ready(Ok(()))
    }
}

/// The invocation that continues a paused sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// The current one, which has no limit.
    SameInvocation,
    /// Another one, which was requested.
    OtherInvocation,
}

/// Stores nothing: for a process that lives as long as its memory.
#[derive(Debug)]
pub struct NoStore;

impl Store for NoStore {
    const PERSISTENT: bool = false;

    fn load(&self, _name: &'static str) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }

    fn save(&self, _name: &'static str, _bytes: Option<&[u8]>) -> Result<(), String> {
        Ok(())
    }

    async fn resume_later(&self) -> Result<Continuation, String> {
        Ok(Continuation::SameInvocation)
    }
}

/// A snapshot and its version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionedSnapshot {
    /// Grows from one snapshot of a target to the next.
    pub version: u64,
    /// The duration of its sweep.
    pub sweep_duration: Duration,
    /// The snapshot.
    pub snapshot: Rc<Snapshot>,
}

impl VersionedSnapshot {
    /// A snapshot without clusters, for tests.
    #[cfg(test)]
    pub(crate) fn of_nothing(version: u64) -> Self {
        Self {
            version,
            sweep_duration: Duration::ZERO,
            snapshot: Rc::new(Snapshot {
                generated_at: UNIX_EPOCH,
                account: None,
                clusters: Vec::new(),
                failures: Vec::new(),
                carried_over: Vec::new(),
            }),
        }
    }

    /// Counts up the version for a change at `now`.
    pub(super) fn advance(&mut self, now: SystemTime) {
        self.version = version_at(now).max(self.version + 1);
    }

    /// The time of the newest change, in the calendar of the clock that the version is made from.
    #[must_use]
    pub fn modified_at(&self) -> SystemTime {
        let version = UNIX_EPOCH.checked_add(Duration::from_millis(self.version));
        version.map_or(self.snapshot.generated_at, |at| {
            at.max(self.snapshot.generated_at)
        })
    }

    /// The snapshot as a decision of the policy depends on it.
    #[must_use]
    pub fn newest(&self) -> Newest {
        Newest {
            generated_at: self.snapshot.generated_at,
            sweep_duration: self.sweep_duration,
        }
    }
}

/// The version of a snapshot of `time`: the milliseconds of Unix time.
pub(super) fn version_at(time: SystemTime) -> u64 {
    u64::try_from(since(UNIX_EPOCH, time).as_millis()).unwrap_or_default()
}

/// A sweep between two of its slices.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PausedSweep {
    /// The sweep. No call is in flight while it is stored.
    pub sweep: Rc<RefCell<Sweep>>,
    /// The start of its first slice.
    pub started_at: SystemTime,
    /// The end of its last slice.
    pub stopped_at: SystemTime,
    /// The number of slices so far.
    pub slices: u32,
    /// The requests of all slices.
    pub usage: Usage,
    /// The time at which the rate limiter has all tokens again.
    pub limited_until: SystemTime,
}
