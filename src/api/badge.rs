//! `/badge.svg`: how many tasks run, as a small picture for a README or a dashboard.

use super::Answer;
use super::plain::{escaped, shown};
use super::problem::Problem;
use super::view::View;
use crate::fleet::state::State;

/// What the badge is called, unless the query says more.
const LABEL: &str = "ecs";
/// The longest label, in characters.
const LONGEST: usize = 40;
/// Pixels between a text and the edge of its half.
const PADDING: usize = 5;

const GREEN: &str = "#3a7d0a";
const YELLOW: &str = "#8f6a00";
const RED: &str = "#c2331d";
const GREY: &str = "#666";

pub(super) fn answer(view: &View<'_>) -> Result<Answer, Box<Problem>> {
    let body = || svg(&label(view), &message(view), colour(view));
    view.kept("image/svg+xml", || Ok(body().into_bytes()))
}

/// The names that are asked for, or the values that are filtered by.
fn label(view: &View<'_>) -> String {
    let filter = view.filter;
    let mut words: Vec<String> = filter.services.clone();
    if words.is_empty() {
        words.extend(filter.values().map(str::to_owned));
    }
    words.extend(filter.missing.iter().map(|key| format!("no {key}")));
    words.extend(filter.unhealthy.then(|| "unhealthy".to_owned()));
    let label = shown(words.join(" ").trim());
    if label.is_empty() {
        return LABEL.to_owned();
    }
    let mut short: String = label.chars().take(LONGEST).collect();
    if short.len() < label.len() {
        short.push('…');
    }
    short
}

/// Running and desired tasks, and a mark where services may be left out.
fn message(view: &View<'_>) -> String {
    let mut message = if view.selected().is_empty() {
        "no match".to_owned()
    } else {
        let [running, desired, _] = view.tasks();
        format!("{running}/{desired}")
    };
    if !view.complete {
        message.push_str(" (incomplete)");
    }
    message
}

/// Red if a service fails or lacks tasks; yellow if one is on its way, or if not all is known.
fn colour(view: &View<'_>) -> &'static str {
    let is = |states: [State; 2]| {
        let mut services = view.services();
        services.any(|(_, service)| states.contains(&State::of(service)))
    };
    if view.selected().is_empty() {
        GREY
    } else if is([State::Failing, State::Short]) {
        RED
    } else if !view.complete || is([State::Starting, State::Draining]) {
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
    let (label, message) = (escaped(label), escaped(message));
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

/// About as many pixels as `text` is wide in Verdana, 11 pixels high.
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
