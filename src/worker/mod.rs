//! The wasm32 edge: the fetch event, the Durable Object, variables and secrets, and what a Worker
//! lends to the rooms.

mod bodies;
mod http_send;
mod limit;
mod object;
mod objects;
mod platform;
mod storage;

use std::cell::OnceCell;
use std::rc::Rc;

use ::worker::js_sys::{JSON, Reflect, Uint8Array};
use ::worker::wasm_bindgen::JsValue;
use ::worker::{Context, Env, event, web_sys};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::api;
use crate::aws::platform::Rng;
use crate::config::{self, Config, ConfigError, Problem};
use crate::fleet::view::Fleet;
use objects::Objects;
use platform::WorkerPlatform;

type FleetHere = Result<Fleet<Objects>, ConfigError>;

/// The binding of the Durable Objects' namespace.
const SNAPSHOTS: &str = "SNAPSHOTS";

/// What is read of a request's headers, in the order of [`asked`].
const HEADERS: &str =
    "accept authorization if-none-match if-modified-since cf-ray cf-connecting-ip";

thread_local! {
    /// The fleet as this isolate knows it. An isolate's variables and secrets never change.
    static FLEET: OnceCell<Rc<FleetHere>> = const { OnceCell::new() };
}

#[wasm_bindgen(module = "/src/worker/exchanges.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn read(request: &web_sys::Request, names: &str) -> Result<String, JsValue>;

    #[wasm_bindgen(catch)]
    fn respond(status: u16, head: &str, body: &Uint8Array) -> Result<web_sys::Response, JsValue>;
}

/// Answers one request.
#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    _context: Context,
) -> ::worker::Result<web_sys::Response> {
    let platform = WorkerPlatform::new(config::log_level(|name| lookup(&env, name)));
    let fleet = FLEET.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(fleet(&env, &platform)))));
    let (mut request, address) = asked(&read(&request, HEADERS)?, &platform);
    request.is_over_limit = limit::is_exceeded(&env, address, &platform).await;
    let response = api::handle(&request, (*fleet).as_ref(), &platform).await;
    answer(&response)
}

fn fleet(env: &Env, platform: &WorkerPlatform) -> FleetHere {
    let config = Config::from_lookup(|name| lookup(env, name))?;
    let namespace = env.durable_object(SNAPSHOTS).map_err(|_| ConfigError {
        problems: vec![Problem {
            variable: SNAPSHOTS,
            expected: "the binding of the Durable Object SnapshotObject, as in wrangler.toml"
                .into(),
            missing: true,
        }],
    })?;
    let source = Objects::new(namespace, platform.clone(), &config);
    Ok(Fleet::new(config, source))
}

/// A variable or secret as text. One that `wrangler.toml` gives as a number or a table is JSON.
fn lookup(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok()?;
    if value.is_undefined() || value.is_null() {
        return None;
    }
    match value.as_string() {
        Some(text) => Some(text),
        None => JSON::stringify(&value).ok()?.as_string(),
    }
}

/// The request, and the client's address.
fn asked(lines: &str, platform: &WorkerPlatform) -> (api::Request, String) {
    let mut lines = lines.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, url) = (line(), line());
    let (origin, rest) = split(url);
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
        is_over_limit: false,
        // Cloudflare's own id of the request, where there is one.
        id: header().unwrap_or_else(|| format!("{:016x}", platform.bits())),
    };
    (request, header().unwrap_or_default())
}

/// `https://host` and `/path?query` of an absolute URL without fragment, as the runtime hands over.
fn split(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url.get(authority..).and_then(|rest| rest.find('/'));
    path.and_then(|path| url.split_at_checked(authority + path))
        .unwrap_or((url, "/"))
}

fn answer(response: &http::Response<api::Body>) -> ::worker::Result<web_sys::Response> {
    let headers = response.headers().iter();
    let head: Vec<String> = headers
        .filter_map(|(name, value)| Some(format!("{name}: {}", value.to_str().ok()?)))
        .collect();
    let status = response.status().as_u16();
    Ok(respond(
        status,
        &head.join("\n"),
        &bodies::bytes(response.body()),
    )?)
}
