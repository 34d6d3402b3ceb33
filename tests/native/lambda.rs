//! Lambda: events of every shape, and the responses that API Gateway gets.

#[path = "../../src/bin/lambda/event.rs"]
mod event;

use ecs_status::api::{Body, Request};
use event::{EventResponse, MAX_BODY_BYTES};
use http::Response;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::support::ask::{self, ask_with};
use crate::support::ecs::Ecs;

const REJECTED: &str = "The event is not an HTTP request of payload format version 2.0: ";

/// The event of a GET request.
fn event_of(path: &str, query: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "accept": "text/csv",
            "authorization": "Bearer x",
            "host": "api.example",
            "if-modified-since": "Sun, 22 Nov 2020 19:40:00 GMT",
            "if-none-match": "\"a\",\"b\"",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "domainName": "domain.example",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1"},
            "requestId": "request-id",
            "stage": "$default",
        },
        "isBase64Encoded": false,
    })
}

fn read(event: Value) -> Result<Request, String> {
    event::request(event, "r-1".to_owned())
}

fn written(response: Response<Body>) -> Value {
    serde_json::to_value(EventResponse::from(response)).unwrap()
}

#[test]
fn a_request_has_the_parts_of_its_event() {
    let request = read(event_of("/list", "owner=\"K2\"&a=%41")).unwrap();
    assert_eq!(request.method, "GET");
    assert_eq!(request.origin, "https://api.example");
    assert_eq!(request.path, "/list");
    assert_eq!(request.query.unwrap(), "owner=\"K2\"&a=%41");
    assert_eq!(request.accept.unwrap(), "text/csv");
    assert_eq!(request.authorization.unwrap(), "Bearer x");
    assert_eq!(request.if_none_match.unwrap(), "\"a\",\"b\"");
    let modified_since = request.if_modified_since.unwrap();
    assert_eq!(modified_since, "Sun, 22 Nov 2020 19:40:00 GMT");
    assert_eq!((request.is_over_limit, &*request.id), (false, "r-1"));
}

#[test]
fn a_path_is_decoded_once() {
    let path = |decoded: &str| read(event_of(decoded, "")).unwrap().path;
    assert_eq!(path("/list"), "/list");
    assert_eq!(path("/%6Cist"), "/%256Cist");
    assert_eq!(path("//a b☃"), "//a b☃");
}

#[test]
fn the_origin_is_that_of_the_client_or_of_the_api() {
    let origin = |proto: Value, host: Value| {
        let mut event = event_of("/", "");
        event["headers"]["x-forwarded-proto"] = proto;
        event["headers"]["host"] = host;
        read(event).unwrap().origin
    };
    for (proto, host, expected) in [
        (json!("http"), json!("h:80"), "http://h:80"),
        (json!("https,http"), json!("h"), "https://h"),
        (json!("http, https"), json!("h"), "http://h"),
        (json!(""), json!(""), "https://domain.example"),
        (json!("gopher"), json!("a b"), "https://a b"),
        (json!(["http"]), Value::Null, "https://domain.example"),
    ] {
        assert_eq!(origin(proto, host), expected);
    }
}

#[test]
fn an_event_that_is_no_request_is_an_error_that_names_what_is_missing() {
    let without = |pointer: &str, name: &str| {
        let mut event = event_of("/list", "");
        let members = event.pointer_mut(pointer).unwrap();
        members.as_object_mut().unwrap().remove(name);
        event
    };
    for (event, missing) in [
        (json!({"Records": []}), "rawPath"),
        (without("", "rawPath"), "rawPath"),
        (without("", "requestContext"), "requestContext"),
        (without("/requestContext", "http"), "http"),
        (without("/requestContext/http", "method"), "method"),
    ] {
        let error = read(event).unwrap_err();
        assert_eq!(error, format!("{REJECTED}missing field `{missing}`"));
    }
    for event in [json!(null), json!([]), json!("x"), json!(1)] {
        assert!(read(event).unwrap_err().starts_with(REJECTED));
    }
}

#[test]
fn a_response_is_text_where_it_can_be() {
    let response = |body: &[u8]| {
        let response = Response::builder().status(404).header("allow", "GET");
        response.body(Body::new(body.to_vec())).unwrap()
    };
    for (body, text, is_base64) in [
        (&b"\"a\"\n"[..], "\"a\"\n", false),
        (b"", "", false),
        (b"\xff\0", "/wA=", true),
    ] {
        let expected = json!({
            "statusCode": 404, "headers": {"allow": "GET"}, "body": text, "isBase64Encoded": is_base64,
        });
        assert_eq!(written(response(body)), expected);
    }
}

#[test]
fn every_response_fits_in_what_lambda_returns_beside_the_longest_body() {
    let platform = Ecs::uniform(1, 1).platform();
    let paths = [
        "/",
        "/list",
        "/metrics",
        "/badge.svg",
        "/openapi.json",
        "/page.js",
        "/nope",
    ];
    for path in paths {
        for accept in ["*/*", "text/html", "text/csv"] {
            let request = Request {
                accept: Some(accept.to_owned()),
                id: "0e7d1a9b-5b0a-4a7e-9a55-d3ac4a1fb4f5".to_owned(),
                ..ask::get(path)
            };
            let response = written(ask_with(&platform, &[], &request));
            let body = response["body"].to_string().len();
            let envelope = response.to_string().len() - body;
            assert!(MAX_BODY_BYTES + envelope <= 6_291_556, "{path}: {envelope}");
        }
    }
}

/// Text with the characters that URLs, headers and JSON treat specially.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,20}",
        "(%[0-9a-fA-F]{0,2}|[\"<>#?&=/\\\\ \u{0}-\u{1f}\u{7f}]|☃|\u{202e}){0,8}",
        select(vec!["https,http", "GET", "/list", "//", "[::1", "owner=K2"])
            .prop_map(str::to_owned),
        any::<String>(),
        (1..100_000_usize).prop_map(|length| "x".repeat(length)),
    ]
}

fn odd_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        odd_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(odd_text(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// The places of an event that a change can be made to.
const PLACES: [&str; 16] = [
    "/rawPath",
    "/rawQueryString",
    "/headers",
    "/headers/accept",
    "/headers/authorization",
    "/headers/host",
    "/headers/if-modified-since",
    "/headers/if-none-match",
    "/headers/x-forwarded-proto",
    "/requestContext",
    "/requestContext/domainName",
    "/requestContext/http",
    "/requestContext/http/method",
    "/requestContext/stage",
    "/isBase64Encoded",
    "/version",
];

fn odd_event() -> impl Strategy<Value = Value> {
    let path = select(vec![
        "/",
        "/list",
        "/metrics",
        "/badge.svg",
        "/healthz",
        "/nope",
    ]);
    let value = prop_oneof![odd_json(), odd_text().prop_map(Value::from)];
    let changes = prop::collection::vec((select(&PLACES[..]), value), 1..4);
    let from_api_gateway = (path, odd_text(), changes).prop_map(|(path, query, changes)| {
        let mut event = event_of(path, &query);
        for (place, value) in changes {
            if let Some(member) = event.pointer_mut(place) {
                *member = value;
            }
        }
        event
    });
    prop_oneof![1 => odd_json(), 9 => from_api_gateway]
}

proptest! {
    #[test]
    fn every_event_is_answered_by_the_api_or_refused(event in odd_event()) {
        match read(event) {
            Err(error) => prop_assert!(error.starts_with(REJECTED)),
            Ok(request) => {
                let platform = Ecs::uniform(1, 1).platform();
                let response = written(ask_with(&platform, &[], &request));
                let status = response["statusCode"].as_u64().unwrap();
                prop_assert!([200, 204, 304, 400, 404, 405, 414].contains(&status), "{response}");
                prop_assert!(response["body"].is_string() && response["headers"].is_object());
            }
        }
    }
}
