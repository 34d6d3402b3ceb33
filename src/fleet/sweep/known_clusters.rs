//! Known clusters: what a sweep has found out about each cluster, so that single services of it can be
//! read anew later.

use super::Sweep;
use super::cluster_sweep::{ClusterSweep, Description, KnownClusters};
use crate::aws::arn::name_of;

impl Sweep {
    /// The clusters that are described so far. Their names are sorted, as their ARNs are and differ in
    /// nothing else.
    #[must_use]
    pub fn known_clusters(&self) -> KnownClusters {
        let described = self.clusters.iter().filter_map(|(arn, cluster)| {
            let description = cluster.description.clone().filter(|_| !cluster.gone)?;
            Some((name_of(arn).to_owned(), description))
        });
        KnownClusters(described.collect())
    }

    /// The account of the target, as far as it is known.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Adds the descriptions of these services of a cluster that is known, in place of listing them.
    #[must_use]
    pub(super) fn with_services(mut self, description: Description, services: Vec<String>) -> Self {
        let name = description.name().to_owned();
        let mut cluster = ClusterSweep::of(description);
        cluster.list(services);
        self.describes.extend(cluster.due_batches(&name, true));
        self.clusters.insert(name, cluster);
        self
    }
}
