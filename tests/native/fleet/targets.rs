//! Targets: several regions, and several accounts by role, in one report.
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::support::ecs::{ACCOUNT, Ecs};
use crate::support::{Fake, Reply, ask, error, ok, response};
use ecs_status::api::Api;
use ecs_status::fleet::view::in_process::InProcess;
use serde_json::{Value, json};

const LATENCY: Duration = Duration::from_millis(20);
const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

/// An AWS with one fleet for each region, and an STS that counts.
struct Aws {
    fleets: Vec<(&'static str, Ecs)>,
    assumed: usize,
    refuses: bool,
    /// The lifetime of a role's credentials, in seconds.
    lifetime: i64,
    tokens: Vec<Option<String>>,
}

fn aws(fleets: Vec<(&'static str, Ecs)>) -> Aws {
    Aws {
        fleets,
        assumed: 0,
        refuses: false,
        lifetime: 3_600,
        tokens: Vec::new(),
    }
}

fn serve(aws: Aws) -> (Fake, Rc<RefCell<Aws>>) {
    let aws = Rc::new(RefCell::new(aws));
    let server = Rc::clone(&aws);
    let now = Rc::new(RefCell::new(None::<Fake>));
    let clock = Rc::clone(&now);
    let platform = Fake::new(move |request| {
        let mut aws = server.borrow_mut();
        let host = request.uri().host().unwrap();
        let sent = if host.starts_with("sts.") {
            aws.assumed += 1;
            assert!(request.headers().get("x-amz-target").is_none());
            let form = String::from_utf8(request.body().clone()).unwrap();
            assert!(form.contains("ExternalId=external-id"), "{form}");
            if aws.refuses {
                response(
                    403,
                    &[],
                    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x</Message></Error></ErrorResponse>",
                )
            } else {
                let elapsed = clock
                    .borrow()
                    .as_ref()
                    .map_or(0, |fake| fake.elapsed().as_secs().cast_signed());
                let end =
                    aws_smithy_types::DateTime::from_secs(1_795_376_400 + elapsed + aws.lifetime);
                let end = end
                    .fmt(aws_smithy_types::date_time::Format::DateTime)
                    .unwrap();
                ok(&format!(
                    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLEEXAMPLE{0}</AccessKeyId>\
                     <SecretAccessKey>quiet-quiet-quiet</SecretAccessKey><SessionToken>session-of-the-role-{0}</SessionToken>\
                     <Expiration>{end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
                    aws.assumed
                ))
            }
        } else {
            let token = request.headers().get("x-amz-security-token");
            aws.tokens
                .push(token.map(|token| token.to_str().unwrap().to_owned()));
            match aws
                .fleets
                .iter_mut()
                .find(|(region, _)| host.contains(region))
            {
                Some((_, ecs)) => ecs.respond(request),
                None => error(400, "AccessDeniedException"),
            }
        };
        Reply {
            after: LATENCY,
            sent,
        }
    });
    *now.borrow_mut() = Some(platform.clone());
    (platform, aws)
}

fn api(platform: &Fake, targets: &Value) -> Api<InProcess<Fake>> {
    ask::api(platform, &[("TARGETS", &targets.to_string())])
}

fn get(platform: &Fake, api: &Api<InProcess<Fake>>, target: &str) -> (u16, Value) {
    let response = platform.run(api.handle(&ask::get(target), platform));
    (
        response.status().as_u16(),
        serde_json::from_slice(response.body()).unwrap(),
    )
}

fn clusters(report: &Value) -> Vec<[&str; 3]> {
    let clusters = report["clusters"].as_array().unwrap();
    clusters
        .iter()
        .map(|c| ["target", "region", "clusterName"].map(|key| c[key].as_str().unwrap()))
        .collect()
}

fn two_regions() -> Value {
    json!([{"name": "sydney", "region": "ap-southeast-2"}, {"name": "east", "region": "us-east-1"}])
}

#[test]
fn clusters_of_the_same_name_in_two_targets_stay_apart_and_are_sorted_by_target() {
    let (platform, _) = serve(aws(vec![
        ("us-east-1", Ecs::uniform(1, 2)),
        ("ap-southeast-2", Ecs::uniform(1, 1)),
    ]));
    let api = api(&platform, &two_regions());
    let (status, report) = get(&platform, &api, "/list");
    assert_eq!((status, &report["complete"]), (200, &json!(true)));
    assert_eq!(
        clusters(&report),
        [
            ["east", "us-east-1", "cluster-0000"],
            ["sydney", "ap-southeast-2", "cluster-0000"]
        ]
    );
}

#[test]
fn target_and_region_are_filter_keys_beside_the_tags() {
    let (platform, _) = serve(aws(vec![
        ("us-east-1", Ecs::uniform(1, 2)),
        ("ap-southeast-2", Ecs::uniform(1, 1)),
    ]));
    let api = api(&platform, &two_regions());
    for (query, found) in [
        ("target=east", 1),
        ("region=ap-southeast-2", 1),
        ("target=east&target=sydney", 2),
        ("target=east&region=ap-southeast-2", 0),
        ("target=East", 0),
    ] {
        let (_, report) = get(&platform, &api, &format!("/list?{query}"));
        assert_eq!(clusters(&report).len(), found, "{query}");
    }
    let (status, problem) = get(&platform, &api, "/list?zone=a");
    assert_eq!(status, 400);
    assert_eq!(
        problem["validKeys"],
        json!(["environment", "owner", "contact", "target", "region"])
    );
}

#[test]
fn targets_are_swept_concurrently_over_six_connections() {
    let (platform, _) = serve(aws(vec![
        ("us-east-1", Ecs::uniform(1, 20)),
        ("ap-southeast-2", Ecs::uniform(1, 20)),
    ]));
    let api = api(&platform, &two_regions());
    get(&platform, &api, "/list");
    // ListClusters, ListServices beside DescribeClusters, DescribeServices: the time of one alone.
    assert_eq!(platform.elapsed(), LATENCY * 3);
    assert!(platform.peak() <= 6);
}

#[test]
fn a_failed_target_makes_the_report_incomplete_and_not_empty() {
    let (platform, _) = serve(aws(vec![("us-east-1", Ecs::uniform(1, 2))]));
    let api = api(&platform, &two_regions());
    let (status, report) = get(&platform, &api, "/list");
    assert_eq!((status, &report["complete"]), (200, &json!(false)));
    assert_eq!(clusters(&report), [["east", "us-east-1", "cluster-0000"]]);
    assert_eq!(
        report["failures"],
        json!([{"target": "sydney", "region": "ap-southeast-2", "reason": "the IAM policy does not allow ecs:ListClusters"}])
    );
    let (status, problem) = get(&platform, &api, "/healthz");
    assert_eq!(status, 502);
    assert!(
        problem["detail"].as_str().unwrap().contains("\"sydney\""),
        "{problem}"
    );
}

fn behind_a_role() -> Value {
    json!([{"name": "other", "region": "us-east-1", "roleArn": ROLE, "externalId": "external-id"}])
}

#[test]
fn a_role_is_assumed_once_and_again_shortly_before_its_credentials_expire() {
    let (platform, aws) = serve(aws(vec![("us-east-1", Ecs::uniform(2, 15))]));
    let api = api(&platform, &behind_a_role());
    for (wait, assumed) in [(0, 1), (60, 1), (3_000, 1), (600, 2), (60, 2)] {
        platform.advance(Duration::from_secs(wait));
        let (status, report) = get(&platform, &api, "/list");
        assert_eq!((status, &report["complete"]), (200, &json!(true)));
        assert_eq!(aws.borrow().assumed, assumed);
        let newest = Some(format!("session-of-the-role-{assumed}"));
        assert_eq!(aws.borrow().tokens.last().unwrap(), &newest);
        assert!(!report.to_string().contains(ACCOUNT));
    }
    assert!(
        aws.borrow().tokens.iter().all(Option::is_some),
        "no call is made without the role"
    );
}

#[test]
fn credentials_that_expire_soon_are_not_reused() {
    let mut short = aws(vec![("us-east-1", Ecs::uniform(1, 1))]);
    short.lifetime = 120;
    let (platform, aws) = serve(short);
    let api = api(&platform, &behind_a_role());
    for assumed in 1..4 {
        platform.advance(Duration::from_mins(1));
        assert_eq!(get(&platform, &api, "/list").0, 200);
        assert_eq!(aws.borrow().assumed, assumed);
    }
}

#[test]
fn the_account_of_a_role_is_withheld_before_its_first_sweep() {
    let mut own = Ecs::uniform(1, 1);
    own.clusters
        .insert("peer-of-999988887777".into(), vec!["api".into()]);
    let mut refusing = aws(vec![("us-east-1", own)]);
    refusing.refuses = true;
    let (platform, _) = serve(refusing);
    let role = "arn:aws:iam::999988887777:role/reader";
    let targets = json!([
        {"name": "own", "region": "us-east-1"},
        {"name": "other", "region": "us-east-1", "roleArn": role, "externalId": "external-id"},
    ]);
    let (status, report) = get(&platform, &api(&platform, &targets), "/list");
    assert_eq!(status, 200);
    assert_eq!(clusters(&report)[1][2], "peer-of-[withheld]");
}

#[test]
fn a_name_shows_neither_our_keys_nor_those_of_a_role() {
    let mut leaky = Ecs::uniform(0, 0);
    let names = [
        "AKIDEXAMPLEEXAMPLE",
        "hush-hush-hush-hush",
        "ASIAEXAMPLEEXAMPLE1",
        "quiet-quiet-quiet",
        "session-of-the-role-1",
    ];
    for name in names {
        leaky
            .clusters
            .insert(format!("of-{name}"), vec!["api".into()]);
    }
    let (platform, _) = serve(aws(vec![("us-east-1", leaky)]));
    let own = json!([{"name": "own", "region": "us-east-1"}]);
    for (targets, shown) in [(own, &names[2..]), (behind_a_role(), &[])] {
        let (status, report) = get(&platform, &api(&platform, &targets), "/list");
        assert_eq!(status, 200);
        for cluster in clusters(&report) {
            let name = cluster[2].strip_prefix("of-").unwrap();
            assert!(name == "[withheld]" || shown.contains(&name), "{name}");
        }
    }
}

#[test]
fn a_role_that_cannot_be_assumed_is_a_failure_that_says_so() {
    let mut refusing = aws(vec![("us-east-1", Ecs::uniform(1, 1))]);
    refusing.refuses = true;
    let (platform, _) = serve(refusing);
    let alone = api(&platform, &behind_a_role());
    let (status, problem) = get(&platform, &alone, "/list");
    assert_eq!(status, 502);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("the role cannot be assumed"),
        "{problem}"
    );

    let mut both = behind_a_role();
    both.as_array_mut()
        .unwrap()
        .push(json!({"name": "own", "region": "us-east-1"}));
    let beside = api(&platform, &both);
    let (status, report) = get(&platform, &beside, "/list");
    assert_eq!((status, &report["complete"]), (200, &json!(false)));
    assert_eq!(clusters(&report), [["own", "us-east-1", "cluster-0000"]]);
    assert_eq!(report["failures"][0]["target"], "other");
    for secret in [ROLE, ACCOUNT, "external-id", "arn:"] {
        assert!(!report.to_string().contains(secret), "{report}");
    }
}
