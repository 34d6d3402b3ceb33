//! Question: what a query asks of the fleet, and in which format.

use super::problem::Problem;
use super::route::Route;
use super::{Request, negotiate, query};
use crate::config::Config;
use crate::fleet::filter::{Filter, PLACES};

/// The parameters that are no filter keys. Where `FILTER_TAGS` holds such a name, the parameter
/// wins, and that tag cannot be filtered by.
const RESERVED: [&str; 3] = [FORMAT, UNHEALTHY, MISSING];

const FORMAT: &str = "format";
const UNHEALTHY: &str = "unhealthy";
const MISSING: &str = "missing";
/// Of the badge alone; on other routes `service` may be a tag.
pub(super) const SERVICE: &str = "service";

/// How the report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Text,
    Csv,
}

/// By name and by media type, the default first.
const FORMATS: [(&str, &str, Format); 3] = [
    ("json", "application/json", Format::Json),
    ("text", "text/plain", Format::Text),
    ("csv", "text/csv", Format::Csv),
];

/// What a request wants to know.
pub(super) struct Question {
    pub(super) filter: Filter,
    pub(super) format: Format,
}

impl Question {
    /// Reads the query, and `Accept` where the query names no format.
    pub(super) fn read(
        request: &Request,
        route: Route,
        config: &Config,
    ) -> Result<Self, Box<Problem>> {
        let keys = || keys_of(route, &config.filter_tags);
        let pairs = query::pairs(request.query.as_deref().unwrap_or_default())
            .map_err(|error| Problem::malformed_query(error, keys()))?;
        let (mut format, mut unhealthy) = (None, None);
        let (mut missing, mut services, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in pairs {
            match key.as_str() {
                FORMAT if route == Route::List => once(FORMAT, &mut format, format_of(&value)?)?,
                UNHEALTHY => once(UNHEALTHY, &mut unhealthy, truth(&value)?)?,
                MISSING if config.filter_tags.contains(&value) => missing.push(value),
                MISSING => return Err(no_tag(&config.filter_tags).into()),
                SERVICE if route == Route::Badge => services.push(value),
                _ => rest.push((key, value)),
            }
        }
        let mut filter = Filter::new(rest, &tags_of(route, &config.filter_tags))
            .map_err(|unknown| Problem::unknown_key(&unknown.0, keys(), parameters(route)))?;
        filter.services = services;
        filter.missing = missing;
        filter.unhealthy = unhealthy.unwrap_or(false);
        let offers = FORMATS.map(|(_, media_type, format)| (media_type, format));
        Ok(Self {
            filter,
            format: format.unwrap_or_else(|| {
                negotiate::best(request.accept.as_deref(), &offers, Format::Json)
            }),
        })
    }
}

/// Everything that the report can be filtered by, where these tags are configured.
pub(super) fn filter_keys(tags: &[String]) -> Vec<String> {
    keys_of(Route::List, tags)
}

fn keys_of(route: Route, tags: &[String]) -> Vec<String> {
    let mut keys = tags_of(route, tags);
    for place in PLACES {
        if !keys.iter().any(|key| key == place) {
            keys.push(place.to_owned());
        }
    }
    keys
}

fn tags_of(route: Route, tags: &[String]) -> Vec<String> {
    let reserved = |key: &String| {
        RESERVED.contains(&key.as_str()) || (route == Route::Badge && key == SERVICE)
    };
    tags.iter().filter(|key| !reserved(key)).cloned().collect()
}

/// The parameters beside the filter keys.
fn parameters(route: Route) -> &'static [&'static str] {
    match route {
        Route::List => &RESERVED,
        Route::Badge => &[SERVICE, UNHEALTHY, MISSING],
        _ => &[UNHEALTHY, MISSING],
    }
}

fn once<T>(key: &str, slot: &mut Option<T>, value: T) -> Result<(), Box<Problem>> {
    if slot.replace(value).is_some() {
        return Err(Problem::bad_parameter(format!("{key} is given more than once.")).into());
    }
    Ok(())
}

fn format_of(name: &str) -> Result<Format, Box<Problem>> {
    let found = FORMATS.iter().find(|(known, ..)| *known == name);
    let (.., format) = found
        .ok_or_else(|| Problem::bad_parameter("format is one of json, text, csv.".to_owned()))?;
    Ok(*format)
}

fn truth(value: &str) -> Result<bool, Box<Problem>> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::bad_parameter("unhealthy is true or false.".to_owned()).into()),
    }
}

fn no_tag(tags: &[String]) -> Problem {
    Problem::bad_parameter(format!("missing names a tag: one of {}.", tags.join(", ")))
}
