//! The keys that requests are signed with.

use std::cell::RefCell;
use std::fmt;
use std::time::SystemTime;

use aws_sigv4::sign::v4::generate_signing_key;

/// An access key: id, secret and, for temporary keys, a session token.
///
/// Its `Debug` shows none of them.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    /// The signing key that was used last, and its scope.
    signing_key: RefCell<(String, Vec<u8>)>,
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
            signing_key: RefCell::default(),
        }
    }

    /// The id of the key, which says nothing without its secret, but is not to be shown either.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// What a role's session has besides.
    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// The key for `scope`, which names the day of `now`, `region` and `service`. It is derived once
    /// for all requests of that scope.
    pub(super) fn signing_key(
        &self,
        scope: &str,
        now: SystemTime,
        region: &str,
        service: &str,
    ) -> Vec<u8> {
        let mut last = self.signing_key.borrow_mut();
        if last.0 != scope {
            let key = generate_signing_key(&self.secret_access_key, now, region, service);
            *last = (scope.to_owned(), key.as_ref().to_vec());
        }
        last.1.clone()
    }

    /// Id, secret and token: what must appear nowhere.
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
