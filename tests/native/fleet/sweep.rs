//! Sweep and its driver: the calls that are made, when, and what their responses become.
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::support::ecs::{ACCOUNT, Ecs};
use crate::support::rollouts::as_of;
use crate::support::{Fake, Reply, ok, start};
use ecs_status::aws::budget::Budget;
use ecs_status::aws::lenient::{self, Lenient};
use ecs_status::aws::protocol::OperationName;
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::model::policy_denial::PolicyDenial;
use ecs_status::fleet::model::redact::Redactor;
use ecs_status::fleet::model::snapshot::Snapshot;
use ecs_status::fleet::sweep::driver::{CONCURRENCY, drive};
use ecs_status::fleet::sweep::{Call, Sweep, SweepProgress};
use ecs_status::platform::Clock;
use proptest::prelude::*;
use serde_json::{Value, json};

const LATENCY: Duration = Duration::from_millis(20);

struct Swept {
    found: Result<Snapshot, Cause>,
    calls: BTreeMap<String, usize>,
    elapsed: Duration,
    peak: usize,
}

fn sweep(ecs: Ecs) -> Swept {
    let ecs = Rc::new(RefCell::new(ecs));
    let server = Rc::clone(&ecs);
    let platform = Fake::new(move |request| Reply {
        after: LATENCY,
        sent: server.borrow_mut().respond(request),
    });
    // Retries come at once, so that the time is that of the calls alone.
    platform.set_random(0);
    let target = platform.target("default", None);
    let budget = Budget::new("r-1", platform.now(), Duration::from_hours(1));
    let sweep = RefCell::new(target.sweep());
    platform.run(drive(target.ecs(), &sweep, &budget));
    let sweep = sweep.into_inner();
    let calls = ecs.borrow().calls.clone();
    Swept {
        found: sweep.finish(as_of(platform.now()), Redactor::default()),
        calls,
        elapsed: platform.elapsed(),
        peak: platform.peak(),
    }
}

fn names(snapshot: &Snapshot) -> BTreeSet<(String, String)> {
    snapshot
        .clusters
        .iter()
        .flat_map(|c| {
            c.services
                .iter()
                .map(|s| (c.cluster_name.clone(), s.service_name.clone()))
        })
        .collect()
}

fn all(ecs: &Ecs) -> BTreeSet<(String, String)> {
    ecs.clusters
        .iter()
        .flat_map(|(c, services)| services.iter().map(|s| (c.clone(), s.clone())))
        .collect()
}

#[test]
fn every_service_is_found_with_the_calls_of_the_formula_and_no_more() {
    for (clusters, services) in [
        (0, 0),
        (1, 0),
        (1, 1),
        (1, 10),
        (1, 11),
        (3, 100),
        (2, 101),
        (101, 1),
        (250, 2),
    ] {
        for page in [None, Some(7)] {
            let ecs = Ecs {
                page,
                ..Ecs::uniform(clusters, services)
            };
            let swept = sweep(ecs.clone());
            let snapshot = swept.found.unwrap();
            assert_eq!(names(&snapshot), all(&ecs), "{clusters} × {services}");
            assert_eq!(snapshot.failures, [], "{clusters} × {services}");
            assert_eq!(
                swept.calls,
                ecs.needed(),
                "{clusters} × {services}, pages of {page:?}"
            );
        }
    }
}

/// The longest chain of calls that need each other's responses.
fn critical_path(ecs: &Ecs) -> usize {
    let list_clusters = ecs.clusters.len().div_ceil(100).max(1);
    let longest = ecs.clusters.values().map(Vec::len).max().unwrap_or(0);
    list_clusters + longest.div_ceil(100).max(1) + usize::from(longest > 0)
}

#[test]
fn a_sweep_takes_the_time_of_six_connections_that_are_never_idle() {
    for (clusters, services) in [
        (1, 1),
        (1, 1_000),
        (10, 100),
        (100, 3),
        (20, 250),
        (5, 5_000),
    ] {
        let ecs = Ecs::uniform(clusters, services);
        let swept = sweep(ecs.clone());
        assert!(swept.peak <= CONCURRENCY, "{}", swept.peak);
        let calls: usize = swept.calls.values().sum();
        let least =
            LATENCY * u32::try_from(critical_path(&ecs).max(calls.div_ceil(CONCURRENCY))).unwrap();
        // The start and the end of a sweep cannot fill six connections: two more rounds at most.
        let most = least.mul_f64(1.15).max(least + LATENCY * 2);
        assert!(
            (least..=most).contains(&swept.elapsed),
            "{clusters} × {services}: {:?} is not within {least:?} and {most:?}",
            swept.elapsed
        );
    }
}

#[test]
fn a_service_that_vanishes_is_no_failure_and_one_that_is_omitted_is() {
    let vanished = Ecs {
        vanished: vec!["service-0003".into()],
        ..Ecs::uniform(1, 12)
    };
    let snapshot = sweep(vanished).found.unwrap();
    assert_eq!((names(&snapshot).len(), snapshot.failures.len()), (11, 0));

    let omitted = Ecs {
        omitted: vec!["service-0003".into()],
        ..Ecs::uniform(1, 12)
    };
    let snapshot = sweep(omitted).found.unwrap();
    assert_eq!(names(&snapshot).len(), 11);
    assert_eq!(snapshot.failures.len(), 1);
    assert_eq!(
        snapshot.failures[0].cluster_name.as_deref(),
        Some("cluster-0000")
    );
}

#[test]
fn a_cluster_that_vanishes_is_no_failure() {
    for operation in ["ListServices", "DescribeServices"] {
        let mut ecs = Ecs::uniform(2, 3);
        let gone = (operation.to_owned(), "cluster-0000".to_owned());
        ecs.errors.insert(gone, "ClusterNotFoundException");
        let snapshot = sweep(ecs).found.unwrap();
        assert_eq!(snapshot.failures, [], "{operation}");
        assert_eq!(snapshot.clusters.len(), 1, "{operation}");
    }
}

#[test]
fn a_list_that_repeats_a_page_ends_with_a_failure() {
    let ecs = Ecs {
        repeats: true,
        ..Ecs::uniform(2, 3)
    };
    let swept = sweep(ecs.clone());
    let snapshot = swept.found.unwrap();
    assert_eq!(names(&snapshot), all(&ecs));
    // The fleet's list, and each of the two clusters' lists.
    assert_eq!(snapshot.failures.len(), 3);
    assert_eq!(swept.calls["ListClusters"], 2);
    assert_eq!(swept.calls["ListServices"], 4);
}

#[test]
fn a_fleet_of_which_nothing_can_be_read_is_an_error_that_names_the_action() {
    for operation in [
        OperationName::ListClusters,
        OperationName::DescribeClusters,
        OperationName::ListServices,
        OperationName::DescribeServices,
    ] {
        let mut ecs = Ecs::uniform(2, 3);
        for cluster in ["", "cluster-0000", "cluster-0001"] {
            ecs.fail(operation.as_str(), cluster, "AccessDeniedException");
        }
        assert_eq!(
            sweep(ecs).found.unwrap_err(),
            Cause::NotAllowed(operation, PolicyDenial::Unstated)
        );
    }
}

#[test]
fn refused_tags_are_requested_once_and_then_omitted() {
    let mut ecs = Ecs::uniform(1, 3);
    ecs.errors.insert(
        ("DescribeServices".into(), "cluster-0000".into()),
        "InvalidParameterException",
    );
    let swept = sweep(ecs);
    assert_eq!(swept.calls["DescribeServices"], 2);
    assert_eq!(swept.found.unwrap_err(), Cause::Refused);
}

#[test]
fn a_refusal_that_is_not_about_tags_is_not_retried_without_them() {
    let mut ecs = Ecs::uniform(1, 3);
    ecs.errors.insert(
        ("DescribeServices".into(), "cluster-0000".into()),
        "ClientException",
    );
    assert_eq!(sweep(ecs).calls["DescribeServices"], 1);
}

#[test]
fn services_whose_tags_were_refused_are_shown_and_a_failure_says_so() {
    let ecs = Ecs {
        refuses_tags: true,
        ..Ecs::uniform(1, 3)
    };
    let snapshot = sweep(ecs.clone()).found.unwrap();
    assert_eq!(names(&snapshot), all(&ecs));
    let reasons: Vec<_> = snapshot
        .failures
        .iter()
        .map(|f| f.reason.as_str())
        .collect();
    assert_eq!(reasons, [Cause::TagsRefused.reason()]);
}

#[test]
fn services_with_a_short_arn_are_described_apart_and_without_tags() {
    let ecs = Ecs {
        short: (3..6).map(|i| format!("service-{i:04}")).collect(),
        ..Ecs::uniform(1, 15)
    };
    let swept = sweep(ecs.clone());
    let snapshot = swept.found.unwrap();
    assert_eq!((names(&snapshot), snapshot.failures), (all(&ecs), vec![]));
    // Ten and two with tags, and three without.
    assert_eq!(swept.calls["DescribeServices"], 3);
}

#[test]
fn a_fleet_whose_known_services_vanished_is_no_error_beside_a_failure() {
    let mut ecs = Ecs::uniform(2, 2);
    ecs.vanished.clone_from(&ecs.clusters["cluster-0000"]);
    let denied = ("ListServices".to_owned(), "cluster-0001".to_owned());
    ecs.errors.insert(denied, "AccessDeniedException");
    let snapshot = sweep(ecs).found.unwrap();
    assert_eq!((snapshot.clusters.len(), snapshot.failures.len()), (0, 1));
}

const WEB: &str = "arn:aws:ecs:us-east-1:123456789012:cluster/web";
const JOBS: &str = "arn:aws:ecs:us-east-1:123456789012:cluster/jobs";

/// Responds to the call that is due next with `body`; whether it is a list.
fn respond_next(sweep: &mut Sweep, body: &Value) -> bool {
    fn read<T: Lenient>(body: &Value) -> T {
        lenient::decode(body.to_string().as_bytes()).unwrap()
    }
    let call = sweep.next_call().unwrap();
    let is_list = matches!(call, Call::ListClusters { .. } | Call::ListServices { .. });
    match call {
        Call::ListClusters { .. } => sweep.on_list_clusters(Ok(read(body))),
        Call::DescribeClusters { clusters } => {
            sweep.on_describe_clusters(clusters, Ok(read(body)));
        }
        Call::ListServices { cluster, .. } => sweep.on_list_services(cluster, Ok(read(body))),
        Call::DescribeServices {
            cluster,
            services,
            with_tags,
        } => sweep.on_describe_services(cluster, services, with_tags, Ok(read(body))),
    }
    is_list
}

fn service_arns(prefix: &str, count: usize) -> Vec<String> {
    let arn = |i| format!("arn:aws:ecs:us-east-1:123456789012:service/{prefix}{i}");
    (0..count).map(arn).collect()
}

#[test]
fn the_progress_counts_what_is_known_so_far() {
    let mut sweep = Sweep::new("default", "us-east-1");
    respond_next(&mut sweep, &json!({"clusterArns": [WEB]}));
    let arns = [service_arns("web/s", 12), service_arns("short", 3)].concat();
    respond_next(
        &mut sweep,
        &json!({"serviceArns": arns, "nextToken": "more"}),
    );
    let mut progress = SweepProgress {
        clusters: 1,
        services: 15,
        described: 0,
        // The next page, the cluster, and the first ten services.
        calls_left: 3,
    };
    assert_eq!(sweep.progress(), progress);
    let page = sweep.next_call().unwrap();
    respond_next(&mut sweep, &json!({"clusters": []}));
    respond_next(&mut sweep, &json!({"services": []}));
    (progress.described, progress.calls_left) = (10, 0);
    assert_eq!(sweep.progress(), progress);
    sweep.requeue(page);
    assert_eq!(sweep.progress().calls_left, 1);
}

#[test]
fn lists_come_first_but_every_sixth_call_is_a_description() {
    let mut sweep = Sweep::new("default", "us-east-1");
    let clusters: Vec<_> = (0..20).map(|i| format!("{WEB}{i}")).collect();
    let body = json!({
        "clusterArns": clusters, "serviceArns": service_arns("web/s", 100), "clusters": [], "services": [],
    });
    let order: Vec<_> = (0..18).map(|_| respond_next(&mut sweep, &body)).collect();
    let expected: Vec<_> = (1..=18).map(|call| call % 6 != 0).collect();
    assert_eq!(order, expected);
}

#[test]
fn a_cluster_that_is_not_described_is_a_failure_unless_it_vanished() {
    let active = |arn| json!({"clusterArn": arn, "status": "ACTIVE"});
    for (body, failed) in [
        (json!({"clusters": [active(WEB), active(JOBS)]}), None),
        (
            json!({"clusters": [active(WEB)], "failures": [{"arn": JOBS, "reason": "MISSING"}]}),
            None,
        ),
        (
            json!({"clusters": [active(WEB)], "failures": [{"arn": JOBS, "reason": "OTHER"}]}),
            Some("jobs"),
        ),
        (
            json!({"clusters": [active(WEB), {"clusterArn": JOBS}]}),
            Some("jobs"),
        ),
        (json!({"clusters": [active(WEB)]}), Some("jobs")),
    ] {
        let mut sweep = Sweep::new("default", "us-east-1");
        respond_next(&mut sweep, &json!({"clusterArns": [WEB, JOBS]}));
        respond_next(
            &mut sweep,
            &json!({"serviceArns": service_arns("web/s", 1)}),
        );
        respond_next(&mut sweep, &json!({"serviceArns": []}));
        let found = json!([{"serviceName": "s0", "status": "DRAINING"}]);
        respond_next(&mut sweep, &body);
        respond_next(&mut sweep, &json!({"services": found}));
        assert!(sweep.is_done());
        let snapshot = sweep.finish(as_of(start()), Redactor::default()).unwrap();
        let failures = snapshot.failures.iter();
        let names: Vec<_> = failures.map(|f| f.cluster_name.as_deref()).collect();
        assert_eq!(names, Vec::from_iter(failed.map(Some)), "{body}");
    }
}

#[test]
fn a_cluster_that_may_not_be_described_does_not_affect_the_others() {
    let mut ecs = Ecs::uniform(5, 3);
    ecs.denied = vec!["cluster-0001".into(), "cluster-0003".into()];
    ecs.names_denied = true;
    let swept = sweep(ecs);
    let snapshot = swept.found.unwrap();
    let clusters: Vec<_> = snapshot
        .clusters
        .iter()
        .map(|c| c.cluster_name.as_str())
        .collect();
    assert_eq!(clusters, ["cluster-0000", "cluster-0002", "cluster-0004"]);
    let failed: BTreeSet<_> = snapshot
        .failures
        .iter()
        .filter_map(|f| f.cluster_name.as_deref())
        .collect();
    assert_eq!(failed, BTreeSet::from(["cluster-0001", "cluster-0003"]));
    assert_eq!(
        swept.calls["DescribeClusters"], 3,
        "one more call for each of them"
    );
}

#[test]
fn a_failed_cluster_is_named_without_the_account_id() {
    let mut ecs = Ecs::uniform(1, 1);
    let cluster = format!("jobs-{ACCOUNT}");
    ecs.clusters.insert(cluster.clone(), vec![]);
    ecs.denied = vec![cluster];
    let failures = sweep(ecs).found.unwrap().failures;
    assert!(!failures.is_empty());
    for failure in failures {
        assert_eq!(failure.cluster_name.as_deref(), Some("jobs-[withheld]"));
    }
}

#[test]
fn a_service_that_is_described_twice_is_reported_once_and_the_missing_one_is_a_failure() {
    let ecs = Ecs {
        doubled: vec!["service-0003".into()],
        ..Ecs::uniform(1, 5)
    };
    let snapshot = sweep(ecs).found.unwrap();
    assert_eq!(snapshot.clusters[0].services.len(), 4);
    assert_eq!(snapshot.failures.len(), 1);
}

#[test]
fn a_sweep_ends_at_its_deadline() {
    let platform = Fake::new(|_| Reply {
        after: Duration::from_secs(1_000),
        sent: ok("{}"),
    });
    let target = platform.target("default", None);
    let budget = Budget::new("r-1", platform.now(), Duration::from_secs(20));
    let sweep = RefCell::new(target.sweep());
    platform.run(drive(target.ecs(), &sweep, &budget));
    let sweep = sweep.into_inner();
    assert_eq!(
        sweep
            .finish(as_of(platform.now()), Redactor::default())
            .unwrap_err(),
        Cause::TimedOut
    );
    assert!(platform.elapsed() <= Duration::from_secs(21));
}

fn fleets() -> impl Strategy<Value = Ecs> {
    let operation =
        prop::sample::select(vec!["DescribeClusters", "ListServices", "DescribeServices"]);
    let code = prop::sample::select(vec![
        "AccessDeniedException",
        "ServerException",
        "ClientException",
    ]);
    (
        prop::collection::vec(0_usize..35, 1..6),
        prop::option::of(1_usize..20),
        prop::collection::vec((operation, 0_usize..7, code), 0..4),
        prop::collection::vec(0_usize..35, 0..3),
    )
        .prop_map(|(sizes, page, errors, omitted)| {
            let mut ecs = Ecs {
                page,
                ..Ecs::default()
            };
            for (index, size) in sizes.into_iter().enumerate() {
                let services = (0..size).map(|i| format!("service-{i:04}")).collect();
                ecs.clusters.insert(format!("cluster-{index:04}"), services);
            }
            for (operation, cluster, code) in errors {
                let cluster = match operation {
                    "DescribeClusters" => String::new(),
                    _ => format!("cluster-{cluster:04}"),
                };
                ecs.errors.insert((operation.to_owned(), cluster), code);
            }
            ecs.omitted = omitted
                .into_iter()
                .map(|i| format!("service-{i:04}"))
                .collect();
            ecs
        })
}

proptest! {
    #[test]
    fn a_service_that_is_missing_has_a_failure_for_its_cluster(ecs in fleets()) {
        let swept = sweep(ecs.clone());
        prop_assert!(swept.peak <= CONCURRENCY);
        if let Ok(snapshot) = swept.found {
            let found = names(&snapshot);
            prop_assert!(found.is_subset(&all(&ecs)));
            let failed: BTreeSet<_> =
                snapshot.failures.iter().filter_map(|f| f.cluster_name.clone()).collect();
            for (cluster, service) in all(&ecs).difference(&found) {
                prop_assert!(failed.contains(cluster), "{cluster}/{service} is missing without a failure");
            }
            let mut sorted = snapshot.clusters.clone();
            sorted.sort_by(|a, b| a.cluster_name.cmp(&b.cluster_name));
            prop_assert_eq!(&sorted, &snapshot.clusters);
        } else {
            prop_assert!(!ecs.errors.is_empty() || !ecs.omitted.is_empty());
        }
    }
}
