//! Snapshot protocol: the requests of the edge to the Durable Object of a target, and its replies.
//!
//! A request is a path: `/read/{request id}/{known version, if any}/{wait in ms, if any}/{name of the edge's
//! isolate}` or `/check/{request id}`, or `/note/{request id}` with a body: a line for each [`Change`]. A
//! reply is a frame: a [`SnapshotStatus`], a [`Health`] or whether each change was noted, and behind a
//! status the bytes of the snapshot, if the edge does not have it yet, or of what has changed in the one
//! that it has. Within one isolate the snapshot itself is handed over, and there are no bytes.

use std::borrow::Cow;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::aws::event::Change;
use crate::fleet::refresh::encoding::{self, DecodeError};
use crate::fleet::refresh::status::{Health, SnapshotStatus};
use crate::fleet::refresh::store::VersionedSnapshot;

/// The length that no encoded head of a frame exceeds, in bytes.
pub(super) const MAX_HEAD_BYTES: u32 = 512;

/// A request of the edge.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ObjectRequest<'a> {
    /// Asks for the status of the snapshot, and for the snapshot unless its version is `known`.
    Read {
        request_id: Cow<'a, str>,
        known: Option<u64>,
        wait: Option<Duration>,
        /// The name of the isolate that asks.
        isolate: Option<u64>,
    },
    /// Asks for the health of the target.
    Check { request_id: Cow<'a, str> },
    /// Tells the changes in the body.
    Note { request_id: Cow<'a, str> },
}

impl<'a> ObjectRequest<'a> {
    /// The path of the request.
    pub(super) fn to_path(&self) -> String {
        let segment = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        match self {
            Self::Read {
                request_id,
                known,
                wait,
                isolate,
            } => {
                let number = |number: &Option<u64>| number.map(|n| n.to_string());
                let known = number(known).unwrap_or_default();
                let isolate = number(isolate).unwrap_or_default();
                let wait = wait.map(|wait| wait.as_millis().to_string());
                let wait = wait.unwrap_or_default();
                format!("/read/{}/{known}/{wait}/{isolate}", segment(request_id))
            }
            Self::Check { request_id } => format!("/check/{}", segment(request_id)),
            Self::Note { request_id } => format!("/note/{}", segment(request_id)),
        }
    }

    /// The request of a path. `None` for any other path.
    pub(super) fn from_path(path: &'a str) -> Option<Self> {
        let mut segments = path.split('/').skip(1);
        let (kind, request_id) = (segments.next()?, segments.next()?);
        let request_id = percent_decode_str(request_id).decode_utf8_lossy();
        match kind {
            "read" => Some(Self::Read {
                request_id,
                known: segments.next().and_then(|version| version.parse().ok()),
                wait: segments
                    .next()
                    .and_then(|wait| wait.parse().ok().map(Duration::from_millis)),
                isolate: segments.next().and_then(|name| name.parse().ok()),
            }),
            "check" => Some(Self::Check { request_id }),
            "note" => Some(Self::Note { request_id }),
            _ => None,
        }
    }
}

/// The frame of a status and, unless version `known` is the newest, of the encoded snapshot.
/// `None` if the status cannot be encoded, which only a mistake in this crate can cause.
pub(super) fn snapshot_frame(
    status: &SnapshotStatus,
    known: Option<u64>,
    encoded: Option<&[u8]>,
) -> Option<Vec<u8>> {
    frame(status, encoded.filter(|_| has_snapshot(status, known)))
}

/// The frame of a health.
pub(super) fn health_frame(health: &Health) -> Option<Vec<u8>> {
    frame(health, None)
}

/// The frame of whether each change was noted.
pub(super) fn noted_frame(noted: &[bool]) -> Option<Vec<u8>> {
    frame(&noted, None)
}

/// The body that tells `changes`, whose parts hold no white space.
pub(super) fn to_lines(changes: &[Change]) -> String {
    let mut lines = String::new();
    for change in changes {
        let (cluster, service) = match &change.service {
            Some((cluster, service)) => (cluster.as_str(), service.as_str()),
            None => ("", ""),
        };
        for (part, end) in [
            (change.account.as_str(), ' '),
            (&change.region, ' '),
            (cluster, ' '),
            (service, '\n'),
        ] {
            lines.push_str(part);
            lines.push(end);
        }
    }
    lines
}

/// The changes that a body tells.
pub(super) fn from_lines(lines: &str) -> Vec<Change> {
    let change = |line: &str| {
        let mut parts = line.split(' ').map(str::to_owned);
        let (account, region) = (parts.next()?, parts.next()?);
        let service = parts.next().zip(parts.next());
        Some(Change {
            account,
            region,
            service: service.filter(|(_, service)| !service.is_empty()),
        })
    };
    lines.lines().filter_map(change).collect()
}

fn frame(head: &impl Serialize, snapshot: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut frame = encoding::encode("", head)?;
    frame.extend_from_slice(snapshot.unwrap_or_default());
    Some(frame)
}

/// Decodes the head of a frame from its first [`MAX_HEAD_BYTES`] at most, and returns its length.
///
/// # Errors
/// If the bytes are not a frame of this version.
pub(super) fn decode_head<T: DeserializeOwned>(start: &[u8]) -> Result<(T, usize), DecodeError> {
    let (head, left) = encoding::decode_prefix(start)?;
    Ok((head, start.len() - left))
}

/// Whether a snapshot stands behind `status` in the reply to a request with this `known` version.
pub(super) fn has_snapshot(status: &SnapshotStatus, known: Option<u64>) -> bool {
    status.version.is_some() && status.version != known
}

/// Decodes the snapshot behind the head of a frame, or what has changed in the `known` one.
///
/// # Errors
/// If the bytes are neither, of this version.
pub(super) fn decode_snapshot(
    bytes: &[u8],
    known: Option<&VersionedSnapshot>,
) -> Result<VersionedSnapshot, DecodeError> {
    VersionedSnapshot::decode(bytes, known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::budget::Usage;
    use crate::fleet::refresh::status::EventStatus;
    use crate::fleet::view::outbox::MAX_CHANGES;
    use std::time::UNIX_EPOCH;

    fn status(version: Option<u64>) -> SnapshotStatus {
        SnapshotStatus {
            version,
            last_failure: None,
            progress: None,
            retry_after: Duration::ZERO,
            usage: Usage::default(),
            total: Usage::default(),
            events: EventStatus::default(),
        }
    }

    #[test]
    fn a_request_id_of_any_characters_survives_its_path() {
        for id in ["8f2c7d1e9b3a4c5d-SYD", "a/b?c#d%20", "☃", ""] {
            for (known, wait) in [(None, None), (Some(7), None), (None, Some(1_500))] {
                let request = ObjectRequest::Read {
                    request_id: Cow::Borrowed(id),
                    known,
                    wait: wait.map(Duration::from_millis),
                    isolate: wait.map(|_| u64::MAX),
                };
                let path = request.to_path();
                assert_eq!(ObjectRequest::from_path(&path), Some(request), "{path}");
            }
            let request_id = || Cow::Borrowed(id);
            for request in [
                ObjectRequest::Check {
                    request_id: request_id(),
                },
                ObjectRequest::Note {
                    request_id: request_id(),
                },
            ] {
                let path = request.to_path();
                assert_eq!(ObjectRequest::from_path(&path), Some(request), "{path}");
            }
        }
        assert_eq!(ObjectRequest::from_path("/"), None);
        assert_eq!(ObjectRequest::from_path("/nope/x"), None);
    }

    #[test]
    fn a_snapshot_is_sent_unless_its_version_is_known() {
        let snapshot = VersionedSnapshot::of_nothing(7);
        let encoded = encoding::encode("identity", &snapshot).unwrap();
        for (version, known, is_sent) in [
            (Some(7), None, true),
            (Some(7), Some(6), true),
            (Some(7), Some(8), true),
            (Some(7), Some(7), false),
            (None, None, false),
            (None, Some(7), false),
        ] {
            let frame = snapshot_frame(&status(version), known, Some(&encoded)).unwrap();
            let (head, length): (SnapshotStatus, _) = decode_head(&frame).unwrap();
            assert_eq!(head.version, version);
            assert!(length <= MAX_HEAD_BYTES as usize);
            assert_eq!(has_snapshot(&head, known), is_sent, "{version:?} {known:?}");
            let sent = decode_snapshot(&frame[length..], None).ok();
            let sent = sent.map(|sent| sent.version);
            assert_eq!(sent, is_sent.then_some(7), "{version:?} {known:?}");
        }
    }

    #[test]
    fn a_health_is_framed_alone() {
        let health = Health {
            causes: Vec::new(),
            checked_at: UNIX_EPOCH,
            usage: Usage::default(),
            last_event_at: None,
        };
        let frame = health_frame(&health).unwrap();
        let (head, length): (Health, _) = decode_head(&frame).unwrap();
        assert_eq!((head.checked_at, length), (UNIX_EPOCH, frame.len()));
    }

    #[test]
    fn changes_survive_their_lines() {
        let change = |region: &str, service: Option<(&str, &str)>| Change {
            account: "123456789012".into(),
            region: region.into(),
            service: service.map(|(cluster, service)| (cluster.into(), service.into())),
        };
        let changes = vec![
            change("us-east-1", Some(("web", "api"))),
            change("eu-west-1", None),
            change("", Some(("web", "x_-9"))),
        ];
        assert_eq!(from_lines(&to_lines(&changes)), changes);
        assert!(from_lines("").is_empty());
        assert!(
            from_lines("x\n\n").is_empty(),
            "what is no change is left out"
        );
        let noted = vec![true; MAX_CHANGES];
        let frame = noted_frame(&noted).unwrap();
        assert!(frame.len() <= MAX_HEAD_BYTES as usize, "{}", frame.len());
        let (head, length): (Vec<bool>, _) = decode_head(&frame).unwrap();
        assert_eq!((head, length), (noted, frame.len()));
    }

    #[test]
    fn the_longest_head_fits_into_its_limit() {
        use crate::fleet::model::cause::Cause;
        use crate::fleet::refresh::policy::LastFailure;
        use crate::fleet::sweep::SweepProgress;
        let most = usize::MAX;
        let usage = Usage {
            calls: u32::MAX,
            retries: u32::MAX,
            throttles: u32::MAX,
            errors: u32::MAX,
        };
        let longest = SnapshotStatus {
            version: Some(u64::MAX),
            last_failure: Some(LastFailure {
                cause: Cause::NotDone,
                at: UNIX_EPOCH + Duration::from_secs(u32::MAX.into()),
                in_a_row: u32::MAX,
            }),
            progress: Some(SweepProgress {
                clusters: most,
                services: most,
                described: most,
                calls_left: most,
            }),
            retry_after: Duration::MAX,
            usage,
            total: usage,
            events: EventStatus {
                silent_since: Some(UNIX_EPOCH + Duration::from_secs(u32::MAX.into())),
                total: u32::MAX,
                is_pending: true,
            },
        };
        let frame = snapshot_frame(&longest, None, None).unwrap();
        assert!(frame.len() <= MAX_HEAD_BYTES as usize, "{}", frame.len());
    }
}
