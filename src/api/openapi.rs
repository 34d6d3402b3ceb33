//! `/openapi.json`: the description of everything here (`OpenAPI` 3.1).

use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("openapi.json");
/// Where the parameters of the filter keys are filled in.
const PLACE: &str = "\"{{filterParameters}}\"";

/// The description, with a parameter for each filter key.
pub(super) fn document(filter_keys: &[String]) -> String {
    let parameters: Vec<String> = filter_keys
        .iter()
        .map(|key| parameter(key).to_string())
        .collect();
    TEMPLATE.replace(PLACE, &parameters.join(",\n"))
}

fn parameter(key: &str) -> Value {
    json!({
        "name": key,
        "in": "query",
        "description": "Only services with this value; given more than once, any of the values may match.",
        "schema": {"type": "array", "items": {"type": "string"}},
    })
}
