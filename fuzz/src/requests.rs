//! Requests from anybody. The input is a request as HTTP/1.1 writes it, without the version.

use std::rc::Rc;

use ecs_status::api::{Api, Body, Request};
use ecs_status::config::Config;
use ecs_status::fleet::model::snapshot::Snapshot;
use ecs_status::fleet::model::tags::Tags;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderValue, Response};
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::fleet::{Fixed, api, cluster, config, get, respond, service};
use super::message::Message;
use super::oracle::Query;
use super::support::model::snapshot;
use super::support::read::{read_metrics, read_xml};
use super::support::start;

const TOKEN: &str = "0123456789abcdef";
const TARGETS: &str =
    r#"[{"name":"sydney","region":"ap-southeast-2"},{"name":"Köln 1","region":"eu-central-1"}]"#;

/// Routes that need a fleet, and routes that need none. The `OpenAPI` description depends on nothing in
/// a request, and takes long.
const FLEET: [&str; 3] = ["/list", "/metrics", "/badge.svg"];
const STATIC: [&str; 6] = [
    "/",
    "/page.css",
    "/page.js",
    "/robots.txt",
    "/favicon.svg",
    "/favicon.ico",
];
const SLOW: &str = "/openapi.json";

struct World {
    snapshots: Vec<Rc<Snapshot>>,
    config: Config,
    open: Api<Fixed>,
    closed: Api<Fixed>,
}

thread_local! {
    static WORLD: World = World::new();
}

/// Every response fits its status and its type, the form of a query does not change its meaning, and
/// headers do what HTTP says.
pub fn check(data: &[u8]) {
    let message = Message::read(data);
    let Ok(first) = std::str::from_utf8(message.first) else {
        return;
    };
    let (method, target) = first.split_once(' ').unwrap_or(("GET", first));
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    if decoded(path) == SLOW {
        return;
    }
    let header = |name: &str| message.header(name).map(str::to_owned);
    let request = Request {
        method: method.to_owned(),
        accept: header("accept"),
        authorization: header("authorization"),
        if_none_match: header("if-none-match"),
        if_modified_since: header("if-modified-since"),
        prefer: header("prefer"),
        scrape_timeout: header("x-prometheus-scrape-timeout-seconds"),
        is_over_limit: header("over-limit").is_some(),
        ..get(path, query)
    };
    WORLD.with(|world| world.check(&request));
}

impl World {
    fn new() -> Self {
        let values = [
            ("TARGETS", TARGETS),
            ("FILTER_TAGS", "owner,environment,service,a&b=c,☃ %41+"),
        ];
        let snapshots = fleet();
        let token = ("LIST_TOKEN", TOKEN);
        let closed = config(&[&values[..], &[token]].concat());
        let open = config(&values);
        Self {
            config: open.clone(),
            open: api(open, Fixed(snapshots.clone())),
            closed: api(closed, Fixed(snapshots.clone())),
            snapshots,
        }
    }

    fn check(&self, request: &Request) {
        let api = match request.authorization {
            Some(_) => &self.closed,
            None => &self.open,
        };
        let whole = Request {
            if_none_match: None,
            if_modified_since: None,
            ..request.clone()
        };
        let response = respond(api, &whole);
        let status = response.status().as_u16();
        let path = decoded(&request.path);
        let query = Query::parse(&path, query(request), &self.config);
        assert_eq!(status, expected(request, query.is_some()), "{request:?}");
        form(&response, request);
        if status != 200 {
            return;
        }
        conditions(api, request, &response);
        negotiation(api, &whole, &response);
        if FLEET.contains(&&*path) {
            self.filter(api, &whole, &query.expect("it is valid"), &response);
        }
    }

    /// The response holds exactly the services that match, for another form of the query too.
    fn filter(
        &self,
        api: &Api<Fixed>,
        request: &Request,
        query: &Query,
        response: &Response<Body>,
    ) {
        let clusters = self
            .snapshots
            .iter()
            .flat_map(|snapshot| &snapshot.clusters);
        let services = clusters.flat_map(|c| c.services.iter().map(move |s| (c, s)));
        let mut names: Vec<&str> = services
            .filter(|(cluster, service)| query.matches(cluster, service))
            .map(|(_, service)| service.service_name.as_str())
            .collect();
        names.sort_unstable();
        if request.method == "GET"
            && let Some(mut found) = names_in(response)
        {
            found.sort_unstable();
            assert_eq!(found, names, "{request:?}");
        }
        let rewritten = Request {
            query: Some(query.rewritten()),
            ..request.clone()
        };
        let again = respond(api, &rewritten);
        assert_eq!(again.status(), 200);
        // A badge shows the values in their order.
        if decoded(&request.path) != "/badge.svg" {
            assert_eq!(again.body(), response.body());
        }
    }
}

fn query(request: &Request) -> &str {
    request.query.as_deref().unwrap_or_default()
}

/// The path that a route has to match.
fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

fn expected(request: &Request, is_valid: bool) -> u16 {
    let is_raw = |c: char| c.is_ascii_control() || " \"<>".contains(c);
    if query(request).contains(is_raw) {
        return 400;
    }
    let path = &*decoded(&request.path);
    let needs_fleet = FLEET.contains(&path) || path == "/healthz";
    if !needs_fleet && !STATIC.contains(&path) {
        return 404;
    }
    match request.method.as_str() {
        "GET" | "HEAD" => {}
        "OPTIONS" => return 204,
        _ => return 405,
    }
    if !needs_fleet {
        return 200;
    }
    if request.is_over_limit {
        return 429;
    }
    if path == "/healthz" {
        return 200;
    }
    let is_holder = |header: &String| {
        let (scheme, token) = header.trim().split_once(' ').unwrap_or_default();
        scheme.eq_ignore_ascii_case("bearer") && token.trim() == TOKEN
    };
    match (&request.authorization, is_valid) {
        (Some(header), _) if !is_holder(header) => 401,
        (_, true) => 200,
        (_, false) => 400,
    }
}

/// Checks the headers that every response has, and that the body is of its type.
fn form(response: &Response<Body>, request: &Request) {
    let headers = response.headers();
    assert_eq!(headers["x-content-type-options"], "nosniff");
    // A stored response would carry the id of the request that filled the cache.
    let is_stored = headers[CACHE_CONTROL].as_bytes().starts_with(b"public");
    let id = headers.get("x-request-id").map(HeaderValue::as_bytes);
    assert_eq!(id, (!is_stored).then_some(&b"r-1"[..]));
    let Some(content_type) = headers.get(CONTENT_TYPE) else {
        assert!(response.status() == 204 && response.body().is_empty());
        return;
    };
    if request.method == "HEAD" {
        assert!(response.body().is_empty());
        return;
    }
    assert_eq!(headers[CONTENT_LENGTH], response.body().len().to_string());
    let text = std::str::from_utf8(response.body()).expect("a response is UTF-8");
    match content_type.to_str().expect("a type is ASCII") {
        "application/json" => {
            serde_json::from_str::<IgnoredAny>(text).expect("JSON is JSON");
        }
        "application/problem+json" => {
            let problem: Value = serde_json::from_str(text).expect("a problem is JSON");
            assert_eq!(problem["status"], response.status().as_u16());
            assert!(text.len() < 1_024, "{text}");
        }
        "text/plain; version=0.0.4; charset=utf-8" if !text.is_empty() => {
            read_metrics(text);
        }
        "image/svg+xml" => {
            read_xml(text);
        }
        _ => {}
    }
}

/// The services in a response, where its format can be read back.
fn names_in(response: &Response<Body>) -> Option<Vec<String>> {
    let body = response.body();
    Some(match response.headers()[CONTENT_TYPE].as_bytes() {
        b"application/json" => {
            let report: Value = serde_json::from_slice(body).expect("JSON is JSON");
            let list = |value: &Value, key| value[key].as_array().cloned().expect("it is a list");
            let services = list(&report, "clusters").into_iter();
            let services = services.flat_map(|cluster| list(&cluster, "services"));
            let name = |service: Value| service["serviceName"].as_str().map(str::to_owned);
            services.filter_map(name).collect()
        }
        b"text/csv; charset=utf-8; header=present" => {
            let mut reader = csv::Reader::from_reader(body.as_slice());
            let records = reader.records().map(|record| record.expect("CSV is CSV"));
            records.map(|record| record[3].to_owned()).collect()
        }
        b"text/plain; version=0.0.4; charset=utf-8" if !body.is_empty() => {
            let samples = read_metrics(std::str::from_utf8(body).expect("a response is UTF-8"));
            let info = samples
                .into_iter()
                .filter(|(name, ..)| name == "ecs_service_info");
            info.map(|(_, mut labels, _)| labels.remove("service").expect("it has a name"))
                .collect()
        }
        _ => return None,
    })
}

/// A request whose validator matches gets a 304, and no other does.
fn conditions(api: &Api<Fixed>, request: &Request, whole: &Response<Body>) {
    let is_conditional = request.if_none_match.is_some() || request.if_modified_since.is_some();
    let Some(etag) = whole.headers().get(ETAG).filter(|_| is_conditional) else {
        return;
    };
    let etag = etag.to_str().expect("a tag is ASCII");
    let known = request.if_none_match.as_deref();
    let known = known.map(|tags| tags.trim() == "*" || is_listed(tags, etag.trim_matches('"')));
    let response = respond(api, request);
    let is_known = response.status() == 304;
    assert!(known.is_none_or(|known| is_known == known));
    let tagged = Request {
        if_none_match: Some(format!("\"other\", W/{etag}")),
        ..request.clone()
    };
    let response = respond(api, &tagged);
    assert_eq!(response.status(), 304);
    assert!(response.body().is_empty() && !response.headers().contains_key(CONTENT_TYPE));
    assert_eq!(response.headers()[ETAG], etag);
}

/// Whether `list` is well-formed and has the entity tag `opaque`: quotes separate what is inside of
/// tags from what is between them.
fn is_listed(list: &str, opaque: &str) -> bool {
    let parts: Vec<&str> = list.split('"').collect();
    let inside = || parts.iter().skip(1).step_by(2);
    let end = parts.len() - 1;
    let is_between = |(index, part): (usize, &&str)| {
        let weak = part.strip_suffix("W/").filter(|_| 2 * index < end);
        let blanks = weak.unwrap_or(part);
        let is_end = index == 0 || 2 * index == end;
        blanks.chars().all(|c| " \t,".contains(c)) && (is_end || blanks.contains(','))
    };
    let is_tag = |part: &&str| !part.chars().any(|c| c <= ' ' || c == '\u{7f}');
    end.is_multiple_of(2)
        && parts.iter().step_by(2).enumerate().all(is_between)
        && inside().all(is_tag)
        && inside().any(|part| *part == opaque)
}

/// The case of `Accept` and media types that are never offered make no difference.
fn negotiation(api: &Api<Fixed>, request: &Request, response: &Response<Body>) {
    let Some(accept) = &request.accept else {
        return;
    };
    let other = Request {
        accept: Some(format!("{} , image/png;q=1", accept.to_ascii_uppercase())),
        ..request.clone()
    };
    let again = respond(api, &other);
    assert_eq!(
        again.headers()[CONTENT_TYPE],
        response.headers()[CONTENT_TYPE]
    );
    assert_eq!(again.body(), response.body());
}

/// Two targets, with tags that are absent, empty, alike, and full of characters that a query encodes.
fn fleet() -> Vec<Rc<Snapshot>> {
    let tags = |tags: &[(&str, &str)]| -> Tags {
        let owned = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        owned.collect()
    };
    let sydney = vec![
        service(
            "api",
            [2, 2, 0],
            Some("COMPLETED"),
            tags(&[("owner", "K2"), ("environment", "p")]),
        ),
        service("batch", [1, 1, 0], None, tags(&[("owner", "")])),
        service(
            "broken",
            [1, 1, 0],
            Some("FAILED"),
            tags(&[("owner", "k2"), ("service", "x")]),
        ),
    ];
    let cologne = vec![
        service(
            "encoded",
            [1, 1, 0],
            None,
            tags(&[("a&b=c", "d e+f%20"), ("☃ %41+", "☃")]),
        ),
        service(
            "short",
            [3, 1, 1],
            Some("IN_PROGRESS"),
            tags(&[("owner", "K2"), ("other", "x")]),
        ),
    ];
    vec![
        snapshot(
            start(),
            vec![cluster("web", "sydney", "ap-southeast-2", sydney)],
        ),
        snapshot(
            start(),
            vec![cluster("web", "Köln 1", "eu-central-1", cologne)],
        ),
    ]
}
