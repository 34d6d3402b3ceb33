//! Caches before the API: none of them hides an error or shows a report that is older than the origin's.

use std::time::{Duration, SystemTime};

use ecs_status::api::Request;
use ecs_status::platform::Clock;
use ecs_status::time::from_rfc3339;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::support::ask::get;
use crate::support::ecs::Ecs;
use crate::support::objects::Edge;
use crate::support::shared_cache::{Habits, Passed, SharedCache};

const MAX_AGE: u64 = 15;
/// With these limits, an outage of AWS shows itself as an error after two minutes.
const LIMITS: [(&str, &str); 2] = [
    ("SNAPSHOT_MAX_STALE", "60"),
    ("SNAPSHOT_MAX_STALE_IF_ERROR", "120"),
];
const LATENCY: Duration = Duration::from_millis(20);
/// A time in a report, an `Age` and a `max-age` are in whole seconds.
const ROUNDING: Duration = Duration::from_secs(2);

/// What a visitor got from a cache, and what was wrong with it.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// The report is older than a report that is fresh, and than what the origin would have served.
    TooOld { by: u64 },
    /// The origin has responded with an error for longer than a report is fresh.
    HidesError,
}

/// Lets visitors ask for `/list` through a cache with `habits` and `tiers`, every `every` milliseconds,
/// while AWS works, then refuses the keys, then works again. Returns the faults that they met.
fn visit(habits: Habits, tiers: u32, every: u64, rewrite: fn(&mut HeaderMap)) -> Vec<Fault> {
    let edge = Edge::new(Ecs::uniform(2, 5), LATENCY, &LIMITS);
    let platform = &edge.platform;
    let mut cache = SharedCache::before(platform, edge.api(), habits, rewrite);
    for _ in 1..tiers {
        cache = cache.with_lower_tier();
    }
    // Another isolate, which nothing stands before.
    let direct = edge.api();
    let request = get("/list");
    let mut faults = Vec::new();
    let mut failing_since: Option<SystemTime> = None;
    let begin = platform.now();
    let passed_seconds = || platform.now().duration_since(begin).unwrap().as_secs();
    while passed_seconds() < 600 {
        let is_broken = (200..400).contains(&passed_seconds());
        edge.refuse(is_broken.then_some("UnrecognizedClientException"));
        let got = platform.run(cache.get(&request));
        let now = platform.now();
        let origin = platform.run(direct.handle(&request, platform));
        let origin_age = age(origin.headers());
        failing_since = match origin.status().is_server_error() {
            true => failing_since.or(Some(now)),
            false => None,
        };
        if got.status == 200 {
            let limit = Duration::from_secs(MAX_AGE);
            let old = now.duration_since(generated_at(&got)).unwrap();
            if failing_since.is_some_and(|since| since + limit + ROUNDING < now) {
                faults.push(Fault::HidesError);
            } else if old > limit.max(origin_age) + ROUNDING {
                let by = old.saturating_sub(limit.max(origin_age)).as_secs();
                faults.push(Fault::TooOld { by });
            }
        }
        edge.rest(Duration::from_millis(every));
    }
    faults
}

fn age(headers: &HeaderMap) -> Duration {
    Duration::from_secs(headers["age"].to_str().unwrap().parse().unwrap())
}

fn generated_at(passed: &Passed) -> SystemTime {
    let report: Value = serde_json::from_slice(&passed.body).unwrap();
    let text = report["generatedAt"].as_str().unwrap();
    from_rfc3339(text).unwrap()
}

fn as_it_is(_: &mut HeaderMap) {}

/// The header of version 0.1.0, by the age and the limits.
fn as_it_was(headers: &mut HeaderMap) {
    let age = age(headers).as_secs();
    let control = headers["cache-control"].to_str().unwrap();
    if control.starts_with("public") {
        let fresh = MAX_AGE.saturating_sub(age);
        let stale = 60_u64.saturating_sub(age.max(MAX_AGE));
        let control = match stale {
            0 => format!("public, max-age={fresh}"),
            _ => format!("public, max-age={fresh}, stale-while-revalidate={stale}"),
        };
        headers.insert("cache-control", HeaderValue::try_from(control).unwrap());
    }
}

fn habits() -> impl Iterator<Item = Habits> {
    [(true, true), (true, false), (false, true), (false, false)]
        .into_iter()
        .map(|(counts_age, serves_stale_on_errors)| Habits {
            counts_age,
            serves_stale_on_errors,
        })
}

#[test]
fn no_cache_hides_an_error_or_shows_an_older_report_than_the_origin() {
    for habits in habits() {
        for tiers in [1, 2] {
            for every in [1_000, 7_300, 16_100, 47_000] {
                let faults = visit(habits, tiers, every, as_it_is);
                let what = format!("{habits:?}, {tiers} tiers, every {every} ms");
                assert_eq!(faults, [], "{what}");
            }
        }
    }
}

#[test]
fn the_header_without_must_revalidate_hid_errors_in_a_cache_as_cloudflare_describes_it() {
    let habits = Habits {
        counts_age: true,
        serves_stale_on_errors: true,
    };
    for tiers in [1, 2] {
        let faults = visit(habits, tiers, 1_000, as_it_was);
        let hidden = faults.iter().filter(|fault| **fault == Fault::HidesError);
        // The error would have been seen from second 320 until second 400, less the time for which a
        // report is fresh.
        assert!(hidden.count() > 50, "{tiers} tiers: {faults:?}");
    }
}

#[test]
fn the_header_with_stale_while_revalidate_let_every_tier_serve_reports_that_were_too_old() {
    for habits in habits() {
        let oldest = |tiers| {
            let faults = visit(habits, tiers, 47_000, as_it_was);
            let too_old = faults.iter().map(|fault| match fault {
                Fault::TooOld { by } => *by,
                Fault::HidesError => 0,
            });
            too_old.max().unwrap_or_default()
        };
        assert!(oldest(1) >= 20, "{habits:?}: {}", oldest(1));
        assert!(oldest(2) >= oldest(1), "{habits:?}: {}", oldest(2));
    }
}

#[test]
fn no_stored_response_names_the_request_that_filled_the_cache() {
    let edge = Edge::new(Ecs::uniform(1, 5), LATENCY, &[]);
    let habits = habits().next().unwrap();
    let cache = SharedCache::before(&edge.platform, edge.api(), habits, as_it_is);
    let paths = ["/list", "/metrics", "/badge.svg", "/page.js", "/robots.txt"];
    for path in paths {
        let got = edge.platform.run(cache.get(&get(path)));
        assert_eq!(got.status, 200, "{path}");
    }
    let stored = cache.stored();
    assert_eq!(stored.len(), paths.len());
    for each in stored {
        assert!(!each.headers.contains_key("x-request-id"), "{each:?}");
    }
    let got = edge.platform.run(cache.get(&get("/list?nope=1")));
    assert_eq!(
        (got.status.as_u16(), &got.headers["x-request-id"]),
        (400, &HeaderValue::from_static("r-1"))
    );
    assert_eq!(cache.stored().len(), paths.len(), "errors are not stored");
}

#[test]
fn what_only_the_holder_of_the_token_may_see_is_not_stored() {
    let token = ("LIST_TOKEN", "0123456789abcdef");
    let edge = Edge::new(Ecs::uniform(1, 5), LATENCY, &[token]);
    let habits = habits().next().unwrap();
    let cache = SharedCache::before(&edge.platform, edge.api(), habits, as_it_is);
    let holder = Request {
        authorization: Some("Bearer 0123456789abcdef".to_owned()),
        ..get("/list")
    };
    assert_eq!(edge.platform.run(cache.get(&holder)).status, 200);
    assert_eq!(edge.platform.run(cache.get(&get("/list"))).status, 401);
    assert!(cache.stored().is_empty());
}
