//! Log: the lines about sweeps and about the store.

use std::time::SystemTime;

use serde::Serialize;

use crate::aws::budget::Usage;
use crate::fleet::model::cause::Cause;
use crate::fleet::model::snapshot::Snapshot;
use crate::fleet::sweep::target_client::TargetClient;
use crate::platform::{Level, Log, Platform};
use crate::time::since;

/// The log line of a sweep, or of a rereading.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SweepRecord<'a> {
    level: Level,
    event: &'static str,
    /// The request that started it, or the invocation that ended it.
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
    /// The reason why nothing could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
}

impl<'a> SweepRecord<'a> {
    /// The record of an `event` that took from the first to the second of these times, in one slice.
    pub(super) fn new<P: Platform>(
        event: &'static str,
        request_id: &'a str,
        target: &'a TargetClient<P>,
        (started_at, now): (SystemTime, SystemTime),
        usage: Usage,
    ) -> Self {
        let Usage {
            calls,
            retries,
            throttles,
            errors,
        } = usage;
        Self {
            level: Level::Info,
            event,
            request_id,
            target: target.name(),
            region: target.region(),
            duration_ms: since(started_at, now).as_millis(),
            slices: 1,
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

    pub(super) fn in_slices(self, slices: u32) -> Self {
        Self { slices, ..self }
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
        platform.record(self.level, &self);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StorageRecord<'a> {
    level: Level,
    event: &'static str,
    target: &'a str,
    stored: &'static str,
    outcome: &'static str,
    message: &'a str,
}

/// Logs that an item could not be saved or loaded, or was dropped.
pub(super) fn storage<P: Platform>(
    platform: &P,
    target: &str,
    stored: &'static str,
    outcome: &'static str,
    message: &str,
) {
    let line = StorageRecord {
        level: Level::Warn,
        event: "storage",
        target,
        stored,
        outcome,
        message,
    };
    platform.record(Level::Warn, &line);
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ForgottenRecord<'a> {
    level: Level,
    event: &'static str,
    target: &'a str,
}

/// Logs that everything that was stored for `target` is removed.
pub(super) fn forgotten(log: &impl Log, target: &str) {
    let line = ForgottenRecord {
        level: Level::Info,
        event: "forgotten",
        target,
    };
    log.record(Level::Info, &line);
}
