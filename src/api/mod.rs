//! What we answer: routes, formats, problems. The one place where a request becomes a response, on
//! every edge.

mod authorize;
mod badge;
mod caching;
mod csv;
mod docs;
mod headers;
mod health;
mod help;
mod list;
mod metrics;
mod negotiate;
mod openapi;
mod plain;
pub mod problem;
mod query;
mod question;
mod route;
mod still;
mod text;
mod view;

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use http::header::{
    AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::aws::budget::Usage;
use crate::aws::moment;
use crate::aws::platform::{Level, Platform};
use crate::config::{ConfigError, FILTER_TAGS};
use crate::fleet::reading::Source;
use crate::fleet::view::Fleet;
pub use crate::fleet::written::Body;
use problem::Problem;
use question::Question;
use route::Route;
use view::View;

/// The header that carries the request's id.
pub const REQUEST_ID: &str = "x-request-id";

/// A request, as far as an answer depends on it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Scheme and authority, such as `https://ecs-status.example.workers.dev`.
    pub origin: String,
    /// The path, percent-encoded as it came.
    pub path: String,
    /// What stands after the `?`, percent-encoded as it came.
    pub query: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// The `If-Modified-Since` header.
    pub if_modified_since: Option<String>,
    /// Whoever sent it sends too many.
    pub is_over_limit: bool,
    /// What names this request in the log.
    pub id: String,
}

/// What one request did, for the log.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    level: Level,
    event: &'static str,
    request_id: String,
    method: String,
    route: &'static str,
    filter_keys: Vec<String>,
    status: u16,
    /// Why the status is an error; for the operator, so it names variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    duration_ms: u128,
    aws_calls: u32,
    aws_retries: u32,
    aws_throttles: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_age_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<usize>,
}

/// A response before the headers that all have.
struct Answer {
    /// It is for the holder of the token alone.
    private: bool,
    www_authenticate: Option<&'static str>,
    status: StatusCode,
    content_type: &'static str,
    body: Body,
    /// How long caches may keep it; none: not at all.
    max_age: Option<Duration>,
    /// How long they may serve it after that, while they ask for a newer one.
    stale_while_revalidate: Duration,
    age: Duration,
    last_modified: Option<SystemTime>,
    /// Of the body, where it is known already.
    etag: Option<Rc<str>>,
    /// It depends on `Accept`.
    varies: bool,
    allow: Option<&'static str>,
    retry_after: Option<Duration>,
    /// Headers of its own.
    headers: Vec<(&'static str, &'static str)>,
}

impl Answer {
    fn ok(content_type: &'static str, body: impl Into<Body>) -> Self {
        Self {
            private: false,
            www_authenticate: None,
            status: StatusCode::OK,
            content_type,
            body: body.into(),
            max_age: None,
            stale_while_revalidate: Duration::ZERO,
            age: Duration::ZERO,
            last_modified: None,
            etag: None,
            varies: false,
            allow: None,
            retry_after: None,
            headers: Vec::new(),
        }
    }
}

/// Answers `request` from `fleet`, or, where the configuration is broken, as far as that goes, and
/// writes the one log line of the request.
///
/// 1. A path that is no route is 404; OPTIONS is 204, another method than GET and HEAD is 405.
/// 2. `/`, the description and the small files need nothing: 200.
/// 3. A broken configuration is 500.
/// 4. Whoever sends too many requests gets 429.
/// 5. `/list`, `/metrics` and `/badge.svg` want the token where one is set (401), read their query
///    (400), take a snapshot (502, 503, 504), filter it and write it: 200.
/// 6. `/healthz` asks whether the keys work: 200 or the status of the failure.
pub async fn handle<P: Platform, S: Source>(
    request: &Request,
    fleet: Result<&Fleet<S>, &ConfigError>,
    platform: &P,
) -> Response<Body> {
    let started = platform.now();
    let mut record = Record {
        level: Level::Info,
        event: "request",
        request_id: request.id.clone(),
        method: request.method.clone(),
        route: "none",
        filter_keys: Vec::new(),
        status: 0,
        problem: None,
        duration_ms: 0,
        aws_calls: 0,
        aws_retries: 0,
        aws_throttles: 0,
        snapshot_age_seconds: None,
        failures: None,
    };
    let answer = answer(request, fleet, platform, &mut record)
        .await
        .unwrap_or_else(|problem| {
            record.problem = Some(problem.log_line());
            problem.into_answer()
        });
    record.status = answer.status.as_u16();
    record.level = match answer.status.as_u16() {
        500.. => Level::Error,
        _ => Level::Info,
    };
    record.duration_ms = platform
        .now()
        .duration_since(started)
        .unwrap_or_default()
        .as_millis();
    if platform.enabled(record.level)
        && let Ok(line) = serde_json::to_string(&record)
    {
        platform.write(record.level, line);
    }
    let mut response = respond(answer, request);
    let any = Some(headers::ANY_ORIGIN);
    headers::complete(
        &mut response,
        fleet.map_or(any, |fleet| fleet.config().cors_origin.as_deref()),
    );
    response
}

async fn answer<P: Platform, S: Source>(
    request: &Request,
    fleet: Result<&Fleet<S>, &ConfigError>,
    platform: &P,
    record: &mut Record,
) -> Result<Answer, Box<Problem>> {
    // (1)
    let route = Route::of(&request.path).ok_or_else(|| Problem::not_found(&request.path))?;
    record.route = route.path();
    match request.method.as_str() {
        "GET" | "HEAD" => {}
        "OPTIONS" => return Ok(headers::options()),
        _ => return Err(Problem::method_not_allowed().into()),
    }
    // (2)
    let default = || FILTER_TAGS.map(String::from).to_vec();
    let tags = fleet.map_or_else(|_| default(), |fleet| fleet.config().filter_tags.clone());
    if let Some(answer) = still::answer(route, request, &question::filter_keys(&tags)) {
        return Ok(answer);
    }
    // (3)
    let fleet = fleet.map_err(|error| Problem::configuration(error, route == Route::Healthz))?;
    // (4)
    if request.is_over_limit {
        return Err(Problem::too_many_requests().into());
    }
    // (6)
    if route == Route::Healthz {
        let (health, failing) = fleet.health(platform, &request.id).await;
        record.spent(health.usage);
        return health::answer(&health, failing);
    }
    // (5)
    let private = authorize::check(request, fleet.config())?;
    let question = Question::read(request, route, fleet.config())?;
    record.filter_keys = question.filter.keys().map(str::to_owned).collect();
    let (served, usage) = fleet.snapshot(platform, &request.id).await;
    record.spent(usage);
    let served = served.map_err(|unavailable| Problem::unavailable(&unavailable))?;
    record.snapshot_age_seconds = Some(served.age.as_secs());
    record.failures = Some(served.snapshot.failures.len());
    let query = request.query.as_deref().unwrap_or_default();
    let key = format!("{} {:?} {query}", record.route, question.format);
    let view = View::new(&served, &question, fleet.config(), fleet.written(), key)?;
    let answer = match route {
        Route::Metrics => metrics::answer(&view)?,
        Route::Badge => badge::answer(&view)?,
        _ => list::answer(&view, question.format)?,
    };
    Ok(Answer { private, ..answer })
}

impl Record {
    fn spent(&mut self, usage: Usage) {
        self.aws_calls = usage.calls;
        self.aws_retries = usage.retries;
        self.aws_throttles = usage.throttles;
    }
}

/// A body in JSON, with a line feed at its end for those who read it in a terminal.
fn json(value: &impl Serialize) -> Result<Vec<u8>, Box<Problem>> {
    let mut body = serde_json::to_vec(value).map_err(|_| Problem::internal())?;
    body.push(b'\n');
    Ok(body)
}

/// A moment as RFC 3339 writes it, in whole seconds.
fn rfc3339(moment: SystemTime) -> Result<String, Box<Problem>> {
    Ok(moment::rfc3339(moment).ok_or_else(Problem::internal)?)
}

fn respond(answer: Answer, request: &Request) -> Response<Body> {
    let length = answer.body.len();
    let etag = answer.max_age.map(|_| match answer.etag {
        Some(etag) => etag.to_string(),
        None => caching::etag(&answer.body),
    });
    let is_known = etag
        .as_ref()
        .is_some_and(|etag| caching::is_known(request, etag, answer.last_modified));
    let body = if is_known || request.method == "HEAD" {
        Body::default()
    } else {
        answer.body
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if !is_known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Some(etag) = etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        headers.insert(ETAG, etag);
    }
    if let Some(modified) = answer.last_modified.and_then(moment::http_date)
        && let Ok(modified) = HeaderValue::try_from(modified)
    {
        headers.insert(LAST_MODIFIED, modified);
    }
    headers.insert(AGE, HeaderValue::from(answer.age.as_secs()));
    headers.insert(
        CACHE_CONTROL,
        match answer.max_age {
            _ if answer.private => HeaderValue::from_static("private, no-store"),
            Some(max_age) => {
                caching::cache_control(max_age.as_secs(), answer.stale_while_revalidate.as_secs())
            }
            None => HeaderValue::from_static("no-store"),
        },
    );
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    if answer.varies {
        headers.insert(VARY, HeaderValue::from_static("accept"));
    }
    if let Some(allow) = answer.allow {
        headers.insert(http::header::ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(challenge) = answer.www_authenticate {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(wait) = answer.retry_after {
        headers.insert(
            http::header::RETRY_AFTER,
            HeaderValue::from(wait.as_secs().max(1)),
        );
    }
    for (name, value) in answer.headers {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&request.id) {
        headers.insert(REQUEST_ID, id);
    }
    *response.status_mut() = if is_known {
        StatusCode::NOT_MODIFIED
    } else {
        answer.status
    };
    response
}
