//! CSV: the report with a line for each service (RFC 4180).

use http::header::{CONTENT_DISPOSITION, HeaderName};

use crate::api::report::Report;
use crate::fleet::model::reason::Reason;
use crate::fleet::model::tags::Tags;
use crate::time::rfc3339;

/// Displays the file in a browser, and names it for saving.
pub(super) const DISPOSITION: (HeaderName, &str) =
    (CONTENT_DISPOSITION, "inline; filename=\"ecs-status.csv\"");

/// The columns before those of single tags, whose names are `tag:` and the tag's key.
const HEADER: &str = "target,region,clusterName,serviceName,status,state,capacityProviders,\
rolloutState,desiredCount,runningCount,pendingCount,tags";

/// The columns behind those of single tags, so that those before keep their places.
const LAST: &str = ",reason,taskDefinition,deployedAt";

#[inline(never)]
pub(super) fn render(report: &Report<'_>) -> String {
    let mut csv = HEADER.to_owned();
    let keys = &report.config.filter_tags;
    for key in keys {
        push_next(&mut csv, &format!("tag:{key}"));
    }
    csv.push_str(LAST);
    csv.push_str("\r\n");
    for (cluster, service) in report.services() {
        push_cell(&mut csv, &cluster.target);
        for text in [
            &cluster.region,
            &cluster.cluster_name,
            &service.service_name,
        ] {
            push_next(&mut csv, text);
        }
        push_next(&mut csv, service.status.as_str());
        push_next(&mut csv, service.state.as_str());
        push_next(&mut csv, &service.capacity_providers.join(" "));
        push_next(
            &mut csv,
            service.rollout_state.as_deref().unwrap_or_default(),
        );
        for count in [
            service.desired_count,
            service.running_count,
            service.pending_count,
        ] {
            push_next(&mut csv, &count.to_string());
        }
        push_next(&mut csv, &join(&service.tags));
        for key in keys {
            push_next(&mut csv, service.tags.get(key).unwrap_or_default());
        }
        push_next(&mut csv, service.reason.map_or("", Reason::as_str));
        push_next(
            &mut csv,
            service.task_definition.as_deref().unwrap_or_default(),
        );
        let deployed_at = service.deployed_at.and_then(rfc3339);
        push_next(&mut csv, &deployed_at.unwrap_or_default());
        csv.push_str("\r\n");
    }
    csv
}

fn push_next(csv: &mut String, value: &str) {
    csv.push(',');
    push_cell(csv, value);
}

/// Appends a cell. A spreadsheet would evaluate a value that looks like a formula; an apostrophe
/// before it makes it text.
fn push_cell(csv: &mut String, value: &str) {
    let quoted = value.contains([',', '"', '\r', '\n']);
    if quoted {
        csv.push('"');
    }
    if is_formula(value) {
        csv.push('\'');
    }
    for c in value.chars() {
        if c == '"' {
            csv.push('"');
        }
        csv.push(c);
    }
    if quoted {
        csv.push('"');
    }
}

/// Whether a spreadsheet might evaluate `value`: also with white space or control characters before
/// the first sign, and with the full-width signs that some spreadsheets accept.
fn is_formula(value: &str) -> bool {
    value.starts_with(['\t', '\r', '\n'])
        || value
            .trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// `key=value` pairs joined by `;`. A backslash escapes `;`, `=` and `\` in keys and values.
fn join(tags: &Tags) -> String {
    let mut joined = String::new();
    for (key, value) in tags {
        if !joined.is_empty() {
            joined.push(';');
        }
        push_escaped(&mut joined, key);
        joined.push('=');
        push_escaped(&mut joined, value);
    }
    joined
}

fn push_escaped(joined: &mut String, text: &str) {
    for c in text.chars() {
        if matches!(c, ';' | '=' | '\\') {
            joined.push('\\');
        }
        joined.push(c);
    }
}
