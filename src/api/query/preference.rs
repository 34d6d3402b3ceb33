//! Preference: the time for which a request is willing to wait for a newer report.

use std::time::Duration;

use crate::api::request::Request;

/// The time that Prometheus needs for what is not the wait.
const SCRAPE_MARGIN: Duration = Duration::from_millis(500);

/// The time for which `request` prefers to wait: `Prefer: wait=N` (RFC 7240, section 4.3), or the
/// scrape timeout of Prometheus, less half a second. A preference that is malformed is ignored, as
/// the RFC demands.
pub(in crate::api) fn wait(request: &Request) -> Option<Duration> {
    let preferred = request.prefer.as_deref().and_then(parse_wait);
    preferred.or_else(|| {
        let seconds: f64 = request.scrape_timeout.as_deref()?.trim().parse().ok()?;
        let timeout = Duration::try_from_secs_f64(seconds).ok()?;
        Some(timeout.saturating_sub(SCRAPE_MARGIN))
    })
}

/// The first `wait` among the preferences, which are separated by commas and may have parameters.
fn parse_wait(prefer: &str) -> Option<Duration> {
    prefer.split(',').find_map(|preference| {
        let preference = preference.split(';').next()?;
        let (name, value) = preference.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("wait") {
            return None;
        }
        let seconds = value.trim().trim_matches('"');
        let is_number = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| Duration::from_secs(seconds.parse::<u32>().unwrap_or(u32::MAX).into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(prefer: Option<&str>, scrape_timeout: Option<&str>) -> Option<u128> {
        let request = Request {
            prefer: prefer.map(str::to_owned),
            scrape_timeout: scrape_timeout.map(str::to_owned),
            ..Request::default()
        };
        wait(&request).map(|wait| wait.as_millis())
    }

    #[test]
    fn the_wait_is_read_among_other_preferences() {
        for prefer in [
            "wait=5",
            "Wait = 5",
            "respond-async, wait=5",
            "wait=\"5\"; x=y, wait=9",
            "return=minimal;wait=3,wait=5",
        ] {
            assert_eq!(of(Some(prefer), None), Some(5_000), "{prefer}");
        }
        assert_eq!(of(Some("wait=0"), Some("10")), Some(0));
    }

    #[test]
    fn a_malformed_preference_is_ignored() {
        for prefer in [
            "",
            "wait",
            "wait=",
            "wait=x",
            "wait=-1",
            "wait=1.5",
            "waiting=5",
        ] {
            assert_eq!(of(Some(prefer), None), None, "{prefer}");
        }
        for timeout in ["", "x", "-1", "NaN", "inf"] {
            assert_eq!(of(None, Some(timeout)), None, "{timeout}");
        }
    }

    #[test]
    fn prometheus_waits_for_its_scrape_timeout_less_half_a_second() {
        assert_eq!(of(None, Some("10.000000")), Some(9_500));
        assert_eq!(of(None, Some("0.2")), Some(0));
        assert_eq!(of(Some("respond-async"), Some("5")), Some(4_500));
    }
}
