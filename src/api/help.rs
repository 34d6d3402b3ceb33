//! `/`: what this is and how to ask it, as text, HTML or JSON.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::plain::{escaped, filled};
use super::route::Route;
use super::{Answer, Request, negotiate, still};

/// The page for browsers; it holds the help for those that run no scripts.
const PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/index.html"));

const TITLE: &str = "ecs-status";

const PURPOSE: &str = "Which Amazon ECS services are running on Fargate, right now.";

const FILTERING: &str = "Different keys must all match, of a repeated key any may; values are exact \
and case-sensitive.";

const PARAMETERS: [(&str, &str); 4] = [
    (
        "format",
        "of /list: json, text or csv; wins over the Accept header",
    ),
    (
        "unhealthy",
        "true: only services that do not run as many tasks as desired, or whose rollout failed",
    ),
    (
        "missing",
        "only services without this tag, one of those that can be filtered by",
    ),
    ("service", "of /badge.svg: only the service of this name"),
];

#[derive(Clone, Copy)]
enum Format {
    Text,
    Html,
    Json,
}

pub(super) fn answer(request: &Request, filter_keys: &[String]) -> Answer {
    let offers = [
        ("text/plain", Format::Text),
        ("text/html", Format::Html),
        ("application/json", Format::Json),
    ];
    let (content_type, body) =
        match negotiate::best(request.accept.as_deref(), &offers, Format::Text) {
            Format::Text => (
                "text/plain; charset=utf-8",
                text(&request.origin, filter_keys),
            ),
            Format::Html => (
                "text/html; charset=utf-8",
                html(&request.origin, filter_keys),
            ),
            Format::Json => ("application/json", in_json(&request.origin, filter_keys)),
        };
    Answer {
        max_age: Some(still::MAX_AGE),
        varies: true,
        ..Answer::ok(content_type, body.into_bytes())
    }
}

fn examples(origin: &str, filter_keys: &[String]) -> Vec<String> {
    let key = filter_keys
        .iter()
        .find(|key| *key == "owner")
        .or(filter_keys.first());
    let filtered = key.map(|key| {
        let key = utf8_percent_encode(key, NON_ALPHANUMERIC);
        format!("curl '{origin}/list?{key}=K2'")
    });
    [format!("curl {origin}/list")]
        .into_iter()
        .chain(filtered)
        .chain([format!("curl '{origin}/list?format=text&unhealthy=true'")])
        .collect()
}

fn text(origin: &str, filter_keys: &[String]) -> String {
    let route = |route: Route| format!("  GET {:<14} {}", route.path(), route.summary());
    let routes = Route::TOLD.map(route).join("\n");
    let keys = filter_keys.join(", ");
    let parameters = PARAMETERS
        .map(|(name, meaning)| format!("  {name:<10} {meaning}"))
        .join("\n");
    let examples = examples(origin, filter_keys).join("\n  ");
    format!(
        "{TITLE}: {PURPOSE}\n\nRoutes\n{routes}\n\n\
         Filter keys of /list, /metrics and /badge.svg\n  {keys}\n  {FILTERING}\n\n\
         Other parameters\n{parameters}\n\nExamples\n  {examples}\n"
    )
}

fn html(origin: &str, filter_keys: &[String]) -> String {
    let route = |route: Route| {
        format!(
            "<dt><a href=\"{path}\"><code>GET {path}</code></a></dt><dd>{}</dd>\n",
            escaped(route.summary()),
            path = route.path()
        )
    };
    let routes = Route::TOLD.map(route).concat();
    let key = |key: &String| format!("<code>{}</code>", escaped(key));
    let keys = filter_keys.iter().map(key).collect::<Vec<_>>().join(", ");
    let parameters = PARAMETERS
        .map(|(name, meaning)| format!("<dt><code>{name}</code></dt><dd>{meaning}</dd>\n"))
        .concat();
    let examples = escaped(&examples(origin, filter_keys).join("\n"));
    let help = format!(
        "<h2>Routes</h2>\n<dl>\n{routes}</dl>\n\
         <h2>Filter keys</h2>\n<p>{keys}</p>\n<p>{FILTERING}</p>\n\
         <h2>Other parameters</h2>\n<dl>\n{parameters}</dl>\n\
         <h2>Examples</h2>\n<pre>{examples}</pre>\n"
    );
    let values = [
        ("origin", &*escaped(origin)),
        ("filterKeys", &*escaped(&filter_keys.join(","))),
        ("help", &*help),
    ];
    filled(PAGE, &values)
}

fn in_json(origin: &str, filter_keys: &[String]) -> String {
    let routes = Route::TOLD
        .map(|route| json!({"method": "GET", "path": route.path(), "summary": route.summary()}));
    let help = json!({
        "name": TITLE,
        "purpose": PURPOSE,
        "routes": routes,
        "filterKeys": filter_keys,
        "filtering": FILTERING,
        "parameters": BTreeMap::from(PARAMETERS),
        "examples": examples(origin, filter_keys),
    });
    format!("{help}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(accept: &str, keys: &[&str]) -> String {
        let request = Request {
            origin: "https://<host>".into(),
            accept: Some(accept.into()),
            ..Request::default()
        };
        let keys: Vec<String> = keys.iter().map(|&k| k.to_owned()).collect();
        String::from_utf8(answer(&request, &keys).body.to_vec()).unwrap()
    }

    #[test]
    fn every_format_names_every_route_and_key() {
        for accept in ["text/plain", "text/html", "application/json"] {
            let body = body(accept, &["environment", "owner"]);
            for part in ["/list", "/healthz", "environment", "owner=K2"] {
                assert!(body.contains(part), "{accept}: {part}");
            }
        }
    }

    #[test]
    fn html_escapes_what_comes_from_outside() {
        let html = body("text/html", &["<b>&\"'"]);
        assert!(html.contains("&lt;b&gt;&amp;&quot;&#39;"), "{html}");
        assert!(html.contains("https://&lt;host&gt;/list"), "{html}");
    }

    #[test]
    fn json_is_json() {
        let help: serde_json::Value =
            serde_json::from_str(&body("application/json", &["owner"])).unwrap();
        assert_eq!(help["routes"][1]["path"], "/list");
        assert_eq!(help["examples"][1], "curl 'https://<host>/list?owner=K2'");
    }
}
