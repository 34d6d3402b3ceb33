//! Client: attempts, waits, deadline, clock skew, and log lines.
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::{Fake, Reply, Sent, error, ok, response, start};
use ecs_status::aws::budget::{Budget, Usage};
use ecs_status::aws::ecs::{ListClusters, ListClustersOutput};
use ecs_status::aws::error::Error;
use ecs_status::aws::rate_limiter::RateLimiter;
use ecs_status::platform::{Clock, SendError};

const EMPTY: &str = r#"{"clusterArns":[]}"#;
const SECOND: Duration = Duration::from_secs(1);

fn call(platform: &Fake, seconds: u32) -> (Result<ListClustersOutput, Error>, Usage) {
    let client = platform.client();
    let budget = Budget::new("r-1", platform.now(), SECOND * seconds);
    let result = platform.run(client.call(&ListClusters::page(None), &budget));
    (result, budget.usage())
}

fn unreachable() -> Sent {
    Err(SendError::Unreachable("connection reset".into()))
}

#[test]
fn a_request_has_exactly_the_headers_of_the_json_protocol() {
    let seen = Rc::new(RefCell::new(None));
    let sink = Rc::clone(&seen);
    let platform = Fake::new(move |request| {
        *sink.borrow_mut() = Some(request.clone());
        Reply {
            after: Duration::ZERO,
            sent: ok(EMPTY),
        }
    });
    call(&platform, 20).0.unwrap();
    let request = seen.take().unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "https://ecs.us-east-1.amazonaws.com/");
    let mut names: Vec<_> = request
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authorization",
            "content-type",
            "host",
            "x-amz-date",
            "x-amz-security-token",
            "x-amz-target"
        ]
    );
    assert_eq!(
        request.headers()["x-amz-target"],
        "AmazonEC2ContainerServiceV20141113.ListClusters"
    );
    assert_eq!(
        request.headers()["content-type"],
        "application/x-amz-json-1.1"
    );
    assert_eq!(
        request.headers()["x-amz-security-token"],
        "token-token-token"
    );
    assert!(
        request.headers()["authorization"]
            .to_str()
            .unwrap()
            .contains("/us-east-1/ecs/aws4_request")
    );
}

#[test]
fn a_throttle_is_retried_after_a_jittered_and_growing_wait() {
    let platform = Fake::script(vec![
        error(400, "ThrottlingException"),
        error(400, "ThrottlingException"),
        ok(EMPTY),
    ]);
    let (result, usage) = call(&platform, 20);
    result.unwrap();
    assert_eq!(
        usage,
        Usage {
            calls: 3,
            retries: 2,
            throttles: 2,
            errors: 2
        }
    );
    assert_eq!(platform.elapsed().as_millis(), 999 + 1_999);

    let platform = Fake::script(vec![error(400, "ThrottlingException"), ok(EMPTY)]);
    platform.set_random(u64::MAX / 2);
    call(&platform, 20).0.unwrap();
    assert_eq!(platform.elapsed().as_millis(), 499);
}

#[test]
fn the_last_error_is_returned_after_three_attempts() {
    let platform = Fake::script(vec![
        unreachable(),
        error(500, "ServerException"),
        error(503, "Late"),
    ]);
    let (result, usage) = call(&platform, 20);
    let Err(Error::Service(last)) = result else {
        panic!("{result:?}")
    };
    assert_eq!((last.status, last.code.as_str()), (503, "Late"));
    assert_eq!(
        usage,
        Usage {
            calls: 3,
            retries: 2,
            throttles: 0,
            errors: 3
        }
    );
}

#[test]
fn retries_that_succeed_never_exhaust_the_quota() {
    let pair = [error(400, "ThrottlingException"), ok(EMPTY)];
    let platform = Fake::script(std::iter::repeat_n(pair, 500).flatten().collect());
    let client = platform.client();
    for _ in 0..500 {
        let budget = Budget::new("r-1", platform.now(), SECOND * 20);
        let result = platform.run(client.call(&ListClusters::page(None), &budget));
        result.unwrap();
    }
}

#[test]
fn a_call_that_would_fail_again_is_made_once() {
    for sent in [
        error(400, "AccessDeniedException"),
        error(400, "InvalidParameterException"),
        ok("<html>"),
        Err(SendError::TooLarge),
    ] {
        let platform = Fake::script(vec![sent]);
        let (result, usage) = call(&platform, 20);
        result.unwrap_err();
        assert_eq!(usage.calls, 1);
    }
}

#[test]
fn a_wait_that_aws_asks_for_is_honoured() {
    let throttled = response(
        400,
        &[("x-amz-retry-after", "1500")],
        r#"{"__type":"ThrottlingException"}"#,
    );
    let platform = Fake::script(vec![throttled, ok(EMPTY)]);
    call(&platform, 20).0.unwrap();
    assert_eq!(platform.elapsed().as_millis(), 1_500);
}

#[test]
fn a_retry_that_would_wait_beyond_the_deadline_is_not_made() {
    let throttled = response(
        400,
        &[("x-amz-retry-after", "30000")],
        r#"{"__type":"ThrottlingException"}"#,
    );
    let platform = Fake::script(vec![throttled]);
    let (result, usage) = call(&platform, 5);
    assert!(matches!(result, Err(Error::Service(_))), "{result:?}");
    assert_eq!((usage.calls, platform.elapsed()), (1, Duration::ZERO));
}

#[test]
fn a_call_does_not_wait_for_a_slot_beyond_its_deadline() {
    let platform = Fake::script(vec![ok(EMPTY), ok(EMPTY)]);
    let client = platform.limited_client(RateLimiter::new(1, 1));
    let call = |time, requests| {
        let budget =
            Budget::new("r-1", platform.now(), time).with_requests(requests, Duration::ZERO);
        let result = platform.run(client.call(&ListClusters::page(None), &budget));
        (result, budget)
    };
    call(SECOND, 1).0.unwrap();
    let (result, budget) = call(SECOND / 2, 1);
    assert!(matches!(result, Err(Error::DeadlineExceeded)), "{result:?}");
    assert_eq!(platform.elapsed(), Duration::ZERO);
    assert_eq!(budget.usage(), Usage::default());
    assert!(budget.has_requests());
    // The slot that was not taken is free for a call with more time.
    call(SECOND * 2, 1).0.unwrap();
    assert_eq!(platform.elapsed(), SECOND);
}

#[test]
fn a_retry_that_no_request_is_left_for_is_not_waited_for() {
    let platform = Fake::script(vec![error(400, "ThrottlingException")]);
    let client = platform.client();
    let budget = Budget::new("r-1", platform.now(), SECOND * 20).with_requests(1, Duration::ZERO);
    let result = platform.run(client.call(&ListClusters::page(None), &budget));
    assert!(matches!(result, Err(Error::OutOfRequests)), "{result:?}");
    assert_eq!(platform.elapsed(), Duration::ZERO);
}

#[test]
fn a_call_that_hangs_is_retried_and_ends_by_the_deadline() {
    let hang = || Reply {
        after: SECOND * 1_000,
        sent: ok(EMPTY),
    };
    let platform = Fake::new(move |_| hang());
    let (result, usage) = call(&platform, 20);
    assert!(
        matches!(result, Err(Error::Send(SendError::TimedOut))),
        "{result:?}"
    );
    assert_eq!(usage.calls, 3);
    assert!(
        platform.elapsed() <= SECOND * 21,
        "{:?}",
        platform.elapsed()
    );

    let mut first = true;
    let platform = Fake::new(move |_| {
        let after = if std::mem::take(&mut first) {
            SECOND * 1_000
        } else {
            Duration::ZERO
        };
        Reply {
            after,
            sent: ok(EMPTY),
        }
    });
    call(&platform, 20).0.unwrap();
}

#[test]
fn no_request_is_sent_after_the_deadline() {
    let platform = Fake::script(vec![]);
    let client = platform.client();
    let budget = Budget::new("r-1", platform.now(), SECOND);
    platform.advance(SECOND);
    let result = platform.run(client.call(&ListClusters::page(None), &budget));
    assert!(matches!(result, Err(Error::DeadlineExceeded)), "{result:?}");
    assert_eq!(budget.usage(), Usage::default());
}

/// An AWS whose clock is `offset` seconds ahead of ours, and which accepts five minutes.
fn aws_with_a_clock(offset: i64) -> (Fake, Rc<RefCell<Vec<bool>>>) {
    let accepted = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&accepted);
    let ours = start()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .cast_signed();
    let platform = Fake::new(move |request| {
        let theirs = aws_smithy_types::DateTime::from_secs(ours + offset);
        let date = theirs
            .fmt(aws_smithy_types::date_time::Format::HttpDate)
            .unwrap();
        let stamp = request.headers()["x-amz-date"].to_str().unwrap();
        let iso = format!(
            "{}-{}-{}T{}:{}:{}Z",
            &stamp[..4],
            &stamp[4..6],
            &stamp[6..8],
            &stamp[9..11],
            &stamp[11..13],
            &stamp[13..15]
        );
        let signed = aws_smithy_types::DateTime::from_str(
            &iso,
            aws_smithy_types::date_time::Format::DateTime,
        )
        .unwrap();
        let is_accepted = (signed.secs() - theirs.secs()).abs() <= 300;
        sink.borrow_mut().push(is_accepted);
        let sent = if is_accepted {
            ok(EMPTY)
        } else {
            response(
                400,
                &[("date", &date)],
                r#"{"__type":"InvalidSignatureException","message":"Signature expired"}"#,
            )
        };
        Reply {
            after: Duration::ZERO,
            sent,
        }
    });
    (platform, accepted)
}

#[test]
fn a_clock_skew_is_corrected_once_and_stays_corrected() {
    for offset in [-86_400, -301, 301, 3_600] {
        let (platform, accepted) = aws_with_a_clock(offset);
        let client = platform.client();
        let budget = Budget::new("r-1", platform.now(), SECOND * 20);
        for _ in 0..2 {
            platform
                .run(client.call(&ListClusters::page(None), &budget))
                .unwrap();
        }
        assert_eq!(*accepted.borrow(), [false, true, true], "{offset}");
        assert_eq!(
            platform.elapsed(),
            Duration::ZERO,
            "a correction needs no wait"
        );
        let usage = Usage {
            calls: 3,
            retries: 1,
            throttles: 0,
            errors: 1,
        };
        assert_eq!(budget.usage(), usage);
    }
}

#[test]
fn a_wrong_secret_is_not_mistaken_for_a_clock_skew() {
    let date = aws_smithy_types::DateTime::from(start())
        .fmt(aws_smithy_types::date_time::Format::HttpDate)
        .unwrap();
    for headers in [
        vec![("date", date.as_str())],
        vec![],
        vec![("date", "yesterday")],
        // A request signed a second later would be dated beyond the end of the calendar.
        vec![("date", "Fri, 31 Dec 9999 23:59:59 GMT")],
    ] {
        let refusal = response(400, &headers, r#"{"__type":"InvalidSignatureException"}"#);
        let platform = Fake::script(vec![refusal]);
        let (result, usage) = call(&platform, 20);
        assert!(matches!(result, Err(Error::Service(_))));
        assert_eq!(usage.calls, 1);
    }
}

#[test]
fn a_clock_correction_that_does_not_help_is_not_repeated() {
    let refusal = || {
        response(
            400,
            &[("date", "Tue, 01 Jan 2030 00:00:00 GMT")],
            r#"{"__type":"InvalidSignatureException"}"#,
        )
    };
    let platform = Fake::script(vec![refusal(), refusal()]);
    let (result, usage) = call(&platform, 20);
    assert!(matches!(result, Err(Error::Service(_))));
    assert_eq!(usage.calls, 2);
}

#[test]
fn a_response_that_cannot_be_decoded_is_logged_without_its_content() {
    for (body, message) in [
        ("{\"clusterArns\":", "Eof error at column 15"),
        ("<html>", "not an object"),
    ] {
        let platform = Fake::script(vec![ok(body)]);
        call(&platform, 20).0.unwrap_err();
        let lines = platform.lines();
        let line: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!(
            [&line["code"], &line["message"]],
            ["Unreadable", message],
            "{body}"
        );
    }
}

#[test]
fn every_failed_attempt_is_one_log_line_without_secrets() {
    let leaky = response(
        403,
        &[("x-amzn-requestid", "aws-1")],
        r#"{"__type":"SignatureDoesNotMatch","message":"canonical: x-amz-security-token:token-token-token hush-hush-hush-hush AKIDEXAMPLEEXAMPLE"}"#,
    );
    let platform = Fake::script(vec![unreachable(), error(500, "ServerException"), leaky]);
    call(&platform, 20).0.unwrap_err();
    let lines: Vec<serde_json::Value> = platform
        .lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let codes: Vec<_> = lines
        .iter()
        .map(|line| line["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["Unreachable", "ServerException", "SignatureDoesNotMatch"]
    );
    assert_eq!(lines[2]["awsRequestId"], "aws-1");
    assert_eq!(lines[2]["requestId"], "r-1");
    assert_eq!(
        lines[2]["message"],
        "canonical: x-amz-security-token:[withheld] [withheld] [withheld]"
    );
    for line in platform.lines() {
        for secret in [
            "token-token-token",
            "hush-hush-hush-hush",
            "AKIDEXAMPLEEXAMPLE",
        ] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
