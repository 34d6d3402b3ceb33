//! What is the same whatever the fleet does: the help, its page, the description, small files.

use std::time::Duration;

use super::route::Route;
use super::{Answer, Request, docs, help, openapi};

/// How long what may change with a deployment is kept.
pub(super) const MAX_AGE: Duration = Duration::from_mins(5);
const A_DAY: Duration = Duration::from_hours(24);

const CSS: &str = include_str!(concat!(env!("OUT_DIR"), "/page.css"));
const JS: &str = include_str!(concat!(env!("OUT_DIR"), "/page.js"));
/// Nothing here is worth a crawler's time.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";
/// Three bars, one of them shorter: services, and one that lacks tasks.
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">\
<rect width=\"16\" height=\"16\" rx=\"3\" fill=\"#1d2733\"/>\
<path d=\"M3 4h10M3 8h10\" stroke=\"#4fbf6b\" stroke-width=\"2\"/>\
<path d=\"M3 12h5\" stroke=\"#f0a63a\" stroke-width=\"2\"/></svg>\n";

/// The answer of a route that needs no fleet; none if it needs one.
pub(super) fn answer(route: Route, request: &Request, filter_keys: &[String]) -> Option<Answer> {
    Some(match route {
        Route::Help => help::answer(request, filter_keys),
        Route::OpenApi => kept("application/json", openapi::document(filter_keys), MAX_AGE),
        Route::Docs => kept("text/html; charset=utf-8", docs::page(filter_keys), MAX_AGE),
        Route::PageCss => kept("text/css; charset=utf-8", CSS.to_owned(), MAX_AGE),
        Route::PageJs => kept("text/javascript; charset=utf-8", JS.to_owned(), MAX_AGE),
        Route::Robots => kept("text/plain; charset=utf-8", ROBOTS.to_owned(), A_DAY),
        Route::FaviconSvg | Route::FaviconIco => kept("image/svg+xml", ICON.to_owned(), A_DAY),
        Route::List | Route::Metrics | Route::Badge | Route::Healthz => return None,
    })
}

fn kept(content_type: &'static str, body: String, max_age: Duration) -> Answer {
    Answer {
        max_age: Some(max_age),
        ..Answer::ok(content_type, body.into_bytes())
    }
}
