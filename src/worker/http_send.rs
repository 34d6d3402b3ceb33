//! `HttpSend` over fetch. The body is read in one `arrayBuffer()`: the stream reader of the worker
//! crate costs several times as much CPU.

use std::time::Duration;

use ::worker::js_sys::futures::JsFuture;
use ::worker::js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use ::worker::wasm_bindgen::{JsCast, JsValue};
use ::worker::web_sys;
use http::header::{CONTENT_LENGTH, HOST};
use http::{Request, Response};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::aws::platform::{MAX_RESPONSE_BYTES, RESPONSE_HEADERS, SendError};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    fn fetch(url: &str, init: &Object) -> Result<Promise, JsValue>;
}

pub(super) async fn send(
    request: Request<Vec<u8>>,
    timeout: Duration,
) -> Result<Response<Vec<u8>>, SendError> {
    exchange(request, timeout)
        .await
        .map_err(|error| match error {
            Failure::Js(error) => send_error(&error),
            Failure::Send(error) => error,
        })
}

enum Failure {
    Js(JsValue),
    Send(SendError),
}

impl From<JsValue> for Failure {
    fn from(error: JsValue) -> Self {
        Self::Js(error)
    }
}

async fn exchange(
    request: Request<Vec<u8>>,
    timeout: Duration,
) -> Result<Response<Vec<u8>>, Failure> {
    let init = init(&request, timeout)?;
    let answer: web_sys::Response = JsFuture::from(fetch(&request.uri().to_string(), &init)?)
        .await?
        .unchecked_into();

    let length = answer.headers().get(CONTENT_LENGTH.as_str())?;
    if length
        .and_then(|length| length.parse().ok())
        .is_some_and(|n: usize| n > MAX_RESPONSE_BYTES)
    {
        if let Some(body) = answer.body() {
            JsFuture::from(body.cancel()).await?;
        }
        return Err(Failure::Send(SendError::TooLarge));
    }

    let mut response = Response::builder().status(answer.status());
    if answer.status() != 200 {
        for name in RESPONSE_HEADERS {
            if let Some(value) = answer.headers().get(name)? {
                response = response.header(name, value);
            }
        }
    }
    let buffer: ArrayBuffer = JsFuture::from(answer.array_buffer()?)
        .await?
        .unchecked_into();
    let bytes = Uint8Array::new(&buffer);
    if bytes.length() as usize > MAX_RESPONSE_BYTES {
        return Err(Failure::Send(SendError::TooLarge));
    }
    response
        .body(bytes.to_vec())
        .map_err(|error| Failure::Send(SendError::Unreachable(error.to_string())))
}

fn init(request: &Request<Vec<u8>>, timeout: Duration) -> Result<Object, JsValue> {
    let headers = Array::new();
    for (name, value) in request.headers() {
        // The runtime makes the Host header from the URL, which is where the signed one came from.
        if name != HOST
            && let Ok(value) = value.to_str()
        {
            headers.push(&Array::of2(&name.as_str().into(), &value.into()));
        }
    }
    let millis = u32::try_from(timeout.as_millis())
        .unwrap_or(u32::MAX)
        .max(1);
    let init = Object::new();
    let set = |name: &str, value: &JsValue| Reflect::set(&init, &name.into(), value);
    set("method", &request.method().as_str().into())?;
    set("headers", &headers)?;
    set("body", &Uint8Array::from(request.body().as_slice()))?;
    set("redirect", &"manual".into())?;
    set("signal", &web_sys::AbortSignal::timeout_with_u32(millis))?;
    Ok(init)
}

/// Takes the runtime's error apart. Its words are for the log only.
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
