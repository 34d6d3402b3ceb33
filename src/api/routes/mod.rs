//! Routes: the one table of paths, from which the router, the methods of a 405, the help and the
//! check of the `OpenAPI` description are derived.

mod assets;
pub(super) mod events;
pub(super) mod healthz;
mod help;
mod openapi;
mod route;

use crate::api::query::ReportFormat;
pub(super) use route::{Handler, Route, StaticContext};
use route::{READ, WRITE};

/// Every route, in the order of the help.
pub(super) static ROUTES: [Route; 12] = [
    Route {
        path: "/",
        methods: READ,
        summary: "This help as text, HTML or JSON, by the Accept header",
        listed: true,
        handler: Handler::Static(help::reply),
    },
    Route {
        path: "/list",
        methods: READ,
        summary: "All ACTIVE Fargate services, grouped by cluster, as JSON, text or CSV",
        listed: true,
        handler: Handler::Report(&[ReportFormat::Json, ReportFormat::Text, ReportFormat::Csv]),
    },
    Route {
        path: "/metrics",
        methods: READ,
        summary: "The same services as Prometheus metrics",
        listed: true,
        handler: Handler::Report(&[ReportFormat::Metrics]),
    },
    Route {
        path: "/badge.svg",
        methods: READ,
        summary: "Running and desired tasks as an SVG badge",
        listed: true,
        handler: Handler::Report(&[ReportFormat::Badge]),
    },
    Route {
        path: "/healthz",
        methods: READ,
        summary: "Whether the configuration is complete and AWS accepts the credentials",
        listed: true,
        handler: Handler::Health,
    },
    Route {
        path: "/events",
        methods: WRITE,
        summary: "Takes an ECS event of EventBridge: what it names is read anew",
        listed: true,
        handler: Handler::Events,
    },
    Route {
        path: "/openapi.json",
        methods: READ,
        summary: "The OpenAPI description of all routes",
        listed: true,
        handler: Handler::Static(openapi::reply),
    },
    Route {
        path: "/page.css",
        methods: READ,
        summary: "The style sheet of the page at /",
        listed: false,
        handler: Handler::Static(assets::css),
    },
    Route {
        path: "/page.js",
        methods: READ,
        summary: "The script of the page at /",
        listed: false,
        handler: Handler::Static(assets::js),
    },
    Route {
        path: "/robots.txt",
        methods: READ,
        summary: "The rules for crawlers",
        listed: false,
        handler: Handler::Static(assets::robots),
    },
    Route {
        path: "/favicon.svg",
        methods: READ,
        summary: "The icon",
        listed: false,
        handler: Handler::Static(assets::icon),
    },
    Route {
        path: "/favicon.ico",
        methods: READ,
        summary: "The icon under its older name",
        listed: false,
        handler: Handler::Static(assets::icon),
    },
];

/// The route of exactly this path.
pub(super) fn find(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request::Request;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn document() -> Value {
        let reply = openapi::reply(&StaticContext {
            request: &Request::default(),
            filter_keys: &["owner".to_owned()],
            routes: &ROUTES,
            takes_events: true,
        });
        serde_json::from_slice(&reply.body).unwrap()
    }

    #[test]
    fn every_path_has_one_route() {
        for route in &ROUTES {
            let found = find(route.path).unwrap();
            assert!(std::ptr::eq(found, route), "{}", route.path);
        }
        for path in ["", "/list/", "/LIST", "//", "/docs"] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_openapi_description_has_exactly_the_paths_methods_and_summaries_of_the_table() {
        let document = document();
        let described: BTreeMap<&str, (Vec<String>, &str)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, item)| {
                let methods = item.as_object().unwrap();
                let first = methods.keys().find(|method| *method != "options");
                let summary = item[first.unwrap()]["summary"].as_str().unwrap();
                let mut methods: Vec<_> = methods.keys().map(|m| m.to_uppercase()).collect();
                methods.sort_unstable();
                (&**path, (methods, summary))
            })
            .collect();
        let routed = ROUTES.iter().map(|route| {
            // The description's introduction says that HEAD works wherever GET does.
            let methods = route.methods.iter().filter(|method| **method != "HEAD");
            let mut methods: Vec<_> = methods.map(|&method| method.to_owned()).collect();
            methods.sort_unstable();
            (route.path, (methods, route.summary))
        });
        assert_eq!(described, routed.collect());
    }

    #[test]
    fn the_openapi_description_names_the_methods_of_the_allow_header() {
        let document = document();
        for route in &ROUTES {
            let header = if route.methods.contains(&"GET") {
                "Allow"
            } else {
                "AllowPost"
            };
            let allow = &document["components"]["headers"][header]["schema"]["const"];
            assert_eq!(*allow, route.methods.join(", "), "{}", route.path);
        }
    }
}
