//! Security: the headers that restrict the use of a response in a browser.

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
const PICTURE: &str = "default-src 'none'; style-src 'none'; frame-ancestors 'none'";
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the policies of the content type that `headers` names.
pub(in crate::api) fn add(headers: &mut HeaderMap) {
    let content_type = headers
        .get(CONTENT_TYPE)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let is = |prefix: &str| content_type.starts_with(prefix.as_bytes());
    let html = is("text/html");
    let policy = if html {
        PAGE
    } else if is("image/svg+xml") {
        PICTURE
    } else {
        DATA
    };
    // Other sites may embed data and pictures; they have no use for the page and its parts.
    let own = html || is("text/css") || is("text/javascript");
    let sites = if own { "same-origin" } else { "cross-origin" };
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static(sites));
    if html {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers_of(content_type: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        add(&mut headers);
        headers
    }

    #[test]
    fn the_policy_follows_from_the_content_type() {
        for (content_type, policy, sites) in [
            (Some("text/html; charset=utf-8"), PAGE, "same-origin"),
            (Some("text/css; charset=utf-8"), DATA, "same-origin"),
            (Some("text/javascript; charset=utf-8"), DATA, "same-origin"),
            (Some("image/svg+xml"), PICTURE, "cross-origin"),
            (Some("application/json"), DATA, "cross-origin"),
            (None, DATA, "cross-origin"),
        ] {
            let headers = headers_of(content_type);
            assert_eq!(headers[CONTENT_SECURITY_POLICY], policy, "{content_type:?}");
            let found = &headers["cross-origin-resource-policy"];
            assert_eq!(found, sites, "{content_type:?}");
        }
    }

    #[test]
    fn only_a_page_forbids_frames_by_the_older_header() {
        assert_eq!(headers_of(Some("text/html"))[X_FRAME_OPTIONS], "DENY");
        assert!(!headers_of(Some("application/json")).contains_key(X_FRAME_OPTIONS));
    }
}
