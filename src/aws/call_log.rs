//! Call log: the log lines of a client, one for each attempt. None holds a secret.

use std::time::SystemTime;

use http::Response;
use serde::Serialize;

use crate::aws::budget::Budget;
use crate::aws::client::Client;
use crate::aws::error::Error;
use crate::aws::protocol::{OperationName, Wire};
use crate::platform::{Level, Platform, SendError};
use crate::time::since;

/// The longest text of AWS that is logged, in characters.
const LOGGED_CHARACTERS: usize = 1_024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedAttempt<'a> {
    level: Level,
    event: &'static str,
    request_id: &'a str,
    operation: OperationName,
    region: &'a str,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_request_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Call<'a> {
    level: Level,
    event: &'static str,
    request_id: &'a str,
    operation: OperationName,
    attempt: u32,
    status: u16,
    bytes: usize,
    duration_ms: u128,
}

impl<P: Platform> Client<P> {
    /// Logs a call that succeeded.
    pub(super) fn log_call(
        &self,
        wire: Wire,
        attempt: u32,
        response: &Response<Vec<u8>>,
        now: SystemTime,
        started: SystemTime,
        budget: &Budget,
    ) {
        let record = Call {
            level: Level::Debug,
            event: "awsCall",
            request_id: budget.request_id(),
            operation: wire.name,
            attempt,
            status: response.status().as_u16(),
            bytes: response.body().len(),
            duration_ms: since(started, now).as_millis(),
        };
        self.platform.record(Level::Debug, &record);
    }

    /// Logs a failed attempt, with the code, the message and the request id of AWS.
    pub(super) fn log_failure(&self, wire: Wire, attempt: u32, error: &Error, budget: &Budget) {
        let service = match error {
            Error::Service(error) => Some(error),
            _ => None,
        };
        let message = match error {
            Error::Service(error) => error.message.clone(),
            _ => std::error::Error::source(error)
                .unwrap_or(error)
                .to_string(),
        };
        let clean = |text: &str| -> String {
            self.credentials
                .borrow()
                .redact(text)
                .chars()
                .take(LOGGED_CHARACTERS)
                .collect()
        };
        let record = FailedAttempt {
            level: Level::Warn,
            event: "awsError",
            request_id: budget.request_id(),
            operation: wire.name,
            region: &self.region,
            attempt,
            status: service.map(|error| error.status),
            code: clean(service.map_or(code(error), |error| &error.code)),
            message: clean(&message),
            aws_request_id: service.and_then(|e| e.request_id.as_deref()).map(clean),
        };
        self.platform.record(Level::Warn, &record);
    }
}

/// The code in the log of an error that AWS did not return.
fn code(error: &Error) -> &'static str {
    match error {
        Error::Service(_) => "",
        Error::StaleSession => "StaleSession",
        Error::Send(SendError::Unreachable(_)) => "Unreachable",
        Error::Send(SendError::TimedOut) => "TimedOut",
        Error::Send(SendError::TooLarge) => "TooLarge",
        Error::Send(SendError::SubrequestLimit) => "SubrequestLimit",
        Error::Decode(_) => "Unreadable",
        Error::Signing(_) => "Signing",
        Error::DeadlineExceeded => "DeadlineExceeded",
        Error::OutOfRequests => "OutOfRequests",
    }
}
