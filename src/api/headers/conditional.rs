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
        return known.trim() == "*"
            || entity_tags(known).is_some_and(|tags| tags.iter().any(|tag| etag == tag));
    }
    let since = request.if_modified_since.as_deref();
    match (since.and_then(from_http_date), modified) {
        // The header has whole seconds only.
        (Some(since), Some(modified)) => whole_seconds(modified) <= since,
        _ => false,
    }
}

/// The entity tags of a list, each in its quotes and without its weakness, which does not count here
/// (RFC 9110, sections 5.6.1, 8.8.3 and 13.1.2). `None` if it is malformed.
fn entity_tags(list: &str) -> Option<Vec<&str>> {
    let between = [' ', '\t', ','];
    let mut tags = Vec::new();
    let mut rest = list.trim_start_matches(between);
    while !rest.is_empty() {
        let quoted = rest.strip_prefix("W/").unwrap_or(rest);
        let opaque = quoted.strip_prefix('"')?;
        let length = opaque.find('"')?;
        let is_valid = |c: char| matches!(c, '!'..='~' | '\u{80}'..);
        if !opaque[..length].chars().all(is_valid) {
            return None;
        }
        let (tag, after) = quoted.split_at(length + 2);
        tags.push(tag);
        let next = after.trim_start_matches([' ', '\t']);
        if !next.is_empty() && !next.starts_with(',') {
            return None;
        }
        rest = next.trim_start_matches(between);
    }
    Some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
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
        for tags in [
            "\"abc\"",
            "W/\"abc\"",
            "\"x\", \"abc\"",
            "\"x\",W/\"abc\",\"y\"",
            " , \"abc\" ,, ",
            "\"a,b\"\t, \"abc\"",
            "*",
            " * ",
        ] {
            assert!(known(Some(tags), None), "{tags}");
        }
        for tags in ["", ",", "\"ab\"", "W/\"ab\"", "\"W/\"", "\"\""] {
            assert!(!known(Some(tags), None), "{tags}");
        }
    }

    #[test]
    fn a_star_is_no_star_inside_a_list_or_an_entity_tag() {
        for tags in [
            "\"a,*,b\"",
            "\"*\"",
            "\"x\", *",
            "*, \"x\"",
            "*,*",
            "W/*",
            "**",
        ] {
            assert!(!known(Some(tags), None), "{tags}");
        }
    }

    #[test]
    fn a_comma_inside_an_entity_tag_separates_nothing() {
        assert!(!known(Some("\"x,\"abc\",y\""), None));
        assert!(!known(Some("\"x, \"abc\""), None));
    }

    #[test]
    fn a_malformed_list_of_entity_tags_matches_nothing() {
        for tags in [
            "abc",
            "\"abc",
            "abc\"",
            "\"abc\"\"",
            "W/abc",
            "w/\"abc\"",
            "W/ \"abc\"",
            "\"abc\" \"x\"",
            "\"abc\";q=1",
            "\"abc\", x",
            "\"a c\", \"abc\"",
            "'abc'",
        ] {
            assert!(!known(Some(tags), None), "{tags}");
        }
    }

    proptest! {
        #[test]
        fn an_entity_tag_is_found_among_any_others(
            before in prop::collection::vec("(W/)?\"[!#-~é]{0,6}\"", 0..4),
            after in prop::collection::vec("(W/)?\"[!#-~é]{0,6}\"", 0..4),
            separator in "[ \t]?,[ \t,]{0,3}",
        ) {
            let tags = [before.clone(), vec!["\"abc\"".to_owned()], after.clone()].concat();
            prop_assert!(known(Some(&tags.join(&separator)), None));
            let others = [before, after].concat();
            let is_other = |tag: &String| tag.trim_start_matches("W/") != "\"abc\"";
            prop_assume!(others.iter().all(is_other));
            prop_assert!(!known(Some(&others.join(&separator)), None));
        }

        #[test]
        fn no_if_none_match_header_causes_a_panic(tags in ".*") {
            known(Some(&tags), None);
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
