//! Denials in a sweep: one forbidden resource does not hide the others of its batch, for few calls.
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::support::ecs::Ecs;
use crate::support::rollouts::as_of;
use crate::support::{Fake, Reply};
use ecs_status::aws::budget::Budget;
use ecs_status::fleet::model::cause::Cause;
use ecs_status::fleet::model::redact::Redactor;
use ecs_status::fleet::model::snapshot::Snapshot;
use ecs_status::fleet::sweep::driver::drive;
use ecs_status::platform::Clock;
use proptest::prelude::*;

/// The result of a sweep of `ecs`, and the number of its calls by operation.
fn sweep(ecs: Ecs) -> (Result<Snapshot, Cause>, BTreeMap<String, usize>) {
    let ecs = Rc::new(RefCell::new(ecs));
    let server = Rc::clone(&ecs);
    let platform = Fake::new(move |request| Reply {
        after: Duration::from_millis(20),
        sent: server.borrow_mut().respond(request),
    });
    let target = platform.target("default", None);
    let budget = Budget::new("r-1", platform.now(), Duration::from_hours(1));
    let sweep = RefCell::new(target.sweep());
    platform.run(drive(target.ecs(), &sweep, &budget));
    let found = sweep
        .into_inner()
        .finish(as_of(platform.now()), Redactor::default());
    let calls = ecs.borrow().calls.clone();
    (found, calls)
}

/// The names of the services that are shown.
fn shown(snapshot: &Snapshot) -> BTreeSet<String> {
    let clusters = snapshot.clusters.iter();
    let services = clusters.flat_map(|cluster| &cluster.services);
    services
        .map(|service| service.service_name.clone())
        .collect()
}

/// The names of the services and clusters that failures name; a failure of a whole cluster counts
/// for no service.
fn failed(snapshot: &Snapshot) -> (BTreeSet<String>, BTreeSet<String>) {
    let failures = || snapshot.failures.iter();
    let services = failures().filter_map(|failure| failure.service_name.clone());
    let clusters = failures()
        .filter(|failure| failure.service_name.is_none())
        .filter_map(|failure| failure.cluster_name.clone());
    (services.collect(), clusters.collect())
}

fn service(index: usize) -> String {
    format!("service-{index:04}")
}

fn denying(clusters: usize, services: usize, denied: &[usize], names_denied: bool) -> Ecs {
    Ecs {
        denied_services: denied.iter().copied().map(service).collect(),
        names_denied,
        ..Ecs::uniform(clusters, services)
    }
}

#[test]
fn one_forbidden_service_costs_one_call_where_aws_names_it_and_eight_otherwise() {
    for forbidden in 0..10 {
        for (names_denied, calls) in [(true, 2..=2), (false, 7..=9)] {
            let (found, made) = sweep(denying(1, 10, &[forbidden], names_denied));
            let snapshot = found.unwrap();
            let named = BTreeSet::from([service(forbidden)]);
            assert_eq!(failed(&snapshot), (named.clone(), BTreeSet::new()));
            let others: BTreeSet<_> = (0..10).map(service).collect();
            assert_eq!(shown(&snapshot), &others - &named);
            assert!(calls.contains(&made["DescribeServices"]), "{made:?}");
        }
    }
}

#[test]
fn a_batch_of_ten_takes_19_calls_at_most_and_ten_where_aws_names_the_services() {
    for (denied, named, halved) in [
        (vec![], 1, 1),
        (vec![3, 4], 3, 9),
        (vec![0, 9], 3, 15),
        (vec![0, 2, 4, 6, 8], 8, 19),
        ((0..9).collect(), 11, 19),
    ] {
        for (names_denied, most) in [(true, named), (false, halved)] {
            let (found, made) = sweep(denying(1, 10, &denied, names_denied));
            let snapshot = found.unwrap();
            let names: BTreeSet<_> = denied.iter().copied().map(service).collect();
            assert_eq!(failed(&snapshot).0, names);
            assert_eq!(shown(&snapshot).len(), 10 - denied.len());
            assert!(
                made["DescribeServices"] <= most,
                "{denied:?}, {names_denied}: {made:?} is more than {most}"
            );
        }
    }
}

#[test]
fn a_fleet_of_which_no_service_may_be_described_costs_few_calls_more() {
    let all: Vec<usize> = (0..300).collect();
    for names_denied in [true, false] {
        let (found, made) = sweep(denying(1, 300, &all, names_denied));
        assert!(matches!(found.unwrap_err(), Cause::NotAllowed(..)));
        // 30 batches, and what was split before 20 calls were denied.
        let calls = made["DescribeServices"];
        assert!((31..=75).contains(&calls), "{names_denied}: {calls}");
    }
}

#[test]
fn one_forbidden_cluster_of_a_hundred_does_not_hide_the_others() {
    for (names_denied, most) in [(true, 2), (false, 15)] {
        let ecs = Ecs {
            denied: vec!["cluster-0042".into()],
            names_denied,
            ..Ecs::uniform(100, 1)
        };
        let (found, made) = sweep(ecs);
        let snapshot = found.unwrap();
        assert_eq!(snapshot.clusters.len(), 99);
        let clusters = BTreeSet::from(["cluster-0042".to_owned()]);
        assert_eq!(failed(&snapshot), (BTreeSet::new(), clusters));
        assert!(made["DescribeClusters"] <= most, "{made:?}");
    }
}

#[test]
fn a_fleet_of_which_no_cluster_may_be_described_costs_few_calls_more() {
    for names_denied in [true, false] {
        let mut ecs = Ecs::uniform(250, 0);
        ecs.denied = ecs.clusters.keys().cloned().collect();
        ecs.names_denied = names_denied;
        let (found, made) = sweep(ecs);
        assert!(matches!(found.unwrap_err(), Cause::NotAllowed(..)));
        let calls = made["DescribeClusters"];
        assert!((20..=50).contains(&calls), "{names_denied}: {calls}");
    }
}

proptest! {
    #[test]
    fn every_service_is_shown_or_named_as_forbidden(
        size in 1_usize..40,
        denied in prop::collection::btree_set(0_usize..40, 0..12),
        names_denied in any::<bool>(),
        short in prop::collection::btree_set(0_usize..40, 0..4),
    ) {
        let denied: Vec<usize> = denied.into_iter().filter(|index| *index < size).collect();
        let ecs = Ecs {
            short: short.into_iter().map(service).collect(),
            ..denying(2, size, &denied, names_denied)
        };
        let (found, made) = sweep(ecs);
        let batches = 2 * (size.div_ceil(10) + 1);
        prop_assert!(made["DescribeServices"] <= batches + 2 * 18 * denied.len());
        if denied.len() == size {
            return Ok(());
        }
        let snapshot = found.unwrap();
        let forbidden: BTreeSet<_> = denied.into_iter().map(service).collect();
        let all: BTreeSet<_> = (0..size).map(service).collect();
        prop_assert_eq!(shown(&snapshot), &all - &forbidden);
        prop_assert_eq!(failed(&snapshot), (forbidden, BTreeSet::new()));
    }
}
