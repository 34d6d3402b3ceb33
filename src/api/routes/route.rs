//! Route: a path, its methods, and the handler of its requests.

use crate::api::query::ReportFormat;
use crate::api::request::Request;
use crate::api::response::Reply;

/// The methods of a route that is only read.
pub(super) const READ: &[&str] = &["GET", "HEAD", "OPTIONS"];

/// The methods of a route that takes a body.
pub(super) const WRITE: &[&str] = &["POST", "OPTIONS"];

/// A path that this service responds to.
pub(in crate::api) struct Route {
    pub(in crate::api) path: &'static str,
    pub(in crate::api) methods: &'static [&'static str],
    /// The contents of the response, as a phrase for the help.
    pub(in crate::api) summary: &'static str,
    /// Whether the help lists it; browsers and crawlers find the others by themselves.
    pub(in crate::api) listed: bool,
    pub(in crate::api) handler: Handler,
}

/// The handler of a route's requests, but for OPTIONS.
#[derive(Clone, Copy)]
pub(in crate::api) enum Handler {
    /// A reply that needs no fleet, and no valid configuration either.
    Static(fn(&StaticContext<'_>) -> Reply),
    /// A report in one of these formats, the default first.
    Report(&'static [ReportFormat]),
    /// The check of the configuration and the credentials.
    Health,
    /// The events of `EventBridge`, where they are taken.
    Events,
}

/// The input of a static reply.
pub(in crate::api) struct StaticContext<'a> {
    pub(in crate::api) request: &'a Request,
    pub(in crate::api) filter_keys: &'a [String],
    pub(in crate::api) routes: &'static [Route],
    /// Whether events are taken.
    pub(in crate::api) takes_events: bool,
}
