//! Headers that every answer has: who may read it (Fetch, "CORS protocol") and what a browser may
//! do with it.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderName, REFERRER_POLICY, VARY, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::Answer;
use super::problem::ALLOW;

/// Every origin may read the answers, unless `CORS_ORIGIN` says otherwise.
pub(super) const ANY_ORIGIN: &str = "*";

const EXPOSED: &str = "etag, age, x-request-id, retry-after, x-ecs-status-complete";
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
    (
        ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, if-none-match, if-modified-since",
    ),
    (ACCESS_CONTROL_MAX_AGE, "86400"),
];

const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
const PICTURE: &str = "default-src 'none'; style-src 'none'; frame-ancestors 'none'";
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer to OPTIONS, whatever route is asked.
pub(super) fn options() -> Answer {
    Answer {
        status: StatusCode::NO_CONTENT,
        allow: Some(ALLOW),
        ..Answer::ok("", Vec::new())
    }
}

/// Adds what all answers have. `cors_origin` may read them: any (`*`), one, or no other than ours.
///
/// The preflight's headers stand on every answer to OPTIONS: they depend on nothing in the request.
/// Credentials are never allowed; a token in `Authorization` is none in the sense of CORS.
pub(super) fn complete<B>(response: &mut Response<B>, cors_origin: Option<&str>) {
    let status = response.status();
    let preflight = status == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if preflight {
        // RFC 9110, section 8.6: a 204 has neither.
        headers.remove(CONTENT_LENGTH);
        headers.remove(CONTENT_TYPE);
    }
    // What a 304 says replaces what was kept with the page (RFC 9111, section 3.2), and without a
    // Content-Type nobody knows here what that is.
    if status != StatusCode::NOT_MODIFIED || headers.contains_key(CONTENT_TYPE) {
        secure(headers);
    }
    let Some(origin) = cors_origin else {
        return;
    };
    let Ok(value) = HeaderValue::from_str(origin) else {
        return;
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value);
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
    if origin != ANY_ORIGIN {
        let known = headers.get(VARY).and_then(|known| known.to_str().ok());
        let vary = known.map(|known| format!("{known}, origin"));
        let vary = vary.and_then(|vary| HeaderValue::try_from(vary).ok());
        headers.insert(VARY, vary.unwrap_or(HeaderValue::from_static("origin")));
    }
    if preflight {
        for (name, value) in PREFLIGHT {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

fn secure(headers: &mut HeaderMap) {
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
        NOTHING
    };
    // Data and pictures may be used by other sites; pages and what they are made of need not.
    let own = html || is("text/css") || is("text/javascript");
    let sites = if own { "same-origin" } else { "cross-origin" };
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static(sites),
    );
    if html {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(status: u16, given: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in given {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        complete(&mut response, Some("https://dash.example"));
        response.into_parts().0.headers
    }

    #[test]
    fn a_304_leaves_the_policy_of_a_kept_page_as_it_is() {
        assert!(!completed(304, &[]).contains_key(CONTENT_SECURITY_POLICY));
        let html = [(CONTENT_TYPE, "text/html; charset=utf-8")];
        assert_eq!(completed(304, &html)[CONTENT_SECURITY_POLICY], PAGE);
        assert_eq!(completed(200, &[])[CONTENT_SECURITY_POLICY], NOTHING);
    }

    #[test]
    fn what_an_answer_depends_on_is_added_to() {
        assert_eq!(completed(200, &[(VARY, "accept")])[VARY], "accept, origin");
        assert_eq!(completed(200, &[])[VARY], "origin");
    }
}
