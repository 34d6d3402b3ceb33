//! Assets: files that browsers and crawlers fetch, the same for every configuration.

use std::time::Duration;

use crate::api::response::Reply;
use crate::api::routes::route::StaticContext;

/// The time for which caches may serve a file that can change with a deployment.
pub(super) const MAX_AGE: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);

const CSS: &str = include_str!(concat!(env!("OUT_DIR"), "/page.css"));
const JS: &str = include_str!(concat!(env!("OUT_DIR"), "/page.js"));
/// Keeps crawlers away: there is nothing to index.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";
/// Three bars, one of them shorter: services, of which one lacks tasks.
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">\
<rect width=\"16\" height=\"16\" rx=\"3\" fill=\"#1d2733\"/>\
<path d=\"M3 4h10M3 8h10\" stroke=\"#4fbf6b\" stroke-width=\"2\"/>\
<path d=\"M3 12h5\" stroke=\"#f0a63a\" stroke-width=\"2\"/></svg>\n";

pub(super) fn css(_: &StaticContext<'_>) -> Reply {
    Reply::cacheable("text/css; charset=utf-8", CSS.as_bytes().to_vec(), MAX_AGE)
}

pub(super) fn js(_: &StaticContext<'_>) -> Reply {
    Reply::cacheable(
        "text/javascript; charset=utf-8",
        JS.as_bytes().to_vec(),
        MAX_AGE,
    )
}

pub(super) fn robots(_: &StaticContext<'_>) -> Reply {
    Reply::cacheable("text/plain; charset=utf-8", ROBOTS.as_bytes().to_vec(), DAY)
}

pub(super) fn icon(_: &StaticContext<'_>) -> Reply {
    Reply::cacheable("image/svg+xml", ICON.as_bytes().to_vec(), DAY)
}
