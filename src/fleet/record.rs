//! The log lines of sweeps and of what is stored.

use std::time::SystemTime;

use serde::Serialize;

use super::failure::Cause;
use super::refresh::since;
use super::snapshot::Snapshot;
use super::stored::Underway;
use super::target::Target;
use crate::aws::budget::Usage;
use crate::aws::platform::{Level, Platform};

/// What one sweep did.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SweepRecord<'a> {
    level: Level,
    event: &'static str,
    /// The request that it was started for, or the invocation that ended it.
    request_id: &'a str,
    target: &'a str,
    region: &'a str,
    duration_ms: u128,
    slices: u32,
    aws_calls: u32,
    aws_retries: u32,
    aws_throttles: u32,
    aws_errors: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    clusters: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<usize>,
    /// Why nothing could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
}

impl<'a> SweepRecord<'a> {
    pub(super) fn new<P: Platform>(
        request_id: &'a str,
        target: &'a Target<P>,
        underway: &Underway,
        now: SystemTime,
    ) -> Self {
        let Usage {
            calls,
            retries,
            throttles,
            errors,
        } = underway.usage;
        Self {
            level: Level::Info,
            event: "sweep",
            request_id,
            target: target.name(),
            region: target.region(),
            duration_ms: since(underway.started_at, now).as_millis(),
            slices: underway.slices,
            aws_calls: calls,
            aws_retries: retries,
            aws_throttles: throttles,
            aws_errors: errors,
            clusters: None,
            services: None,
            failures: None,
            problem: None,
            memory_bytes: None,
        }
    }

    pub(super) fn found(&mut self, snapshot: &Snapshot) {
        self.clusters = Some(snapshot.clusters.len());
        self.services = Some(snapshot.clusters.iter().map(|c| c.services.len()).sum());
        self.failures = Some(snapshot.failures.len());
    }

    pub(super) fn failed(&mut self, cause: Cause) {
        self.level = Level::Error;
        self.problem = Some(cause.reason().into_owned());
    }

    pub(super) fn write<P: Platform>(mut self, platform: &P) {
        self.memory_bytes = platform.memory_bytes();
        write(platform, self.level, &self);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreFailed<'a> {
    level: Level,
    event: &'static str,
    target: &'a str,
    stored: &'static str,
    outcome: &'static str,
    message: &'a str,
}

/// Something could not be stored, or was stored and is of no use.
pub(super) fn store_failed<P: Platform>(
    platform: &P,
    target: &str,
    stored: &'static str,
    outcome: &'static str,
    message: &str,
) {
    let line = StoreFailed {
        level: Level::Warn,
        event: "storage",
        target,
        stored,
        outcome,
        message,
    };
    write(platform, Level::Warn, &line);
}

fn write<P: Platform>(platform: &P, level: Level, line: &impl Serialize) {
    if platform.enabled(level)
        && let Ok(line) = serde_json::to_string(line)
    {
        platform.write(level, line);
    }
}
