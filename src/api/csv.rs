//! The report as CSV (RFC 4180), a line for each service.

use super::view::View;
use crate::fleet::snapshot::Tags;
use crate::fleet::state::State;

pub(super) const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// How a browser treats it, and what it calls it when it saves it.
pub(super) const DISPOSITION: (&str, &str) =
    ("content-disposition", "inline; filename=\"ecs-status.csv\"");

/// The columns before those of the single tags, which are called `tag:` and the tag's key.
const HEADER: &str = "target,region,clusterName,serviceName,status,state,capacityProviders,\
rolloutState,desiredCount,runningCount,pendingCount,tags";

pub(super) fn body(view: &View<'_>) -> String {
    let mut csv = HEADER.to_owned();
    let keys = &view.config.filter_tags;
    for key in keys {
        push(&mut csv, &format!("tag:{key}"));
    }
    csv.push_str("\r\n");
    for (cluster, service) in view.services() {
        push_first(&mut csv, &cluster.target);
        for text in [
            &cluster.region,
            &cluster.cluster_name,
            &service.service_name,
        ] {
            push(&mut csv, text);
        }
        push(&mut csv, service.status.as_str());
        push(&mut csv, State::of(service).word());
        push(&mut csv, &service.capacity_providers.join(" "));
        push(
            &mut csv,
            service.rollout_state.as_deref().unwrap_or_default(),
        );
        for count in [
            service.desired_count,
            service.running_count,
            service.pending_count,
        ] {
            push(&mut csv, &count.to_string());
        }
        push(&mut csv, &joined(&service.tags));
        for key in keys {
            push(&mut csv, service.tags.get(key).map_or("", String::as_str));
        }
        csv.push_str("\r\n");
    }
    csv
}

fn push(csv: &mut String, value: &str) {
    csv.push(',');
    push_first(csv, value);
}

/// Adds a cell. A spreadsheet would compute what looks like a formula; an apostrophe before it
/// makes it a text.
fn push_first(csv: &mut String, value: &str) {
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

/// Also where white space or control characters stand before it, and in the full-width forms that
/// some spreadsheets take for the same.
fn is_formula(value: &str) -> bool {
    value.starts_with(['\t', '\r', '\n'])
        || value
            .trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// `key=value` joined by `;`. A backslash stands before each of these three characters where they
/// belong to a key or a value.
fn joined(tags: &Tags) -> String {
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
