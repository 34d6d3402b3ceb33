//! Encoding: the bytes of what is stored, and the header by which a later version recognizes them.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Counts up whenever a stored type changes its shape.
const FORMAT: u32 = 7;

/// Stands in place of an identity before a part of a snapshot.
pub(super) const PART: &str = "part";

/// The reason why stored bytes cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// They were stored by another version of this crate.
    OtherFormat,
    /// The target was configured differently.
    OtherIdentity,
    /// They are damaged.
    Malformed,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherFormat => "stored by another version",
            Self::OtherIdentity => "stored under another configuration of the target",
            Self::Malformed => "the bytes are malformed",
        })
    }
}

impl std::error::Error for DecodeError {}

/// Encodes `value` behind the format and the identity. `None` if it cannot be encoded, which only a
/// mistake in this crate can cause.
pub fn encode(identity: &str, value: &impl Serialize) -> Option<Vec<u8>> {
    postcard::to_allocvec(&(FORMAT, identity, value)).ok()
}

/// Decodes a value that was encoded for the same identity, or for any if `identity` is `None`. Not
/// inlined: an object that has stored nothing does not compile it.
///
/// # Errors
/// The reason why the bytes cannot be used.
#[inline(never)]
pub fn decode<T: DeserializeOwned>(bytes: &[u8], identity: Option<&str>) -> Result<T, DecodeError> {
    match take(bytes, identity)? {
        (value, []) => Ok(value),
        // Remaining bytes belong to another shape of the value.
        _ => Err(DecodeError::Malformed),
    }
}

/// Decodes a value at the start of `bytes`, and returns the number of bytes behind it.
///
/// # Errors
/// The reason why the bytes cannot be used.
pub fn decode_prefix<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), DecodeError> {
    take(bytes, None).map(|(value, rest)| (value, rest.len()))
}

/// Whether a value was encoded for this identity.
pub(super) fn is_of(bytes: &[u8], identity: &str) -> bool {
    behind_header(bytes, Some(identity)).is_ok()
}

fn take<'a, T: DeserializeOwned>(
    bytes: &'a [u8],
    identity: Option<&str>,
) -> Result<(T, &'a [u8]), DecodeError> {
    let bytes = behind_header(bytes, identity)?;
    postcard::take_from_bytes(bytes).map_err(|_| DecodeError::Malformed)
}

/// Not inlined, since there are many callers.
#[inline(never)]
fn behind_header<'a>(bytes: &'a [u8], identity: Option<&str>) -> Result<&'a [u8], DecodeError> {
    let malformed = |_| DecodeError::Malformed;
    let (format, rest) = postcard::take_from_bytes::<u32>(bytes).map_err(malformed)?;
    if format != FORMAT {
        return Err(DecodeError::OtherFormat);
    }
    let (stored, rest) = postcard::take_from_bytes::<&str>(rest).map_err(malformed)?;
    if identity.is_some_and(|identity| identity != stored) {
        return Err(DecodeError::OtherIdentity);
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::budget::Usage;
    use crate::aws::protocol::OperationName;
    use crate::fleet::model::cause::Cause;
    use crate::fleet::model::policy_denial::PolicyDenial;
    use crate::fleet::refresh::policy::LastFailure;
    use crate::fleet::refresh::status::{EventStatus, SnapshotStatus};
    use std::time::{Duration, UNIX_EPOCH};

    fn status() -> SnapshotStatus {
        SnapshotStatus {
            version: Some(7),
            last_failure: Some(LastFailure {
                cause: Cause::NotAllowed(OperationName::ListServices, PolicyDenial::Unstated),
                at: UNIX_EPOCH + Duration::from_mins(29_922_940),
                in_a_row: 3,
            }),
            progress: None,
            retry_after: Duration::from_millis(1_500),
            usage: Usage::default(),
            total: Usage::default(),
            events: EventStatus::default(),
        }
    }

    #[test]
    fn a_status_is_decoded_in_front_of_other_bytes() {
        let mut bytes = encode("", &status()).unwrap();
        let length = bytes.len();
        bytes.extend(b"behind");
        let (decoded, left): (SnapshotStatus, _) = decode_prefix(&bytes).unwrap();
        let expected = (Some(7), status().last_failure);
        assert_eq!((decoded.version, decoded.last_failure), expected);
        assert_eq!((left, length < 256), (6, true));
    }

    #[test]
    fn decode_errors_name_their_cause() {
        let bytes = encode("identity", &status()).unwrap();
        let error = |bytes: &[u8], identity| decode::<SnapshotStatus>(bytes, identity).unwrap_err();
        assert!(decode::<SnapshotStatus>(&bytes, Some("identity")).is_ok());
        assert_eq!(error(&bytes, Some("other")), DecodeError::OtherIdentity);
        let other = [&[9], bytes.get(1..).unwrap()].concat();
        assert_eq!(error(&other, Some("identity")), DecodeError::OtherFormat);
        for cut in 0..bytes.len() {
            assert_eq!(error(&bytes[..cut], None), DecodeError::Malformed, "{cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(error(&longer, None), DecodeError::Malformed);
    }
}
