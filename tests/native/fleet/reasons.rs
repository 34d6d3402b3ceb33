//! Reasons: messages of ECS in the forms that are known, and the words that they become.
use std::fmt::Write;

use crate::support::rollouts::{deployment, events, found, service, with};
use ecs_status::fleet::model::reason::{Meaning, Reason, meaning};
use proptest::prelude::*;
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/checkout";
const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout:58";

/// Messages without the name of the service. `{role}` and `{image}` stand for a role and an image.
const MESSAGES: [&str; 66] = [
    "has reached a steady state.",
    "(deployment ecs-svc/1) deployment completed.",
    "has started 2 tasks: (task 0a1b) (task 2c3d).",
    "has stopped 1 running tasks: (task 0a1b).",
    "has started 1 tasks in Availability Zone eu-west-1a to AZ Rebalance: (task 0a1b).",
    "registered 1 targets in (target-group arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b)",
    "deregistered 1 targets in (target-group arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b)",
    "has begun draining connections on 1 tasks.",
    "updated computedDesiredCount for taskSet ecs-svc/1 to 2.",
    "is not AZ balanced with 2 tasks in eu-west-1a, 0 tasks in eu-west-1b. AZ Rebalancing in progress.",
    "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
    "was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
    "was unable to place a task. Reason: You\u{2019}ve reached the limit on the number of tasks you can run concurrently.",
    "was unable to place a task. Reason: The requested CPU configuration is above your limit.",
    "was unable to place a task. Reason: The requested MEMORY configuration is above your limit.",
    "was unable to place a task. Reason: Internal error.",
    "was unable to place a task. Reason: TaskFailedToStart: RESOURCE:ENI.",
    "was unable to place a task. Reason: TaskFailedToStart: RESOURCE:CPU.",
    "was unable to place a task. Reason: TaskFailedToStart: RESOURCE:MEMORY.",
    "was unable to place a task. Reason: TaskFailedToStart: EMPTY CAPACITY PROVIDER.",
    "was unable to place a task. Reason: TaskFailedToStart: ATTRIBUTE.",
    "was unable to place a task. Reason: TaskFailedToStart: AGENT.",
    "was unable to place a task. Reason: ResourceInitializationError: Unable to launch instance(s) for capacity provider burst. UnfulfillableCapacity: Unable to fulfill capacity due to your request configuration.",
    "was unable to place a task. Reason: ResourceInitializationError: Unable to launch instance(s) for capacity provider burst. UnauthorizedOperation: You are not authorized to perform this operation. User: {role}",
    "was unable to place a task. Reason: Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': InsufficientFreeAddressesInSubnet",
    "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 0a1b) has insufficient CPU units available. For more information, see the Troubleshooting section.",
    "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 0a1b) has insufficient memory available.",
    "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 0a1b) is already using a port required by your task.",
    "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 0a1b) is missing an attribute required by your task.",
    "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 0a1b) doesn't have the agent connected.",
    "was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.",
    "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
    "was unable to reach steady state because task set (taskSet-1) was unable to scale in. Reason: The number of protected tasks are more than the desired count of tasks.",
    "was unable to place a task. Reason: CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref {image}: not found.",
    "was unable to place a task. Reason: CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/nginx/manifests/sha256:0a1b: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
    "was unable to place a task. Reason: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref docker.io/library/checkout:58: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed.",
    "was unable to place a task. Reason: CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'.",
    "was unable to place a task. Reason: CannotPullContainerError: Error response from daemon: manifest for {image} not found: manifest unknown: Requested image not found.",
    "was unable to place a task. Reason: CannotPullContainerError: ref pull has been retried 1 time(s): failed to unpack image on snapshotter overlayfs: write /var/lib/containerd/1: no space left on device.",
    "was unable to place a task. Reason: CannotPullECRContainerError: AccessDeniedException: User: {role} is not authorized to perform: ecr:GetAuthorizationToken on resource: *",
    "failed to launch a task with (error CannotPullContainerError: image not found).",
    "was unable to place a task. Reason: ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration.",
    "was unable to place a task. Reason: ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-1 from secrets manager: AccessDeniedException: User: {role} is not authorized to perform: secretsmanager:GetSecretValue on resource: db",
    "was unable to place a task. Reason: ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secrets from ssm: ThrottlingException: Rate exceeded",
    "was unable to place a task. Reason: ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: invalid character 'p' looking for beginning of value",
    "was unable to place a task. Reason: ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"fs-1.efs.eu-west-1.amazonaws.com\"",
    "was unable to place a task. Reason: ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: b'mount.nfs4: access denied by server while mounting 127.0.0.1:/'",
    "was unable to place a task. Reason: ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create CloudWatch log stream: ResourceNotFoundException",
    "was unable to place a task. Reason: Timeout waiting for network interface provisioning to complete.",
    "was unable to place a task. Reason: CannotStartContainerError: failed to create task for container: exec: \"/start\": stat /start: no such file or directory",
    "was unable to place a task. Reason: OutOfMemoryError: container killed due to memory usage.",
    "was unable to place a task. Reason: Essential container in task exited.",
    "failed to launch a task with (error ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.).",
    "failed to register targets in (target-group arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b) with (error the target group does not have an associated load balancer)",
    "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.",
    "(task 0a1b) failed container health checks.",
    "(task 0a1b) (port 8080) is unhealthy in (target-group arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b) due to (reason Health checks failed with these codes: [503]).",
    "(task 0a1b) (port 8080) is unhealthy in (target-group arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b) due to (reason Request timed out).",
    "(instance i-1) is unhealthy in (elb web) due to (reason Instance has failed at least the UnhealthyThreshold number of health checks consecutively.)",
    "operations are being throttled. Will try again later.",
    "operations are being throttled on elb. Will try again later.",
    "(deployment ecs-svc/1) deployment failed: tasks failed to start.",
    "(deployment ecs-svc/1) deployment failed: alarm detected.",
    "failed circuit breaker: tasks failed to start.",
    "rolling back to deployment ecs-svc/1.",
    "a message that nobody has heard of",
];

fn messages() -> impl Iterator<Item = String> {
    let messages = MESSAGES.iter();
    messages.map(|message| message.replace("{role}", ROLE).replace("{image}", IMAGE))
}

fn word(message: &str) -> &'static str {
    match meaning(message) {
        Meaning::Steady => "steady",
        Meaning::Unknown => "-",
        Meaning::Wrong(reason) => reason.as_str(),
    }
}

#[test]
fn every_known_message_has_its_word() {
    let mut table = String::new();
    for message in messages() {
        let word = word(&message);
        writeln!(table, "{word:<21}{message}").unwrap();
        for prefix in [
            "(service checkout) ",
            "(service checkout, taskSet ecs-svc/1) ",
            "service checkout ",
        ] {
            assert_eq!(
                self::word(&format!("{prefix}{message}")),
                word,
                "{prefix}{message}"
            );
        }
    }
    println!("{table}");
    let all = Reason::ALL
        .iter()
        .filter(|reason| **reason != Reason::Other);
    for reason in all {
        assert!(
            table.contains(&format!("{:<21}", reason.as_str())),
            "{reason:?}"
        );
    }
    insta::assert_snapshot!("reasons", table);
}

#[test]
fn the_name_of_a_service_says_nothing() {
    for name in [
        "throttled-worker",
        "CannotPullContainerError",
        "AccessDeniedException",
        "RESOURCE",
        "ThrottlingException",
        "OutOfMemory",
    ] {
        for message in [
            format!("(service {name}) has started 1 tasks: (task 0a1b)."),
            format!("(service {name}, taskSet ecs-svc/1) is not AZ balanced."),
            format!("service {name} does something else."),
        ] {
            assert_eq!(meaning(&message), Meaning::Unknown, "{message}");
        }
    }
}

#[test]
fn a_message_may_be_long_and_of_any_script() {
    for (message, expected) in [
        (
            format!("CannotPullContainerError: {}", "x".repeat(2_000)),
            "image-pull",
        ),
        (
            format!("{} CannotPullContainerError", "x".repeat(3_000)),
            "-",
        ),
        (format!("{} CannotPullContainerError", "☃".repeat(900)), "-"),
        (
            "サービス is unable to consistently start tasks".to_owned(),
            "start-failed",
        ),
        (
            "<b>operations are being throttled</b>".to_owned(),
            "throttled",
        ),
        (String::new(), "-"),
        ("(service ".to_owned(), "-"),
        ("(service a)".to_owned(), "-"),
    ] {
        assert_eq!(word(&message), expected, "{message}");
    }
}

/// The reason of a service that lacks a task, with these events.
fn reason(told: &Value) -> &'static str {
    let primary = deployment("PRIMARY", "COMPLETED", [2, 1], 90_000);
    let described = service([2, 1, 0], json!([primary]));
    let service = found(&with(described, json!({"events": told})));
    service.reason.unwrap().as_str()
}

const PULL: &str = "was unable to place a task. Reason: CannotPullContainerError: not found.";
const UNHEALTHY: &str = "(task 1) failed container health checks.";
const IMPAIRED: &str = "is unable to consistently start tasks successfully.";
const FAILED: &str = "(deployment ecs-svc/1) deployment failed: tasks failed to start.";
const ROLLING_BACK: &str = "rolling back to deployment ecs-svc/1.";
const STEADY: &str = "has reached a steady state.";
const STARTED: &str = "has started 1 tasks: (task 1).";

#[test]
fn the_newest_cause_since_the_last_steady_state_comes_before_consequences() {
    for (told, expected) in [
        (&[][..], "other"),
        (&[(1, STARTED), (2, STARTED)], "other"),
        (&[(1, PULL), (2, UNHEALTHY)], "image-pull"),
        (&[(1, UNHEALTHY), (2, PULL)], "health-check"),
        // Where the order is another one, the times count.
        (&[(2, PULL), (1, UNHEALTHY)], "health-check"),
        (&[(1, FAILED), (2, PULL)], "image-pull"),
        (
            &[(1, ROLLING_BACK), (2, FAILED), (3, STARTED)],
            "rolled-back",
        ),
        (&[(1, FAILED)], "deployment-failed"),
        (&[(1, IMPAIRED), (2, PULL)], "start-failed"),
        (&[(1, PULL), (2, IMPAIRED)], "image-pull"),
        (&[(1, FAILED), (2, IMPAIRED)], "start-failed"),
        (&[(1, STARTED), (2, STEADY), (3, PULL)], "other"),
        (&[(3, PULL), (2, STEADY), (1, STARTED)], "other"),
        (&[(1, PULL), (2, STEADY), (3, UNHEALTHY)], "image-pull"),
        (&[(2, STEADY), (2, PULL)], "other"),
        (&[(2, PULL), (2, STEADY)], "image-pull"),
    ] {
        assert_eq!(reason(&events(told)), expected, "{told:?}");
    }
}

#[test]
fn only_the_newest_20_of_100_events_are_read() {
    for (tells, expected) in [
        (1, "image-pull"),
        (5, "image-pull"),
        (20, "image-pull"),
        (21, "other"),
        (100, "other"),
    ] {
        let told: Vec<(i32, &str)> = (1..=100)
            .map(|number| (number * 60, if number == tells { PULL } else { STARTED }))
            .collect();
        assert_eq!(reason(&events(&told)), expected, "{tells}");
    }
}

#[test]
fn the_newest_20_events_are_read_in_any_order() {
    for (tells, expected) in [(1, "image-pull"), (20, "image-pull"), (21, "other")] {
        let mut told: Vec<(i32, &str)> = (1..=100)
            .map(|number| (number * 60, if number == tells { PULL } else { STARTED }))
            .collect();
        told.reverse();
        assert_eq!(
            reason(&events(&told)),
            expected,
            "{tells}, the oldest first"
        );
        told.swap(0, 99);
        told.swap(10, 60);
        assert_eq!(reason(&events(&told)), expected, "{tells}, mixed");
    }
}

#[test]
fn odd_events_leave_the_others_and_are_no_failure() {
    let pull = events(&[(1, PULL)])[0].clone();
    for odd in [
        json!(null),
        json!(7),
        json!([]),
        json!({"message": 7}),
        json!({"message": {}, "createdAt": "yesterday"}),
        json!({"createdAt": -1}),
    ] {
        assert_eq!(reason(&json!([odd, pull])), "image-pull", "{odd}");
    }
    for none in [json!(null), json!({}), json!(7), json!("x"), json!([0, 9])] {
        assert_eq!(reason(&none), "other", "{none}");
    }
}

#[test]
fn a_failed_deployment_tells_what_its_events_do_not() {
    let failed = |events: Value| {
        let primary = deployment("PRIMARY", "FAILED", [2, 0], 60);
        let described = service([2, 2, 0], json!([primary]));
        found(&with(described, json!({"events": events}))).reason
    };
    assert_eq!(failed(json!([])), Some(Reason::DeploymentFailed));
    assert_eq!(failed(events(&[(1, PULL)])), Some(Reason::ImagePull));
}

proptest! {
    #[test]
    fn nothing_of_a_message_is_left(text in ".{0,200}", secret in "[a-z]{24}") {
        let told = format!("{text} arn:aws:iam::123456789012:role/{secret} 10.0.1.88 {secret}");
        let primary = deployment("PRIMARY", "IN_PROGRESS", [2, 1], 60);
        let described = with(
            service([2, 1, 0], json!([primary])),
            json!({"events": events(&[(1, &told), (2, PULL)])}),
        );
        let shown = format!("{:?}", found(&described));
        for part in [&*secret, "arn:", "10.0.1.88", "Cannot"] {
            prop_assert!(!shown.contains(part), "{shown}");
        }
    }

    #[test]
    fn any_message_has_a_meaning(message in any::<String>()) {
        for message in [&message, &format!("(service {message}")] {
            if let Meaning::Wrong(reason) = meaning(message) {
                prop_assert!(Reason::ALL.contains(&reason));
            }
        }
    }
}
