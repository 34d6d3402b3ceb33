//! Health: one call of each kind that a report needs, and every denied action by its name.

use std::time::Duration;

use crate::support::ecs::Ecs;
use crate::support::sts::{Aws, behind_a_role, refusal};
use crate::support::{Fake, Reply, ask, error};
use serde_json::{Value, json};

const OPERATIONS: [&str; 4] = [
    "ListClusters",
    "DescribeClusters",
    "ListServices",
    "DescribeServices",
];

fn healthz(platform: &Fake, changes: &[(&str, &str)]) -> (u16, Value) {
    let response = ask::ask_with(platform, changes, &ask::get("/healthz"));
    (
        response.status().as_u16(),
        serde_json::from_slice(response.body()).unwrap(),
    )
}

/// The calls that a check made.
fn calls(platform: &Fake) -> Vec<String> {
    let lines = platform.lines();
    let lines = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let calls = lines.filter(|line| line["event"] == "awsCall" || line["event"] == "awsError");
    calls
        .map(|line| line["operation"].as_str().unwrap().to_owned())
        .collect()
}

/// An ECS that denies these operations.
fn denying(operations: &[&str]) -> Ecs {
    let mut ecs = Ecs::uniform(2, 3);
    for operation in operations {
        for cluster in ["", "cluster-0000", "cluster-0001"] {
            ecs.fail(operation, cluster, "AccessDeniedException");
        }
    }
    ecs
}

#[test]
fn a_check_makes_one_call_of_each_kind() {
    let platform = Ecs::uniform(3, 200).platform();
    assert_eq!(healthz(&platform, &[]).0, 200);
    assert_eq!(calls(&platform), OPERATIONS);
}

#[test]
fn an_account_without_a_cluster_or_a_service_is_healthy() {
    for (ecs, expected) in [
        (Ecs::default(), &OPERATIONS[..1]),
        (Ecs::uniform(1, 0), &OPERATIONS[..3]),
    ] {
        let platform = ecs.platform();
        let (status, body) = healthz(&platform, &[]);
        assert_eq!((status, &body["status"]), (200, &json!("ok")));
        assert_eq!(calls(&platform), expected);
    }
}

#[test]
fn a_service_is_looked_for_in_the_first_five_clusters() {
    for (empty, is_found) in [(0, true), (4, true), (5, false)] {
        let mut ecs = denying(&["DescribeServices"]);
        ecs.clusters = Ecs::uniform(empty, 0).clusters;
        ecs.clusters
            .insert("with-services".into(), vec!["api".into()]);
        ecs.fail("DescribeServices", "with-services", "AccessDeniedException");
        let (status, _) = healthz(&ecs.platform(), &[]);
        assert_eq!(status == 502, is_found, "{empty}");
    }
}

#[test]
fn every_denied_action_is_named() {
    for (denied, named, detail) in [
        (
            &["DescribeServices"][..],
            json!(["ecs:DescribeServices"]),
            "the IAM policy does not allow ecs:DescribeServices",
        ),
        (
            &["DescribeClusters", "DescribeServices"],
            json!(["ecs:DescribeClusters", "ecs:DescribeServices"]),
            "the IAM policy does not allow ecs:DescribeClusters and the IAM policy does not allow \
             ecs:DescribeServices",
        ),
        (
            // Without a list of services there is none to describe.
            &["DescribeClusters", "ListServices", "DescribeServices"],
            json!(["ecs:DescribeClusters", "ecs:ListServices"]),
            "the IAM policy does not allow ecs:DescribeClusters and the IAM policy does not allow \
             ecs:ListServices",
        ),
        (
            &OPERATIONS,
            json!(["ecs:ListClusters"]),
            "the IAM policy does not allow ecs:ListClusters",
        ),
    ] {
        let (status, problem) = healthz(&denying(denied).platform(), &[]);
        assert_eq!((status, &problem["actions"]), (502, &named), "{denied:?}");
        let expected = format!("The target \"default\" could not be read: {detail}.");
        assert_eq!(problem["detail"], expected);
        assert_eq!(problem["code"], "not-allowed");
    }
}

#[test]
fn a_check_ends_where_aws_does_not_respond() {
    let platform = Ecs::uniform(1, 1)
        .failing("DescribeClusters", "", "ThrottlingException")
        .platform();
    let (status, problem) = healthz(&platform, &[]);
    assert_eq!((status, &problem["actions"]), (503, &Value::Null));
    let throttled = ["DescribeClusters"; 3];
    assert_eq!(calls(&platform), [&OPERATIONS[..1], &throttled].concat());
}

#[test]
fn a_cluster_that_was_deleted_meanwhile_is_no_fault() {
    let platform = Ecs::uniform(1, 1)
        .failing("ListServices", "cluster-0000", "ClusterNotFoundException")
        .platform();
    assert_eq!(healthz(&platform, &[]).0, 200);
}

#[test]
fn a_service_with_a_short_arn_is_no_fault() {
    let mut ecs = Ecs::uniform(1, 1);
    ecs.short = vec!["service-0000".into()];
    assert_eq!(healthz(&ecs.platform(), &[]).0, 200);
}

#[test]
fn a_role_that_the_organization_denies_is_named_with_its_policy() {
    let message = "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: \
                   sts:AssumeRole on resource: arn:aws:iam::210987654321:role/reader with an \
                   explicit deny in a service control policy";
    let mut aws = Aws::new(Ecs::uniform(1, 1), || error(400, ""));
    aws.sts_refusal = Some(Box::new(|| refusal(403, "AccessDenied", message, true)));
    let (platform, _) = aws.serve(Duration::ZERO);
    let (status, problem) = healthz(&platform, &[behind_a_role()]);
    assert_eq!(status, 502);
    assert_eq!(
        problem["detail"],
        "The target \"other\" could not be read: a service control policy (SCP) of the \
         organization denies sts:AssumeRole."
    );
    assert_eq!(problem["actions"], json!(["sts:AssumeRole"]));
}

#[test]
fn a_region_that_is_not_enabled_is_named_beside_one_that_works() {
    let targets = |regions: &[&str]| {
        let target = |region: &&str| json!({"name": region, "region": region});
        regions.iter().map(target).collect::<Value>().to_string()
    };
    let aws = || {
        let mut ecs = Ecs::uniform(1, 1);
        Fake::new(move |request| Reply {
            after: Duration::ZERO,
            sent: match request.uri().host().unwrap() {
                "ecs.us-east-1.amazonaws.com" => ecs.respond(request),
                _ => error(400, "UnrecognizedClientException"),
            },
        })
    };
    for (regions, detail) in [
        (
            &["af-south-1", "us-east-1"][..],
            "The target \"af-south-1\" could not be read: the region is not enabled for the account.",
        ),
        (
            &["us-east-1", "af-south-1"],
            "The target \"af-south-1\" could not be read: the region is not enabled for the account.",
        ),
        (
            &["af-south-1", "ap-east-1"],
            "The target \"af-south-1\" could not be read: AWS does not accept the access key id in \
             AWS_ACCESS_KEY_ID, or the region is not enabled for the account.",
        ),
    ] {
        let (status, problem) = healthz(&aws(), &[("TARGETS", &targets(regions))]);
        assert_eq!((status, problem["detail"].as_str().unwrap()), (502, detail));
    }
}
