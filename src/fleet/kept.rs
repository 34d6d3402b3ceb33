//! What a sweep could not read stays as the snapshot before it had it, for a while, and is marked.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::snapshot::{Cluster, Kept, Snapshot};
use crate::aws::moment::rfc3339;

impl Snapshot {
    /// Takes over from `old`, a snapshot of the same target, the services that are missing here in
    /// clusters of which a part could not be read, if they were read at `oldest` or later. The
    /// failures of these clusters say so.
    pub fn keep_from(&mut self, old: &Self, oldest: SystemTime) {
        for cluster in &old.clusters {
            if self.failed(&cluster.cluster_name) {
                self.keep_cluster(old, cluster, oldest);
            }
        }
        self.clusters
            .sort_by(|a, b| a.cluster_name.cmp(&b.cluster_name));
        self.kept.sort_unstable();
        self.mark();
    }

    /// When a service was read.
    fn read_at(&self, cluster_name: &str, service_name: &str) -> SystemTime {
        let place = |kept: &Kept| {
            (kept.cluster_name.as_str(), kept.service_name.as_str())
                .cmp(&(cluster_name, service_name))
        };
        let index = self.kept.binary_search_by(place).ok();
        let kept = index.and_then(|index| self.kept.get(index));
        kept.map_or(self.generated_at, |kept| kept.read_at)
    }

    /// Whether a part of the cluster could not be read. A failure without a cluster is of any.
    fn failed(&self, cluster_name: &str) -> bool {
        self.failures.iter().any(|failure| {
            let failed = failure.cluster_name.as_deref();
            failed.is_none_or(|failed| failed == cluster_name)
        })
    }

    fn keep_cluster(&mut self, old: &Self, cluster: &Cluster, oldest: SystemTime) {
        let name = &cluster.cluster_name;
        let found = self.clusters.iter().position(|c| c.cluster_name == *name);
        let mut kept = found.map_or_else(
            || Cluster {
                services: Vec::new(),
                ..cluster.clone()
            },
            |index| self.clusters.swap_remove(index),
        );
        let here = kept.services.iter().map(|s| s.service_name.clone());
        let here: BTreeSet<String> = here.collect();
        for service in &cluster.services {
            let read_at = old.read_at(name, &service.service_name);
            if !here.contains(&service.service_name) && read_at >= oldest {
                kept.services.push(service.clone());
                self.kept.push(Kept {
                    cluster_name: name.clone(),
                    service_name: service.service_name.clone(),
                    read_at,
                });
            }
        }
        if !kept.services.is_empty() {
            kept.services
                .sort_by(|a, b| a.service_name.cmp(&b.service_name));
            self.clusters.push(kept);
        }
    }

    /// Says in each failure how many services are old, and how old.
    fn mark(&mut self) {
        for failure in &mut self.failures {
            let failed = failure.cluster_name.as_ref();
            let of = |kept: &&Kept| failed.is_none_or(|failed| *failed == kept.cluster_name);
            let moments: Vec<SystemTime> = self
                .kept
                .iter()
                .filter(of)
                .map(|kept| kept.read_at)
                .collect();
            if let Some(oldest) = moments.iter().min().and_then(|oldest| rfc3339(*oldest)) {
                let services = if moments.len() == 1 {
                    "1 service is".to_owned()
                } else {
                    format!("{} services are", moments.len())
                };
                failure.reason = format!("{}; {services} shown as of {oldest}", failure.reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::snapshot::{Failure, Service, Status, Tags};
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
            tags: Tags::new(),
        }
    }

    /// Clusters with their services, such as `a: x y`, and the clusters that failed.
    fn snapshot(seconds: u64, clusters: &[&str], failed: &[Option<&str>]) -> Snapshot {
        let cluster = |text: &&str| {
            let (name, services) = text.split_once(':').unwrap();
            Cluster {
                cluster_name: name.into(),
                target: "default".into(),
                region: "us-east-1".into(),
                capacity_providers: Vec::new(),
                tags: Tags::new(),
                services: services.split_whitespace().map(service).collect(),
            }
        };
        let failure = |name: Option<&str>| Failure {
            target: "default".into(),
            region: "us-east-1".into(),
            cluster_name: name.map(str::to_owned),
            reason: "AWS failed".into(),
        };
        Snapshot {
            generated_at: at(seconds),
            account: None,
            clusters: clusters.iter().map(cluster).collect(),
            failures: failed.iter().copied().map(failure).collect(),
            kept: Vec::new(),
        }
    }

    fn shown(snapshot: &Snapshot) -> Vec<String> {
        let cluster = |c: &Cluster| {
            let names: Vec<_> = c.services.iter().map(|s| s.service_name.as_str()).collect();
            format!("{}: {}", c.cluster_name, names.join(" "))
        };
        snapshot.clusters.iter().map(cluster).collect()
    }

    #[test]
    fn what_failed_stays_and_what_was_read_is_as_it_was_read() {
        let old = snapshot(0, &["a: x y", "b: x y", "c: x y", "d: x"], &[]);
        let mut new = snapshot(20, &["b: x z", "c: y"], &[Some("a"), Some("b")]);
        new.keep_from(&old, at(0));
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
    fn a_failure_of_no_cluster_keeps_all_that_is_missing() {
        let old = snapshot(0, &["a: x", "b: x"], &[]);
        let mut new = snapshot(20, &["b: y"], &[None]);
        new.keep_from(&old, at(0));
        assert_eq!(shown(&new), ["a: x", "b: x y"]);
    }

    #[test]
    fn what_was_kept_already_does_not_grow_younger_and_is_dropped_in_the_end() {
        let old = snapshot(0, &["a: x"], &[]);
        let mut new = snapshot(20, &["b: y"], &[Some("a")]);
        new.keep_from(&old, at(0));
        let mut newer = snapshot(40, &["b: y"], &[Some("a")]);
        newer.keep_from(&new, at(0));
        assert_eq!(shown(&newer), ["a: x", "b: y"]);
        assert!(newer.failures[0].reason.ends_with("19:40:00Z"));
        let mut last = snapshot(60, &["b: y"], &[Some("a")]);
        last.keep_from(&newer, at(1));
        assert_eq!(shown(&last), ["b: y"]);
        assert_eq!(last.failures[0].reason, "AWS failed");
    }

    #[test]
    fn without_a_failure_nothing_is_kept() {
        let old = snapshot(0, &["a: x"], &[]);
        let mut new = snapshot(20, &[], &[]);
        new.keep_from(&old, at(0));
        assert_eq!(shown(&new), [""; 0]);
    }
}
