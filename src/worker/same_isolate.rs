//! Same isolate: hands a snapshot from the Durable Object to the edge without its bytes, where both run in
//! one isolate. Cloudflare says that they may ("In-memory state in a Durable Object"), and not when.

use std::cell::{OnceCell, RefCell};

use crate::fleet::refresh::store::VersionedSnapshot;

thread_local! {
    static NAME: OnceCell<Option<u64>> = const { OnceCell::new() };
    /// The newest snapshot of each target that its object has handed over.
    static SNAPSHOTS: RefCell<Vec<(String, VersionedSnapshot)>> = const { RefCell::new(Vec::new()) };
}

/// The random name by which an object knows whether a request comes from its own isolate.
pub(super) fn name() -> Option<u64> {
    NAME.with(|name| *name.get_or_init(|| getrandom::u64().ok()))
}

/// Hands over the newest snapshot of `target`.
pub(super) fn put(target: String, newest: VersionedSnapshot) {
    SNAPSHOTS.with_borrow_mut(|snapshots| {
        snapshots.retain(|(name, _)| *name != target);
        snapshots.push((target, newest));
    });
}

/// The newest snapshot of `target` that was handed over. `None` if it is older than `version`.
pub(super) fn get(target: &str, version: Option<u64>) -> Option<VersionedSnapshot> {
    SNAPSHOTS.with_borrow(|snapshots| {
        let (_, newest) = snapshots.iter().find(|(name, _)| name == target)?;
        (Some(newest.version) >= version).then(|| newest.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn an_isolate_keeps_its_name_which_no_other_has() {
        assert!(name().is_some());
        assert_eq!(name(), name());
        let other = std::thread::spawn(name).join().unwrap();
        assert_ne!(name(), other);
    }

    #[test]
    fn the_newest_snapshot_of_a_target_is_handed_over_itself() {
        let [old, new] = [1, 2].map(VersionedSnapshot::of_nothing);
        put("a".into(), old);
        put("a".into(), new.clone());
        let version = |target, version| get(target, Some(version)).map(|found| found.version);
        assert_eq!(
            [1, 2, 3].map(|known| version("a", known)),
            [Some(2), Some(2), None]
        );
        assert_eq!(version("b", 1), None);
        assert!(Rc::ptr_eq(
            &get("a", Some(2)).unwrap().snapshot,
            &new.snapshot
        ));
    }
}
