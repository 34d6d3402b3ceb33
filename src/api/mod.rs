//! API: the one place where a request becomes a response, for every edge.

mod auth;
mod body_limit;
mod escape;
mod formats;
mod headers;
mod log;
mod problem;
mod problem_code;
mod query;
mod report;
mod request;
mod response;
mod response_cache;
mod routes;
mod template;
mod version;

use futures_util::future::FutureExt;
use http::Response;

use crate::aws::event::Change;
use crate::config::{BearerToken, Config, ConfigError, FILTER_TAGS};
use crate::fleet::view::Fleet;
use crate::fleet::view::source::SnapshotSource;
use crate::platform::Platform;
use body_limit::BodyLimit;
use headers::cors;
use log::RequestRecord;
use problem::Problem;
use query::{ReportFormat, ReportQuery, preference};
pub use request::{MAX_BODY_BYTES, Request};
use response::Reply;
pub use response::{Body, REQUEST_ID};
use response_cache::ResponseCache;
use routes::{Handler, ROUTES, Route, StaticContext, events, healthz};

/// The API over a fleet, or over the errors of its configuration.
#[derive(Debug)]
pub struct Api<S> {
    fleet: Result<Fleet<S>, ConfigError>,
    cache: ResponseCache,
    body_limit: BodyLimit,
}

impl<S: SnapshotSource> Api<S> {
    /// The API over `fleet`. With an invalid configuration it serves the static routes, and names
    /// the variables on `/healthz`.
    pub fn new(fleet: Result<Fleet<S>, ConfigError>) -> Self {
        Self {
            fleet,
            cache: ResponseCache::default(),
            body_limit: BodyLimit::default(),
        }
    }

    /// The configuration of its fleet, or what is wrong with it.
    ///
    /// # Errors
    /// The variables that are invalid.
    pub fn config(&self) -> Result<&Config, &ConfigError> {
        self.fleet.as_ref().map(Fleet::config)
    }

    /// The same API on an edge that sends a body as a JSON string of at most `bytes`.
    #[must_use]
    pub fn with_body_limit(self, bytes: usize) -> Self {
        Self {
            body_limit: BodyLimit(Some(bytes)),
            ..self
        }
    }

    /// Responds to `request` and writes its one log line.
    ///
    /// 1. The request is malformed: 400, or 414 if it is too long. No route has the path: 404; without
    ///    a token for events, neither has `/events`. The route does not have the method: 405.
    ///    OPTIONS: 204.
    /// 2. The help, the `OpenAPI` description and the assets need no fleet: 200.
    /// 3. The configuration is invalid: 500.
    /// 4. The client exceeds the rate limit: 429.
    /// 5. `/healthz` checks the credentials: 200, or 502, 503 or 504 by the cause. If a token is
    ///    configured, only its holder is told the target and the cause.
    /// 6. A report requires the token if one is configured: 401.
    /// 7. The query selects services and a format: 400 if it is malformed.
    /// 8. The fleet provides its newest snapshot: 502, 503 or 504 if there is none.
    ///    The metrics say with a 200 that no target is up.
    ///    A badge is an SVG that says "unknown", with that status or the 500 of step 3.
    /// 9. The format renders the selected services, or the cache has them: 200, or 503 if the edge
    ///    cannot send that much.
    /// 10. An event requires its own token: 401, or 429 if the client exceeds the rate limit, which
    ///     counts for nobody else here. Its body is too long: 413; it is no event: 400. It is noted for
    ///     the next reader, or tells nothing about a target: 202. No target could be told: 503.
    pub async fn handle<P: Platform>(&self, request: &Request, platform: &P) -> Response<Body> {
        let started = platform.now();
        let mut record = RequestRecord::new(request);
        let reply = match self.reply(request, platform, &mut record).await {
            Ok(reply) => reply,
            Err(problem) => {
                record.set_problem(problem.log_text());
                (*problem).into()
            }
        };
        let duration = platform.now().duration_since(started).unwrap_or_default();
        record.write(reply.status, duration, platform);
        let cors_origin = match &self.fleet {
            Ok(fleet) => fleet.config().cors_origin.as_deref(),
            Err(_) => Some(cors::ANY_ORIGIN),
        };
        reply.into_response(request, cors_origin)
    }

    async fn reply<P: Platform>(
        &self,
        request: &Request,
        platform: &P,
        record: &mut RequestRecord<'_>,
    ) -> Result<Reply, Box<Problem>> {
        // (1)
        request
            .check()
            .map_err(|malformed| Problem::malformed_request(malformed, self.filter_keys()))?;
        let path = request.canonical_path();
        let route = self.route(&path).ok_or_else(|| Problem::no_route(&path))?;
        record.set_route(route.path);
        if !route.methods.contains(&request.method.as_str()) {
            return Err(Problem::method_not_allowed(route.methods).into());
        }
        if request.method == "OPTIONS" {
            return Ok(Reply::options(route.methods));
        }
        match route.handler {
            // (2)
            Handler::Static(reply) => Ok(reply(&StaticContext {
                request,
                filter_keys: &self.filter_keys(),
                routes: &ROUTES,
                takes_events: self.events_token().is_some(),
            })),
            // In boxes, as a fresh isolate compiles the whole of a function for its first answer.
            Handler::Events => self.event(request, platform, record).boxed_local().await,
            Handler::Health => self.health(request, platform, record).boxed_local().await,
            Handler::Report(formats) => {
                let reply = self.report(request, formats, platform, record).await;
                reply.or_else(|problem| self.badge_or(problem, request, formats, record))
            }
        }
    }

    /// The route of `path`. That of events does not exist where they are not taken.
    fn route(&self, path: &str) -> Option<&'static Route> {
        let is_there = |route: &&Route| {
            !matches!(route.handler, Handler::Events) || self.events_token().is_some()
        };
        routes::find(path).filter(is_there)
    }

    fn events_token(&self) -> Option<&BearerToken> {
        self.fleet.as_ref().ok()?.config().events_token.as_ref()
    }

    /// Whether an edge has to read the body of `request`, as it is an event with the right token. Such
    /// a request is not subject to the rate limit: the events of a fleet come from a few addresses.
    pub fn takes_body(&self, request: &Request) -> bool {
        let route = self.route(&request.canonical_path());
        let is_event = route.is_some_and(|route| matches!(route.handler, Handler::Events));
        let token = self.events_token();
        is_event && request.method == "POST" && auth::authorize(request, token).is_ok()
    }

    async fn event<P: Platform>(
        &self,
        request: &Request,
        platform: &P,
        record: &mut RequestRecord<'_>,
    ) -> Result<Reply, Box<Problem>> {
        // (10)
        if let Err(problem) = auth::authorize(request, self.events_token()) {
            return Err(if request.is_over_limit {
                Problem::rate_limited().into()
            } else {
                problem
            });
        }
        if request.is_body_too_long || request.body.len() > MAX_BODY_BYTES {
            return Err(Problem::body_too_long().into());
        }
        let change = Change::parse(&request.body).map_err(|_| Problem::malformed_event())?;
        let is_noted = match (change, &self.fleet) {
            (Some(change), Ok(fleet)) => {
                let noted = fleet.note(platform, change, &request.id).await;
                noted.ok_or_else(Problem::event_not_noted)?
            }
            _ => false,
        };
        record.set_noted(is_noted);
        events::reply(is_noted)
    }

    /// The fleet, unless step 3 or 4 ends the request. `with_variables`: whether a problem names
    /// the variables that are invalid.
    fn fleet(&self, request: &Request, with_variables: bool) -> Result<&Fleet<S>, Box<Problem>> {
        // (3)
        let fleet = self
            .fleet
            .as_ref()
            .map_err(|error| Problem::invalid_configuration(error, with_variables))?;
        // (4)
        if request.is_over_limit {
            return Err(Problem::rate_limited().into());
        }
        Ok(fleet)
    }

    async fn health<P: Platform>(
        &self,
        request: &Request,
        platform: &P,
        record: &mut RequestRecord<'_>,
    ) -> Result<Reply, Box<Problem>> {
        let fleet = self.fleet(request, true)?;
        // (5)
        let (health, failing) = fleet.health(platform, &request.id).await;
        record.set_usage(health.usage);
        let token = fleet.config().list_token.as_ref();
        let authorized = auth::authorize(request, token);
        let is_told = authorized.is_ok() && fleet.config().events_token.is_some();
        let reply = healthz::reply(&health, failing, is_told);
        match authorized {
            Ok(private) => reply.map(|reply| Reply { private, ..reply }),
            Err(_) => reply.map_err(|problem| problem.for_outsiders().into()),
        }
    }

    async fn report<P: Platform>(
        &self,
        request: &Request,
        formats: &[ReportFormat],
        platform: &P,
        record: &mut RequestRecord<'_>,
    ) -> Result<Reply, Box<Problem>> {
        let fleet = self.fleet(request, false)?;
        // (6)
        let config = fleet.config();
        let private = auth::authorize(request, config.list_token.as_ref())?;
        // (7)
        let query = ReportQuery::parse(request, formats, config)?;
        record.set_query(&query);
        // (8)
        let wait = preference::wait(request);
        let (report, usage) = fleet.report(platform, wait, &request.id).await;
        record.set_usage(usage);
        let report = match report {
            Ok(report) => report,
            Err(unavailable) => {
                let problem = Problem::unavailable(&unavailable);
                if query.format != ReportFormat::Metrics {
                    return Err(problem.into());
                }
                record.set_problem(problem.log_text());
                let reply = formats::metrics_of_nothing(&query.filter, config);
                return Ok(Reply { private, ..reply });
            }
        };
        record.set_report(&report);
        // (9)
        let reply = formats::reply(&query, &report, config, &self.cache)?;
        self.body_limit.check(&reply.body).map_err(|most| {
            Problem::response_too_large(most, query::filter_keys(&config.filter_tags))
        })?;
        Ok(Reply { private, ..reply })
    }

    /// The badge in place of `problem`, where the request is for one.
    #[inline(never)]
    fn badge_or(
        &self,
        problem: Box<Problem>,
        request: &Request,
        formats: &[ReportFormat],
        record: &mut RequestRecord<'_>,
    ) -> Result<Reply, Box<Problem>> {
        let query = self
            .fleet
            .as_ref()
            .ok()
            .and_then(|fleet| ReportQuery::parse(request, formats, fleet.config()).ok());
        let Some(badge) = formats::badge_of_problem(&problem, formats, query.as_ref()) else {
            return Err(problem);
        };
        record.set_problem(problem.log_text());
        Ok(badge)
    }

    /// The keys that the help and the `OpenAPI` description name; the default ones if the
    /// configuration is invalid.
    fn filter_keys(&self) -> Vec<String> {
        match &self.fleet {
            Ok(fleet) => query::filter_keys(&fleet.config().filter_tags),
            Err(_) => query::filter_keys(&FILTER_TAGS.map(String::from)),
        }
    }
}
