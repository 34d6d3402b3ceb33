//! Request: the parts of an HTTP request that its response depends on, and whether they are well
//! formed.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The most bytes of a path and a query together, which is what the runtime of the Worker accepts.
pub(super) const MAX_TARGET_BYTES: usize = 65_534;

/// The most bytes of a body, which is what an event of `EventBridge` has at most.
pub const MAX_BODY_BYTES: usize = 1_048_576;

/// The characters that a path has percent-encoded: everything but the characters of RFC 3986, section 3.3.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// An HTTP request, as an edge hands it over.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Scheme and authority, such as `https://ecs-status.example.workers.dev`.
    pub origin: String,
    /// The path, percent-encoded as received.
    pub path: String,
    /// The query string without the `?`, percent-encoded as received.
    pub query: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// The `If-Modified-Since` header.
    pub if_modified_since: Option<String>,
    /// The `Prefer` header.
    pub prefer: Option<String>,
    /// The `X-Prometheus-Scrape-Timeout-Seconds` header.
    pub scrape_timeout: Option<String>,
    /// The body, where [`Api::takes_body`](super::Api::takes_body).
    pub body: Vec<u8>,
    /// Whether the body exceeds [`MAX_BODY_BYTES`].
    pub is_body_too_long: bool,
    /// Whether the client has exceeded the rate limit.
    pub is_over_limit: bool,
    /// The request's id, for the log and the response.
    pub id: String,
}

/// The reason why a request is malformed, whatever its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    TooLong,
    UnencodedQuery,
}

impl Request {
    /// The path in the one form in which equivalent paths are equal, so `/%6Cist` is `/list` (RFC
    /// 3986, section 6.2.2.2). Only what must be percent-encoded is: API Gateway hands over a decoded
    /// path, so an encoded reserved character, such as a slash, cannot mean anything else than the
    /// character itself.
    pub(super) fn canonical_path(&self) -> Cow<'_, str> {
        let is_canonical = |byte| byte == b'/' || is_unreserved(byte);
        if self.path.bytes().all(is_canonical) {
            return Cow::Borrowed(&self.path);
        }
        let decoded = percent_decode_str(&self.path).decode_utf8_lossy();
        Cow::Owned(utf8_percent_encode(&decoded, PATH).to_string())
    }

    /// Checks what the runtime of the Worker checks before any code runs, for the edges that have
    /// no such runtime.
    ///
    /// # Errors
    /// The reason why the request is malformed.
    pub(super) fn check(&self) -> Result<(), Malformed> {
        let query = self.query.as_deref().unwrap_or_default();
        if self.path.len() + query.len() + usize::from(self.query.is_some()) > MAX_TARGET_BYTES {
            return Err(Malformed::TooLong);
        }
        let must_be_encoded = |byte: u8| byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | 0x7f);
        if query.bytes().any(must_be_encoded) {
            return Err(Malformed::UnencodedQuery);
        }
        Ok(())
    }
}

/// Whether `byte` is an unreserved character (RFC 3986, section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(path: &str) -> Request {
        Request {
            path: path.to_owned(),
            ..Request::default()
        }
    }

    fn query(query: &str) -> Request {
        Request {
            query: Some(query.to_owned()),
            ..path("/list")
        }
    }

    #[test]
    fn equivalent_paths_have_one_canonical_form() {
        for (given, canonical) in [
            ("/list", "/list"),
            ("/%6Cist", "/list"),
            ("/%6cist", "/list"),
            ("/%6C%69%73%74", "/list"),
            ("/badge%2Esvg", "/badge.svg"),
            ("/%7Ea~", "/~a~"),
            ("/%2Flist", "//list"),
            ("/list%3Fowner=K2", "/list%3Fowner=K2"),
            ("/%256Cist", "/%256Cist"),
            ("/%zz%", "/%25zz%25"),
            ("/a+b:c@d;e=f!$&'()*,", "/a+b:c@d;e=f!$&'()*,"),
            ("/☃%E2%98%83", "/%E2%98%83%E2%98%83"),
            ("/%00%7F%E2%80%AE", "/%00%7F%E2%80%AE"),
            ("/%ff", "/%EF%BF%BD"),
            ("/ \"<>", "/%20%22%3C%3E"),
            ("", ""),
        ] {
            assert_eq!(path(given).canonical_path(), canonical, "{given}");
        }
    }

    #[test]
    fn a_query_with_a_character_that_must_be_encoded_is_malformed() {
        for given in [
            "a=\"b\"", "a=b c", "<", "a>", "\0", "a=\t", "a=\n", "a=\x1b", "\x7f",
        ] {
            let error = Err(Malformed::UnencodedQuery);
            assert_eq!(query(given).check(), error, "{given:?}");
        }
        for given in [
            "",
            "a=%22",
            "a=%",
            "a=☃\u{202e}",
            "a='b'",
            "{}|^`\\#[]?/",
            "a+b",
        ] {
            assert_eq!(query(given).check(), Ok(()), "{given:?}");
        }
        assert_eq!(
            path("/a \"<b>").check(),
            Ok(()),
            "a path has a canonical form"
        );
    }

    #[test]
    fn a_request_is_too_long_beyond_the_limit_of_the_runtime() {
        let most = MAX_TARGET_BYTES - "/list?".len();
        assert_eq!(query(&"x".repeat(most)).check(), Ok(()));
        assert_eq!(
            query(&"x".repeat(most + 1)).check(),
            Err(Malformed::TooLong)
        );
        assert_eq!(path(&"/".repeat(MAX_TARGET_BYTES)).check(), Ok(()));
        let longer = path(&"/".repeat(MAX_TARGET_BYTES + 1));
        assert_eq!(longer.check(), Err(Malformed::TooLong));
    }

    proptest! {
        #[test]
        fn a_canonical_path_is_its_own_canonical_form_in_ascii(given in "(/|.|%[0-9a-fA-F]{2}|%){0,12}") {
            let canonical = path(&given).canonical_path().into_owned();
            prop_assert!(canonical.bytes().all(|byte| byte.is_ascii_graphic()));
            let again = path(&canonical);
            prop_assert_eq!(again.canonical_path(), canonical);
        }

        #[test]
        fn a_decoded_path_has_the_canonical_form_of_the_path_it_was_decoded_from(given in "/(.|%[0-9a-fA-F]{2}|%){0,12}") {
            let decoded = percent_decode_str(&given).decode_utf8_lossy();
            let handed_over = path(&decoded.replace('%', "%25"));
            let request = path(&given);
            prop_assert_eq!(handed_over.canonical_path(), request.canonical_path());
        }
    }
}
