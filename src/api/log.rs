//! Log: the one record that a request leaves in the log.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::api::query::ReportQuery;
use crate::api::request::Request;
use crate::api::version::VERSION;
use crate::aws::budget::Usage;
use crate::fleet::view::report::MergedReport;
use crate::platform::{Level, Log};

/// A request, the status of its response, and what it cost.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestRecord<'a> {
    level: Level,
    event: &'static str,
    /// The version of this crate.
    version: &'static str,
    request_id: &'a str,
    method: &'a str,
    route: &'static str,
    filter_keys: Vec<String>,
    status: u16,
    /// The reason for an error status; for the operator, so it names variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    duration_ms: u128,
    aws_calls: u32,
    aws_retries: u32,
    aws_throttles: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_age_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<usize>,
    /// Whether an event was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    noted: Option<bool>,
}

impl<'a> RequestRecord<'a> {
    /// The record of `request`, of which nothing else is known yet.
    pub(super) fn new(request: &'a Request) -> Self {
        Self {
            level: Level::Info,
            event: "request",
            version: VERSION,
            request_id: &request.id,
            method: &request.method,
            route: "none",
            filter_keys: Vec::new(),
            status: 0,
            problem: None,
            duration_ms: 0,
            aws_calls: 0,
            aws_retries: 0,
            aws_throttles: 0,
            snapshot_age_seconds: None,
            failures: None,
            noted: None,
        }
    }

    pub(super) fn set_route(&mut self, path: &'static str) {
        self.route = path;
    }

    /// Adds the keys of the filter; their values stay out of the log.
    pub(super) fn set_query(&mut self, query: &ReportQuery) {
        self.filter_keys = query.filter.keys().map(str::to_owned).collect();
    }

    pub(super) fn set_usage(&mut self, usage: Usage) {
        self.aws_calls = usage.calls;
        self.aws_retries = usage.retries;
        self.aws_throttles = usage.throttles;
    }

    pub(super) fn set_report(&mut self, report: &MergedReport) {
        self.snapshot_age_seconds = Some(report.age.as_secs());
        self.failures = Some(report.snapshot.failures.len());
    }

    pub(super) fn set_noted(&mut self, is_noted: bool) {
        self.noted = Some(is_noted);
    }

    pub(super) fn set_problem(&mut self, problem: String) {
        self.problem = Some(problem);
    }

    /// Writes the record to `log`.
    pub(super) fn write(mut self, status: StatusCode, duration: Duration, log: &impl Log) {
        if status.is_server_error() {
            self.level = Level::Error;
        }
        self.status = status.as_u16();
        self.duration_ms = duration.as_millis();
        log.record(self.level, &self);
    }
}
