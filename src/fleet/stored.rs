//! What is stored between two invocations, and how a later version of this crate knows it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use super::sweep::Sweep;
use crate::aws::budget::Usage;

/// Counts up whenever what is stored changes its shape.
const FORMAT: u32 = 1;

/// A place for bytes that outlives the process, or at least this invocation.
pub trait Store {
    /// Whether anything is kept at all.
    const KEEPS: bool;

    /// What was saved under `name`.
    ///
    /// # Errors
    /// The platform's own words, for the log.
    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String>;

    /// Saves `bytes` under `name`, or forgets what was saved there.
    ///
    /// # Errors
    /// The platform's own words, for the log.
    fn save(&self, name: &'static str, bytes: Option<&[u8]>) -> Result<(), String>;

    /// Asks for another invocation, which goes on with the sweep that was saved. Whether there will
    /// be one; if not, this one goes on.
    fn resume_later(&self) -> impl Future<Output = bool>;
}

/// Keeps nothing: for a process that lives as long as its memory.
#[derive(Debug)]
pub struct NoStore;

impl Store for NoStore {
    const KEEPS: bool = false;

    fn load(&self, _name: &'static str) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }

    fn save(&self, _name: &'static str, _bytes: Option<&[u8]>) -> Result<(), String> {
        Ok(())
    }

    async fn resume_later(&self) -> bool {
        false
    }
}

/// A snapshot and what tells it from those before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Versioned {
    /// Grows from one snapshot of a target to the next.
    pub version: u64,
    /// The snapshot.
    pub snapshot: Rc<Snapshot>,
}

/// A sweep between two of its slices.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Underway {
    /// The sweep, with no call out when it is stored.
    pub sweep: Rc<RefCell<Sweep>>,
    /// When it began.
    pub started_at: SystemTime,
    /// When its last slice ended.
    pub stopped_at: SystemTime,
    /// How many slices it took so far.
    pub slices: u32,
    /// What they used.
    pub usage: Usage,
    /// When the pacer has all tokens again.
    pub paced_until: SystemTime,
}

/// Why what was stored is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Useless {
    /// Another version of this crate stored it.
    OtherFormat,
    /// The target was configured otherwise.
    OtherIdentity,
    /// It is damaged.
    Unreadable,
}

impl fmt::Display for Useless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherFormat => "another version stored it",
            Self::OtherIdentity => "the target was configured otherwise then",
            Self::Unreadable => "it cannot be read",
        })
    }
}

/// `value` as bytes, behind the format and the identity; none if it cannot be written, which only a
/// mistake in this crate can cause.
pub fn encode(identity: &str, value: &impl Serialize) -> Option<Vec<u8>> {
    postcard::to_allocvec(&(FORMAT, identity, value)).ok()
}

/// The value that was encoded for the same identity; for any if none is given.
///
/// # Errors
/// If it is of no use: why.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], identity: Option<&str>) -> Result<T, Useless> {
    match take(bytes, identity)? {
        (value, []) => Ok(value),
        // Bytes that are left belong to another shape of the value.
        _ => Err(Useless::Unreadable),
    }
}

/// The value at the start of `bytes`, and how many bytes are left behind it.
///
/// # Errors
/// If it is of no use: why.
pub fn decode_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), Useless> {
    take(bytes, None).map(|(value, rest)| (value, rest.len()))
}

fn take<'a, T: DeserializeOwned>(
    bytes: &'a [u8],
    identity: Option<&str>,
) -> Result<(T, &'a [u8]), Useless> {
    let (format, rest) =
        postcard::take_from_bytes::<u32>(bytes).map_err(|_| Useless::Unreadable)?;
    if format != FORMAT {
        return Err(Useless::OtherFormat);
    }
    let (stored, rest) =
        postcard::take_from_bytes::<&str>(rest).map_err(|_| Useless::Unreadable)?;
    if identity.is_some_and(|identity| identity != stored) {
        return Err(Useless::OtherIdentity);
    }
    postcard::take_from_bytes(rest).map_err(|_| Useless::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::failure::Cause;
    use crate::fleet::reading::Word;
    use crate::fleet::refresh::Failed;
    use std::time::{Duration, UNIX_EPOCH};

    fn word() -> Word {
        Word {
            version: Some(7),
            failed: Some(Failed {
                cause: Cause::NotAllowed("ListServices"),
                at: UNIX_EPOCH + Duration::from_mins(29_922_940),
                in_a_row: 3,
            }),
            extent: None,
            retry_after: Duration::from_millis(1_500),
            usage: Usage::default(),
            total: Usage::default(),
        }
    }

    #[test]
    fn a_word_is_read_back_with_what_stands_behind_it() {
        let mut bytes = encode("", &word()).unwrap();
        let length = bytes.len();
        bytes.extend(b"behind");
        let (read, left): (Word, _) = decode_first(&bytes).unwrap();
        assert_eq!((read.version, read.failed), (Some(7), word().failed));
        assert_eq!((left, length < 256), (6, true));
    }

    #[test]
    fn what_is_of_no_use_says_why() {
        let bytes = encode("identity", &word()).unwrap();
        let why = |bytes: &[u8], identity| decode::<Word>(bytes, identity).unwrap_err();
        assert!(decode::<Word>(&bytes, Some("identity")).is_ok());
        assert_eq!(why(&bytes, Some("other")), Useless::OtherIdentity);
        let other = [&[9], bytes.get(1..).unwrap()].concat();
        assert_eq!(why(&other, Some("identity")), Useless::OtherFormat);
        for cut in 0..bytes.len() {
            assert_eq!(why(&bytes[..cut], None), Useless::Unreadable, "{cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(why(&longer, None), Useless::Unreadable);
    }
}
