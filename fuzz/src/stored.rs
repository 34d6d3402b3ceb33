//! Values that a Durable Object stores or sends. The input is a letter that names the type, and the
//! bytes of the value.

mod refresher;

use std::rc::Rc;

use ecs_status::config::Config;
use ecs_status::fleet::refresh::encoding::{DecodeError, decode, decode_prefix, encode};
use ecs_status::fleet::refresh::status::{Health, SnapshotStatus};
use ecs_status::fleet::refresh::store::{PausedSweep, VersionedSnapshot};
use ecs_status::fleet::sweep::target_client::TargetClient;
use ecs_status::fleet::view::source::{SnapshotReply, SnapshotRequest, SnapshotSource};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::fleet::{Fixed, api, config, get, respond};
use super::support::Fake;

thread_local! {
    static CONFIG: Config = config(&[]);
    static IDENTITY: String = CONFIG.with(|config| {
        let platform = Fake::script(Vec::new());
        TargetClient::new(&platform, config.targets[0].clone(), config).identity().to_owned()
    });
}

/// A decoded value is encoded and decoded to the same value; neither more nor less than all of it can
/// be decoded; an edge responds with it; and a refresher continues with it, or without it.
pub fn check(data: &[u8]) {
    let _ = decodes(data);
}

/// Checks an input, and returns the type that it decodes to, if any.
#[must_use]
pub fn decodes(data: &[u8]) -> Option<u8> {
    let (&kind, bytes) = data.split_first()?;
    match kind {
        b'w' => serve(Unchanged(read(bytes)?)),
        b'h' => serve(Checked(read(bytes)?)),
        b's' | b'f' => {
            let stored: VersionedSnapshot = read(bytes)?;
            serve(Fixed(vec![Rc::clone(&stored.snapshot)]));
            refresher::replace(&stored, kind == b'f');
        }
        b'u' => refresher::resume(&read::<PausedSweep>(bytes)?),
        // Without the right header, no value can be decoded.
        _ => {
            assert!(decode::<VersionedSnapshot>(bytes, Some("another identity")).is_err());
            let _ = decode::<PausedSweep>(bytes, None);
            return None;
        }
    }
    Some(kind)
}

fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    IDENTITY.with(|identity| {
        let mut stored = encode(identity, &()).expect("it can be encoded");
        stored.extend_from_slice(bytes);
        let value: T = decode(&stored, Some(identity)).ok()?;
        let encoded = encode(identity, &value).expect("it can be encoded");
        let again: T = decode(&encoded, Some(identity)).expect("it was encoded");
        assert_eq!(encode(identity, &again).as_ref(), Some(&encoded));

        let why = |bytes: &[u8], identity| decode::<T>(bytes, Some(identity)).err();
        let shorter = &encoded[..encoded.len() - 1];
        assert_eq!(why(shorter, identity), Some(DecodeError::Malformed));
        let longer = [&encoded[..], &[0]].concat();
        assert_eq!(why(&longer, identity), Some(DecodeError::Malformed));
        assert!(matches!(decode_prefix::<T>(&longer), Ok((_, 1))));
        assert_eq!(why(&encoded, "another"), Some(DecodeError::OtherIdentity));
        Some(value)
    })
}

/// An edge that reads from `source` responds, and its errors are JSON too.
fn serve(source: impl SnapshotSource) {
    let api = api(CONFIG.with(Clone::clone), source);
    for path in ["/list", "/healthz"] {
        let response = respond(&api, &get(path, None));
        assert!(matches!(response.status().as_u16(), 200 | 500..=504));
        serde_json::from_slice::<IgnoredAny>(response.body()).expect("JSON is JSON");
    }
    respond(&api, &get("/metrics", None));
}

/// An object that sends no snapshot.
struct Unchanged(SnapshotStatus);

impl SnapshotSource for Unchanged {
    async fn read(&self, _: usize, _: SnapshotRequest<'_>) -> Option<SnapshotReply> {
        Some(SnapshotReply {
            status: self.0.clone(),
            snapshot: None,
        })
    }

    async fn check(&self, _: usize, _: &str) -> Option<Health> {
        None
    }
}

/// An object that only replies to checks.
struct Checked(Health);

impl SnapshotSource for Checked {
    async fn read(&self, _: usize, _: SnapshotRequest<'_>) -> Option<SnapshotReply> {
        None
    }

    async fn check(&self, _: usize, _: &str) -> Option<Health> {
        Some(self.0.clone())
    }
}
