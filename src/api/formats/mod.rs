//! Formats: a report as JSON, text, CSV, Prometheus metrics or a badge.

mod badge;
mod csv;
mod json;
mod metric_labels;
mod metrics;
mod text;

use http::HeaderName;

use crate::api::problem::Problem;
use crate::api::query::{ReportFormat, ReportQuery};
use crate::api::report::Report;
use crate::api::response::{Body, Reply};
use crate::api::response_cache::{Rendering, ResponseCache};
use crate::config::Config;
use crate::fleet::model::filter::Filter;
use crate::fleet::view::report::MergedReport;

/// The header that says, in every format, whether the whole fleet could be read.
const COMPLETE: HeaderName = HeaderName::from_static("x-ecs-status-complete");

/// The reply to `query`. What depends on the snapshot and the query alone is rendered once and then
/// comes from `cache`.
pub(super) fn reply(
    query: &ReportQuery,
    merged: &MergedReport,
    config: &Config,
    cache: &ResponseCache,
) -> Result<Reply, Box<Problem>> {
    let mut rendered = cache.get_or_render(&merged.snapshot, query, |before| {
        let report = Report::new(&merged.snapshot, query, config);
        report.map(|report| render(&report, query.format, before))
    })?;
    if query.format == ReportFormat::Metrics {
        rendered = metrics::with_targets(&rendered, &merged.targets, &query.filter);
    }
    let is_complete = merged.snapshot.failures.is_empty();
    let mut headers = vec![(COMPLETE, if is_complete { "true" } else { "false" })];
    if query.format == ReportFormat::Csv {
        headers.push(csv::DISPOSITION);
    }
    Ok(Reply {
        etag: Some(rendered.etag),
        max_age: Some(merged.fresh_for),
        age: merged.age,
        last_modified: Some(merged.modified_at),
        varies_by_accept: matches!(
            query.format,
            ReportFormat::Json | ReportFormat::Text | ReportFormat::Csv
        ),
        headers,
        ..Reply::ok(content_type(query.format), rendered.body)
    })
}

/// The badge in place of `problem`: a picture in every state, since a page or a README shows nothing
/// else. `None` where the problem is the client's own, or the request is not for a badge.
pub(super) fn badge_of_problem(
    problem: &Problem,
    formats: &[ReportFormat],
    query: Option<&ReportQuery>,
) -> Option<Reply> {
    if formats != [ReportFormat::Badge] || !problem.status().is_server_error() {
        return None;
    }
    let badge = badge::render_unknown(query.map(|query| &query.filter));
    Some(Reply {
        status: problem.status(),
        retry_after: problem.retry_after(),
        ..Reply::ok(content_type(ReportFormat::Badge), badge.into_bytes())
    })
}

/// The metrics where no target can be read: as exporters do, they say so, so that an alert tells it from
/// a Worker that does not respond.
pub(super) fn metrics_of_nothing(filter: &Filter, config: &Config) -> Reply {
    let body = metrics::render_unread(config, filter).into_bytes();
    Reply {
        headers: vec![(COMPLETE, "false")],
        ..Reply::ok(content_type(ReportFormat::Metrics), body)
    }
}

fn content_type(format: ReportFormat) -> &'static str {
    match format {
        ReportFormat::Json => "application/json",
        ReportFormat::Text => "text/plain; charset=utf-8",
        ReportFormat::Csv => "text/csv; charset=utf-8; header=present",
        ReportFormat::Metrics => "text/plain; version=0.0.4; charset=utf-8",
        ReportFormat::Badge | ReportFormat::VersionBadge => "image/svg+xml",
    }
}

/// The formats are not inlined, as a fresh isolate compiles the whole of a function for its first answer.
fn render(
    report: &Report<'_>,
    format: ReportFormat,
    before: Option<&Rendering<Body>>,
) -> Rendering {
    let body = match format {
        ReportFormat::Json => return json::render(report, before),
        ReportFormat::Text => text::render(report).into_bytes(),
        ReportFormat::Csv => csv::render(report).into_bytes(),
        ReportFormat::Metrics => metrics::render_services(report).into_bytes(),
        ReportFormat::Badge => badge::render(report, badge::tasks).into_bytes(),
        ReportFormat::VersionBadge => badge::render(report, badge::version).into_bytes(),
    };
    body.into()
}
