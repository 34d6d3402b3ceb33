//! The keys that requests are signed with.

use std::fmt;

use aws_credential_types::Credentials as Keys;

/// An access key: id, secret and, for temporary keys, a session token.
///
/// Its `Debug` shows none of them.
#[derive(Clone)]
pub struct Credentials(Keys);

impl Credentials {
    /// Credentials of an IAM user (no token) or of a role's session (with one).
    #[must_use]
    pub fn new(
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
    ) -> Self {
        Self(Keys::new(
            access_key_id,
            secret_access_key,
            session_token,
            None,
            "configuration",
        ))
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0
    }

    /// The id of the key, which says nothing without its secret, but is not to be shown either.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.0.access_key_id()
    }

    /// Id, secret and token: what must appear nowhere.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        [
            Some(self.0.secret_access_key()),
            self.0.session_token(),
            Some(self.0.access_key_id()),
        ]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect()
    }

    /// `text` without any of the three. AWS repeats the canonical request, and with it the session
    /// token, in the message of a signature error.
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
