//! Conditional requests: entity tags, dates and Cache-Control (RFC 9110, sections 8.8 and 13).

use std::hash::{DefaultHasher, Hasher};
use std::time::SystemTime;

use http::HeaderValue;

use crate::api::request::Request;
use crate::time::{from_http_date, whole_seconds};

/// A strong entity tag of `body`.
pub(in crate::api) fn etag(body: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    // Hexadecimal digits between quotes are always a valid value.
    HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish()))
        .unwrap_or(HeaderValue::from_static("\"\""))
}

/// `Cache-Control` that lets caches serve a response for `max_age` seconds, and not a second longer:
/// without `must-revalidate` a cache may serve it while the origin fails (RFC 9111, section 4.2.4),
/// and that of Cloudflare does so without limit ("Workers Cache", configuration).
pub(in crate::api) fn cache_control(max_age: u64) -> HeaderValue {
    HeaderValue::try_from(format!("public, max-age={max_age}, must-revalidate"))
        .unwrap_or(HeaderValue::from_static("no-store"))
}

/// Whether the client has the response already. `If-Modified-Since` counts only without
/// `If-None-Match`.
pub(in crate::api) fn is_known(
    request: &Request,
    etag: &HeaderValue,
    modified: Option<SystemTime>,
) -> bool {
    if let Some(known) = &request.if_none_match {
        return known
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || *etag == tag.strip_prefix("W/").unwrap_or(tag));
    }
    let since = request.if_modified_since.as_deref();
    match (since.and_then(from_http_date), modified) {
        // The header has whole seconds only.
        (Some(since), Some(modified)) => whole_seconds(modified) <= since,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn known(if_none_match: Option<&str>, if_modified_since: Option<&str>) -> bool {
        let request = Request {
            if_none_match: if_none_match.map(str::to_owned),
            if_modified_since: if_modified_since.map(str::to_owned),
            ..Request::default()
        };
        // 2026-11-22T19:40:00.5Z
        let modified = UNIX_EPOCH + Duration::from_millis(1_795_376_400_500);
        let etag = HeaderValue::from_static("\"abc\"");
        is_known(&request, &etag, Some(modified))
    }

    #[test]
    fn an_entity_tag_matches_alone_in_a_list_weak_or_by_a_star() {
        for tags in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*", " \"abc\" "] {
            assert!(known(Some(tags), None), "{tags}");
        }
        for tags in ["", "abc", "\"ab\"", "\"abc\"\"", "W/abc"] {
            assert!(!known(Some(tags), None), "{tags}");
        }
    }

    #[test]
    fn if_modified_since_counts_only_without_if_none_match() {
        let (same, before) = (
            "Sun, 22 Nov 2026 19:40:00 GMT",
            "Sun, 22 Nov 2026 19:39:59 GMT",
        );
        assert!(known(None, Some(same)));
        assert!(!known(None, Some(before)));
        assert!(!known(None, Some("soon")));
        assert!(!known(None, None));
        assert!(!known(Some("\"x\""), Some(same)));
    }

    #[test]
    fn different_bodies_have_different_entity_tags() {
        assert_eq!(etag(b"a"), etag(b"a"));
        assert_ne!(etag(b"a"), etag(b"b"));
        assert_eq!(etag(b"").len(), 18);
    }

    #[test]
    fn caches_may_not_serve_longer_than_the_max_age() {
        assert_eq!(cache_control(15), "public, max-age=15, must-revalidate");
    }
}
