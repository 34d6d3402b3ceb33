//! Carry-over: services that a sweep could not read stay as the snapshot before had them, for a
//! while, and the failures say so.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::SystemTime;

use crate::fleet::model::snapshot::{
    CarriedOver, Cluster, Failure, Snapshot, sort_clusters, sort_services,
};
use crate::order::sort;
use crate::time::rfc3339;

impl Snapshot {
    /// Takes over services from `old`, a snapshot of the same target: those that are missing here in
    /// the parts that could not be read, and that were read at `oldest` or later. The failures of
    /// these parts say so.
    pub fn carry_over(&mut self, old: &Self, oldest: SystemTime) {
        for cluster in &old.clusters {
            self.carry_over_cluster(old, cluster, oldest);
        }
        sort_clusters(&mut self.clusters);
        sort(&mut self.carried_over);
        self.mark();
    }

    /// The time at which a service was read.
    fn read_at(&self, cluster_name: &str, service_name: &str) -> SystemTime {
        let place = |carried: &CarriedOver| {
            (carried.cluster_name.as_str(), carried.service_name.as_str())
                .cmp(&(cluster_name, service_name))
        };
        let index = self.carried_over.binary_search_by(place).ok();
        let carried = index.and_then(|index| self.carried_over.get(index));
        carried.map_or(self.generated_at, |carried| carried.read_at)
    }

    fn carry_over_cluster(&mut self, old: &Self, cluster: &Cluster, oldest: SystemTime) {
        let name = &cluster.cluster_name;
        let Some(failed) = Failed::of(&self.failures, name) else {
            return;
        };
        let found = self.clusters.iter().position(|c| c.cluster_name == *name);
        let mut merged = found.map_or_else(
            || Cluster {
                services: Vec::new(),
                ..cluster.clone()
            },
            |index| Rc::unwrap_or_clone(self.clusters.swap_remove(index)),
        );
        let here = merged.services.iter().map(|s| s.service_name.clone());
        let mut names: BTreeSet<String> = BTreeSet::new();
        names.extend(here);
        for service in &cluster.services {
            let read_at = old.read_at(name, &service.service_name);
            let is_missing =
                !names.contains(&service.service_name) && failed.concerns(&service.service_name);
            if is_missing && read_at >= oldest {
                merged.services.push(service.clone());
                self.carried_over.push(CarriedOver {
                    cluster_name: name.clone(),
                    service_name: service.service_name.clone(),
                    read_at,
                });
            }
        }
        if !merged.services.is_empty() {
            sort_services(&mut merged.services);
            self.clusters.push(Rc::new(merged));
        }
    }

    /// Adds to each failure how many services were carried over, and their age.
    fn mark(&mut self) {
        for failure in &mut self.failures {
            let cluster = failure.cluster_name.as_ref();
            let service = failure.service_name.as_ref();
            let concerns = |carried: &&CarriedOver| {
                cluster.is_none_or(|cluster| *cluster == carried.cluster_name)
                    && service.is_none_or(|service| *service == carried.service_name)
            };
            let times: Vec<SystemTime> = self
                .carried_over
                .iter()
                .filter(concerns)
                .map(|carried| carried.read_at)
                .collect();
            if let Some(oldest) = times.iter().min().and_then(|oldest| rfc3339(*oldest)) {
                let services = if times.len() == 1 {
                    "1 service is".to_owned()
                } else {
                    format!("{} services are", times.len())
                };
                failure.reason = format!("{}; {services} shown as of {oldest}", failure.reason);
            }
        }
    }
}

/// The services of a cluster that failures concern.
enum Failed<'a> {
    All,
    Some(BTreeSet<&'a str>),
}

impl<'a> Failed<'a> {
    /// `None` if no failure concerns the cluster. A failure without a cluster concerns all.
    fn of(failures: &'a [Failure], cluster_name: &str) -> Option<Self> {
        let mut services = BTreeSet::new();
        for failure in failures {
            let failed = failure.cluster_name.as_deref();
            if failed.is_none_or(|failed| failed == cluster_name) {
                match &failure.service_name {
                    Some(service) => services.insert(service.as_str()),
                    None => return Some(Self::All),
                };
            }
        }
        (!services.is_empty()).then_some(Self::Some(services))
    }

    fn concerns(&self, service_name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(services) => services.contains(service_name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::model::snapshot::{Service, Status};
    use crate::fleet::model::tags::Tags;
    use std::time::{Duration, UNIX_EPOCH};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_376_400 + seconds)
    }

    fn service(name: &str) -> Service {
        Service {
            service_name: name.into(),
            status: Status::Active,
            capacity_providers: Vec::new(),
            rollout_state: None,
            desired_count: 1,
            running_count: 1,
            pending_count: 0,
            tags: Tags::default(),
            ..Service::default()
        }
    }

    /// Clusters with their services, such as `a: x y`, and what failed: all, a cluster, or a service
    /// such as `a/x`.
    fn snapshot(seconds: u64, clusters: &[&str], failed: &[Option<&str>]) -> Snapshot {
        let cluster = |text: &&str| {
            let (name, services) = text.split_once(':').unwrap();
            Rc::new(Cluster {
                cluster_name: name.into(),
                target: "default".into(),
                region: "us-east-1".into(),
                capacity_providers: Vec::new(),
                tags: Tags::default(),
                services: services.split_whitespace().map(service).collect(),
            })
        };
        let failure = |name: Option<&str>| {
            let mut parts = name.into_iter().flat_map(|name| name.split('/'));
            Failure {
                target: "default".into(),
                region: "us-east-1".into(),
                cluster_name: parts.next().map(str::to_owned),
                service_name: parts.next().map(str::to_owned),
                reason: "AWS failed".into(),
            }
        };
        Snapshot {
            generated_at: at(seconds),
            account: None,
            clusters: clusters.iter().map(cluster).collect(),
            failures: failed.iter().copied().map(failure).collect(),
            carried_over: Vec::new(),
        }
    }

    fn shown(snapshot: &Snapshot) -> Vec<String> {
        let cluster = |c: &Rc<Cluster>| {
            let names: Vec<_> = c.services.iter().map(|s| s.service_name.as_str()).collect();
            format!("{}: {}", c.cluster_name, names.join(" "))
        };
        snapshot.clusters.iter().map(cluster).collect()
    }

    #[test]
    fn services_of_failed_clusters_stay_and_those_that_were_read_are_new() {
        let old = snapshot(0, &["a: x y", "b: x y", "c: x y", "d: x"], &[]);
        let mut new = snapshot(20, &["b: x z", "c: y"], &[Some("a"), Some("b")]);
        new.carry_over(&old, at(0));
        assert_eq!(shown(&new), ["a: x y", "b: x y z", "c: y"]);
        let reasons: Vec<_> = new.failures.iter().map(|f| f.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "AWS failed; 2 services are shown as of 2026-11-22T19:40:00Z",
                "AWS failed; 1 service is shown as of 2026-11-22T19:40:00Z"
            ]
        );
    }

    #[test]
    fn a_failure_without_a_cluster_carries_over_all_missing_services() {
        let old = snapshot(0, &["a: x", "b: x"], &[]);
        let mut new = snapshot(20, &["b: y"], &[None]);
        new.carry_over(&old, at(0));
        assert_eq!(shown(&new), ["a: x", "b: x y"]);
    }

    #[test]
    fn a_service_carried_over_twice_stays_as_old_as_it_is_until_it_is_dropped() {
        let old = snapshot(0, &["a: x"], &[]);
        let mut new = snapshot(20, &["b: y"], &[Some("a")]);
        new.carry_over(&old, at(0));
        let mut newer = snapshot(40, &["b: y"], &[Some("a")]);
        newer.carry_over(&new, at(0));
        assert_eq!(shown(&newer), ["a: x", "b: y"]);
        assert!(newer.failures[0].reason.ends_with("19:40:00Z"));
        let mut last = snapshot(60, &["b: y"], &[Some("a")]);
        last.carry_over(&newer, at(1));
        assert_eq!(shown(&last), ["b: y"]);
        assert_eq!(last.failures[0].reason, "AWS failed");
    }

    #[test]
    fn a_failure_of_a_service_carries_over_no_other_service() {
        let old = snapshot(0, &["a: x y z"], &[]);
        let mut new = snapshot(20, &["a: z"], &[Some("a/x"), Some("a/z"), Some("b/y")]);
        new.carry_over(&old, at(0));
        assert_eq!(shown(&new), ["a: x z"]);
        let reasons: Vec<_> = new.failures.iter().map(|f| f.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "AWS failed; 1 service is shown as of 2026-11-22T19:40:00Z",
                "AWS failed",
                "AWS failed"
            ]
        );
    }

    #[test]
    fn without_a_failure_nothing_is_carried_over() {
        let old = snapshot(0, &["a: x"], &[]);
        let mut new = snapshot(20, &[], &[]);
        new.carry_over(&old, at(0));
        assert_eq!(shown(&new), [""; 0]);
    }
}
