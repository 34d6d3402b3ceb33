//! Requests to a fleet that is swept for them.

use ecs_status::api::{Api, Body, Request};
use ecs_status::fleet::view::Fleet;
use ecs_status::fleet::view::in_process::InProcess;
use http::Response;

use super::{Fake, config};

/// A fleet with these variables changed.
pub fn fleet(platform: &Fake, changes: &[(&str, &str)]) -> Fleet<InProcess<Fake>> {
    Fleet::in_process(platform, config(changes).unwrap())
}

/// The API of a fleet with these variables changed, or of a configuration that is invalid.
pub fn api(platform: &Fake, changes: &[(&str, &str)]) -> Api<InProcess<Fake>> {
    Api::new(config(changes).map(|config| Fleet::in_process(platform, config)))
}

/// A request of this method to a path with an optional query.
pub fn request(method: &str, target: &str) -> Request {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    Request {
        method: method.to_owned(),
        origin: "https://ecs-status.example".to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        id: "r-1".to_owned(),
        ..Request::default()
    }
}

/// A GET request to a path with an optional query.
pub fn get(target: &str) -> Request {
    request("GET", target)
}

/// The response to one request to a fleet of its own.
pub fn ask_with(platform: &Fake, changes: &[(&str, &str)], request: &Request) -> Response<Body> {
    platform.run(api(platform, changes).handle(request, platform))
}

/// The response to one GET request to a fleet of its own.
pub fn ask(platform: &Fake, target: &str) -> Response<Body> {
    ask_with(platform, &[], &get(target))
}

/// The body of a response of status 200.
pub fn text(response: &Response<Body>) -> String {
    assert_eq!(response.status(), 200, "{response:?}");
    String::from_utf8(response.body().to_vec()).unwrap()
}

/// Asserts the title and a colour of the badge of `query`.
pub fn assert_badge(platform: &Fake, query: &str, title: &str, colour: &str) {
    let svg = text(&ask(platform, &format!("/badge.svg?{query}")));
    assert!(
        svg.contains(&format!("<title>{title}</title>")),
        "{query}: {svg}"
    );
    assert!(
        svg.contains(&format!("fill=\"{colour}\"")),
        "{query}: {svg}"
    );
}
