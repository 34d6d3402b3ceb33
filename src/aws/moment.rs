//! Moments as AWS and HTTP write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// `moment` as RFC 3339 writes it, in whole seconds; none if it is out of that calendar's range.
#[must_use]
pub fn rfc3339(moment: SystemTime) -> Option<String> {
    written(moment, Format::DateTime)
}

/// The moment that RFC 3339 writes so, without its fraction; none if it is not a date since 1970.
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<SystemTime> {
    read(text, Format::DateTime)
}

/// `moment` as HTTP writes it (RFC 9110, "Date/Time Formats").
#[must_use]
pub fn http_date(moment: SystemTime) -> Option<String> {
    written(moment, Format::HttpDate)
}

/// The moment that HTTP writes so; none if it is not a date since 1970.
#[must_use]
pub fn from_http_date(text: &str) -> Option<SystemTime> {
    read(text, Format::HttpDate)
}

/// `moment` without its fraction of a second.
#[must_use]
pub fn whole_seconds(moment: SystemTime) -> SystemTime {
    let seconds = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(seconds.as_secs())
}

fn written(moment: SystemTime, format: Format) -> Option<String> {
    DateTime::from_secs(DateTime::from(moment).secs())
        .fmt(format)
        .ok()
}

fn read(text: &str, format: Format) -> Option<SystemTime> {
    let date = DateTime::from_str(text, format).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(date.secs().try_into().ok()?))
}
