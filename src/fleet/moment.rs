//! Moments as they are written.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// `moment` as RFC 3339 writes it, in whole seconds; none if it is out of that calendar's range.
#[must_use]
pub fn rfc3339(moment: SystemTime) -> Option<String> {
    written(moment, Format::DateTime)
}

/// `moment` as HTTP writes it (RFC 9110, "Date/Time Formats").
#[must_use]
pub fn http_date(moment: SystemTime) -> Option<String> {
    written(moment, Format::HttpDate)
}

fn written(moment: SystemTime, format: Format) -> Option<String> {
    DateTime::from_secs(DateTime::from(moment).secs())
        .fmt(format)
        .ok()
}
