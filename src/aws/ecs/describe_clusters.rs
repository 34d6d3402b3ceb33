//! `DescribeClusters`: up to 100 clusters with their tags.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html>

use serde::{Deserialize, Serialize};

use super::types::{CapacityProviderStrategyItem, Failure, Include, Tag, null_is_empty};
use crate::aws::protocol::{EcsOperation, OperationName};

/// The number of clusters that one call takes.
pub const DESCRIBE_CLUSTERS_MAX: usize = 100;

/// Describes up to 100 clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribeClusters<'a> {
    /// Names or ARNs.
    pub clusters: &'a [String],
    include: [Include; 1],
}

impl<'a> DescribeClusters<'a> {
    /// Describes `clusters` with their tags.
    #[must_use]
    pub fn with_tags(clusters: &'a [String]) -> Self {
        Self {
            clusters,
            include: [Include::Tags],
        }
    }
}

impl EcsOperation for DescribeClusters<'_> {
    const NAME: OperationName = OperationName::DescribeClusters;
    type Output = DescribeClustersOutput;
}

/// The clusters that exist, and the others as failures.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct DescribeClustersOutput {
    pub clusters: Vec<Cluster>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub failures: Vec<Failure>,
}

/// A cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs)]
pub struct Cluster {
    pub cluster_arn: Option<String>,
    pub cluster_name: Option<String>,
    /// `ACTIVE`, `PROVISIONING`, `DEPROVISIONING`, `FAILED` or `INACTIVE`.
    pub status: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    pub capacity_providers: Vec<String>,
    #[serde(deserialize_with = "null_is_empty")]
    pub default_capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    #[serde(deserialize_with = "null_is_empty")]
    pub tags: Vec<Tag>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_members_of_the_api_reference() {
        let clusters = ["c".to_owned()];
        assert_eq!(
            serde_json::to_string(&DescribeClusters::with_tags(&clusters)).unwrap(),
            r#"{"clusters":["c"],"include":["TAGS"]}"#
        );
    }
}
