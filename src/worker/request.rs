//! Request: reads a request of the runtime and writes its response, in one crossing between wasm and
//! JavaScript each.

use ::worker::js_sys::futures::JsFuture;
use ::worker::js_sys::{Promise, Uint8Array};
use ::worker::wasm_bindgen::{JsCast, JsValue};
use ::worker::web_sys;
use wasm_bindgen::prelude::wasm_bindgen;

use super::body_cache;
use super::header_line;
use super::platform::WorkerPlatform;
use super::request_id;
use crate::api;
use crate::platform::Rng;

#[wasm_bindgen(module = "/src/worker/request.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = readRequest)]
    fn read_request(request: &web_sys::Request) -> Result<String, JsValue>;

    #[wasm_bindgen(js_name = readBody)]
    fn read_body(request: &web_sys::Request, most: u32) -> Promise;

    #[wasm_bindgen(catch, js_name = makeResponse)]
    fn make_response(
        status: u16,
        head: &str,
        body: &Uint8Array,
    ) -> Result<web_sys::Response, JsValue>;
}

/// The request, and the address of the client.
pub(super) fn read(
    request: &web_sys::Request,
    platform: &WorkerPlatform,
) -> Result<(api::Request, String), JsValue> {
    Ok(parse(&read_request(request)?, platform))
}

/// Adds the body of the runtime's request. One that breaks off is empty.
pub(super) async fn add_body(request: &mut api::Request, event: &web_sys::Request) {
    let most = u32::try_from(api::MAX_BODY_BYTES).unwrap_or(u32::MAX);
    let Ok(body) = JsFuture::from(read_body(event, most)).await else {
        return;
    };
    match body.dyn_ref::<Uint8Array>() {
        Some(body) => request.body = body.to_vec(),
        None => request.is_body_too_long = true,
    }
}

/// The request of the lines that `readRequest` makes, with the headers in the order of its list.
fn parse(lines: &str, platform: &WorkerPlatform) -> (api::Request, String) {
    let mut lines = lines.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, url) = (line(), line());
    let (origin, rest) = split_url(url);
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (rest, None),
    };
    let mut header = || line().strip_prefix('=').map(str::to_owned);
    let request = api::Request {
        method: method.to_owned(),
        origin: origin.to_owned(),
        path: path.to_owned(),
        query,
        accept: header(),
        authorization: header(),
        if_none_match: header(),
        if_modified_since: header(),
        prefer: header(),
        scrape_timeout: header(),
        body: Vec::new(),
        is_body_too_long: false,
        is_over_limit: false,
        id: request_id::of(header(), || platform.bits()),
    };
    (request, header().unwrap_or_default())
}

/// Splits an absolute URL without fragment into `https://host` and `/path?query`.
pub(super) fn split_url(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url.get(authority..).and_then(|rest| rest.find('/'));
    path.and_then(|path| url.split_at_checked(authority + path))
        .unwrap_or((url, "/"))
}

/// The response of the runtime.
pub(super) fn respond(response: &http::Response<api::Body>) -> Result<web_sys::Response, JsValue> {
    let mut head = String::new();
    for (name, value) in response.headers() {
        // All of this crate's are text.
        let _ = header_line::push(&mut head, name, value);
    }
    make_response(
        response.status().as_u16(),
        &head,
        &body_cache::bytes(response.body()),
    )
}
