//! Oracle: the meaning of a query, found in another way than `api` finds it.

use std::collections::BTreeSet;

use ecs_status::config::Config;
use ecs_status::fleet::model::snapshot::{Cluster, Service};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

const FORMATS: [&str; 3] = ["json", "text", "csv"];
const BADGE: &str = "/badge.svg";
const PLACES: [&str; 2] = ["target", "region"];
const UNHEALTHY: [&str; 6] = [
    "failing",
    "rolling-back",
    "stuck",
    "starting",
    "short",
    "draining",
];
const HEALTHY: [&str; 3] = ["stopped", "deploying", "healthy"];

/// A valid query.
pub struct Query {
    pairs: Vec<(String, String)>,
    /// A badge's `service` is a name; elsewhere it is a tag.
    is_badge: bool,
}

impl Query {
    /// Parses a query; none if it is refused on this path.
    pub fn parse(path: &str, query: &str, config: &Config) -> Option<Self> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs: Option<Vec<(String, String)>> = pairs
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decode(key)?, decode(value)?))
            })
            .collect();
        let (pairs, tags) = (pairs?, &config.filter_tags);
        let is_valid = |(key, value): &(String, String)| match (key.as_str(), path) {
            ("format", "/list") => FORMATS.contains(&value.as_str()),
            ("unhealthy", _) => ["true", "false"].contains(&value.as_str()),
            ("missing", _) => tags.contains(value),
            ("state", _) => [&UNHEALTHY[..], &HEALTHY]
                .concat()
                .contains(&value.as_str()),
            ("deployed", _) => period(value).is_some(),
            ("show", BADGE) => value == "version",
            ("service", BADGE) => true,
            ("format", _) => false,
            (key, _) => PLACES.contains(&key) || tags.iter().any(|tag| tag == key),
        };
        let count = |name: &str| pairs.iter().filter(|(key, _)| key == name).count();
        let is_badge = path == BADGE;
        let once = ["format", "unhealthy", "deployed", "show"];
        let once = once.iter().filter(|name| is_badge || **name != "show");
        let is_valid = pairs.iter().all(is_valid) && once.into_iter().all(|name| count(name) < 2);
        is_valid.then_some(Self { pairs, is_badge })
    }

    fn values(&self, key: &str) -> BTreeSet<&str> {
        let pairs = self.pairs.iter().filter(|(known, _)| known == key);
        pairs.map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a service matches.
    pub fn matches(&self, cluster: &Cluster, service: &Service) -> bool {
        let keys: BTreeSet<&str> = self.pairs.iter().map(|(key, _)| key.as_str()).collect();
        keys.into_iter().all(|key| {
            let values = self.values(key);
            match key {
                "format" => true,
                "show" if self.is_badge => true,
                "state" => values.contains(service.state.as_str()),
                // No service of a target has a version.
                "deployed" => false,
                "unhealthy" => values.contains("false") || is_unhealthy(service),
                "missing" => values.iter().all(|tag| !service.tags.contains_key(tag)),
                "service" if self.is_badge => values.contains(service.service_name.as_str()),
                "target" => values.contains(cluster.target.as_str()),
                "region" => values.contains(cluster.region.as_str()),
                tag => {
                    let value = service.tags.get(tag);
                    value.is_some_and(|value| values.contains(value))
                }
            }
        })
    }

    /// The same query in another form: sorted, each pair once, every character encoded that may be.
    pub fn rewritten(&self) -> String {
        let pairs: BTreeSet<_> = self.pairs.iter().collect();
        let pair = |(key, value): &(String, String)| {
            let [key, value] = [key, value].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
            format!("{key}={value}")
        };
        pairs.into_iter().map(pair).collect::<Vec<_>>().join("&")
    }
}

fn is_unhealthy(service: &Service) -> bool {
    UNHEALTHY.contains(&service.state.as_str())
}

/// The seconds of a time such as `24h`; none if it is malformed.
fn period(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let number = text.strip_suffix(unit)?;
    let seconds = [('m', 60), ('h', 3_600), ('d', 86_400)];
    let (_, seconds) = seconds.into_iter().find(|(known, _)| *known == unit)?;
    let is_number = number.chars().all(|c| c.is_ascii_digit()) && number.len() <= 5;
    let is_number = is_number && !number.starts_with('0');
    let number: u64 = number.parse().ok().filter(|_| is_number)?;
    Some(number * seconds)
}

/// Percent-decodes a text; none if the result is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let (mut bytes, mut decoded) = (text.bytes(), Vec::new());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => digit(bytes.next()?)? * 16 + digit(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}
