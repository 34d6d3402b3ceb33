//! Response: turning a reply into an HTTP response with the headers that every response has.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use http::header::{
    AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, RETRY_AFTER,
    VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::api::headers::{conditional, cors, security};
use crate::api::request::Request;
use crate::time::http_date;

/// The header that carries the request's id, in responses that no cache stores.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A response's body. All who request the same share it.
pub type Body = Rc<Vec<u8>>;

/// A response before the headers that every response has.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Body,
    /// The entity tag of the body, where it is known already.
    pub(super) etag: Option<HeaderValue>,
    /// The time for which caches may serve the body; `None` if they may not store it.
    pub(super) max_age: Option<Duration>,
    pub(super) age: Duration,
    pub(super) last_modified: Option<SystemTime>,
    /// Whether only the holder of the token may see it.
    pub(super) private: bool,
    /// Whether it depends on the `Accept` header.
    pub(super) varies_by_accept: bool,
    /// The methods of the route, where the response tells them.
    pub(super) allow: Option<&'static [&'static str]>,
    pub(super) retry_after: Option<Duration>,
    pub(super) www_authenticate: Option<&'static str>,
    /// Headers of this reply alone.
    pub(super) headers: Vec<(HeaderName, &'static str)>,
}

impl Reply {
    /// A 200 that caches may not store.
    pub(super) fn ok(content_type: &'static str, body: impl Into<Body>) -> Self {
        Self {
            status: StatusCode::OK,
            content_type,
            body: body.into(),
            etag: None,
            max_age: None,
            age: Duration::ZERO,
            last_modified: None,
            private: false,
            varies_by_accept: false,
            allow: None,
            retry_after: None,
            www_authenticate: None,
            headers: Vec::new(),
        }
    }

    /// A 200 that caches may store for `max_age`.
    pub(super) fn cacheable(
        content_type: &'static str,
        body: impl Into<Body>,
        max_age: Duration,
    ) -> Self {
        Self {
            max_age: Some(max_age),
            ..Self::ok(content_type, body)
        }
    }

    /// The 204 of an OPTIONS request to a route that has `methods`.
    pub(super) fn options(methods: &'static [&'static str]) -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            allow: Some(methods),
            ..Self::ok("", Vec::new())
        }
    }

    /// The response to `request`: a 304 if the client has the body already, without a body if the
    /// method is HEAD. `cors_origin`: the origin whose pages may read it, if any.
    pub(super) fn into_response(
        self,
        request: &Request,
        cors_origin: Option<&str>,
    ) -> Response<Body> {
        let etag = self.max_age.map(|_| match &self.etag {
            Some(etag) => etag.clone(),
            None => conditional::etag(&self.body),
        });
        let is_known = etag
            .as_ref()
            .is_some_and(|etag| conditional::is_known(request, etag, self.last_modified));
        let mut response = Response::new(Body::default());
        *response.status_mut() = if is_known {
            StatusCode::NOT_MODIFIED
        } else {
            self.status
        };
        let headers = response.headers_mut();
        // RFC 9110, section 8.6: a 204 has neither of the two.
        if !is_known && self.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        if !is_known {
            // The headers of a 304 replace those that the client stored with the page (RFC 9111,
            // section 3.2), so a 304 leaves the policy of the page as it is.
            security::add(headers);
        }
        if let Some(etag) = etag {
            headers.insert(ETAG, etag);
        }
        self.add_headers(headers, request);
        if let Some(origin) = cors_origin {
            let is_preflight = self.status == StatusCode::NO_CONTENT;
            cors::add(headers, origin, self.allow.filter(|_| is_preflight));
        }
        if !is_known && request.method != "HEAD" {
            *response.body_mut() = self.body;
        }
        response
    }

    fn add_headers(&self, headers: &mut HeaderMap, request: &Request) {
        if let Some(modified) = self.last_modified.and_then(http_date)
            && let Ok(modified) = HeaderValue::try_from(modified)
        {
            headers.insert(LAST_MODIFIED, modified);
        }
        headers.insert(AGE, HeaderValue::from(self.age.as_secs()));
        headers.insert(CACHE_CONTROL, self.cache_control());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.varies_by_accept {
            headers.insert(VARY, HeaderValue::from_static("accept"));
        }
        if let Some(methods) = self.allow
            && let Ok(allow) = HeaderValue::try_from(methods.join(", "))
        {
            headers.insert(ALLOW, allow);
        }
        if let Some(challenge) = self.www_authenticate {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds_to_wait(wait)));
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), HeaderValue::from_static(value));
        }
        // A stored response would carry the id of the request that filled the cache.
        let is_stored = self.max_age.is_some() && !self.private;
        if !is_stored && let Ok(id) = HeaderValue::from_str(&request.id) {
            headers.insert(REQUEST_ID, id);
        }
    }

    fn cache_control(&self) -> HeaderValue {
        match self.max_age {
            _ if self.private => HeaderValue::from_static("private, no-store"),
            Some(max_age) => conditional::cache_control(max_age.as_secs()),
            None => HeaderValue::from_static("no-store"),
        }
    }
}

/// `value` as JSON, with a line feed at its end for terminals.
pub(super) fn json(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut body = serde_json::to_vec(value)?;
    body.push(b'\n');
    Ok(body)
}

/// `wait` in whole seconds, rounded up: a client that returns earlier is turned away again.
fn seconds_to_wait(wait: Duration) -> u64 {
    let started = u64::from(wait.subsec_nanos() > 0);
    (wait.as_secs() + started).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::CONTENT_SECURITY_POLICY;

    fn request(method: &str, if_none_match: Option<&str>) -> Request {
        Request {
            method: method.into(),
            if_none_match: if_none_match.map(str::to_owned),
            ..Request::default()
        }
    }

    fn page() -> Reply {
        Reply::cacheable("text/html", b"page".to_vec(), Duration::from_secs(9))
    }

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        for (milliseconds, header) in [
            (0, "1"),
            (1, "1"),
            (1_000, "1"),
            (1_001, "2"),
            (4_999, "5"),
            (5_000, "5"),
        ] {
            let reply = Reply {
                retry_after: Some(Duration::from_millis(milliseconds)),
                ..Reply::ok("text/plain", Vec::new())
            };
            let response = reply.into_response(&request("GET", None), None);
            assert_eq!(response.headers()[RETRY_AFTER], header, "{milliseconds} ms");
        }
    }

    #[test]
    fn a_304_has_no_body_and_leaves_the_policy_of_the_stored_page() {
        let fresh = page().into_response(&request("GET", None), None);
        assert_eq!(fresh.status(), StatusCode::OK);
        assert_eq!(**fresh.body(), b"page");
        assert!(fresh.headers().contains_key(CONTENT_SECURITY_POLICY));

        let etag = fresh.headers()[ETAG].to_str().unwrap();
        let known = page().into_response(&request("GET", Some(etag)), None);
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert!(known.body().is_empty());
        assert_eq!(known.headers()[ETAG], etag);
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_SECURITY_POLICY] {
            assert!(!known.headers().contains_key(&name), "{name}");
        }
    }

    #[test]
    fn a_head_request_gets_the_headers_of_get_without_the_body() {
        let response = page().into_response(&request("HEAD", None), None);
        assert!(response.body().is_empty());
        assert_eq!(response.headers()[CONTENT_LENGTH], "4");
        assert_eq!(
            response.headers()[CACHE_CONTROL],
            "public, max-age=9, must-revalidate"
        );
    }

    #[test]
    fn an_options_response_tells_the_methods_of_the_route() {
        let options = || Reply::options(&["GET", "OPTIONS"]);
        let request = request("OPTIONS", None);
        let response = options().into_response(&request, Some("*"));
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[ALLOW], "GET, OPTIONS");
        assert_eq!(response.headers()["access-control-allow-methods"], "GET");
        assert!(!response.headers().contains_key(CONTENT_LENGTH));

        let response = options().into_response(&request, None);
        assert!(
            !response
                .headers()
                .contains_key("access-control-allow-methods")
        );
    }
}
