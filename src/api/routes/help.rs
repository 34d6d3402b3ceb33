//! Help: the routes, the filter keys and examples, as text, HTML or JSON.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::api::escape::markup;
use crate::api::query::accept;
use crate::api::response::Reply;
use crate::api::routes::assets::MAX_AGE;
use crate::api::routes::route::{Route, StaticContext};
use crate::api::template::{self, BRACES};

/// The page for browsers; it contains the help for those without scripts.
const PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/index.html"));

const TITLE: &str = "ecs-status";

const PURPOSE: &str = "Which Amazon ECS services are running on Fargate, right now.";

const FILTERING: &str = "All keys must match; if a key is repeated, any of its values may match. \
Values are exact and case-sensitive.";

const PARAMETERS: [(&str, &str); 4] = [
    (
        "format",
        "of /list: json, text or csv; takes precedence over the Accept header",
    ),
    (
        "unhealthy",
        "true: only services whose running and desired tasks differ, or whose rollout failed",
    ),
    (
        "missing",
        "only services without this tag, one of those that services can be filtered by",
    ),
    ("service", "of /badge.svg: only the service with this name"),
];

#[derive(Clone, Copy)]
enum Format {
    Text,
    Html,
    Json,
}

pub(super) fn reply(context: &StaticContext<'_>) -> Reply {
    let offers = [
        ("text/plain", Format::Text),
        ("text/html", Format::Html),
        ("application/json", Format::Json),
    ];
    let accept = context.request.accept.as_deref();
    let (content_type, body) = match accept::best(accept, &offers, Format::Text) {
        Format::Text => ("text/plain; charset=utf-8", text(context)),
        Format::Html => ("text/html; charset=utf-8", html(context)),
        Format::Json => ("application/json", json(context)),
    };
    Reply {
        varies_by_accept: true,
        ..Reply::cacheable(content_type, body.into_bytes(), MAX_AGE)
    }
}

fn listed(context: &StaticContext<'_>) -> impl Iterator<Item = &'static Route> {
    context.routes.iter().filter(|route| route.listed)
}

fn examples(context: &StaticContext<'_>) -> Vec<String> {
    let origin = &context.request.origin;
    let key = context
        .filter_keys
        .iter()
        .find(|key| *key == "owner")
        .or(context.filter_keys.first());
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

fn text(context: &StaticContext<'_>) -> String {
    let routes: Vec<String> = listed(context)
        .map(|route| format!("  GET {:<14} {}", route.path, route.summary))
        .collect();
    let routes = routes.join("\n");
    let keys = context.filter_keys.join(", ");
    let parameters = PARAMETERS
        .map(|(name, meaning)| format!("  {name:<10} {meaning}"))
        .join("\n");
    let examples = examples(context).join("\n  ");
    format!(
        "{TITLE}: {PURPOSE}\n\nRoutes\n{routes}\n\n\
         Filter keys of /list, /metrics and /badge.svg\n  {keys}\n  {FILTERING}\n\n\
         Other parameters\n{parameters}\n\nExamples\n  {examples}\n"
    )
}

fn html(context: &StaticContext<'_>) -> String {
    let route = |route: &Route| {
        format!(
            "<dt><a href=\"{path}\"><code>GET {path}</code></a></dt><dd>{}</dd>\n",
            markup(route.summary),
            path = route.path
        )
    };
    let routes: String = listed(context).map(route).collect();
    let key = |key: &String| format!("<code>{}</code>", markup(key));
    let keys: Vec<String> = context.filter_keys.iter().map(key).collect();
    let keys = keys.join(", ");
    let parameters = PARAMETERS
        .map(|(name, meaning)| format!("<dt><code>{name}</code></dt><dd>{meaning}</dd>\n"))
        .concat();
    let examples = markup(&examples(context).join("\n"));
    let help = format!(
        "<h2>Routes</h2>\n<dl>\n{routes}</dl>\n\
         <h2>Filter keys</h2>\n<p>{keys}</p>\n<p>{FILTERING}</p>\n\
         <h2>Other parameters</h2>\n<dl>\n{parameters}</dl>\n\
         <h2>Examples</h2>\n<pre>{examples}</pre>\n"
    );
    let values = [
        ("origin", &*markup(&context.request.origin)),
        ("filterKeys", &*markup(&context.filter_keys.join(","))),
        ("help", &*help),
    ];
    template::fill(PAGE, BRACES, &values)
}

fn json(context: &StaticContext<'_>) -> String {
    let routes: Vec<Value> = listed(context)
        .map(|route| json!({"method": "GET", "path": route.path, "summary": route.summary}))
        .collect();
    let help = json!({
        "name": TITLE,
        "purpose": PURPOSE,
        "routes": routes,
        "filterKeys": context.filter_keys,
        "filtering": FILTERING,
        "parameters": BTreeMap::from(PARAMETERS),
        "examples": examples(context),
    });
    format!("{help}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request::Request;
    use crate::api::routes::route::{Handler, READ};

    static ROUTES: [Route; 2] = [
        Route {
            path: "/list",
            methods: READ,
            summary: "Services & clusters",
            listed: true,
            handler: Handler::Static(reply),
        },
        Route {
            path: "/hidden",
            methods: READ,
            summary: "A file",
            listed: false,
            handler: Handler::Static(reply),
        },
    ];

    fn body(accept: &str, keys: &[&str]) -> String {
        let request = Request {
            origin: "https://<host>".into(),
            accept: Some(accept.into()),
            ..Request::default()
        };
        let keys: Vec<String> = keys.iter().map(|&k| k.to_owned()).collect();
        let context = StaticContext {
            request: &request,
            filter_keys: &keys,
            routes: &ROUTES,
        };
        String::from_utf8(reply(&context).body.to_vec()).unwrap()
    }

    #[test]
    fn every_format_names_the_listed_routes_and_the_filter_keys() {
        for accept in ["text/plain", "text/html", "application/json"] {
            let body = body(accept, &["environment", "owner"]);
            for part in ["/list", "clusters", "environment", "owner=K2"] {
                assert!(body.contains(part), "{accept}: {part}");
            }
            assert!(!body.contains("/hidden"), "{accept}");
        }
    }

    #[test]
    fn html_escapes_the_origin_and_the_filter_keys() {
        let html = body("text/html", &["<b>&\"'"]);
        assert!(html.contains("&lt;b&gt;&amp;&quot;&#39;"), "{html}");
        assert!(html.contains("https://&lt;host&gt;/list"), "{html}");
    }

    #[test]
    fn the_json_help_can_be_decoded() {
        let help: serde_json::Value =
            serde_json::from_str(&body("application/json", &["owner"])).unwrap();
        assert_eq!(help["routes"][0]["path"], "/list");
        assert_eq!(help["examples"][1], "curl 'https://<host>/list?owner=K2'");
    }
}
