//! Time: timestamps as AWS (RFC 3339) and HTTP (RFC 9110) write them, and durations between them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// Formats `time` as RFC 3339, in whole seconds. `None` outside of that calendar's range.
#[must_use]
pub fn rfc3339(time: SystemTime) -> Option<String> {
    format(time, Format::DateTime)
}

/// Parses an RFC 3339 timestamp and drops its fraction. `None` unless it is a date since 1970.
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<SystemTime> {
    parse(text, Format::DateTime)
}

/// Formats `time` as an HTTP date (RFC 9110, "Date/Time Formats").
#[must_use]
pub fn http_date(time: SystemTime) -> Option<String> {
    format(time, Format::HttpDate)
}

/// Parses an HTTP date. `None` unless it is a date since 1970.
#[must_use]
pub fn from_http_date(text: &str) -> Option<SystemTime> {
    parse(text, Format::HttpDate)
}

/// `time` without its fraction of a second.
#[must_use]
pub fn whole_seconds(time: SystemTime) -> SystemTime {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(seconds.as_secs())
}

/// The time from `earlier` to `now`; zero if `earlier` lies in the future, as another clock may
/// have seen it.
#[must_use]
pub fn since(earlier: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(earlier).unwrap_or_default()
}

fn format(time: SystemTime, format: Format) -> Option<String> {
    DateTime::from_secs(DateTime::from(time).secs())
        .fmt(format)
        .ok()
}

fn parse(text: &str, format: Format) -> Option<SystemTime> {
    let date = DateTime::from_str(text, format).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(date.secs().try_into().ok()?))
}
