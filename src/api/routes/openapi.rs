//! `OpenAPI`: the description of all routes (`OpenAPI` 3.1), with the configured filter keys.

use serde_json::{Value, json};

use crate::api::query::SERVICE;
use crate::api::response::Reply;
use crate::api::routes::assets::MAX_AGE;
use crate::api::routes::route::StaticContext;
use crate::api::template::{self, QUOTED_BRACES};
use crate::fleet::model::filter::PLACES;

const TEMPLATE: &str = include_str!("openapi.json");

pub(super) fn reply(context: &StaticContext<'_>) -> Reply {
    let body = document(context.filter_keys).into_bytes();
    Reply::cacheable("application/json", body, MAX_AGE)
}

fn document(filter_keys: &[String]) -> String {
    let parameters = |keys: &mut dyn Iterator<Item = &String>| {
        let parameters: Vec<String> = keys.map(|key| parameter(key).to_string()).collect();
        parameters.join(",\n")
    };
    let list = parameters(&mut filter_keys.iter());
    // The badge's own parameter wins over a tag of that name.
    let badge = parameters(&mut filter_keys.iter().filter(|key| *key != SERVICE));
    let tags = filter_keys
        .iter()
        .filter(|key| !PLACES.contains(&key.as_str()));
    let tags: Vec<String> = tags.map(|tag| json!(tag).to_string()).collect();
    let values = [
        ("filterParameters", &*list),
        ("badgeParameters", &*badge),
        ("missingKeys", &*tags.join(", ")),
    ];
    template::fill(TEMPLATE, QUOTED_BRACES, &values)
}

fn parameter(key: &str) -> Value {
    json!({
        "name": key,
        "in": "query",
        "description": "Only services with this value. If the key is repeated, any of its values may match.",
        "schema": {"type": "array", "items": {"type": "string"}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_looks_like_a_placeholder_is_not_replaced() {
        let key = "{{filterParameters}}".to_owned();
        let document: Value = serde_json::from_str(&document(std::slice::from_ref(&key))).unwrap();
        let parameters = document["paths"]["/list"]["get"]["parameters"].as_array();
        assert_eq!(parameters.unwrap().last().unwrap()["name"], *key);
        let missing = &document["components"]["parameters"]["missing"]["schema"];
        assert_eq!(missing["items"]["enum"], json!([key]));
    }
}
