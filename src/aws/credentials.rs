//! Credentials: the access key that requests are signed with.

use std::fmt;

use crate::aws::sigv4::signing_key::{Scope, SigningKeyCache};

/// An access key: id, secret and, for temporary keys, a session token.
///
/// Its `Debug` shows none of them.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    signing_keys: SigningKeyCache,
}

impl Credentials {
    /// Credentials of an IAM user (no token) or of a role's session (with one).
    #[must_use]
    pub fn new(
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
    ) -> Self {
        Self {
            access_key_id,
            secret_access_key,
            session_token,
            signing_keys: SigningKeyCache::default(),
        }
    }

    /// The id of the key. It gives nothing away without the secret, but is not shown either.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The token of a role's session.
    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// The signing key for `scope`.
    pub(super) fn signing_key(&self, scope: &Scope<'_>) -> Vec<u8> {
        self.signing_keys.key(&self.secret_access_key, scope)
    }

    /// Secret, token and id, which must appear nowhere.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        [
            Some(&self.secret_access_key),
            self.session_token.as_ref(),
            Some(&self.access_key_id),
        ]
        .into_iter()
        .flatten()
        .cloned()
        .collect()
    }

    /// `text` without any of the three. The message of a signature error repeats the canonical
    /// request, and with it the session token.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.texts()
            .iter()
            .filter(|value| !value.is_empty())
            .fold(text.to_owned(), |text, value| {
                text.replace(value, "[withheld]")
            })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials([withheld])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials::new("AKID".into(), "hush".into(), Some("token".into()))
    }

    #[test]
    fn debug_shows_neither_id_nor_secret_nor_token() {
        let shown = format!("{:?} {:#?}", credentials(), credentials());
        for value in ["AKID", "hush", "token"] {
            assert!(!shown.contains(value), "{shown}");
        }
    }

    #[test]
    fn a_text_is_freed_of_all_three() {
        assert_eq!(
            credentials().redact("AKID:hush:token:x"),
            "[withheld]:[withheld]:[withheld]:x"
        );
    }
}
