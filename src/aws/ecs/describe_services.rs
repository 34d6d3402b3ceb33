//! `DescribeServices`: up to 10 services of one cluster, with or without their tags.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::skip_events;
use super::types::{CapacityProviderStrategyItem, Failure, Include, Tag};
use crate::aws::arn::name_of;
use crate::aws::lenient::{Lenient, Members, decoded_by_member, objects, required_objects};
use crate::aws::protocol::{EcsOperation, OperationName};

/// The number of services that one call takes.
pub const DESCRIBE_SERVICES_MAX: usize = 10;

/// Describes up to 10 services of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribeServices<'a> {
    /// Name or ARN.
    pub cluster: &'a str,
    /// Names or ARNs.
    pub services: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    include: &'static [Include],
}

impl<'a> DescribeServices<'a> {
    /// Describes `services`, with their tags if `with_tags`. ECS refuses tags for services with the
    /// short ARN of before 2018, which have none.
    #[must_use]
    pub fn new(cluster: &'a str, services: &'a [String], with_tags: bool) -> Self {
        Self {
            cluster,
            services,
            include: if with_tags { &[Include::Tags] } else { &[] },
        }
    }
}

impl EcsOperation for DescribeServices<'_> {
    const NAME: OperationName = OperationName::DescribeServices;
    type Output = DescribeServicesOutput;

    fn worth_parsing(body: &[u8]) -> Cow<'_, [u8]> {
        skip_events::without(body, b"\"events\":[")
    }
}

/// The services that exist, and the others as failures.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct DescribeServicesOutput {
    #[serde(deserialize_with = "required_objects")]
    pub services: Vec<Service>,
    #[serde(default, deserialize_with = "objects")]
    pub failures: Vec<Failure>,
}

impl Lenient for DescribeServicesOutput {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            services: members.objects("services")?,
            failures: members.objects("failures").unwrap_or_default(),
        })
    }

    fn is_usual(&self) -> bool {
        self.services.iter().all(Lenient::is_usual)
    }
}

/// A service.
#[derive(Clone, Debug, Default)]
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
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    pub deployments: Vec<Deployment>,
    pub task_sets: Vec<Deployment>,
    pub tags: Vec<Tag>,
    /// The names of the members that could not be read, or not as a whole.
    pub unreadable: Vec<&'static str>,
}

decoded_by_member!(Service {
    "serviceName" => service_name,
    "status" => status,
    "desiredCount" => desired_count,
    "runningCount" => running_count,
    "pendingCount" => pending_count,
    "launchType" => launch_type,
    "capacityProviderStrategy" => capacity_provider_strategy,
    "deployments" => deployments,
    "taskSets" => task_sets,
    "tags" => tags,
});

impl Lenient for Service {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        let service_name = members
            .text("serviceName")
            .or_else(|| Some(name_of(&members.word("serviceArn")?).to_owned()));
        Some(Self {
            service_name,
            status: members.word("status"),
            desired_count: members.count("desiredCount"),
            running_count: members.count("runningCount"),
            pending_count: members.count("pendingCount"),
            launch_type: members.word("launchType"),
            capacity_provider_strategy: members
                .objects("capacityProviderStrategy")
                .unwrap_or_default(),
            deployments: members.objects("deployments").unwrap_or_default(),
            task_sets: members.objects("taskSets").unwrap_or_default(),
            tags: members.objects("tags").unwrap_or_default(),
            // The name is known, or the service cannot be told from others anyway.
            unreadable: members
                .unreadable()
                .iter()
                .copied()
                .filter(|name| *name != "serviceName")
                .collect(),
        })
    }

    /// The name of the others may stand in `serviceArn`, which is not decoded otherwise.
    fn is_usual(&self) -> bool {
        self.service_name.is_some()
    }
}

/// A deployment, or a task set, which has the same members where they are read.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Deployment {
    /// `PRIMARY`, `ACTIVE`, `INACTIVE` or `DRAINING`.
    pub status: Option<String>,
    /// `COMPLETED`, `FAILED` or `IN_PROGRESS`.
    pub rollout_state: Option<String>,
    pub launch_type: Option<String>,
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
}

decoded_by_member!(Deployment {
    "status" => status,
    "rolloutState" => rollout_state,
    "launchType" => launch_type,
    "capacityProviderStrategy" => capacity_provider_strategy,
});

impl Lenient for Deployment {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            status: members.word("status"),
            rollout_state: members.word("rolloutState"),
            launch_type: members.word("launchType"),
            capacity_provider_strategy: members
                .objects("capacityProviderStrategy")
                .unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_members_of_the_api_reference() {
        let services = ["s".to_owned()];
        let json = |with_tags| {
            serde_json::to_string(&DescribeServices::new("c", &services, with_tags)).unwrap()
        };
        assert_eq!(
            json(true),
            r#"{"cluster":"c","services":["s"],"include":["TAGS"]}"#
        );
        assert_eq!(json(false), r#"{"cluster":"c","services":["s"]}"#);
    }

    #[test]
    fn null_and_missing_members_are_the_same() {
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
}
