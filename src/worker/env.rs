//! Environment: the variables, secrets and bindings of the Worker.

use ::worker::Env;
use ::worker::js_sys::{JSON, Reflect};
use ::worker::wasm_bindgen::JsValue;

use super::platform::WorkerPlatform;
use super::snapshot_client::SnapshotClient;
use crate::config::{Config, ConfigError, VariableError};
use crate::fleet::view::Fleet;

/// The binding of the Durable Objects' namespace.
const SNAPSHOTS: &str = "SNAPSHOTS";

/// The fleet of the configured targets.
pub(super) fn fleet(
    env: &Env,
    platform: &WorkerPlatform,
) -> Result<Fleet<SnapshotClient>, ConfigError> {
    let config = Config::from_lookup(|name| variable(env, name))?;
    let namespace = env.durable_object(SNAPSHOTS).map_err(|_| ConfigError {
        errors: vec![VariableError {
            variable: SNAPSHOTS.into(),
            expected: "the binding of the Durable Object SnapshotObject, as in wrangler.toml"
                .into(),
            missing: true,
        }],
    })?;
    let source = SnapshotClient::new(namespace, platform.clone(), &config);
    Ok(Fleet::new(config, source))
}

/// A variable or secret as text. One that `wrangler.toml` gives as a number or a table is JSON.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok()?;
    if value.is_undefined() || value.is_null() {
        return None;
    }
    match value.as_string() {
        Some(text) => Some(text),
        None => JSON::stringify(&value).ok()?.as_string(),
    }
}
