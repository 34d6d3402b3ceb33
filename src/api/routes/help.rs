//! Help: the routes, the filter keys and examples, as text, HTML or JSON.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::api::escape::{displayable, markup, shell_word};
use crate::api::query::accept;
use crate::api::response::Reply;
use crate::api::routes::assets::MAX_AGE;
use crate::api::routes::route::{Handler, Route, StaticContext};
use crate::api::template::{self, BRACES};
use crate::api::version::VERSION;

/// The origin in the examples of the page, which replaces it by its own. The page is the same for
/// every host, since caches store it without the host; the other formats, which repeat the host of
/// the request, are stored by none.
const ORIGIN: &str = "https://ecs-status.example.com";

/// The page for browsers; it contains the help for those without scripts.
const PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/index.html"));

const TITLE: &str = "ecs-status";
const PURPOSE: &str = "Which Amazon ECS services are running on Fargate, right now.";

const FILTERING: &str = "All keys must match; if a key is repeated, any of its values may match. \
Values are exact and case-sensitive.";

const PARAMETERS: [(&str, &str); 7] = [
    (
        "format",
        "of /list: json, text or csv; takes precedence over the Accept header",
    ),
    (
        "unhealthy",
        "true: only services that fail, are stuck or rolled back, or lack or drain tasks",
    ),
    (
        "missing",
        "only services without this tag, one of those that services can be filtered by",
    ),
    (
        "state",
        "only services in this state: failing, rolling-back, stuck, stopped, deploying, starting, short, draining or healthy; repeatable",
    ),
    (
        "deployed",
        "only services that were deployed within this time: 30m, 24h or 7d",
    ),
    ("service", "of /badge.svg: only the service with this name"),
    (
        "show",
        "of /badge.svg: version, in place of running and desired tasks",
    ),
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
    let reply = match accept::best(accept, &offers, Format::Text) {
        Format::Text => Reply::ok("text/plain; charset=utf-8", text(context).into_bytes()),
        Format::Html => Reply::cacheable(
            "text/html; charset=utf-8",
            html(context).into_bytes(),
            MAX_AGE,
        ),
        Format::Json => Reply::ok("application/json", json(context).into_bytes()),
    };
    Reply {
        varies_by_accept: true,
        ..reply
    }
}

fn listed(context: &StaticContext<'_>) -> impl Iterator<Item = &'static Route> {
    let is_taken =
        |route: &Route| context.takes_events || !matches!(route.handler, Handler::Events);
    let routes = context.routes.iter();
    routes.filter(move |route| route.listed && is_taken(route))
}

/// The method that a route is for.
fn method(route: &Route) -> &'static str {
    route.methods.first().copied().unwrap_or_default()
}

/// Commands that request the report from the Worker at `origin`.
fn examples(context: &StaticContext<'_>, origin: &str) -> Vec<String> {
    let key = context
        .filter_keys
        .iter()
        .find(|key| *key == "owner")
        .or(context.filter_keys.first());
    let filtered = key.map(|key| {
        let key = utf8_percent_encode(key, NON_ALPHANUMERIC);
        format!("/list?{key}=K2")
    });
    ["/list".to_owned()]
        .into_iter()
        .chain(filtered)
        .chain(["/list?format=text&unhealthy=true".to_owned()])
        .map(|path| format!("curl {}", shell_word(&format!("{origin}{path}"))))
        .collect()
}

fn text(context: &StaticContext<'_>) -> String {
    let routes: Vec<String> = listed(context)
        .map(|route| {
            let name = format!("{} {}", method(route), route.path);
            format!("  {name:<18} {}", route.summary)
        })
        .collect();
    let routes = routes.join("\n");
    let keys = displayable(&context.filter_keys.join(", "));
    let parameters = PARAMETERS
        .map(|(name, meaning)| format!("  {name:<10} {meaning}"))
        .join("\n");
    let examples = examples(context, &context.request.origin).join("\n  ");
    format!(
        "{TITLE} {VERSION}: {PURPOSE}\n\nRoutes\n{routes}\n\n\
         Filter keys of /list, /metrics and /badge.svg\n  {keys}\n  {FILTERING}\n\n\
         Other parameters\n{parameters}\n\nExamples\n  {examples}\n"
    )
}

fn html(context: &StaticContext<'_>) -> String {
    let route = |route: &Route| {
        let (method, path) = (method(route), route.path);
        let mut name = format!("<code>{method} {path}</code>");
        if method == "GET" {
            name = format!("<a href=\"{path}\">{name}</a>");
        }
        format!("<dt>{name}</dt><dd>{}</dd>\n", markup(route.summary))
    };
    let routes: String = listed(context).map(route).collect();
    let key = |key: &String| format!("<code>{}</code>", markup(key));
    let keys: Vec<String> = context.filter_keys.iter().map(key).collect();
    let keys = keys.join(", ");
    let parameters = PARAMETERS
        .map(|(name, meaning)| format!("<dt><code>{name}</code></dt><dd>{meaning}</dd>\n"))
        .concat();
    let examples = markup(&examples(context, ORIGIN).join("\n"));
    let help = format!(
        "<h2>Routes</h2>\n<dl>\n{routes}</dl>\n\
         <h2>Filter keys</h2>\n<p>{keys}</p>\n<p>{FILTERING}</p>\n\
         <h2>Other parameters</h2>\n<dl>\n{parameters}</dl>\n\
         <h2>Examples</h2>\n<pre id=\"examples\">{examples}</pre>\n\
         <p>{TITLE} {VERSION}</p>\n"
    );
    let values = [
        ("filterKeys", &*markup(&context.filter_keys.join(","))),
        ("help", &*help),
    ];
    template::fill(PAGE, BRACES, &values)
}

fn json(context: &StaticContext<'_>) -> String {
    let routes: Vec<Value> = listed(context)
        .map(|route| json!({"method": method(route), "path": route.path, "summary": route.summary}))
        .collect();
    let help = json!({
        "name": TITLE,
        "version": VERSION,
        "purpose": PURPOSE,
        "routes": routes,
        "filterKeys": context.filter_keys,
        "filtering": FILTERING,
        "parameters": BTreeMap::from(PARAMETERS),
        "examples": examples(context, &context.request.origin),
    });
    format!("{help}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request::Request;
    use crate::api::routes::route::{READ, WRITE};

    static ROUTES: [Route; 3] = [
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
        Route {
            path: "/events",
            methods: WRITE,
            summary: "Events",
            listed: true,
            handler: Handler::Events,
        },
    ];

    fn reply_to(accept: &str, keys: &[&str], origin: &str) -> Reply {
        let request = Request {
            origin: origin.into(),
            accept: Some(accept.into()),
            ..Request::default()
        };
        let keys: Vec<String> = keys.iter().map(|&k| k.to_owned()).collect();
        reply(&StaticContext {
            request: &request,
            filter_keys: &keys,
            routes: &ROUTES,
            takes_events: keys.iter().any(|key| key == "events"),
        })
    }

    fn body(accept: &str, keys: &[&str]) -> String {
        body_at("https://<host>", accept, keys)
    }

    fn body_at(origin: &str, accept: &str, keys: &[&str]) -> String {
        String::from_utf8(reply_to(accept, keys, origin).body.to_vec()).unwrap()
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
    fn a_route_for_events_is_named_with_its_method_where_they_are_taken() {
        for (accept, named) in [
            ("text/plain", "  POST /events       Events\n"),
            ("text/html", "<dt><code>POST /events</code></dt>"),
            (
                "application/json",
                "{\"method\":\"POST\",\"path\":\"/events\"",
            ),
        ] {
            assert!(body(accept, &["events"]).contains(named), "{accept}");
            assert!(!body(accept, &["owner"]).contains("/events"), "{accept}");
        }
    }

    #[test]
    fn html_escapes_the_filter_keys() {
        let html = body("text/html", &["<b>&\"'"]);
        assert!(html.contains("&lt;b&gt;&amp;&quot;&#39;"), "{html}");
    }

    #[test]
    fn only_what_is_the_same_for_every_host_is_cached() {
        for accept in ["text/plain", "text/html", "application/json"] {
            let replies = ["https://a.example", "https://b.example"]
                .map(|origin| reply_to(accept, &["owner"], origin));
            let [one, other] = &replies;
            let is_same = one.body == other.body;
            assert_eq!(one.max_age.is_some(), is_same, "{accept}");
            assert_eq!(is_same, accept == "text/html", "{accept}");
        }
    }

    #[test]
    fn a_host_cannot_act_on_the_shell_or_the_terminal_of_who_copies_an_example() {
        let origin = "https://a';id;'\u{1b}[31m\u{202e}$(id)\n.example";
        for accept in ["text/plain", "application/json"] {
            let body = body_at(origin, accept, &["\u{1b}owner"]);
            for c in ['\u{1b}', '\u{202e}'] {
                assert!(!body.contains(c), "{accept}: {body}");
            }
        }
        let help: Value =
            serde_json::from_str(&body_at(origin, "application/json", &["owner"])).unwrap();
        assert_eq!(
            help["examples"][0],
            r"curl 'https://a'\'';id;'\''�[31m�$(id)�.example/list'"
        );
        let text = body_at(origin, "text/plain", &["owner"]);
        assert!(
            text.contains(r"  curl 'https://a'\'';id;'\''�[31m�$(id)�.example/list?owner=K2'"),
            "{text}"
        );
    }

    #[test]
    fn the_json_help_can_be_decoded() {
        let help: serde_json::Value =
            serde_json::from_str(&body("application/json", &["owner"])).unwrap();
        assert_eq!(help["routes"][0]["path"], "/list");
        assert_eq!(help["examples"][1], "curl 'https://<host>/list?owner=K2'");
    }
}
