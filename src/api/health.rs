//! `/healthz`: whether the configuration is complete and the keys work.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::Serialize;

use super::Answer;
use super::problem::Problem;
use crate::fleet::refresh::Health;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Healthy {
    status: &'static str,
    configuration: &'static str,
    credentials: &'static str,
    /// When AWS was asked.
    checked_at: String,
}

pub(super) fn answer(health: &Health) -> Result<Answer, Box<Problem>> {
    health.keys.map_err(Problem::of_cause)?;
    let checked_at = DateTime::from_secs(DateTime::from(health.checked_at).secs());
    let body = serde_json::to_vec(&Healthy {
        status: "ok",
        configuration: "complete",
        credentials: "accepted",
        checked_at: checked_at
            .fmt(Format::DateTime)
            .map_err(|_| Problem::internal())?,
    })
    .map_err(|_| Problem::internal())?;
    Ok(Answer::ok("application/json", body))
}
