//! Text: the report as an aligned table for terminals.

use crate::api::escape::displayable;
use crate::api::report::{Report, Tasks};
use crate::fleet::model::service_state::ServiceState;
use crate::fleet::model::snapshot::{Cluster, Service};

/// Fills an empty cell, so that the columns can be counted.
const EMPTY: &str = "-";

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

/// The header and a row for each service. Target and region are columns only if there are several.
fn rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let targets = &report.config.targets;
    let first = targets.first().map(|target| &target.region);
    let by_target = targets.len() > 1;
    let by_region = targets.iter().any(|target| Some(&target.region) != first);
    let row = |target: String, region: String, rest: [String; 8]| -> Vec<String> {
        let target = by_target.then_some(target);
        let region = by_region.then_some(region);
        target.into_iter().chain(region).chain(rest).collect()
    };
    let header = [
        "CLUSTER",
        "SERVICE",
        "RUNNING",
        "PENDING",
        "STATE",
        "PROVIDERS",
        "ROLLOUT",
        "TAGS",
    ];
    let mut rows = vec![row(
        "TARGET".into(),
        "REGION".into(),
        header.map(str::to_owned),
    )];
    for (cluster, service) in report.services() {
        let cells = cells(cluster, service);
        rows.push(row(cell(&cluster.target), cell(&cluster.region), cells));
    }
    rows
}

fn cells(cluster: &Cluster, service: &Service) -> [String; 8] {
    let tags: Vec<String> = service
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    [
        cell(&cluster.cluster_name),
        cell(&service.service_name),
        format!("{}/{}", service.running_count, service.desired_count),
        service.pending_count.to_string(),
        ServiceState::of(service).as_str().to_owned(),
        cell(&service.capacity_providers.join(",")),
        cell(service.rollout_state.as_deref().unwrap_or_default()),
        cell(&tags.join(", ")),
    ]
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
