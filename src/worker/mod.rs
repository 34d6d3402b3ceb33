//! Worker: the wasm32 edge, with the fetch event, the Durable Object, variables and secrets.

mod aws_fetch;
mod body_cache;
mod client_key;
mod env;
mod header_line;
mod location_hint;
mod platform;
mod rate_limit;
mod request;
mod request_id;
mod same_isolate;
mod snapshot_client;
mod snapshot_object;
mod snapshot_protocol;
mod storage;

use std::cell::OnceCell;
use std::rc::Rc;

use ::worker::{Context, Env, event, web_sys};

use crate::api::Api;
use crate::config;
use platform::WorkerPlatform;
use snapshot_client::SnapshotClient;

thread_local! {
    /// The API of this isolate, whose variables and secrets never change.
    static API: OnceCell<Rc<Api<SnapshotClient>>> = const { OnceCell::new() };
}

/// The API of this isolate. A Durable Object that shares the isolate has the configuration from it.
fn api(env: &Env, platform: &WorkerPlatform) -> Rc<Api<SnapshotClient>> {
    let new_api = || Rc::new(Api::new(env::fleet(env, platform)));
    API.with(|cell| Rc::clone(cell.get_or_init(new_api)))
}

/// Answers one request.
#[event(fetch)]
async fn fetch(
    event: web_sys::Request,
    env: Env,
    _context: Context,
) -> ::worker::Result<web_sys::Response> {
    let level = config::log_level(|name| env::variable(&env, name));
    let platform = WorkerPlatform::new(level);
    let api = api(&env, &platform);
    let (mut request, address) = request::read(&event, &platform)?;
    if api.takes_body(&request) {
        request::add_body(&mut request, &event).await;
    } else {
        request.is_over_limit = rate_limit::is_exceeded(&env, &address, &platform).await;
    }
    let response = api.handle(&request, &platform).await;
    Ok(request::respond(&response)?)
}

/// Its functions are so small that V8 does not optimize them during the first report, as it does the
/// standard library's `malloc` (`bench/TRIED.md`).
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
