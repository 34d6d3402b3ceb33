//! Oddities in responses: what can be read is shown, what cannot is named, and nothing of it concerns
//! anything else.
use ecs_status::aws::ecs::{DescribeClusters, DescribeServices, ListClusters, ListServices};
use ecs_status::aws::error::Error;
use ecs_status::aws::protocol::Operation;
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::model::redact::Redactor;
use ecs_status::fleet::model::snapshot::{Service, Snapshot};
use ecs_status::fleet::sweep::{Call, Sweep};
use proptest::prelude::*;

use crate::support::ask::{ask_with, get};
use crate::support::ecs::{Ecs, service};
use crate::support::rollouts::as_of;
use crate::support::start;

const LIST: &str = r#"{"clusterArns":["arn:aws:ecs:us-east-1:123456789012:cluster/web"]}"#;
const CLUSTER: &str = r#"{"clusterArn":"arn:aws:ecs:us-east-1:123456789012:cluster/web","clusterName":"web","status":"ACTIVE","capacityProviders":["FARGATE"],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE"}],"tags":[{"key":"owner","value":"K2"}]}"#;

/// Members of a service, each with its value in JSON.
const MEMBERS: [(&str, &str); 10] = [
    ("status", r#""ACTIVE""#),
    ("desiredCount", "2"),
    ("runningCount", "2"),
    ("pendingCount", "0"),
    ("launchType", r#""FARGATE""#),
    ("capacityProviderStrategy", "[]"),
    (
        "deployments",
        r#"[{"status":"PRIMARY","rolloutState":"COMPLETED"}]"#,
    ),
    ("taskSets", "[]"),
    ("tags", r#"[{"key":"owner","value":"K2"}]"#),
    ("events", r#"[{"message":"steady"}]"#),
];

/// JSON of every type, most of it where ECS has another type.
const ODDITIES: [&str; 31] = [
    "null",
    "true",
    "7",
    "-2",
    "3.0",
    "2.5",
    "1e400",
    "-1e400",
    "123456789012345678901234567890",
    r#""""#,
    r#""3""#,
    r#""UNHEARD_OF""#,
    r#""\ud800""#,
    r#""\u0000""#,
    "{}",
    "[]",
    "[[]]",
    "[null]",
    "[7,\"x\",[]]",
    r#"{"key":"owner"}"#,
    r#"[{"status":"PRIMARY","status":{}}]"#,
    r#"[{"status":7,"rolloutState":[],"launchType":1e400}]"#,
    r#"[{"key":{},"value":[]},{"key":"a","value":3}]"#,
    r#"[{"capacityProvider":false},{"capacityProvider":"FARGATE_SPOT"}]"#,
    r#"[{"key":"a","key":"b","value":null,"\ud800":1}]"#,
    r#"[["owner","K2"],["PRIMARY","COMPLETED"]]"#,
    r#"[{"status":"PRIMARY","createdAt":"yesterday","failedTasks":-1,"taskDefinition":7}]"#,
    r#"[{"status":"PRIMARY","rolloutState":"FAILED","createdAt":1e400,"updatedAt":[]},7]"#,
    r#"[{"message":7,"createdAt":{}},[],{"message":"(service a) is unhealthy in (x)"}]"#,
    "[0,9]",
    "[9,0]",
];

/// A service of these members.
fn object(name: &str, members: &[(&str, &str)]) -> String {
    let mut all = vec![format!(r#""serviceName":"{name}""#)];
    all.extend(
        members
            .iter()
            .map(|(name, value)| format!(r#""{name}":{value}"#)),
    );
    format!("{{{}}}", all.join(","))
}

fn arn(name: &str) -> String {
    format!("arn:aws:ecs:us-east-1:123456789012:service/web/{name}")
}

/// The members of a usual service, with this member of another value.
fn with<'a>(member: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let members = MEMBERS.into_iter();
    let replaced = |(name, usual)| (name, if name == member { value } else { usual });
    members.map(replaced).collect()
}

/// The snapshot of a fleet whose responses have these bodies. The services are called a, b and c.
fn sweep_of(list: &str, clusters: &str, services: &str) -> Result<Snapshot, Cause> {
    let arns = ["a", "b", "c"].map(|name| format!("\"{}\"", arn(name)));
    let arns = format!(r#"{{"serviceArns":[{}]}}"#, arns.join(","));
    sweep_of_all(list, clusters, &arns, services)
}

fn sweep_of_all(list: &str, clusters: &str, arns: &str, services: &str) -> Result<Snapshot, Cause> {
    fn read<O: Operation>(body: &str) -> Result<O::Output, Error> {
        O::decode(body.as_bytes()).map_err(Error::Decode)
    }
    let mut sweep = Sweep::new("default", "us-east-1");
    while let Some(call) = sweep.next_call() {
        match call {
            Call::ListClusters { .. } => sweep.on_list_clusters(read::<ListClusters<'_>>(list)),
            Call::DescribeClusters { clusters: arns } => {
                sweep.on_describe_clusters(arns, read::<DescribeClusters<'_>>(clusters));
            }
            Call::ListServices { cluster, .. } => {
                sweep.on_list_services(cluster, read::<ListServices<'_>>(arns));
            }
            Call::DescribeServices {
                cluster,
                services: arns,
                with_tags,
            } => {
                let response = read::<DescribeServices<'_>>(services);
                sweep.on_describe_services(cluster, arns, with_tags, response);
            }
        }
    }
    sweep.finish(as_of(start()), Redactor::default())
}

/// The snapshot of one cluster with these services.
fn describe(services: &[String]) -> Result<Snapshot, Cause> {
    let clusters = format!(r#"{{"clusters":[{CLUSTER}]}}"#);
    let services = format!(r#"{{"services":[{}]}}"#, services.join(","));
    sweep_of(LIST, &clusters, &services)
}

fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Service> {
    let mut services = snapshot.clusters.iter().flat_map(|c| &c.services);
    services.find(|service| service.service_name == name)
}

/// The clusters and services that failures name, with their reasons.
fn failures(snapshot: &Snapshot) -> Vec<(Option<&str>, Option<&str>, &str)> {
    let failures = snapshot.failures.iter();
    failures
        .map(|f| {
            let names = (f.cluster_name.as_deref(), f.service_name.as_deref());
            (names.0, names.1, f.reason.as_str())
        })
        .collect()
}

#[test]
fn odd_counts_are_read_and_the_neighbours_stay() {
    for (value, count) in [
        ("-2", Some(0)),
        ("3.0", Some(3)),
        ("\"3\"", Some(3)),
        ("4294967296", Some(u32::MAX)),
        ("1e400", Some(u32::MAX)),
        ("2.5", None),
        ("{}", None),
        ("null", None),
    ] {
        let odd = object("a", &with("pendingCount", value));
        let snapshot = describe(&[odd, object("b", &MEMBERS), object("c", &MEMBERS)]).unwrap();
        let pending = find(&snapshot, "a").map(|service| service.pending_count);
        assert_eq!(pending, count, "{value}");
        assert!(find(&snapshot, "b").is_some() && find(&snapshot, "c").is_some());
        let reason = Cause::Unreadable.reason();
        let expected = count
            .is_none()
            .then_some((Some("web"), Some("a"), &*reason));
        assert_eq!(failures(&snapshot), Vec::from_iter(expected), "{value}");
    }
}

#[test]
fn a_service_is_shown_with_what_can_be_read_of_it_and_named() {
    for (member, value, tags, rollout) in [
        ("tags", "7", vec![], Some("COMPLETED")),
        (
            "tags",
            r#"[{"key":"a","value":3},{"key":[]},7,{"key":"b","value":true}]"#,
            vec![("a", "3"), ("b", "true")],
            Some("COMPLETED"),
        ),
        (
            "deployments",
            r#"[7,{"status":"PRIMARY","rolloutState":"FAILED","launchType":[]}]"#,
            vec![("owner", "K2")],
            Some("FAILED"),
        ),
        ("deployments", "{}", vec![("owner", "K2")], None),
        (
            "taskSets",
            "[true]",
            vec![("owner", "K2")],
            Some("COMPLETED"),
        ),
        (
            "capacityProviderStrategy",
            r#"[{"capacityProvider":7}]"#,
            vec![("owner", "K2")],
            Some("COMPLETED"),
        ),
    ] {
        let odd = object("a", &with(member, value));
        let snapshot = describe(&[odd, object("b", &MEMBERS), object("c", &MEMBERS)]).unwrap();
        let service = find(&snapshot, "a").unwrap();
        let shown: Vec<_> = service.tags.iter().collect();
        assert_eq!(shown, tags, "{member}: {value}");
        assert_eq!(service.rollout_state.as_deref(), rollout, "{member}");
        let reason = Cause::Unreadable.reason();
        assert_eq!(failures(&snapshot), [(Some("web"), Some("a"), &*reason)]);
    }
}

#[test]
fn only_what_decides_whether_a_service_runs_on_fargate_makes_another_one_a_failure() {
    for (members, is_failure) in [
        (vec![("launchType", r#""EC2""#), ("tags", "7")], false),
        (
            vec![("launchType", r#""EC2""#), ("deployments", "7")],
            false,
        ),
        (
            vec![("status", r#""INACTIVE""#), ("launchType", "7")],
            false,
        ),
        (
            vec![
                ("launchType", "7"),
                ("taskSets", r#"[{"launchType":"EC2"}]"#),
            ],
            true,
        ),
    ] {
        let mut all = vec![
            ("status", r#""ACTIVE""#),
            ("desiredCount", "2"),
            ("runningCount", "2"),
            ("pendingCount", "0"),
        ];
        all.retain(|(name, _)| members.iter().all(|(other, _)| other != name));
        all.extend(&members);
        let odd = object("a", &all);
        let snapshot = describe(&[odd, object("b", &MEMBERS), object("c", &MEMBERS)]).unwrap();
        assert_eq!(find(&snapshot, "a"), None, "{members:?}");
        assert_eq!(
            snapshot.failures.len(),
            usize::from(is_failure),
            "{members:?}"
        );
    }
}

#[test]
fn a_name_is_read_from_the_arn_where_it_is_missing() {
    for name in ["null", "[]", "{}"] {
        let mut members = MEMBERS.to_vec();
        let arn = format!("\"{}\"", arn("a"));
        members.extend([("serviceName", name), ("serviceArn", &arn)]);
        let odd = object("", &members);
        let snapshot = describe(&[odd, object("b", &MEMBERS), object("c", &MEMBERS)]).unwrap();
        assert!(find(&snapshot, "a").is_some(), "{name}");
        assert_eq!(failures(&snapshot), [], "{name}");
    }
}

#[test]
fn an_odd_cluster_is_shown_and_named_and_its_neighbour_stays() {
    let list = r#"{"clusterArns":["arn:aws:ecs:us-east-1:123456789012:cluster/web","arn:aws:ecs:us-east-1:123456789012:cluster/jobs"]}"#;
    let jobs = CLUSTER
        .replace("/web", "/jobs")
        .replace("\"web\"", "\"jobs\"");
    let services = ["a", "b", "c"].map(|name| object(name, &MEMBERS)).join(",");
    let services = format!(r#"{{"services":[{services}]}}"#);
    for (odd, is_shown, reason) in [
        (
            CLUSTER.replace(r#""key":"owner""#, r#""key":[]"#),
            true,
            Cause::Unreadable,
        ),
        (
            CLUSTER.replace(r#"["FARGATE"]"#, r#"[7,"FARGATE"]"#),
            true,
            Cause::Unreadable,
        ),
        (CLUSTER.replace(r#""ACTIVE""#, "7"), false, Cause::LeftOut),
        (
            CLUSTER.replace(":cluster/web\"", ":cluster/web\",\"clusterArn\":{}"),
            false,
            Cause::LeftOut,
        ),
        ("7".to_owned(), false, Cause::LeftOut),
    ] {
        let clusters = format!(r#"{{"clusters":[{odd},{jobs}],"failures":[7]}}"#);
        let snapshot = sweep_of(list, &clusters, &services).unwrap();
        let names: Vec<_> = snapshot.clusters.iter().map(|c| &*c.cluster_name).collect();
        let expected: &[&str] = if is_shown {
            &["jobs", "web"]
        } else {
            &["jobs"]
        };
        assert_eq!(names, expected, "{odd}");
        let reason = reason.reason();
        assert_eq!(
            failures(&snapshot),
            [(Some("web"), None, &*reason)],
            "{odd}"
        );
    }
}

#[test]
fn an_odd_entry_of_a_list_leaves_the_others_and_is_a_failure() {
    let clusters = format!(r#"{{"clusters":[{CLUSTER}]}}"#);
    let services = format!(r#"{{"services":[{}]}}"#, object("a", &MEMBERS));
    let arns = format!(r#"{{"serviceArns":["{}"]}}"#, arn("a"));
    let reason = Cause::Unreadable.reason();
    for entry in ["7", "null", "{}", "[]"] {
        let odd = LIST.replace('[', &format!("[{entry},"));
        let snapshot = sweep_of_all(&odd, &clusters, &arns, &services).unwrap();
        assert!(find(&snapshot, "a").is_some(), "{entry}");
        assert_eq!(failures(&snapshot), [(None, None, &*reason)], "{entry}");
        let odd = arns.replace('[', &format!("[{entry},"));
        let snapshot = sweep_of_all(LIST, &clusters, &odd, &services).unwrap();
        assert!(find(&snapshot, "a").is_some(), "{entry}");
        assert_eq!(
            failures(&snapshot),
            [(Some("web"), None, &*reason)],
            "{entry}"
        );
    }
    for token in ["{}", "[\"x\"]"] {
        let odd = format!(r#"{},"nextToken":{token}}}"#, arns.trim_end_matches('}'));
        let snapshot = sweep_of_all(LIST, &clusters, &odd, &services).unwrap();
        assert!(find(&snapshot, "a").is_some(), "{token}");
        assert_eq!(
            failures(&snapshot),
            [(Some("web"), None, &*reason)],
            "{token}"
        );
    }
}

#[test]
fn a_body_of_another_shape_is_an_error_and_not_an_empty_fleet() {
    let clusters = format!(r#"{{"clusters":[{CLUSTER}]}}"#);
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "7",
        "<html></html>",
        r#"{"services":null}"#,
        r#"{"services":{}}"#,
        r#"{"services":"x"}"#,
        r#"{"services":[]"#,
        r#"{"services":[{"serviceName":"a"}}"#,
        r#"{"service":[]}"#,
    ] {
        let found = sweep_of(LIST, &clusters, body);
        assert_eq!(found.unwrap_err(), Cause::Unreadable, "{body}");
    }
}

#[test]
fn names_and_tags_hold_the_word_that_is_the_key_of_an_emulator() {
    let test = service("test-api", [1, 1, 0], "COMPLETED", &[("owner", "test")]);
    let keys = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let platform = Ecs::holding(vec![("test", vec![test])]).platform();
    let response = ask_with(&platform, &keys, &get("/list?owner=test"));
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(!body.contains("withheld"), "{body}");
    for part in [
        r#""clusterName":"test""#,
        r#""serviceName":"test-api""#,
        r#""owner":"test""#,
    ] {
        assert!(body.contains(part), "{body}");
    }
}

/// A service called b with one oddity somewhere, and whether it is well read and of another status
/// or launch type.
fn odd_service() -> impl Strategy<Value = (String, bool)> {
    let member = prop::sample::select(MEMBERS.map(|(name, _)| name).to_vec());
    let oddity = prop::sample::select(ODDITIES.to_vec());
    let name = prop_oneof![Just("serviceName"), Just("serviceArn"), Just("other")];
    let is_other =
        |member, odd: &str| matches!(member, "status" | "launchType") && odd.starts_with('"');
    prop_oneof![
        // In place of a member, or after it under the same name.
        4 => (member.clone(), oddity.clone())
            .prop_map(move |(m, odd)| (object("b", &with(m, odd)), is_other(m, odd))),
        2 => (prop_oneof![4 => member.clone(), 1 => name], oddity.clone()).prop_map(move |(m, odd)| {
            (object("b", &[&MEMBERS[..], &[(m, odd)]].concat()), is_other(m, odd))
        }),
        1 => member.prop_map(|m| {
            let others: Vec<_> = MEMBERS.into_iter().filter(|(name, _)| *name != m).collect();
            (object("b", &others), false)
        }),
        1 => oddity.prop_map(|odd| (odd.to_owned(), false)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_oddity_inside_one_service_changes_what_is_reported_of_another(
        (odd, is_other) in odd_service(),
        place in 0_usize..3,
    ) {
        let others = [object("a", &MEMBERS), object("c", &MEMBERS)];
        let expected = describe(&[&others[..], &[object("b", &MEMBERS)]].concat()).unwrap();
        let mut services = others.to_vec();
        services.insert(place, odd);
        let found = describe(&services).unwrap();
        for name in ["a", "c"] {
            prop_assert_eq!(find(&found, name), find(&expected, name));
        }
        // What is not shown is named.
        prop_assert!(
            find(&found, "b").is_some() || !found.failures.is_empty() || is_other,
            "{}",
            services[place]
        );
        for failure in &found.failures {
            prop_assert_eq!(failure.cluster_name.as_deref(), Some("web"));
            prop_assert_eq!(failure.service_name.as_deref(), Some("b"));
        }
    }
}
