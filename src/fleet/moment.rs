//! Moments as they are written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// The moment that HTTP writes so; none if it is not a date.
#[must_use]
pub fn from_http_date(text: &str) -> Option<SystemTime> {
    let date = DateTime::from_str(text, Format::HttpDate).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(date.secs().try_into().ok()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_and_read_in_whole_seconds() {
        let second = UNIX_EPOCH + Duration::from_mins(29_922_940);
        let moment = second + Duration::from_millis(999);
        assert_eq!(rfc3339(moment).unwrap(), "2026-11-22T19:40:00Z");
        let written = http_date(moment).unwrap();
        assert_eq!(written, "Sun, 22 Nov 2026 19:40:00 GMT");
        assert_eq!(from_http_date(&written), Some(second));
        assert_eq!(whole_seconds(moment), second);
        assert_eq!(from_http_date("yesterday"), None);
    }
}
