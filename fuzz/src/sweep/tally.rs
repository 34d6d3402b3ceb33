//! Tally of calls and responses, counted in another way than a sweep counts them.

use std::collections::{BTreeMap, BTreeSet};

use ecs_status::aws::ecs::{
    DescribeClustersOutput, DescribeServicesOutput, Failure, ListClustersOutput, ListServicesOutput,
};
use ecs_status::aws::error::Error;
use ecs_status::fleet::model::snapshot::Snapshot;
use ecs_status::fleet::sweep::Call;

use super::name_of;

/// Everything that the responses say about a fleet.
#[derive(Debug, Default)]
pub struct Tally {
    made: Vec<Call>,
    /// Pages that are due: of a cluster's services, or of clusters.
    tokens: BTreeSet<(String, String)>,
    clusters: BTreeSet<String>,
    /// Names of a cluster's services.
    services: BTreeMap<String, BTreeSet<String>>,
    /// Clusters and services that are described, or known to be missing.
    known_clusters: BTreeSet<String>,
    known_services: BTreeMap<String, BTreeSet<String>>,
    gone: BTreeSet<String>,
}

impl Tally {
    /// The number of calls that were made.
    pub fn calls(&self) -> usize {
        self.made.len()
    }

    /// Notes a call, which must be new and within the limits of ECS.
    pub fn call(&mut self, call: &Call) {
        assert!(!self.made.contains(call), "{call:?}");
        match call {
            Call::ListClusters { next_token } => self.turn_page("", next_token.as_ref()),
            Call::ListServices {
                cluster,
                next_token,
            } => self.turn_page(cluster, next_token.as_ref()),
            Call::DescribeClusters { clusters } => assert!((1..=100).contains(&clusters.len())),
            Call::DescribeServices { services, .. } => assert!((1..=10).contains(&services.len())),
        }
        self.made.push(call.clone());
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

    /// Notes a page of clusters.
    pub fn on_list_clusters(&mut self, response: &Result<ListClustersOutput, Error>) {
        if let Ok(page) = response {
            self.clusters.extend(page.cluster_arns.iter().cloned());
            self.promise("", page.next_token.as_ref());
        }
    }

    /// Notes descriptions of clusters.
    pub fn on_describe_clusters(&mut self, response: &Result<DescribeClustersOutput, Error>) {
        if let Ok(response) = response {
            let described = response.clusters.iter().filter(|c| c.status.is_some());
            let described = described.filter_map(|c| c.cluster_arn.clone());
            self.known_clusters.extend(described);
            self.known_clusters.extend(missing(&response.failures));
        }
    }

    /// Notes a page of a cluster's services.
    pub fn on_list_services(
        &mut self,
        cluster: &str,
        response: &Result<ListServicesOutput, Error>,
    ) {
        match response {
            Ok(page) => {
                let names = page.service_arns.iter().map(|arn| name_of(arn));
                let services = self.services.entry(cluster.to_owned()).or_default();
                services.extend(names);
                self.promise(cluster, page.next_token.as_ref());
            }
            Err(error) => self.on_error(cluster, error),
        }
    }

    /// Notes descriptions of a cluster's services.
    pub fn on_describe_services(
        &mut self,
        cluster: &str,
        response: &Result<DescribeServicesOutput, Error>,
    ) {
        match response {
            Ok(response) => {
                let described = response.services.iter();
                let described = described.filter_map(|s| s.service_name.clone());
                let missing = missing(&response.failures).map(|arn| name_of(&arn));
                let known = self.known_services.entry(cluster.to_owned()).or_default();
                known.extend(described.chain(missing));
            }
            Err(error) => self.on_error(cluster, error),
        }
    }

    fn on_error(&mut self, cluster: &str, error: &Error) {
        if matches!(error, Error::Service(e) if e.code == "ClusterNotFoundException") {
            self.gone.insert(cluster.to_owned());
        }
    }

    /// Panics where a snapshot without failures is not complete.
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

fn missing(failures: &[Failure]) -> impl Iterator<Item = String> {
    let missing = |f: &&Failure| f.reason.as_deref() == Some("MISSING");
    failures
        .iter()
        .filter(missing)
        .filter_map(|f| f.arn.clone())
}
