//! Credentials: the access key that requests are signed with.

use std::fmt;

use crate::aws::sigv4::signing_key::{Scope, SigningKeyCache};

/// The length of the shortest text that can be a secret, in characters (AWS Security Token Service
/// API Reference, `Credentials`, "`AccessKeyId`").
const SECRET_MIN: usize = 16;

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

    /// `text` without any of the three, where they can be secrets. The message of a signature error repeats the canonical
    /// request, and with it the session token.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.texts()
            .iter()
            .filter(|value| is_redacted(value))
            .fold(text.to_owned(), |text, value| {
                text.replace(value, "[withheld]")
            })
    }
}

/// Whether a text is redacted where it appears: AWS's key ids, secrets and tokens have 16 characters
/// or more. Shorter ones, such as an emulator's `test`, occur in ordinary words.
#[must_use]
pub fn is_redacted(text: &str) -> bool {
    text.chars().count() >= SECRET_MIN
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials([withheld])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = [
        "AKIAIOSFODNN7EXAMPLE",
        "hush-hush-hush-hush",
        "token-token-token",
    ];

    fn credentials() -> Credentials {
        let [id, secret, token] = TEXTS.map(str::to_owned);
        Credentials::new(id, secret, Some(token))
    }

    #[test]
    fn debug_shows_neither_id_nor_secret_nor_token() {
        let shown = format!("{:?} {:#?}", credentials(), credentials());
        for value in TEXTS {
            assert!(!shown.contains(value), "{shown}");
        }
    }

    #[test]
    fn a_text_is_freed_of_all_three() {
        assert_eq!(
            credentials().redact(&format!("{}:x", TEXTS.join(":"))),
            "[withheld]:[withheld]:[withheld]:x"
        );
    }

    #[test]
    fn keys_of_fewer_than_16_characters_are_no_secrets() {
        let short = Credentials::new("test".into(), "test".into(), Some(String::new()));
        assert_eq!(short.redact("a test fails"), "a test fails");
    }
}
