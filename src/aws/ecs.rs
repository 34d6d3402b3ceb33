//! The four ECS read operations (Amazon ECS API Reference, version 2014-11-13), with only the
//! fields that are used: about 94 % of a `DescribeServices` answer is events that nobody reads.
//!
//! Lists that carry the answer are required, so that a body which is something else is not taken
//! for an empty fleet. Everything inside them is optional, and `null` counts as absent.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use super::operation::EcsOperation;
use super::unread;

/// The most services that one `DescribeServices` takes.
pub const DESCRIBE_SERVICES_MAX: usize = 10;

/// The most clusters that one `DescribeClusters` takes.
pub const DESCRIBE_CLUSTERS_MAX: usize = 100;

const PAGE: u16 = 100;

/// Lists the ARNs of all clusters, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListClusters {
    /// 1 to 100.
    pub max_results: u16,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

impl ListClusters {
    /// The largest page that starts at `next_token`.
    #[must_use]
    pub fn page(next_token: Option<String>) -> Self {
        Self {
            max_results: PAGE,
            next_token,
        }
    }
}

impl EcsOperation for ListClusters {
    const NAME: &'static str = "ListClusters";
    type Output = ListClustersOutput;
}

/// A page of cluster ARNs. Pages may be short: only a missing token ends the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct ListClustersOutput {
    pub cluster_arns: Vec<String>,
    pub next_token: Option<String>,
}

/// What is described besides the resource itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Include {
    #[serde(rename = "TAGS")]
    Tags,
}

/// Describes up to 100 clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribeClusters {
    /// Names or ARNs.
    pub clusters: Vec<String>,
    include: [Include; 1],
}

impl DescribeClusters {
    /// Describes `clusters` with their tags.
    #[must_use]
    pub fn with_tags(clusters: Vec<String>) -> Self {
        Self {
            clusters,
            include: [Include::Tags],
        }
    }
}

impl EcsOperation for DescribeClusters {
    const NAME: &'static str = "DescribeClusters";
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

/// Lists the ARNs of a cluster's services, a page at a time. ECS's own `launchType` filter leaves
/// out services that use a capacity provider strategy, so it is not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListServices {
    /// Name or ARN.
    pub cluster: String,
    /// 1 to 100; ECS's default is 10.
    pub max_results: u16,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

impl ListServices {
    /// The largest page that starts at `next_token`.
    #[must_use]
    pub fn page(cluster: String, next_token: Option<String>) -> Self {
        Self {
            cluster,
            max_results: PAGE,
            next_token,
        }
    }
}

impl EcsOperation for ListServices {
    const NAME: &'static str = "ListServices";
    type Output = ListServicesOutput;
}

/// A page of service ARNs. Pages may be short: only a missing token ends the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct ListServicesOutput {
    pub service_arns: Vec<String>,
    pub next_token: Option<String>,
}

/// Describes up to 10 services of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribeServices {
    /// Name or ARN.
    pub cluster: String,
    /// Names or ARNs.
    pub services: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    include: &'static [Include],
}

impl DescribeServices {
    /// Describes `services` with their tags.
    #[must_use]
    pub fn with_tags(cluster: String, services: Vec<String>) -> Self {
        Self {
            cluster,
            services,
            include: &[Include::Tags],
        }
    }

    /// Describes `services` without their tags: ECS refuses them for services with the old, short
    /// ARN, which have none.
    #[must_use]
    pub fn without_tags(cluster: String, services: Vec<String>) -> Self {
        Self {
            cluster,
            services,
            include: &[],
        }
    }

    /// Whether it asks for tags.
    #[must_use]
    pub fn has_tags(&self) -> bool {
        !self.include.is_empty()
    }
}

impl EcsOperation for DescribeServices {
    const NAME: &'static str = "DescribeServices";
    type Output = DescribeServicesOutput;

    fn worth_parsing(body: &[u8]) -> Cow<'_, [u8]> {
        unread::without(body, b"\"events\":[")
    }
}

/// The services that exist, and the others as failures.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct DescribeServicesOutput {
    pub services: Vec<Service>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub failures: Vec<Failure>,
}

/// A service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs)]
pub struct Service {
    pub service_name: Option<String>,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: Option<String>,
    pub desired_count: Option<u32>,
    pub running_count: Option<u32>,
    pub pending_count: Option<u32>,
    /// Absent where the service uses a strategy.
    pub launch_type: Option<String>,
    /// Absent where the service uses a launch type.
    #[serde(deserialize_with = "null_is_empty")]
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    #[serde(deserialize_with = "null_is_empty")]
    pub deployments: Vec<Deployment>,
    #[serde(deserialize_with = "null_is_empty")]
    pub task_sets: Vec<Deployment>,
    #[serde(deserialize_with = "null_is_empty")]
    pub tags: Vec<Tag>,
}

/// A deployment, or a task set, which has the same fields where it matters here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs)]
pub struct Deployment {
    /// `PRIMARY`, `ACTIVE`, `INACTIVE` or `DRAINING`.
    pub status: Option<String>,
    /// `COMPLETED`, `FAILED` or `IN_PROGRESS`.
    pub rollout_state: Option<String>,
    pub launch_type: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
}

/// One provider of a strategy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs)]
pub struct CapacityProviderStrategyItem {
    pub capacity_provider: Option<String>,
}

/// A tag. Its value may be absent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct Tag {
    pub key: Option<String>,
    pub value: Option<String>,
}

/// What a describing operation says of a resource that it cannot describe.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct Failure {
    pub arn: Option<String>,
    /// `MISSING` for what vanished.
    pub reason: Option<String>,
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_the_names_of_the_api_reference() {
        let json = |value: &dyn erased::Json| value.json();
        assert_eq!(json(&ListClusters::page(None)), r#"{"maxResults":100}"#);
        assert_eq!(
            json(&ListServices::page("c".into(), Some("t".into()))),
            r#"{"cluster":"c","maxResults":100,"nextToken":"t"}"#
        );
        assert_eq!(
            json(&DescribeClusters::with_tags(vec!["c".into()])),
            r#"{"clusters":["c"],"include":["TAGS"]}"#
        );
        assert_eq!(
            json(&DescribeServices::with_tags("c".into(), vec!["s".into()])),
            r#"{"cluster":"c","services":["s"],"include":["TAGS"]}"#
        );
        assert_eq!(
            json(&DescribeServices::without_tags(
                "c".into(),
                vec!["s".into()]
            )),
            r#"{"cluster":"c","services":["s"]}"#
        );
    }

    mod erased {
        pub trait Json {
            fn json(&self) -> String;
        }
        impl<T: serde::Serialize> Json for T {
            fn json(&self) -> String {
                serde_json::to_string(self).unwrap()
            }
        }
    }

    #[test]
    fn null_and_missing_fields_are_the_same() {
        let with_null = r#"{"services":[{"serviceName":"a","launchType":null,
            "capacityProviderStrategy":null,"deployments":null,"taskSets":null,"tags":null,
            "desiredCount":null}],"failures":null}"#;
        let without = r#"{"services":[{"serviceName":"a"}]}"#;
        let read = |json| {
            format!(
                "{:?}",
                serde_json::from_str::<DescribeServicesOutput>(json).unwrap()
            )
        };
        assert_eq!(read(with_null), read(without));
    }

    #[test]
    fn a_body_that_is_something_else_is_no_empty_fleet() {
        for json in [
            "{}",
            "[]",
            "null",
            r#"{"clusterArns":null}"#,
            r#"{"clusters":[]}"#,
        ] {
            assert!(
                serde_json::from_str::<ListClustersOutput>(json).is_err(),
                "{json}"
            );
        }
    }
}
