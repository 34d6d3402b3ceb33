//! AWS fetch: `HttpSend` over the fetch of the runtime, which `aws_fetch.js` calls.

use std::time::Duration;

use ::worker::js_sys::futures::JsFuture;
use ::worker::js_sys::{Array, Promise, Reflect, Uint8Array};
use ::worker::wasm_bindgen::{JsCast, JsValue};
use http::header::{HOST, HeaderValue};
use http::{Request, Response};
use wasm_bindgen::prelude::wasm_bindgen;

use super::header_line;
use crate::platform::{MAX_RESPONSE_BYTES, RESPONSE_HEADERS, SendError};

#[wasm_bindgen(module = "/src/worker/aws_fetch.js")]
extern "C" {
    #[derive(Clone, Debug)]
    pub(super) type AwsFetch;

    #[wasm_bindgen(constructor)]
    fn new(most: f64, names: &str) -> AwsFetch;

    #[wasm_bindgen(method)]
    fn post(this: &AwsFetch, message: &str, timeout: f64) -> Promise;

    #[wasm_bindgen(method)]
    fn reuse(this: &AwsFetch, bytes: &Uint8Array);
}

pub(super) fn new_fetch() -> AwsFetch {
    let most = u32::try_from(MAX_RESPONSE_BYTES).unwrap_or(u32::MAX);
    AwsFetch::new(
        most.into(),
        &RESPONSE_HEADERS.map(|name| name.to_string()).join(" "),
    )
}

pub(super) async fn send(
    fetch: &AwsFetch,
    request: Request<Vec<u8>>,
    timeout: Duration,
) -> Result<Response<Vec<u8>>, SendError> {
    let message = message(&request).ok_or_else(|| unreachable("the request is not text"))?;
    let milliseconds = (timeout.as_secs_f64() * 1_000.0).ceil();
    let answer = JsFuture::from(fetch.post(&message, milliseconds))
        .await
        .map_err(|error| send_error(&error))?;
    if let Some(body) = answer.dyn_ref::<Uint8Array>() {
        return Ok(Response::new(take(fetch, body)));
    }
    let parts = answer
        .dyn_into::<Array>()
        .map_err(|_| SendError::TooLarge)?;
    response(fetch, &parts).ok_or_else(|| unreachable("the response has no status"))
}

/// The URL, the headers and, behind an empty line, the body.
fn message(request: &Request<Vec<u8>>) -> Option<String> {
    let mut message = request.uri().to_string();
    for (name, value) in request.headers() {
        // The runtime makes the Host header from the URL, which is where the signed one came from.
        if name != HOST {
            header_line::push(&mut message, name, value)?;
        }
    }
    message.push_str("\n\n");
    message.push_str(str::from_utf8(request.body()).ok()?);
    Some(message)
}

fn take(fetch: &AwsFetch, body: &Uint8Array) -> Vec<u8> {
    let bytes = body.to_vec();
    fetch.reuse(body);
    bytes
}

/// A status that is not 200, the body, and the values of [`RESPONSE_HEADERS`].
fn response(fetch: &AwsFetch, parts: &Array) -> Option<Response<Vec<u8>>> {
    let mut parts = parts.iter();
    let status = parts.next()?.as_string()?;
    let body = parts.next()?.dyn_into::<Uint8Array>().ok()?;
    let mut response = Response::new(take(fetch, &body));
    *response.status_mut() = status.parse().ok()?;
    for (name, value) in RESPONSE_HEADERS.into_iter().zip(parts) {
        let value = value
            .as_string()
            .and_then(|value| value.parse::<HeaderValue>().ok());
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    Some(response)
}

fn unreachable(message: &str) -> SendError {
    SendError::Unreachable(message.to_owned())
}

/// The error of the runtime, by its name and message. Its words are for the log only.
fn send_error(error: &JsValue) -> SendError {
    let text = |name: &str| {
        let value = Reflect::get(error, &name.into()).ok()?;
        value.as_string()
    };
    let message = text("message").unwrap_or_else(|| "unknown".to_owned());
    if text("name").is_some_and(|name| name == "TimeoutError" || name == "AbortError") {
        SendError::TimedOut
    } else if message.contains("Too many subrequests") {
        SendError::SubrequestLimit
    } else {
        SendError::Unreachable(message)
    }
}
