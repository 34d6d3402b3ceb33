//! Events: takes an event of `EventBridge` as a hint that something has changed.

use http::StatusCode;
use serde::Serialize;

use crate::api::problem::Problem;
use crate::api::response::{self, Reply};

#[derive(Serialize)]
struct EventReport {
    /// Whether what the event names is read anew for the next reader.
    noted: bool,
}

/// The reply to an event.
pub(in crate::api) fn reply(noted: bool) -> Result<Reply, Box<Problem>> {
    let body = response::json(&EventReport { noted }).map_err(|_| Problem::internal())?;
    Ok(Reply {
        status: StatusCode::ACCEPTED,
        ..Reply::ok("application/json", body)
    })
}
