//! Event: the request and the response of an API Gateway HTTP API, payload format version 2.0.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::BTreeMap;

use aws_smithy_types::base64;
use ecs_status::api::{Body, Request};
use http::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most bytes of a response that Lambda returns ("Lambda quotas": 6 MB, as its error says it).
const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// More than the bytes of everything in a response but the body.
const MAX_ENVELOPE_BYTES: usize = 8 * 1024;

/// The most bytes of a body, as the JSON string that it is in a response.
pub(crate) const MAX_BODY_BYTES: usize = MAX_RESPONSE_BYTES - MAX_ENVELOPE_BYTES;

/// The members that are read. The others are left alone: no route has a body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    /// The path, percent-decoded.
    raw_path: String,
    /// The query string as received.
    #[serde(default)]
    raw_query_string: Option<String>,
    /// The headers under lower-case names; the values of several of one name are joined by commas.
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    request_context: RequestContext,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    http: Http,
    /// The host name of the API.
    #[serde(default)]
    domain_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

impl Event {
    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.headers.iter().flatten();
        let mut values = headers.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.find_map(|(_, value)| value.as_str())
    }

    /// Scheme and authority. Behind a proxy, the first scheme is that of the client.
    fn origin(&self) -> String {
        let proto = self.header("x-forwarded-proto").unwrap_or_default();
        let is_plain = proto.split(',').next().map(str::trim) == Some("http");
        let scheme = if is_plain { "http" } else { "https" };
        let host = self.header("host").filter(|host| !host.is_empty());
        let host = host.or(self.request_context.domain_name.as_deref());
        format!("{scheme}://{}", host.unwrap_or_default())
    }
}

/// The request of `event`, under the `id` of the invocation.
///
/// # Errors
/// The reason why the event is no request.
pub(crate) fn request(event: Value, id: String) -> Result<Request, String> {
    let event: Event = serde_json::from_value(event).map_err(|error| {
        format!("The event is not an HTTP request of payload format version 2.0: {error}")
    })?;
    let header = |name| event.header(name).map(str::to_owned);
    Ok(Request {
        origin: event.origin(),
        // A percent sign that is left in a decoded path stands for itself.
        path: event.raw_path.replace('%', "%25"),
        accept: header("accept"),
        authorization: header("authorization"),
        if_none_match: header("if-none-match"),
        if_modified_since: header("if-modified-since"),
        prefer: header("prefer"),
        scrape_timeout: header("x-prometheus-scrape-timeout-seconds"),
        // No route of the mirror takes one.
        body: Vec::new(),
        is_body_too_long: false,
        // API Gateway throttles.
        is_over_limit: false,
        id,
        method: event.request_context.http.method,
        query: event.raw_query_string,
    })
}

/// A response as API Gateway takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventResponse {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

impl From<Response<Body>> for EventResponse {
    fn from(response: Response<Body>) -> Self {
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        };
        let (body, is_base64_encoded) = match str::from_utf8(response.body()) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (base64::encode(&**response.body()), true),
        };
        Self {
            status_code: response.status().as_u16(),
            headers: response.headers().iter().map(text).collect(),
            body,
            is_base64_encoded,
        }
    }
}
