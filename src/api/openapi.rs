//! `/openapi.json`: the description of everything here (`OpenAPI` 3.1).

use serde_json::{Value, json};

use super::question::SERVICE;
use crate::fleet::filter::PLACES;

const TEMPLATE: &str = include_str!("openapi.json");
/// Where the parameters of the filter keys are filled in.
const PLACE: &str = "\"{{filterParameters}}\"";
/// The same for the badge, whose own parameter `service` wins over a tag of that name.
const BADGE_PLACE: &str = "\"{{badgeParameters}}\"";
/// Where the tags are filled in that may be asked for as missing.
const MISSING_PLACE: &str = "\"{{missingKeys}}\"";

/// The description, with a parameter for each filter key.
pub(super) fn document(filter_keys: &[String]) -> String {
    let parameters = |keys: &mut dyn Iterator<Item = &String>| {
        let parameters: Vec<String> = keys.map(|key| parameter(key).to_string()).collect();
        parameters.join(",\n")
    };
    let list = parameters(&mut filter_keys.iter());
    let badge = parameters(&mut filter_keys.iter().filter(|key| *key != SERVICE));
    let tags = filter_keys
        .iter()
        .filter(|key| !PLACES.contains(&key.as_str()));
    let tags: Vec<String> = tags.map(|tag| json!(tag).to_string()).collect();
    // The first is in no part that is filled in; the others in this order, so that nothing is
    // replaced in what was filled in.
    let template = TEMPLATE.replace(MISSING_PLACE, &tags.join(", "));
    let parts = template.split(BADGE_PLACE);
    let filled: Vec<String> = parts.map(|part| part.replace(PLACE, &list)).collect();
    filled.join(&badge)
}

fn parameter(key: &str) -> Value {
    json!({
        "name": key,
        "in": "query",
        "description": "Only services with this value; given more than once, any of the values may match.",
        "schema": {"type": "array", "items": {"type": "string"}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::route::Route;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document: Value = serde_json::from_str(&document(&["owner".to_owned()])).unwrap();
        let described: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        let mut routes = Route::ALL.map(Route::path);
        routes.sort_unstable();
        assert_eq!(described, routes);
    }
}
