//! `DescribeClusters`: up to 100 clusters with their tags.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html>

use super::types::{CapacityProviderStrategyItem, Failure, Tag};
use crate::aws::lenient::{Lenient, Members, decoded_by_member};
use crate::aws::protocol::{EcsOperation, OperationName};
use crate::json::Json;

/// The number of clusters that one call takes.
pub const DESCRIBE_CLUSTERS_MAX: usize = 100;

/// Describes up to 100 clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeClusters<'a> {
    /// Names or ARNs.
    pub clusters: &'a [String],
}

impl<'a> DescribeClusters<'a> {
    /// Describes `clusters` with their tags.
    #[must_use]
    pub fn with_tags(clusters: &'a [String]) -> Self {
        Self { clusters }
    }
}

impl EcsOperation for DescribeClusters<'_> {
    const NAME: OperationName = OperationName::DescribeClusters;
    type Output = DescribeClustersOutput;

    fn write(&self, json: &mut Json) {
        json.raw("{\"clusters\":");
        json.strings(self.clusters);
        json.raw(",\"include\":[\"TAGS\"]}");
    }
}

/// The clusters that exist, and the others as failures.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct DescribeClustersOutput {
    pub clusters: Vec<Cluster>,
    pub failures: Vec<Failure>,
}

decoded_by_member!(DescribeClustersOutput {
    "clusters" => clusters,
    "failures" => failures,
} requires "clusters");

impl Lenient for DescribeClustersOutput {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            clusters: members.objects("clusters")?,
            failures: members.objects("failures").unwrap_or_default(),
        })
    }

    fn is_usual(&self) -> bool {
        self.clusters.iter().all(Lenient::is_usual)
    }
}

/// A cluster.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Cluster {
    pub cluster_arn: Option<String>,
    pub cluster_name: Option<String>,
    /// `ACTIVE`, `PROVISIONING`, `DEPROVISIONING`, `FAILED` or `INACTIVE`.
    pub status: Option<String>,
    pub capacity_providers: Vec<String>,
    pub default_capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    pub tags: Vec<Tag>,
    /// A member could not be read, or not as a whole.
    pub is_partial: bool,
}

decoded_by_member!(Cluster {
    "clusterArn" => cluster_arn,
    "clusterName" => cluster_name,
    "status" => status,
    "capacityProviders" => capacity_providers,
    "defaultCapacityProviderStrategy" => default_capacity_provider_strategy,
    "tags" => tags,
});

impl Lenient for Cluster {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            cluster_arn: members.word("clusterArn"),
            cluster_name: members.text("clusterName"),
            status: members.word("status"),
            capacity_providers: members.strings("capacityProviders").unwrap_or_default(),
            default_capacity_provider_strategy: members
                .objects("defaultCapacityProviderStrategy")
                .unwrap_or_default(),
            tags: members.objects("tags").unwrap_or_default(),
            is_partial: !members.unreadable().is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::protocol::Operation;

    #[test]
    fn the_request_has_the_members_of_the_api_reference() {
        let clusters = ["c".to_owned()];
        assert_eq!(
            DescribeClusters::with_tags(&clusters).encode(),
            br#"{"clusters":["c"],"include":["TAGS"]}"#
        );
    }
}
