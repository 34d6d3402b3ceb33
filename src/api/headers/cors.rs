//! CORS: the permission for other origins' pages to read a response (Fetch, "CORS protocol").

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderValue};

/// Allows every origin: the default of `CORS_ORIGIN`.
pub(in crate::api) const ANY_ORIGIN: &str = "*";

const EXPOSED: &str = "etag, age, x-request-id, retry-after, x-ecs-status-complete";
const ALLOWED: &str = "authorization, if-none-match, if-modified-since, prefer";
/// The time for which a browser may store the answer to a preflight, in seconds.
const MAX_AGE: &str = "86400";

/// Allows `origin` to read the response. `preflight`: the methods of the route, where the response
/// answers an OPTIONS request.
///
/// The preflight's headers depend on nothing in the request, so every OPTIONS response has them.
/// Credentials are never allowed; a token in `Authorization` is none in the sense of CORS.
pub(in crate::api) fn add(headers: &mut HeaderMap, origin: &str, preflight: Option<&[&str]>) {
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
    if let Some(methods) = preflight {
        // OPTIONS itself is the preflight's own method.
        let methods: Vec<&str> = methods
            .iter()
            .copied()
            .filter(|method| *method != "OPTIONS")
            .collect();
        if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(ALLOWED),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vary(before: Option<&'static str>, origin: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(before) = before {
            headers.insert(VARY, HeaderValue::from_static(before));
        }
        add(&mut headers, origin, None);
        Some(headers.get(VARY)?.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_response_for_one_origin_varies_by_origin() {
        let origin = "https://dash.example";
        assert_eq!(vary(Some("accept"), origin).unwrap(), "accept, origin");
        assert_eq!(vary(None, origin).unwrap(), "origin");
    }

    #[test]
    fn a_response_for_any_origin_does_not_vary_by_origin() {
        assert_eq!(vary(Some("accept"), ANY_ORIGIN).unwrap(), "accept");
        assert_eq!(vary(None, ANY_ORIGIN), None);
    }
}
