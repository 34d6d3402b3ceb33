//! Health check: whether the configuration is complete, AWS accepts the credentials, and every call
//! that a report needs is allowed.

use serde::Serialize;

use crate::api::problem::Problem;
use crate::api::response::{self, Reply};
use crate::api::version::VERSION;
use crate::fleet::refresh::status::Health;
use crate::time::rfc3339;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthReport {
    status: &'static str,
    configuration: &'static str,
    credentials: &'static str,
    /// The version of this crate.
    version: &'static str,
    /// When AWS was asked.
    checked_at: String,
    /// When the newest event of any target was noted, as far as is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[allow(clippy::option_option, reason = "not told, not known, a time")]
    last_event_at: Option<Option<String>>,
}

/// The reply for the `health` of all targets. `failing`: the first target that cannot be read.
/// `with_events`: whether it says when the last event came.
pub(in crate::api) fn reply(
    health: &Health,
    failing: Option<&str>,
    with_events: bool,
) -> Result<Reply, Box<Problem>> {
    if let Some(target) = failing {
        return Err(Problem::unhealthy_target(target, &health.causes).into());
    }
    let body = response::json(&HealthReport {
        status: "ok",
        configuration: "complete",
        credentials: "accepted",
        version: VERSION,
        checked_at: rfc3339(health.checked_at).ok_or_else(Problem::internal)?,
        last_event_at: with_events.then(|| health.last_event_at.and_then(rfc3339)),
    });
    let body = body.map_err(|_| Problem::internal())?;
    Ok(Reply::ok("application/json", body))
}
