//! The wasm32 edge: the fetch event, the Durable Object, variables and secrets, and what a Worker
//! lends to the rooms.

mod http_send;
mod limit;
mod object;
mod objects;
mod platform;
mod storage;

use std::cell::OnceCell;
use std::rc::Rc;

use ::worker::js_sys::{JSON, Reflect};
use ::worker::wasm_bindgen::JsValue;
use ::worker::{Context, Env, Headers, Request, Response, ResponseBody, Result, event};

use crate::api;
use crate::aws::platform::Rng;
use crate::config::{self, Config, ConfigError, Problem};
use crate::fleet::view::Fleet;
use objects::Objects;
use platform::WorkerPlatform;

type FleetHere = std::result::Result<Fleet<Objects>, ConfigError>;

/// The binding of the Durable Objects' namespace.
const SNAPSHOTS: &str = "SNAPSHOTS";

thread_local! {
    /// The fleet as this isolate knows it. An isolate's variables and secrets never change.
    static FLEET: OnceCell<Rc<FleetHere>> = const { OnceCell::new() };
}

/// Answers one request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let platform = WorkerPlatform::new(config::log_level(|name| lookup(&env, name)));
    let fleet = FLEET.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(fleet(&env, &platform)))));
    let is_over_limit = limit::is_exceeded(&env, &request, &platform).await;
    let request = read(&request, &platform, is_over_limit)?;
    let response = api::handle(&request, (*fleet).as_ref(), &platform).await;
    write(response)
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

fn read(request: &Request, platform: &WorkerPlatform, is_over_limit: bool) -> Result<api::Request> {
    let url = request.inner().url();
    let (origin, rest) = split(&url);
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (rest, None),
    };
    let headers = request.headers();
    Ok(api::Request {
        method: request.inner().method(),
        origin: origin.to_owned(),
        path: path.to_owned(),
        query,
        accept: headers.get("accept")?,
        authorization: headers.get("authorization")?,
        if_none_match: headers.get("if-none-match")?,
        if_modified_since: headers.get("if-modified-since")?,
        is_over_limit,
        // Cloudflare's own id of the request, where there is one.
        id: headers
            .get("cf-ray")?
            .unwrap_or_else(|| format!("{:016x}", platform.bits())),
    })
}

/// `https://host` and `/path?query` of an absolute URL without fragment, as the runtime hands over.
fn split(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url.get(authority..).and_then(|rest| rest.find('/'));
    path.and_then(|path| url.split_at_checked(authority + path))
        .unwrap_or((url, "/"))
}

fn write(response: http::Response<Vec<u8>>) -> Result<Response> {
    let (parts, body) = response.into_parts();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            headers.set(name.as_str(), value)?;
        }
    }
    let body = if body.is_empty() {
        ResponseBody::Empty
    } else {
        ResponseBody::Body(body)
    };
    Ok(Response::from_body(body)?
        .with_status(parts.status.as_u16())
        .with_headers(headers))
}
