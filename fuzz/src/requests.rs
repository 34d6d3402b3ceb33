//! Requests of anybody. The input is one as HTTP/1.1 writes it, without the version.

use std::rc::Rc;

use ecs_status::api::{Body, Request};
use ecs_status::fleet::snapshot::{Snapshot, Tags};
use ecs_status::fleet::view::Fleet;
use http::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::fleet::{Fixed, ask, cluster, config, get, service, snapshot};
use super::message::Message;
use super::oracle::Question;
use super::support::read::{read_metrics, read_xml};

const TOKEN: &str = "0123456789abcdef";
const TARGETS: &str =
    r#"[{"name":"sydney","region":"ap-southeast-2"},{"name":"Köln 1","region":"eu-central-1"}]"#;

/// The routes that a fleet is needed for, and those that need none. The description and its page
/// depend on nothing in a request, and take long.
const FLEET: [&str; 3] = ["/list", "/metrics", "/badge.svg"];
const STILL: [&str; 6] = [
    "/",
    "/page.css",
    "/page.js",
    "/robots.txt",
    "/favicon.svg",
    "/favicon.ico",
];
const SLOW: [&str; 2] = ["/openapi.json", "/docs"];

struct World {
    clusters: Vec<Rc<Snapshot>>,
    open: Fleet<Fixed>,
    closed: Fleet<Fixed>,
}

thread_local! {
    static WORLD: World = World::new();
}

/// Every request has an answer that fits its status and its type, a query means what it says
/// however it is written, and headers do what HTTP says.
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
    if SLOW.contains(&path) {
        return;
    }
    let header = |name: &str| message.header(name).map(str::to_owned);
    let request = Request {
        method: method.to_owned(),
        accept: header("accept"),
        authorization: header("authorization"),
        if_none_match: header("if-none-match"),
        if_modified_since: header("if-modified-since"),
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
        let clusters = fleet();
        let open = |more| {
            let config = config(&[&values[..], more].concat());
            Fleet::new(config, Fixed(clusters.clone()))
        };
        Self {
            open: open(&[]),
            closed: open(&[("LIST_TOKEN", TOKEN)]),
            clusters,
        }
    }

    fn check(&self, request: &Request) {
        let fleet = match request.authorization {
            Some(_) => &self.closed,
            None => &self.open,
        };
        let whole = Request {
            if_none_match: None,
            if_modified_since: None,
            ..request.clone()
        };
        let response = ask(fleet, &whole);
        let status = response.status().as_u16();
        let question = Question::read(&request.path, query(request), fleet.config());
        assert_eq!(status, expected(request, question.is_some()), "{request:?}");
        form(&response, request);
        if status != 200 {
            return;
        }
        conditions(fleet, request, &response);
        negotiation(fleet, &whole, &response);
        if FLEET.contains(&request.path.as_str()) {
            self.filter(fleet, &whole, &question.expect("it is answered"), &response);
        }
    }

    /// Exactly the services that are asked for, also in another writing.
    fn filter(
        &self,
        fleet: &Fleet<Fixed>,
        request: &Request,
        question: &Question,
        response: &Response<Body>,
    ) {
        let clusters = self.clusters.iter().flat_map(|snapshot| &snapshot.clusters);
        let services = clusters.flat_map(|c| c.services.iter().map(move |s| (c, s)));
        let mut names: Vec<&str> = services
            .filter(|(cluster, service)| question.asks_for(cluster, service))
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
            query: Some(question.written()),
            ..request.clone()
        };
        let again = ask(fleet, &rewritten);
        assert_eq!(again.status(), 200);
        // A badge is called after the values in their order.
        if request.path != "/badge.svg" {
            assert_eq!(again.body(), response.body());
        }
    }
}

fn query(request: &Request) -> &str {
    request.query.as_deref().unwrap_or_default()
}

fn expected(request: &Request, is_question: bool) -> u16 {
    let path = request.path.as_str();
    let needs_fleet = FLEET.contains(&path) || path == "/healthz";
    if !needs_fleet && !STILL.contains(&path) {
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
    match (&request.authorization, is_question) {
        (Some(header), _) if !is_holder(header) => 401,
        (_, true) => 200,
        (_, false) => 400,
    }
}

/// What every answer has, and what its type promises.
fn form(response: &Response<Body>, request: &Request) {
    let headers = response.headers();
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-request-id"], "r-1");
    let Some(content_type) = headers.get(CONTENT_TYPE) else {
        assert!(response.status() == 204 && response.body().is_empty());
        return;
    };
    if request.method == "HEAD" {
        assert!(response.body().is_empty());
        return;
    }
    assert_eq!(headers[CONTENT_LENGTH], response.body().len().to_string());
    let text = std::str::from_utf8(response.body()).expect("an answer is UTF-8");
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

/// The services that an answer names, where its format can be read back.
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
            let samples = read_metrics(std::str::from_utf8(body).expect("an answer is UTF-8"));
            let info = samples
                .into_iter()
                .filter(|(name, ..)| name == "ecs_service_info");
            info.map(|(_, mut labels, _)| labels.remove("service").expect("it has a name"))
                .collect()
        }
        _ => return None,
    })
}

/// Whoever has it already gets a 304, and nobody else does.
fn conditions(fleet: &Fleet<Fixed>, request: &Request, whole: &Response<Body>) {
    let is_conditional = request.if_none_match.is_some() || request.if_modified_since.is_some();
    let Some(etag) = whole.headers().get(ETAG).filter(|_| is_conditional) else {
        return;
    };
    let etag = etag.to_str().expect("a tag is ASCII");
    let known = request.if_none_match.as_deref().map(|tags| {
        let mut tags = tags.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || tag == etag || tag.strip_prefix("W/") == Some(etag))
    });
    let response = ask(fleet, request);
    let is_known = response.status() == 304;
    assert!(known.is_none_or(|known| is_known == known));
    let tagged = Request {
        if_none_match: Some(format!("\"other\", W/{etag}")),
        ..request.clone()
    };
    let response = ask(fleet, &tagged);
    assert_eq!(response.status(), 304);
    assert!(response.body().is_empty() && !response.headers().contains_key(CONTENT_TYPE));
    assert_eq!(response.headers()[ETAG], etag);
}

/// The case of `Accept`, and what we never offer, make no difference.
fn negotiation(fleet: &Fleet<Fixed>, request: &Request, response: &Response<Body>) {
    let Some(accept) = &request.accept else {
        return;
    };
    let other = Request {
        accept: Some(format!("{} , image/png;q=1", accept.to_ascii_uppercase())),
        ..request.clone()
    };
    let again = ask(fleet, &other);
    assert_eq!(
        again.headers()[CONTENT_TYPE],
        response.headers()[CONTENT_TYPE]
    );
    assert_eq!(again.body(), response.body());
}

/// Two targets, with tags that are absent, empty, alike, and full of what a query has to encode.
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
        snapshot(vec![cluster("web", "sydney", "ap-southeast-2", sydney)]),
        snapshot(vec![cluster("web", "Köln 1", "eu-central-1", cologne)]),
    ]
}
