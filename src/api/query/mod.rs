//! Report query: the filter and the format that a request asks for.

pub(super) mod accept;
pub(super) mod preference;
mod query_string;

use crate::api::problem::{self, Problem};
use crate::api::request::Request;
use crate::fleet::model::filter::{Filter, PLACES};

const FORMAT: &str = "format";
const UNHEALTHY: &str = "unhealthy";
const MISSING: &str = "missing";
/// A parameter of the badge alone; on other routes `service` may be a tag.
pub(super) const SERVICE: &str = "service";

/// The parameters that are not filter keys. If `FILTER_TAGS` contains such a name, the parameter
/// wins, and services cannot be filtered by that tag.
const RESERVED: [&str; 3] = [FORMAT, UNHEALTHY, MISSING];

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReportFormat {
    Json,
    Text,
    Csv,
    Metrics,
    Badge,
}

impl ReportFormat {
    /// The value of the parameter `format`.
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Csv => "csv",
            Self::Metrics => "metrics",
            Self::Badge => "badge",
        }
    }

    /// The media type in an `Accept` header.
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text | Self::Metrics => "text/plain",
            Self::Csv => "text/csv",
            Self::Badge => "image/svg+xml",
        }
    }
}

/// The report that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReportQuery {
    pub(super) filter: Filter,
    pub(super) format: ReportFormat,
}

impl ReportQuery {
    /// Parses the query string of a request to a route that has `formats`, the default first. The
    /// `Accept` header decides between several formats if the query string names none.
    pub(super) fn parse(
        request: &Request,
        formats: &[ReportFormat],
        tags: &[String],
    ) -> Result<Self, Box<Problem>> {
        let keys = || keys_of(formats, tags);
        let pairs = query_string::pairs(request.query.as_deref().unwrap_or_default())
            .map_err(|error| Problem::malformed_query(error, keys()))?;
        let (mut format, mut unhealthy) = (None, None);
        let (mut missing, mut services, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in pairs {
            match key.as_str() {
                FORMAT if formats.len() > 1 => {
                    set_once(FORMAT, &mut format, parse_format(&value, formats)?)?;
                }
                UNHEALTHY => set_once(UNHEALTHY, &mut unhealthy, parse_bool(UNHEALTHY, &value)?)?,
                MISSING if missing.contains(&value) => {}
                MISSING if tags.contains(&value) => missing.push(value),
                MISSING => return Err(not_a_tag(tags).into()),
                SERVICE if is_badge(formats) => services.push(value),
                _ => rest.push((key, value)),
            }
        }
        let mut filter = Filter::new(rest, &tags_of(formats, tags))
            .map_err(|unknown| Problem::unknown_key(&unknown.0, keys(), parameters(formats)))?;
        filter.services = services.into();
        filter.missing = missing;
        filter.unhealthy = unhealthy.unwrap_or(false);
        let format = format.unwrap_or_else(|| negotiate(request, formats));
        Ok(Self { filter, format })
    }
}

/// The keys that `/list` can be filtered by, where `tags` are configured.
pub(super) fn filter_keys(tags: &[String]) -> Vec<String> {
    keys_of(&[ReportFormat::Json], tags)
}

fn keys_of(formats: &[ReportFormat], tags: &[String]) -> Vec<String> {
    let mut keys = tags_of(formats, tags);
    for place in PLACES {
        if !keys.iter().any(|key| key == place) {
            keys.push(place.to_owned());
        }
    }
    keys
}

fn tags_of(formats: &[ReportFormat], tags: &[String]) -> Vec<String> {
    let is_reserved = |key: &str| RESERVED.contains(&key) || (key == SERVICE && is_badge(formats));
    tags.iter()
        .filter(|key| !is_reserved(key))
        .cloned()
        .collect()
}

/// The parameters of a route with these formats that are not filter keys.
fn parameters(formats: &[ReportFormat]) -> &'static [&'static str] {
    if is_badge(formats) {
        &[SERVICE, UNHEALTHY, MISSING]
    } else if formats.len() > 1 {
        &RESERVED
    } else {
        &[UNHEALTHY, MISSING]
    }
}

fn is_badge(formats: &[ReportFormat]) -> bool {
    formats.contains(&ReportFormat::Badge)
}

/// The format that the `Accept` header prefers, the first by default.
fn negotiate(request: &Request, formats: &[ReportFormat]) -> ReportFormat {
    let default = formats.first().copied().unwrap_or(ReportFormat::Json);
    if formats.len() < 2 || request.accept.is_none() {
        return default;
    }
    let offers: Vec<(&str, ReportFormat)> = formats
        .iter()
        .map(|format| (format.media_type(), *format))
        .collect();
    accept::best(request.accept.as_deref(), &offers, default)
}

fn set_once<T>(name: &str, slot: &mut Option<T>, value: T) -> Result<(), Box<Problem>> {
    if slot.replace(value).is_some() {
        let detail = format!("{name} was given more than once.");
        return Err(Problem::invalid_parameter(detail).into());
    }
    Ok(())
}

fn parse_format(name: &str, formats: &[ReportFormat]) -> Result<ReportFormat, Box<Problem>> {
    let found = formats.iter().find(|format| format.name() == name);
    Ok(*found.ok_or_else(|| {
        let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
        let names = problem::enumerate(&names, "or");
        Problem::invalid_parameter(format!("{FORMAT} must be {names}."))
    })?)
}

fn parse_bool(name: &str, value: &str) -> Result<bool, Box<Problem>> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::invalid_parameter(format!("{name} must be true or false.")).into()),
    }
}

fn not_a_tag(tags: &[String]) -> Problem {
    Problem::invalid_parameter(format!("{MISSING} must be one of {}.", tags.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [ReportFormat; 3] = [ReportFormat::Json, ReportFormat::Text, ReportFormat::Csv];

    fn parse(query: &str, formats: &[ReportFormat]) -> Result<ReportQuery, Box<Problem>> {
        let request = Request {
            query: Some(query.into()),
            accept: Some("text/csv".into()),
            ..Request::default()
        };
        let tags = ["owner", "service", "format"].map(str::to_owned);
        ReportQuery::parse(&request, formats, &tags)
    }

    #[test]
    fn the_format_parameter_wins_over_the_accept_header() {
        assert_eq!(parse("", &LIST).unwrap().format, ReportFormat::Csv);
        let query = parse("format=text", &LIST).unwrap();
        assert_eq!(query.format, ReportFormat::Text);
    }

    #[test]
    fn a_route_with_one_format_has_no_format_parameter() {
        let query = parse("", &[ReportFormat::Metrics]).unwrap();
        assert_eq!(query.format, ReportFormat::Metrics);
        assert!(parse("format=text", &[ReportFormat::Metrics]).is_err());
    }

    #[test]
    fn service_is_a_parameter_of_the_badge_and_a_tag_elsewhere() {
        let badge = parse("service=api", &[ReportFormat::Badge]).unwrap();
        assert_eq!(*badge.filter.services, ["api"]);
        let list = parse("service=api", &LIST).unwrap();
        assert!(list.filter.services.is_empty());
        assert_eq!(list.filter.keys().collect::<Vec<_>>(), ["service"]);
    }

    #[test]
    fn a_parameter_given_twice_is_an_error() {
        assert!(parse("format=json&format=json", &LIST).is_err());
        assert!(parse("unhealthy=true&unhealthy=true", &LIST).is_err());
        assert!(parse("missing=owner&missing=service", &LIST).is_ok());
    }

    #[test]
    fn a_tag_that_is_missing_twice_counts_once() {
        let query = parse("missing=owner&missing=service&missing=owner", &LIST);
        assert_eq!(query.unwrap().filter.missing, ["owner", "service"]);
    }
}
