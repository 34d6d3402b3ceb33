//! Description of the API: every response is as it says, and it omits nothing.
use std::time::Duration;

use crate::support::ask::{self, ask_with};
use crate::support::ecs::Ecs;
use crate::support::events::{TOKEN, deployment, post};
use crate::support::{Fake, Reply, Sent, error};
use ecs_status::api::{Body, MAX_BODY_BYTES, Request};
use http::Response;
use serde_json::{Value, json};

/// Headers of every response, described once, in the introduction.
const OF_ALL: [&str; 8] = [
    "content-type",
    "content-length",
    "content-security-policy",
    "referrer-policy",
    "x-content-type-options",
    "cross-origin-resource-policy",
    "access-control-allow-origin",
    "access-control-expose-headers",
];
/// Headers of a page, of a preflight and of what no cache may store, described in prose.
const OF_SOME: [&str; 5] = [
    "x-request-id",
    "x-frame-options",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
];

fn request(method: &str, target: &str, accept: Option<&str>) -> Request {
    Request {
        accept: accept.map(str::to_owned),
        ..ask::request(method, target)
    }
}

/// The response where every call to AWS has the result of `sent`.
fn ask_where(sent: impl Fn() -> Sent + 'static, request: &Request) -> Response<Body> {
    let platform = Fake::new(move |_| Reply {
        after: Duration::ZERO,
        sent: sent(),
    });
    ask_with(&platform, &[], request)
}

/// The response about two clusters, of which one may not be read, with these variables changed.
fn ask_incomplete(request: &Request, changes: &[(&str, &str)]) -> Response<Body> {
    ask_with(&Ecs::partly_denied().platform(), changes, request)
}

fn description_with(changes: &[(&str, &str)]) -> Value {
    let response = ask_incomplete(&request("GET", "/openapi.json", None), changes);
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_slice(response.body()).unwrap()
}

fn resolved<'a>(description: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(place) => description
            .pointer(place.strip_prefix('#').unwrap())
            .unwrap(),
        None => value,
    }
}

/// Closes every object schema with listed members, so that a member without a description is found.
fn closed(schema: &mut Value) {
    if schema["properties"].is_object() {
        schema["additionalProperties"] = false.into();
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(closed),
        Value::Array(items) => items.iter_mut().for_each(closed),
        _ => {}
    }
}

/// Asserts that the description promises `response` for the request.
fn check(description: &Value, request: &Request, response: &Response<Body>) {
    let method = match (request.method.as_str(), request.path.as_str()) {
        ("OPTIONS", _) => "options",
        (_, "/events") => "post",
        _ => "get",
    };
    let path = if description["paths"][&request.path].is_object() {
        &request.path
    } else {
        "/"
    };
    let status = response.status().as_u16().to_string();
    let promised = resolved(
        description,
        &description["paths"][path][method]["responses"][&status],
    );
    let what = format!("{} {} {status}", request.method, request.path);
    assert!(promised.is_object(), "{what}");
    let described = promised["headers"].as_object();
    for name in response.headers().keys() {
        let own = described.is_some_and(|headers| {
            headers
                .keys()
                .any(|known| known.eq_ignore_ascii_case(name.as_str()))
        });
        let known = own || OF_ALL.contains(&name.as_str()) || OF_SOME.contains(&name.as_str());
        assert!(known, "{what}: {name}");
    }
    let Some(content_type) = response.headers().get("content-type") else {
        assert!(promised["content"].is_null(), "{what}");
        return;
    };
    let media_type = content_type.to_str().unwrap().split(';').next().unwrap();
    let content = &promised["content"][media_type];
    assert!(content.is_object(), "{what}: {media_type}");
    if media_type.ends_with("json") && request.method != "HEAD" {
        let mut schema = content["schema"].clone();
        let mut components = json!({"schemas": description["components"]["schemas"]});
        closed(&mut components);
        schema["components"] = components;
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&body)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{what}: {errors:?} in {body}");
    }
}

#[test]
fn every_response_is_as_the_description_says() {
    let description = description_with(&[]);
    let paths = description["paths"].as_object().unwrap();
    let mut requests: Vec<(String, Option<&str>)> =
        paths.keys().map(|path| (path.clone(), None)).collect();
    for (target, accept) in [
        ("/", Some("text/html")),
        ("/", Some("application/json")),
        ("/list", Some("text/csv")),
        ("/list?format=text", None),
        ("/list?owner=nobody", None),
        ("/list?nope=1", None),
        ("/list?owner=%", None),
        ("/list?missing=nope", None),
        ("/metrics?unhealthy=maybe", None),
        ("/nowhere", None),
    ] {
        requests.push((target.to_owned(), accept));
    }
    for (target, accept) in &requests {
        for method in ["GET", "HEAD", "OPTIONS", "POST"] {
            if method != "GET" && target == "/nowhere" {
                continue;
            }
            let request = request(method, target, *accept);
            check(&description, &request, &ask_incomplete(&request, &[]));
        }
    }
}

#[test]
fn every_problem_is_as_the_description_says() {
    let description = description_with(&[]);
    let refusals: [(u16, &'static str, u16); 4] = [
        (400, "AccessDeniedException", 502),
        (400, "ThrottlingException", 503),
        (500, "ServerException", 502),
        (400, "", 502),
    ];
    let targets = ["/list", "/metrics", "/badge.svg", "/healthz"];
    for target in targets {
        let request = request("GET", target, None);
        for (sent, code, status) in refusals {
            let response = ask_where(move || error(sent, code), &request);
            // The metrics say that nothing is up.
            let status = if target == "/metrics" { 200 } else { status };
            assert_eq!(response.status(), status, "{target} {code}");
            check(&description, &request, &response);
        }
        let slow = Fake::new(|_| Reply {
            after: Duration::from_mins(5),
            sent: error(500, ""),
        });
        let response = ask_with(&slow, &[], &request);
        let status = if target == "/metrics" { 200 } else { 504 };
        assert_eq!(response.status(), status, "{target}");
        check(&description, &request, &response);
        let broken = ask_incomplete(&request, &[("AWS_REGION", "nowhere")]);
        assert_eq!(broken.status(), 500, "{target}");
        check(&description, &request, &broken);
        let closed = ask_incomplete(&request, &[("LIST_TOKEN", "0123456789abcdef")]);
        assert_eq!(closed.status() == 401, target != "/healthz", "{target}");
        check(&description, &request, &closed);
    }
}

#[test]
fn every_listed_route_is_described_and_every_described_route_responds() {
    let description = description_with(&[]);
    let help = ask_incomplete(&request("GET", "/", Some("application/json")), &[]);
    let help: Value = serde_json::from_slice(help.body()).unwrap();
    for route in help["routes"].as_array().unwrap() {
        let path = route["path"].as_str().unwrap();
        assert!(description["paths"][path]["get"].is_object(), "{path}");
    }
    for path in description["paths"].as_object().unwrap().keys() {
        let status = ask_incomplete(&request("GET", path, None), &[]).status();
        let expected = if path == "/events" { 404 } else { 200 };
        assert_eq!(status, expected, "{path}");
    }
}

#[test]
fn every_answer_to_an_event_is_as_the_description_says() {
    let taken = [("EVENTS_TOKEN", TOKEN)];
    let description = description_with(&taken);
    let whole = deployment("cluster-0000", "service-0000").to_string();
    let anybody = Request {
        authorization: None,
        ..post(whole.as_bytes())
    };
    for (request, status) in [
        (post(whole.as_bytes()), 202),
        (post(b"{}"), 400),
        (post(&b" ".repeat(MAX_BODY_BYTES + 1)), 413),
        (
            Request {
                is_over_limit: true,
                ..anybody.clone()
            },
            429,
        ),
        (anybody, 401),
        (request("GET", "/events", None), 405),
        (request("HEAD", "/events", None), 405),
        (request("OPTIONS", "/events", None), 204),
    ] {
        let response = ask_incomplete(&request, &taken);
        assert_eq!(response.status(), status);
        check(&description, &request, &response);
    }
    let health = request("GET", "/healthz", None);
    check(
        &description,
        &health,
        &ask_with(&Ecs::uniform(1, 1).platform(), &taken, &health),
    );
}

/// The parameters of the query.
fn parameters(description: &Value, path: &str) -> Vec<String> {
    let parameters = description["paths"][path]["get"]["parameters"]
        .as_array()
        .unwrap();
    let resolved = |parameter| resolved(description, parameter);
    parameters
        .iter()
        .map(resolved)
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_configured_filter_keys_are_parameters() {
    let description = description_with(&[(
        "FILTER_TAGS",
        "service,\"{{badgeParameters}}\",{{badgeParameters}},<b>",
    )]);
    let tags = [
        "\"{{badgeParameters}}\"",
        "{{badgeParameters}}",
        "<b>",
        "target",
        "region",
    ];
    let with = |own: &[&'static str]| [own, &tags].concat();
    assert_eq!(
        parameters(&description, "/list"),
        with(&[
            "format",
            "unhealthy",
            "missing",
            "state",
            "deployed",
            "service"
        ])
    );
    assert_eq!(
        parameters(&description, "/metrics"),
        with(&["unhealthy", "missing", "state", "deployed", "service"])
    );
    assert_eq!(
        parameters(&description, "/badge.svg"),
        with(&[
            "service",
            "show",
            "unhealthy",
            "missing",
            "state",
            "deployed"
        ])
    );
}

#[test]
fn every_parameter_is_accepted_and_every_example_is_valid() {
    let description = description_with(&[]);
    for path in ["/list", "/metrics", "/badge.svg"] {
        for name in parameters(&description, path) {
            let value = match name.as_str() {
                "format" => "csv",
                "unhealthy" => "true",
                "missing" => "owner",
                "state" => "rolling-back",
                "deployed" => "24h",
                "show" => "version",
                _ => "x",
            };
            let request = request("GET", &format!("{path}?{name}={value}"), None);
            assert_eq!(ask_incomplete(&request, &[]).status(), 200, "{path} {name}");
        }
    }
    let mut checked = 0;
    for responses in [
        &description["components"]["responses"],
        &description["paths"]["/list"]["get"]["responses"],
        &description["paths"]["/healthz"]["get"]["responses"],
    ] {
        for response in responses.as_object().unwrap().values() {
            for content in response["content"].as_object().into_iter().flatten() {
                let (media_type, content) = content;
                if media_type.ends_with("json") && !content["example"].is_null() {
                    let mut schema = content["schema"].clone();
                    schema["components"] = description["components"].clone();
                    assert!(
                        jsonschema::draft202012::is_valid(&schema, &content["example"]),
                        "{content}"
                    );
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, 3);
}

#[test]
fn the_page_escapes_the_configured_filter_keys() {
    let changes = [("FILTER_TAGS", "owner,<script>alert(1)</script>,{{help}}")];
    let page = |path: &str| {
        let response = ask_incomplete(&request("GET", path, Some("text/html")), &changes);
        assert_eq!(
            response.headers()["content-type"],
            "text/html; charset=utf-8"
        );
        assert_eq!(response.headers()["x-frame-options"], "DENY");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{policy}"
        );
        String::from_utf8(response.body().to_vec()).unwrap()
    };
    let help = page("/");
    assert!(!help.contains("<script>alert"), "{help}");
    assert!(
        help.contains("owner,&lt;script&gt;alert(1)&lt;/script&gt;,{{help}},target,region"),
        "{help}"
    );
}

#[test]
fn cors_allows_any_origin_one_or_none() {
    let ask = |method: &str, target: &str, changes: &[(&str, &str)]| {
        ask_incomplete(&request(method, target, None), changes)
    };
    let header = |response: &Response<Body>, name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let one = [("CORS_ORIGIN", "https://dash.example")];
    for target in [
        "/list",
        "/list?nope=1",
        "/nowhere",
        "/healthz",
        "/metrics",
        "/robots.txt",
    ] {
        let any = ask("GET", target, &[]);
        assert_eq!(
            header(&any, "access-control-allow-origin").unwrap(),
            "*",
            "{target}"
        );
        assert_eq!(header(&any, "access-control-allow-credentials"), None);
        let one = ask("GET", target, &one);
        assert_eq!(
            header(&one, "access-control-allow-origin").unwrap(),
            "https://dash.example"
        );
        let vary = if target == "/list" {
            "accept, origin"
        } else {
            "origin"
        };
        assert_eq!(header(&one, "vary").unwrap(), vary, "{target}");
        let none = ask("GET", target, &[("CORS_ORIGIN", "none")]);
        assert_eq!(header(&none, "access-control-allow-origin"), None);
        assert_eq!(header(&none, "access-control-expose-headers"), None);
    }
    let preflight = ask("OPTIONS", "/list", &one);
    assert_eq!(
        (preflight.status().as_u16(), preflight.body().len()),
        (204, 0)
    );
    for (name, value) in [
        ("allow", "GET, HEAD, OPTIONS"),
        ("access-control-allow-origin", "https://dash.example"),
        ("access-control-allow-methods", "GET, HEAD"),
        (
            "access-control-allow-headers",
            "authorization, if-none-match, if-modified-since, prefer",
        ),
        ("access-control-max-age", "86400"),
    ] {
        assert_eq!(header(&preflight, name).unwrap(), value);
    }
    assert_eq!(header(&preflight, "content-length"), None);
    assert_eq!(header(&preflight, "content-type"), None);
    let none = ask("OPTIONS", "/list", &[("CORS_ORIGIN", "none")]);
    assert_eq!(header(&none, "access-control-allow-methods"), None);
    assert_eq!(ask("OPTIONS", "/nowhere", &[]).status(), 404);
    assert_eq!(
        ask("DELETE", "/list", &[]).headers()["allow"],
        "GET, HEAD, OPTIONS"
    );
}
