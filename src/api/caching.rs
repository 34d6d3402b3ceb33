//! Validators and conditional requests (RFC 9110, sections 8.8 and 13).

use std::hash::{DefaultHasher, Hasher};
use std::time::SystemTime;

use http::HeaderValue;

use super::Request;
use crate::aws::moment;

/// A strong entity tag of the bytes.
pub(super) fn etag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    format!("\"{:016x}\"", hasher.finish())
}

/// `Cache-Control` of what caches may keep so many seconds, and serve so many more while they ask
/// for a newer one (RFC 5861).
pub(super) fn cache_control(max_age: u64, stale_while_revalidate: u64) -> HeaderValue {
    let text = match stale_while_revalidate {
        0 => format!("public, max-age={max_age}"),
        more => format!("public, max-age={max_age}, stale-while-revalidate={more}"),
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("no-store"))
}

/// Whether the client has it already. `If-Modified-Since` counts only without `If-None-Match`.
pub(super) fn is_known(request: &Request, etag: &str, modified: Option<SystemTime>) -> bool {
    if let Some(known) = &request.if_none_match {
        return known
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag);
    }
    let since = request.if_modified_since.as_deref();
    match (since.and_then(moment::from_http_date), modified) {
        // The header knows whole seconds only.
        (Some(since), Some(modified)) => moment::whole_seconds(modified) <= since,
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
        is_known(&request, "\"abc\"", Some(modified))
    }

    #[test]
    fn a_tag_is_known_alone_in_a_list_weak_or_by_a_star() {
        for tags in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*", " \"abc\" "] {
            assert!(known(Some(tags), None), "{tags}");
        }
        for tags in ["", "abc", "\"ab\"", "\"abc\"\"", "W/abc"] {
            assert!(!known(Some(tags), None), "{tags}");
        }
    }

    #[test]
    fn the_date_counts_where_there_is_no_tag() {
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
    fn other_bytes_have_another_tag() {
        assert_eq!(etag(b"a"), etag(b"a"));
        assert_ne!(etag(b"a"), etag(b"b"));
        assert_eq!(etag(b"").len(), 18);
    }

    #[test]
    fn caches_hear_for_how_long_and_for_how_long_while_they_ask() {
        assert_eq!(cache_control(15, 0), "public, max-age=15");
        assert_eq!(
            cache_control(3, 285),
            "public, max-age=3, stale-while-revalidate=285"
        );
    }
}
