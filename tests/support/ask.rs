//! Asks a fleet of its own.

use ecs_status::api::{self, Body, Request};
use ecs_status::config::{Config, ConfigError};
use ecs_status::fleet::reading::InProcess;
use ecs_status::fleet::view::Fleet;
use http::Response;
use serde_json::Value;

use super::Fake;
use super::given::Given;

/// The configuration that is complete, but for `changes`.
pub fn config(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let complete = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hush-hush-hush-hush"),
        ("AWS_REGION", "us-east-1"),
    ];
    Config::from_lookup(|name| {
        let mut values = changes.iter().chain(&complete);
        let (_, value) = values.find(|(key, _)| *key == name)?;
        Some((*value).to_owned())
    })
}

pub fn fleet(platform: &Fake, changes: &[(&str, &str)]) -> Fleet<InProcess<Fake>> {
    Fleet::in_process(platform, config(changes).unwrap())
}

pub fn get(path: &str) -> Request {
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(p, q)| (p, Some(q.to_owned())));
    Request {
        method: "GET".into(),
        origin: "https://ecs-status.example".into(),
        path: path.into(),
        query,
        id: "r-1".into(),
        ..Request::default()
    }
}

/// One request to a fleet of its own.
pub fn ask_with(platform: &Fake, changes: &[(&str, &str)], request: &Request) -> Response<Body> {
    let fleet = fleet(platform, changes);
    platform.run(api::handle(request, Ok(&fleet), platform))
}

pub fn ask(platform: &Fake, path: &str) -> Response<Body> {
    ask_with(platform, &[], &get(path))
}

pub fn text(response: &Response<Body>) -> String {
    assert_eq!(response.status(), 200, "{response:?}");
    String::from_utf8(response.body().to_vec()).unwrap()
}

pub fn given(name: &str, services: Vec<Value>) -> Given {
    Given {
        name: name.into(),
        services,
    }
}
