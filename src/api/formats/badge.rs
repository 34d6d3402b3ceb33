//! Badge: running and desired tasks, or the version, as a small picture for a README or a dashboard.

use crate::api::escape::{displayable, markup};
use crate::api::report::Report;
use crate::fleet::model::filter::Filter;
use crate::fleet::model::service_state::ServiceState;

/// The label of a badge without a filter.
const LABEL: &str = "ecs";
/// What is not known.
const UNKNOWN: &str = "unknown";
/// The most characters of a label.
const MAX_LABEL: usize = 40;
/// Pixels between a text and the edge of its half.
const PADDING: usize = 5;

const GREEN: &str = "#3a7d0a";
const YELLOW: &str = "#8f6a00";
const RED: &str = "#c2331d";
const GREY: &str = "#666";

/// The badge with what `shown` tells of the selected services, at least one.
#[inline(never)]
pub(super) fn render(report: &Report<'_>, shown: fn(&Report<'_>) -> String) -> String {
    svg(
        &label(report.filter),
        &message(report, shown),
        colour(report),
    )
}

/// Running and desired tasks.
pub(super) fn tasks(report: &Report<'_>) -> String {
    let tasks = report.tasks();
    format!("{}/{}", tasks.running, tasks.desired)
}

/// The version of all services, or the number of their versions.
pub(super) fn version(report: &Report<'_>) -> String {
    let mut versions: Vec<&str> = Vec::new();
    for (_, service) in report.services() {
        let version = service.task_definition.as_deref().unwrap_or(UNKNOWN);
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    match versions.as_slice() {
        [version] => displayable(version),
        _ => format!("{} versions", versions.len()),
    }
}

/// The badge of a fleet that could not be read. `filter`: what was asked for, as far as it is known.
#[inline(never)]
pub(super) fn render_unknown(filter: Option<&Filter>) -> String {
    let label = filter.map_or_else(|| LABEL.to_owned(), label);
    svg(&label, UNKNOWN, GREY)
}

/// The names of the requested services, or the values of the filter.
fn label(filter: &Filter) -> String {
    let mut words: Vec<String> = filter.services.to_vec();
    if words.is_empty() {
        words.extend(filter.values().map(str::to_owned));
    }
    words.extend(filter.missing.iter().map(|key| format!("no {key}")));
    words.extend(filter.unhealthy.then(|| "unhealthy".to_owned()));
    words.extend(filter.states.iter().map(|state| state.as_str().to_owned()));
    let label = displayable(words.join(" ").trim());
    if label.is_empty() {
        return LABEL.to_owned();
    }
    let mut short: String = label.chars().take(MAX_LABEL).collect();
    if short.len() < label.len() {
        short.push('…');
    }
    short
}

/// What `shown` tells, and a note if services may be missing.
fn message(report: &Report<'_>, shown: fn(&Report<'_>) -> String) -> String {
    let mut message = if report.selected.is_empty() {
        "no match".to_owned()
    } else {
        shown(report)
    };
    if !report.is_complete() {
        message.push_str(" (incomplete)");
    }
    message
}

/// The states in which a badge is red: something is broken, or tasks are lacking.
const RED_STATES: [ServiceState; 4] = [
    ServiceState::Failing,
    ServiceState::RollingBack,
    ServiceState::Stuck,
    ServiceState::Short,
];

/// Red if a service fails, is stuck or lacks tasks; yellow if one starts or drains, or if the report is
/// incomplete.
fn colour(report: &Report<'_>) -> &'static str {
    let is = |states: &[ServiceState]| {
        let mut services = report.services();
        services.any(|(_, service)| states.contains(&service.state))
    };
    if report.selected.is_empty() {
        GREY
    } else if is(&RED_STATES) {
        RED
    } else if !report.is_complete() || is(&[ServiceState::Starting, ServiceState::Draining]) {
        YELLOW
    } else {
        GREEN
    }
}

fn svg(label: &str, message: &str, colour: &str) -> String {
    let (left, right) = (width(label), width(message));
    let half = left + 2 * PADDING;
    let whole = half + right + 2 * PADDING;
    let start = half + PADDING;
    let (label, message) = (markup(label), markup(message));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" role=\"img\" \
         aria-label=\"{label}: {message}\"><title>{label}: {message}</title>\
         <clipPath id=\"r\"><rect width=\"{whole}\" height=\"20\" rx=\"3\"/></clipPath>\
         <g clip-path=\"url(#r)\"><rect width=\"{half}\" height=\"20\" fill=\"#444\"/>\
         <rect x=\"{half}\" width=\"{}\" height=\"20\" fill=\"{colour}\"/></g>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\
         <text x=\"{PADDING}\" y=\"14\" textLength=\"{left}\">{label}</text>\
         <text x=\"{start}\" y=\"14\" textLength=\"{right}\">{message}</text></g></svg>\n",
        whole - half
    )
}

/// The approximate width of `text` in Verdana of 11 pixels.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '!' | '|' | '\'' | ' ' => 4,
            'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' => 5,
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 10,
            'A'..='Z' | '_' | '=' | '+' | '<' | '>' | '#' => 8,
            '\0'..='\u{2ff}' => 7,
            _ => 11,
        })
        .sum()
}
