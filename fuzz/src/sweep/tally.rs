//! What was asked and answered, kept in another way than a sweep does.

use std::collections::{BTreeMap, BTreeSet};

use ecs_status::aws::ecs;
use ecs_status::aws::error::Error;
use ecs_status::fleet::snapshot::Snapshot;
use ecs_status::fleet::sweep::{Call, Outcome};

use super::name_of;

/// What is known of a fleet.
#[derive(Debug, Default)]
pub struct Tally {
    asked: Vec<Call>,
    /// Pages that have to be asked for: of a cluster's services, or of clusters.
    tokens: BTreeSet<(String, String)>,
    clusters: BTreeSet<String>,
    /// Names of a cluster's services.
    services: BTreeMap<String, BTreeSet<String>>,
    /// Clusters and services of which it is known what they are, or that they are gone.
    known_clusters: BTreeSet<String>,
    known_services: BTreeMap<String, BTreeSet<String>>,
    gone: BTreeSet<String>,
}

impl Tally {
    /// How many calls were answered.
    pub fn calls(&self) -> usize {
        self.asked.len()
    }

    /// Notes a call, which nobody made before, and which fits ECS's limits.
    pub fn ask(&mut self, call: &Call) {
        assert!(!self.asked.contains(call), "{call:?}");
        match call {
            Call::ListClusters(call) => self.turn_page("", call.next_token.as_ref()),
            Call::ListServices(call) => self.turn_page(&call.cluster, call.next_token.as_ref()),
            Call::DescribeClusters(call) => assert!((1..=100).contains(&call.clusters.len())),
            Call::DescribeServices(call) => assert!((1..=10).contains(&call.services.len())),
        }
        self.asked.push(call.clone());
    }

    fn turn_page(&mut self, list: &str, token: Option<&String>) {
        if let Some(token) = token {
            self.tokens.remove(&(list.to_owned(), token.clone()));
        }
    }

    fn promise(&mut self, list: &str, token: Option<&String>) {
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            self.tokens.insert((list.to_owned(), token.clone()));
        }
    }

    /// Notes an answer.
    pub fn take(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::ListClusters(_, Ok(page)) => {
                self.clusters.extend(page.cluster_arns.iter().cloned());
                self.promise("", page.next_token.as_ref());
            }
            Outcome::DescribeClusters(_, Ok(answer)) => {
                let described = answer.clusters.iter().filter(|c| c.status.is_some());
                let described = described.filter_map(|c| c.cluster_arn.clone());
                self.known_clusters.extend(described);
                self.known_clusters.extend(missing(&answer.failures));
            }
            Outcome::ListServices(call, Ok(page)) => {
                let names = page.service_arns.iter().map(|arn| name_of(arn));
                self.services
                    .entry(call.cluster.clone())
                    .or_default()
                    .extend(names);
                self.promise(&call.cluster, page.next_token.as_ref());
            }
            Outcome::DescribeServices(call, Ok(answer)) => {
                let described = answer
                    .services
                    .iter()
                    .filter_map(|s| s.service_name.clone());
                let missing = missing(&answer.failures).map(|arn| name_of(&arn));
                let known = self.known_services.entry(call.cluster.clone()).or_default();
                known.extend(described.chain(missing));
            }
            Outcome::ListServices(ecs::ListServices { cluster, .. }, Err(error))
            | Outcome::DescribeServices(ecs::DescribeServices { cluster, .. }, Err(error)) => {
                let is_gone =
                    matches!(error, Error::Service(e) if e.code == "ClusterNotFoundException");
                self.gone.extend(is_gone.then(|| cluster.clone()));
            }
            Outcome::ListClusters(_, Err(_)) | Outcome::DescribeClusters(_, Err(_)) => {}
        }
    }

    /// Nothing was dropped in silence.
    pub fn check(&self, snapshot: &Snapshot) {
        if !snapshot.failures.is_empty() {
            return;
        }
        for arn in self.clusters.difference(&self.gone) {
            assert!(self.known_clusters.contains(arn), "{arn} is not described");
            let nothing = BTreeSet::new();
            let listed = self
                .services
                .get(arn)
                .expect("a cluster's services are listed");
            let known = self.known_services.get(arn).unwrap_or(&nothing);
            assert!(known.is_superset(listed), "{listed:?}, but {known:?}");
        }
        let is_left = |(list, _): &&(String, String)| !self.gone.contains(list);
        assert_eq!(self.tokens.iter().find(is_left), None);
    }
}

fn missing(failures: &[ecs::Failure]) -> impl Iterator<Item = String> {
    let missing = |f: &&ecs::Failure| f.reason.as_deref() == Some("MISSING");
    failures
        .iter()
        .filter(missing)
        .filter_map(|f| f.arn.clone())
}
