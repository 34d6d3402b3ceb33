//! Report query: the filter and the format that a request asks for.

pub(super) mod accept;
pub(super) mod preference;
mod query_string;

use std::time::Duration;

use crate::api::problem::{self, Problem};
use crate::api::request::Request;
use crate::config::Config;
use crate::fleet::model::filter::{Filter, PLACES};
use crate::fleet::model::service_state::ServiceState;

const FORMAT: &str = "format";
const UNHEALTHY: &str = "unhealthy";
const MISSING: &str = "missing";
const STATE: &str = "state";
const DEPLOYED: &str = "deployed";
/// A parameter of the badge alone; on other routes `service` may be a tag.
pub(super) const SERVICE: &str = "service";
/// Another parameter of the badge alone.
const SHOW: &str = "show";

/// The parameters that are not filter keys. If `FILTER_TAGS` contains such a name, the parameter
/// wins, and services cannot be filtered by that tag.
const RESERVED: [&str; 5] = [FORMAT, UNHEALTHY, MISSING, STATE, DEPLOYED];

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReportFormat {
    Json,
    Text,
    Csv,
    Metrics,
    Badge,
    /// A badge with the version in place of the tasks.
    VersionBadge,
}

impl ReportFormat {
    /// The value of the parameter `format`.
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Csv => "csv",
            Self::Metrics => "metrics",
            Self::Badge | Self::VersionBadge => "badge",
        }
    }

    /// The media type in an `Accept` header.
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text | Self::Metrics => "text/plain",
            Self::Csv => "text/csv",
            Self::Badge | Self::VersionBadge => "image/svg+xml",
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
        config: &Config,
    ) -> Result<Self, Box<Problem>> {
        let tags = &config.filter_tags;
        let keys = || keys_of(formats, tags);
        let pairs = query_string::pairs(request.query.as_deref().unwrap_or_default())
            .map_err(|error| Problem::malformed_query(error, keys()))?;
        let (mut format, mut unhealthy, mut deployed) = (None, None, None);
        let (mut missing, mut states) = (Vec::new(), Vec::new());
        let (mut services, mut rest) = (Vec::new(), Vec::new());
        for (key, value) in pairs {
            match key.as_str() {
                FORMAT if formats.len() > 1 => {
                    set_once(FORMAT, &mut format, parse_format(&value, formats)?)?;
                }
                UNHEALTHY => set_once(UNHEALTHY, &mut unhealthy, parse_bool(UNHEALTHY, &value)?)?,
                MISSING if missing.contains(&value) => {}
                MISSING if tags.contains(&value) => missing.push(value),
                MISSING => return Err(not_a_tag(tags).into()),
                STATE => {
                    let state = parse_state(&value)?;
                    if !states.contains(&state) {
                        states.push(state);
                    }
                }
                DEPLOYED => {
                    exposes_deployments(DEPLOYED, config)?;
                    set_once(DEPLOYED, &mut deployed, parse_period(&value)?)?;
                }
                SERVICE if is_badge(formats) => services.push(value),
                SHOW if is_badge(formats) => {
                    exposes_deployments(SHOW, config)?;
                    set_once(SHOW, &mut format, parse_show(&value)?)?;
                }
                _ => rest.push((key, value)),
            }
        }
        let mut filter = Filter::new(rest, &tags_of(formats, tags))
            .map_err(|unknown| Problem::unknown_key(&unknown.0, keys(), parameters(formats)))?;
        filter.services = services.into();
        filter.missing = missing;
        filter.unhealthy = unhealthy.unwrap_or(false);
        filter.states = states;
        filter.deployed = deployed;
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
    let is_of_badge = |key: &str| is_badge(formats) && [SERVICE, SHOW].contains(&key);
    let is_reserved = |key: &str| RESERVED.contains(&key) || is_of_badge(key);
    tags.iter()
        .filter(|key| !is_reserved(key))
        .cloned()
        .collect()
}

/// The parameters of a route with these formats that are not filter keys.
fn parameters(formats: &[ReportFormat]) -> &'static [&'static str] {
    if is_badge(formats) {
        &[SERVICE, SHOW, UNHEALTHY, MISSING, STATE, DEPLOYED]
    } else if formats.len() > 1 {
        &RESERVED
    } else {
        &[UNHEALTHY, MISSING, STATE, DEPLOYED]
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

fn parse_state(name: &str) -> Result<ServiceState, Box<Problem>> {
    Ok(ServiceState::from_name(name).ok_or_else(|| {
        let names = ServiceState::ALL.map(ServiceState::as_str);
        let names = problem::enumerate(&names, "or");
        Problem::invalid_parameter(format!("{STATE} must be {names}."))
    })?)
}

/// A number of minutes, hours or days.
fn parse_period(value: &str) -> Result<Duration, Box<Problem>> {
    let mut digits = value.chars();
    let unit = match digits.next_back() {
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => 0,
    };
    let digits = digits.as_str();
    let is_number =
        digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let number: u64 = digits.parse().unwrap_or(0);
    if unit == 0 || number == 0 || !is_number {
        let detail = "deployed must be a number of minutes, hours or days, such as 30m, 24h or 7d.";
        return Err(Problem::invalid_parameter(detail.to_owned()).into());
    }
    Ok(Duration::from_secs(number * unit))
}

fn parse_show(value: &str) -> Result<ReportFormat, Box<Problem>> {
    match value {
        "version" => Ok(ReportFormat::VersionBadge),
        _ => Err(Problem::invalid_parameter(format!("{SHOW} must be version.")).into()),
    }
}

/// What is hidden cannot be asked for either.
fn exposes_deployments(name: &str, config: &Config) -> Result<(), Box<Problem>> {
    if config.expose_deployments {
        return Ok(());
    }
    let detail = format!("{name} cannot be used, since deployments are not shown here.");
    Err(Problem::invalid_parameter(detail).into())
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
        ReportQuery::parse(&request, formats, &config("true"))
    }

    fn config(expose_deployments: &str) -> Config {
        let lookup = |name: &str| {
            let value = match name {
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "key",
                "AWS_REGION" => "us-east-1",
                "FILTER_TAGS" => "owner,service,format",
                "EXPOSE_DEPLOYMENTS" => expose_deployments,
                _ => return None,
            };
            Some(value.to_owned())
        };
        Config::from_lookup(lookup).unwrap()
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
    fn a_time_is_a_number_of_minutes_hours_or_days() {
        for (value, seconds) in [
            ("30m", 1_800),
            ("24h", 86_400),
            ("7d", 604_800),
            ("1m", 60),
            ("99999d", 8_639_913_600),
        ] {
            let query = parse(&format!("deployed={value}"), &LIST).unwrap();
            let expected = Duration::from_secs(seconds);
            assert_eq!(query.filter.deployed, Some(expected), "{value}");
        }
        for value in [
            "", "m", "30", "007d", "30s", "0m", "000h", "-1h", "+1h", "1.5h", "1 h", "1H",
            "100000d", "1w", "☃", "1☃",
        ] {
            let query = parse(&format!("deployed={value}"), &LIST);
            assert!(query.is_err(), "{value}");
        }
    }

    #[test]
    fn states_are_repeatable_and_count_once() {
        let query = parse("state=stuck&state=failing&state=stuck", &LIST).unwrap();
        let expected = [ServiceState::Stuck, ServiceState::Failing];
        assert_eq!(query.filter.states, expected);
        for value in ["", "Stuck", "broken"] {
            assert!(parse(&format!("state={value}"), &LIST).is_err(), "{value}");
        }
    }

    #[test]
    fn only_a_badge_shows_the_version() {
        let badge = [ReportFormat::Badge];
        let query = parse("show=version", &badge).unwrap();
        assert_eq!(query.format, ReportFormat::VersionBadge);
        assert!(parse("show=tasks", &badge).is_err());
        assert!(parse("show=version", &LIST).is_err());
    }

    #[test]
    fn what_is_hidden_cannot_be_asked_for() {
        for (query, formats) in [
            ("deployed=24h", &LIST[..]),
            ("show=version", &[ReportFormat::Badge]),
        ] {
            let request = Request {
                query: Some(query.into()),
                ..Request::default()
            };
            let parse = |exposed| ReportQuery::parse(&request, formats, &config(exposed));
            assert!(parse("true").is_ok(), "{query}");
            assert!(parse("false").is_err(), "{query}");
        }
    }

    #[test]
    fn a_tag_that_is_missing_twice_counts_once() {
        let query = parse("missing=owner&missing=service&missing=owner", &LIST);
        assert_eq!(query.unwrap().filter.missing, ["owner", "service"]);
    }
}
