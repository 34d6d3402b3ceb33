//! Bearer token: the value of `LIST_TOKEN` or `EVENTS_TOKEN` (RFC 6750).

use std::fmt;

use subtle::ConstantTimeEq;

/// A bearer token. Its `Debug` hides it.
#[derive(Clone)]
pub struct BearerToken(String);

impl BearerToken {
    /// The shortest length that is accepted, in characters.
    const MIN_LENGTH: usize = 16;

    pub(super) fn new(text: String) -> Option<Self> {
        let is_b64token = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        (text.len() >= Self::MIN_LENGTH && text.bytes().all(is_b64token)).then_some(Self(text))
    }

    /// Compares `given` with this token, in a time that does not depend on how much of it matches.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([withheld])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_compared_as_a_whole_and_hidden_in_debug() {
        let token = BearerToken::new("0123456789abcdef".into()).unwrap();
        assert!(token.is("0123456789abcdef"));
        for other in [
            "",
            "0123456789abcde",
            "0123456789abcdeF",
            "0123456789abcdef0",
        ] {
            assert!(!token.is(other), "{other}");
        }
        assert!(!format!("{token:?}").contains("0123456789abcdef"));
    }
}
