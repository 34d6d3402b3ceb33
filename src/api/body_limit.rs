//! Body limit: the longest body that an edge can send, where it sends bodies as JSON strings.

/// A limit in bytes of the JSON string; none by default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BodyLimit(pub(super) Option<usize>);

impl BodyLimit {
    /// Checks that a body fits.
    ///
    /// # Errors
    /// The limit that `body` exceeds.
    pub(super) fn check(self, body: &[u8]) -> Result<(), usize> {
        match self.0 {
            // A byte becomes six at most, so most bodies need not be read.
            Some(most) if 6 * body.len() + 2 > most && json_string_len(body) > most => Err(most),
            _ => Ok(()),
        }
    }
}

/// The bytes of `text` as a JSON string, with its quotes.
fn json_string_len(text: &[u8]) -> usize {
    let escaped = text.iter().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0x00..0x20 => 6,
        _ => 1,
    });
    escaped.sum::<usize>() + 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_body_fits_where_serde_json_writes_no_more_bytes_than_the_limit(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap().len();
            let check = |most| BodyLimit(Some(most)).check(text.as_bytes());
            prop_assert_eq!(check(written), Ok(()));
            prop_assert_eq!(check(written - 1), Err(written - 1));
        }

        #[test]
        fn every_body_fits_where_there_is_no_limit(body in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(BodyLimit::default().check(&body), Ok(()));
        }
    }
}
