//! Roles: sessions that AWS does not accept any more before their stated end.

use std::time::Duration;

use crate::support::ecs::Ecs;
use crate::support::sts::{Aws, behind_a_role, refusal};
use crate::support::{Fake, ask};
use ecs_status::api::Api;
use ecs_status::fleet::view::in_process::InProcess;
use serde_json::{Value, json};

const LATENCY: Duration = Duration::from_millis(20);

/// The codes of a session that was revoked, or whose role was made anew.
const CODES: [&str; 5] = [
    "ExpiredTokenException",
    "ExpiredToken",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidToken",
];

fn api(platform: &Fake) -> Api<InProcess<Fake>> {
    ask::api(platform, &[behind_a_role(), ("CALL_BURST", "10000")])
}

/// The response to a request after the snapshot has become stale.
fn get(platform: &Fake, api: &Api<InProcess<Fake>>, path: &str) -> (u16, Value) {
    platform.advance(Duration::from_mins(1));
    let response = platform.run(api.handle(&ask::get(path), platform));
    (
        response.status().as_u16(),
        serde_json::from_slice(response.body()).unwrap(),
    )
}

fn refused(code: &'static str, is_xml: bool) -> impl Fn() -> crate::support::Sent {
    move || {
        refusal(
            if is_xml { 403 } else { 400 },
            code,
            "AWS's own words",
            is_xml,
        )
    }
}

#[test]
fn a_role_whose_session_was_revoked_is_assumed_once_more_in_the_same_sweep() {
    for code in CODES {
        for is_xml in [false, true] {
            let (platform, aws) =
                Aws::new(Ecs::uniform(2, 15), refused(code, is_xml)).serve(LATENCY);
            let api = api(&platform);
            for round in 1..4 {
                let (status, report) = get(&platform, &api, "/list");
                assert_eq!((status, &report["complete"]), (200, &json!(true)), "{code}");
                assert_eq!(aws.borrow().sessions, round, "{code}");
                aws.borrow_mut().revoked = round;
            }
        }
    }
}

#[test]
fn a_session_that_is_revoked_in_the_middle_of_a_sweep_costs_the_refused_calls_alone() {
    let needed: usize = Ecs::uniform(8, 25).needed().values().sum();
    for after in 0..needed {
        let mut aws = Aws::new(Ecs::uniform(8, 25), refused("ExpiredTokenException", false));
        aws.revoke_after = Some(after);
        let (platform, aws) = aws.serve(LATENCY);
        let (status, report) = get(&platform, &api(&platform), "/list");
        assert_eq!(
            (status, &report["complete"]),
            (200, &json!(true)),
            "{after}"
        );
        assert_eq!(
            (aws.borrow().sessions, aws.borrow().taken),
            (2, needed),
            "{after}"
        );
    }
}

#[test]
fn a_role_is_assumed_at_most_once_more_for_each_sweep() {
    for (code, said) in [
        (
            "UnrecognizedClientException",
            "the region is not enabled for the account",
        ),
        (
            "ExpiredTokenException",
            "AWS does not accept the session that it issued for the role",
        ),
    ] {
        let mut aws = Aws::new(Ecs::uniform(8, 25), refused(code, false));
        aws.revoked = usize::MAX;
        let (platform, aws) = aws.serve(LATENCY);
        let api = api(&platform);
        for sessions in 2..6 {
            let (status, problem) = get(&platform, &api, "/list");
            assert_eq!(status, 502);
            assert_eq!(
                problem["detail"],
                format!("The fleet could not be read: {said}.")
            );
            assert_eq!(aws.borrow().sessions, sessions);
        }
    }
}

#[test]
fn a_role_that_was_deleted_is_what_is_reported() {
    let (platform, aws) =
        Aws::new(Ecs::uniform(1, 1), refused("ExpiredToken", false)).serve(LATENCY);
    let api = api(&platform);
    assert_eq!(get(&platform, &api, "/list").0, 200);
    aws.borrow_mut().revoked = 1;
    aws.borrow_mut().sts_refusal = Some(Box::new(refused("AccessDenied", true)));
    let (status, report) = get(&platform, &api, "/list");
    assert_eq!((status, &report["complete"]), (200, &json!(false)));
    let reason = report["failures"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("the role cannot be assumed"), "{reason}");
}

#[test]
fn a_health_check_assumes_the_role_once_more_too() {
    let (platform, aws) =
        Aws::new(Ecs::uniform(1, 1), refused("ExpiredToken", false)).serve(LATENCY);
    let api = api(&platform);
    for sessions in 1..4 {
        assert_eq!(get(&platform, &api, "/healthz").0, 200);
        assert_eq!(aws.borrow().sessions, sessions);
        aws.borrow_mut().revoked = sessions;
    }
    aws.borrow_mut().revoked = usize::MAX;
    assert_eq!(get(&platform, &api, "/healthz").0, 502);
    assert_eq!(aws.borrow().sessions, 4);
}

#[test]
fn a_slice_without_a_request_left_leaves_the_role_to_the_next_one() {
    let mut aws = Aws::new(Ecs::uniform(10, 25), refused("ExpiredToken", false));
    // The first slice has 18 requests, of which one is for the role.
    aws.revoke_after = Some(16);
    let (platform, aws) = aws.serve(LATENCY);
    let changes = [
        behind_a_role(),
        ("CALL_BURST", "10000"),
        ("SUBREQUEST_BUDGET", "18"),
    ];
    let api = ask::api(&platform, &changes);
    let (status, report) = get(&platform, &api, "/list");
    assert_eq!((status, &report["complete"]), (200, &json!(true)));
    assert_eq!(aws.borrow().sessions, 2);
}
