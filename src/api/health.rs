//! `/healthz`: whether the configuration is complete and the keys work.

use serde::Serialize;

use super::Answer;
use super::problem::Problem;
use crate::fleet::reading::Health;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Healthy {
    status: &'static str,
    configuration: &'static str,
    credentials: &'static str,
    /// When AWS was asked.
    checked_at: String,
}

/// `failing`: the first target for which the keys do not work.
pub(super) fn answer(health: &Health, failing: Option<&str>) -> Result<Answer, Box<Problem>> {
    if let (Some(target), Some(cause)) = (failing, health.cause) {
        return Err(Problem::of_target(target, cause).into());
    }
    let body = super::json(&Healthy {
        status: "ok",
        configuration: "complete",
        credentials: "accepted",
        checked_at: super::rfc3339(health.checked_at)?,
    })?;
    Ok(Answer::ok("application/json", body))
}
