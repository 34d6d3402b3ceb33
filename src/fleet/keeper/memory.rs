//! What a keeper keeps: in memory, and in its store.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;

use super::{Keeper, MAX_SKEW, SNAPSHOT, SWEEP};
use crate::aws::platform::Platform;
use crate::fleet::record;
use crate::fleet::refresh::since;
use crate::fleet::snapshot::Snapshot;
use crate::fleet::stored::{self, Store, Underway, Versioned};

impl<P: Platform + Clone + 'static, S: Store + 'static> Keeper<P, S> {
    pub(super) fn keep(&self, snapshot: Snapshot) {
        let mut state = self.state.borrow_mut();
        let before = state.newest.as_ref().map_or(0, |newest| newest.version);
        let newest = Versioned {
            version: version_at(snapshot.generated_at).max(before + 1),
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

    pub(super) fn save_underway(&self) {
        let bytes = {
            let state = self.state.borrow();
            let underway = state.underway.as_ref().filter(|_| S::KEEPS);
            underway.and_then(|underway| stored::encode(self.target.identity(), underway))
        };
        if let Some(bytes) = bytes {
            self.save(SWEEP, Some(&bytes));
        }
    }

    pub(super) fn save(&self, name: &'static str, bytes: Option<&[u8]>) {
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
    pub(super) fn load(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().is_loaded, true) {
            return;
        }
        let newest: Option<(Versioned, Vec<u8>)> = self.stored(SNAPSHOT);
        let underway: Option<(Underway, Vec<u8>)> = self.stored(SWEEP);
        let now = self.platform.now();
        let mut state = self.state.borrow_mut();
        // One of the future, by a clock that was ahead, would count as fresh until then.
        let latest = now + MAX_SKEW;
        if let Some((newest, encoded)) = newest.filter(|(newest, _)| {
            newest.snapshot.generated_at <= latest && newest.version <= version_at(latest)
        }) {
            state.newest = Some(newest);
            state.encoded = Some(Rc::new(encoded));
        }
        if let Some((underway, _)) = underway {
            self.target.ecs().pacer().resume(underway.paced_until, now);
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

/// The version of a snapshot of that moment: the milliseconds of Unix time.
fn version_at(moment: SystemTime) -> u64 {
    u64::try_from(since(UNIX_EPOCH, moment).as_millis()).unwrap_or_default()
}
