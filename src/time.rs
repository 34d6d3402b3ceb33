//! Time: timestamps as AWS (RFC 3339) and HTTP (RFC 9110) write them, and durations between them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

const DAY: u64 = 24 * 60 * 60;

/// Formats `time` as RFC 3339, in whole seconds. `None` outside of the years 1970 to 9999.
///
/// Not by the library, which passes through `fmt`: each call to AWS is signed with a time, and each
/// service of a report has one or more (`bench/TRIED.md`).
#[must_use]
pub fn rfc3339(time: SystemTime) -> Option<String> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let (year, month, day) = date(u32::try_from(seconds / DAY).ok()?);
    let second = u32::try_from(seconds % DAY).ok()?;
    if year > 9999 {
        return None;
    }
    let mut text = String::with_capacity("2000-01-01T00:00:00Z".len());
    for (number, greatest, after) in [
        (year, 1_000, '-'),
        (month, 10, '-'),
        (day, 10, 'T'),
        (second / 3_600, 10, ':'),
        (second / 60 % 60, 10, ':'),
        (second % 60, 10, 'Z'),
    ] {
        let mut place = greatest;
        while place > 0 {
            text.push(char::from_digit(number / place % 10, 10)?);
            place /= 10;
        }
        text.push(after);
    }
    Some(text)
}

/// Year, month and day, so many days after 1 January 1970, in the Gregorian calendar: it repeats itself
/// every 146,097 days, and a year that begins in March has its odd day at its end.
fn date(days: u32) -> (u32, u32, u32) {
    let days = days.saturating_add(719_468);
    let day_of_era = days % 146_097;
    let leap_days = day_of_era / 1_460 + day_of_era / 146_096;
    let year_of_era = (day_of_era + day_of_era / 36_524 - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months = (5 * day_of_year + 2) / 153;
    let month = (months + 2) % 12 + 1;
    let year = 400 * (days / 146_097) + year_of_era + u32::from(month <= 2);
    (year, month, day_of_year - (153 * months + 2) / 5 + 1)
}

/// Parses an RFC 3339 timestamp and drops its fraction. `None` unless it is a date since 1970.
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<SystemTime> {
    parse(text, Format::DateTime)
}

/// Formats `time` as an HTTP date (RFC 9110, "Date/Time Formats").
#[must_use]
pub fn http_date(time: SystemTime) -> Option<String> {
    DateTime::from_secs(DateTime::from(time).secs())
        .fmt(Format::HttpDate)
        .ok()
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

fn parse(text: &str, format: Format) -> Option<SystemTime> {
    let date = DateTime::from_str(text, format).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(date.secs().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 1 January 10000.
    const END: u64 = 253_402_300_800;

    proptest! {
        #[test]
        fn a_time_is_written_as_the_library_writes_it(seconds in 0..END, fraction in 0..1_000_000_000_u32) {
            let date = DateTime::from_secs(seconds.cast_signed());
            let time = UNIX_EPOCH + Duration::new(seconds, fraction);
            prop_assert_eq!(rfc3339(time), date.fmt(Format::DateTime).ok());
        }
    }

    #[test]
    fn every_day_is_written_as_the_library_writes_it() {
        // The calendar repeats itself after 400 years.
        for day in 0..500 * 366 {
            let seconds = day * DAY + day % DAY;
            let date = DateTime::from_secs(seconds.cast_signed());
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(time), date.fmt(Format::DateTime).ok());
        }
    }

    #[test]
    fn there_is_no_time_before_1970_or_after_9999() {
        let second = Duration::from_secs(1);
        assert_eq!(rfc3339(UNIX_EPOCH - second), None);
        let last = UNIX_EPOCH + Duration::from_secs(END - 1);
        assert_eq!(rfc3339(last).as_deref(), Some("9999-12-31T23:59:59Z"));
        assert_eq!(rfc3339(last + second), None);
        assert_eq!(
            rfc3339(UNIX_EPOCH + Duration::from_secs(u64::MAX / 4)),
            None
        );
    }
}
