//! `/`: what this is and how to ask it, as text, HTML or JSON.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::route::Route;
use super::{Answer, Request, negotiate};

const MAX_AGE: Duration = Duration::from_mins(5);

const TITLE: &str = "ecs-status";

const PURPOSE: &str = "Which Amazon ECS services are running on Fargate, right now.";

const FILTERING: &str = "Different keys must all match, of a repeated key any may; values are exact \
and case-sensitive.";

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
        max_age: Some(MAX_AGE),
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
        .collect()
}

fn text(origin: &str, filter_keys: &[String]) -> String {
    let route = |route: Route| format!("  GET {:<10} {}", route.path(), route.summary());
    let routes = Route::ALL.map(route).join("\n");
    let keys = filter_keys.join(", ");
    let examples = examples(origin, filter_keys).join("\n  ");
    format!(
        "{TITLE}: {PURPOSE}\n\nRoutes\n{routes}\n\nFilter keys of /list\n  {keys}\n  {FILTERING}\n\n\
         Examples\n  {examples}\n"
    )
}

fn html(origin: &str, filter_keys: &[String]) -> String {
    let route = |route: Route| {
        format!(
            "<dt><a href=\"{path}\"><code>GET {path}</code></a></dt><dd>{}</dd>\n",
            escape(route.summary()),
            path = route.path()
        )
    };
    let routes = Route::ALL.map(route).concat();
    let key = |key: &String| format!("<code>{}</code>", escape(key));
    let keys = filter_keys.iter().map(key).collect::<Vec<_>>().join(", ");
    let examples = escape(&examples(origin, filter_keys).join("\n"));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{TITLE}</title>\n</head>\n<body>\n<h1>{TITLE}</h1>\n<p>{PURPOSE}</p>\n\
         <h2>Routes</h2>\n<dl>\n{routes}</dl>\n\
         <h2>Filter keys of <code>/list</code></h2>\n<p>{keys}</p>\n<p>{FILTERING}</p>\n\
         <h2>Examples</h2>\n<pre>{examples}</pre>\n</body>\n</html>\n"
    )
}

fn in_json(origin: &str, filter_keys: &[String]) -> String {
    let routes = Route::ALL
        .map(|route| json!({"method": "GET", "path": route.path(), "summary": route.summary()}));
    let help = json!({
        "name": TITLE,
        "purpose": PURPOSE,
        "routes": routes,
        "filterKeys": filter_keys,
        "filtering": FILTERING,
        "examples": examples(origin, filter_keys),
    });
    format!("{help}\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
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
        String::from_utf8(answer(&request, &keys).body).unwrap()
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
