//! Text: the report as an aligned table for terminals.

use std::time::Duration;

use crate::api::escape::displayable;
use crate::api::report::{Report, Tasks};
use crate::fleet::model::reason::Reason;
use crate::fleet::model::snapshot::{Cluster, Service};
use crate::time::since;

/// Fills an empty cell, so that the columns can be counted.
const EMPTY: &str = "-";

#[inline(never)]
pub(super) fn render(report: &Report<'_>) -> String {
    let mut text = table(&rows(report));
    text.push('\n');
    text.push_str(&totals(report));
    for failure in &report.snapshot.failures {
        text.push_str("failure: ");
        let place = [Some(&failure.target), Some(&failure.region)];
        let names = [failure.cluster_name.as_ref(), failure.service_name.as_ref()];
        for part in place.into_iter().chain(names).flatten() {
            text.push_str(&cell(part));
            text.push(' ');
        }
        text.push_str(&displayable(&failure.reason));
        text.push('\n');
    }
    text
}

/// A column: its header, and its cell for a service.
type Column = (&'static str, fn(&Report<'_>, &Cluster, &Service) -> String);

const TARGET: Column = ("TARGET", |_, cluster, _| cell(&cluster.target));
const REGION: Column = ("REGION", |_, cluster, _| cell(&cluster.region));
const NAMES_AND_COUNTS: [Column; 5] = [
    ("CLUSTER", |_, cluster, _| cell(&cluster.cluster_name)),
    ("SERVICE", |_, _, service| cell(&service.service_name)),
    ("RUNNING", |_, _, service| {
        format!("{}/{}", service.running_count, service.desired_count)
    }),
    ("PENDING", |_, _, service| service.pending_count.to_string()),
    ("STATE", |_, _, service| service.state.as_str().to_owned()),
];
const REASON: Column = ("REASON", |_, _, service| {
    cell(service.reason.map_or("", Reason::as_str))
});
const VERSION: Column = ("VERSION", |_, _, service| {
    cell(service.task_definition.as_deref().unwrap_or_default())
});
const SINCE: Column = ("SINCE", |report, _, service| {
    let age = |deployed_at| since(deployed_at, report.snapshot.generated_at);
    cell(
        &service
            .deployed_at
            .map(age)
            .map(in_words)
            .unwrap_or_default(),
    )
});
const REST: [Column; 3] = [
    ("PROVIDERS", |_, _, service| {
        cell(&service.capacity_providers.join(","))
    }),
    ("ROLLOUT", |_, _, service| {
        cell(service.rollout_state.as_deref().unwrap_or_default())
    }),
    ("TAGS", |_, _, service| {
        let tags = service.tags.iter();
        let tags: Vec<String> = tags.map(|(key, value)| format!("{key}={value}")).collect();
        cell(&tags.join(", "))
    }),
];

/// The columns of a report: target and region if there are several, and the reason if a service has one.
fn columns(report: &Report<'_>) -> Vec<Column> {
    let targets = &report.config.targets;
    let first = targets.first().map(|target| &target.region);
    let by_target = targets.len() > 1;
    let by_region = targets.iter().any(|target| Some(&target.region) != first);
    let by_reason = report
        .services()
        .any(|(_, service)| service.reason.is_some());
    let exposes_deployments = report.config.expose_deployments;
    let mut columns: Vec<Column> = Vec::new();
    columns.extend(by_target.then_some(TARGET));
    columns.extend(by_region.then_some(REGION));
    columns.extend(NAMES_AND_COUNTS);
    columns.extend(by_reason.then_some(REASON));
    if exposes_deployments {
        columns.extend([VERSION, SINCE]);
    }
    columns.extend(REST);
    columns
}

/// The header and a row for each service.
fn rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let columns = columns(report);
    let header = columns.iter().map(|(name, _)| (*name).to_owned());
    let mut rows: Vec<Vec<String>> = vec![header.collect()];
    for (cluster, service) in report.services() {
        let cells = columns.iter();
        rows.push(
            cells
                .map(|(_, cell)| cell(report, cluster, service))
                .collect(),
        );
    }
    rows
}

/// A duration in its largest unit, rounded down: `12 min`.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn cell(value: &str) -> String {
    if value.is_empty() {
        EMPTY.to_owned()
    } else {
        displayable(value)
    }
}

/// `rows` in columns as wide as their longest cell, in characters, with two spaces between them.
fn table(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(row.len(), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut padding = 0;
        for (width, cell) in widths.iter().zip(row) {
            text.extend(std::iter::repeat_n(' ', padding));
            text.push_str(cell);
            padding = width + 2 - cell.chars().count();
        }
        text.push('\n');
    }
    text
}

fn totals(report: &Report<'_>) -> String {
    let Tasks {
        running,
        desired,
        pending,
    } = report.tasks();
    format!(
        "{} in {}: {running}/{desired} tasks running, {pending} pending; generatedAt {}, {}\n",
        counted(report.services().count(), "service"),
        counted(report.selected.len(), "cluster"),
        report.generated_at,
        if report.is_complete() {
            "complete"
        } else {
            "incomplete"
        },
    )
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
