//! `DescribeServices`: up to 10 services of one cluster, with or without their tags.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>

use std::borrow::Cow;
use std::mem::take;
use std::time::{Duration, SystemTime};

use super::events::Events;
use super::skip_events;
use super::types::{CapacityProviderStrategyItem, Failure, Tag};
use crate::aws::arn::name_of;
use crate::aws::lenient::{Lenient, Members, decoded_by_member};
use crate::aws::protocol::{EcsOperation, OperationName};
use crate::json::Json;
use crate::time::since;

/// The number of services that one call takes.
pub const DESCRIBE_SERVICES_MAX: usize = 10;

/// The time after the end of a rollout for which events may tell that it was rolled back.
pub const ROLLBACK_SHOWN: Duration = Duration::from_hours(24);

/// The time before which no rollout can have failed: tasks of the one after it had to start first.
const SHORTEST_ROLLBACK: Duration = Duration::from_mins(1);

/// Describes up to 10 services of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeServices<'a> {
    /// Name or ARN.
    pub cluster: &'a str,
    /// Names or ARNs.
    pub services: &'a [String],
    with_tags: bool,
}

impl<'a> DescribeServices<'a> {
    /// Describes `services`, with their tags if `with_tags`. ECS refuses tags for services with the
    /// short ARN of before 2018, which have none.
    #[must_use]
    pub fn new(cluster: &'a str, services: &'a [String], with_tags: bool) -> Self {
        Self {
            cluster,
            services,
            with_tags,
        }
    }
}

impl EcsOperation for DescribeServices<'_> {
    const NAME: OperationName = OperationName::DescribeServices;
    type Output = DescribeServicesOutput;

    fn write(&self, json: &mut Json) {
        json.raw("{\"cluster\":");
        json.string(self.cluster);
        json.raw(",\"services\":");
        json.strings(self.services);
        json.raw(if self.with_tags {
            ",\"include\":[\"TAGS\"]}"
        } else {
            "}"
        });
    }

    fn worth_parsing(body: &[u8]) -> Cow<'_, [u8]> {
        skip_events::without(body, b"\"events\":[")
    }

    /// Reads the newest events of those services that they may tell something about.
    fn complete(output: &mut Self::Output, body: &[u8]) {
        for service in &mut output.services {
            let events = take(&mut service.events);
            if service.wants(&events, body) {
                service.events = events.read(body);
            }
        }
    }
}

/// The services that exist, and the others as failures.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct DescribeServicesOutput {
    pub services: Vec<Service>,
    pub failures: Vec<Failure>,
}

decoded_by_member!(DescribeServicesOutput {
    "services" => services,
    "failures" => failures,
} requires "services");

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
    /// Those of a service that runs as it should are left out.
    pub events: Events,
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
    "events" => events,
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
            events: members
                .json("events")
                .map(Events::from_json)
                .unwrap_or_default(),
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

impl Service {
    /// The PRIMARY deployment.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        let is_primary = |d: &&Deployment| d.status.as_deref() == Some("PRIMARY");
        self.deployments.iter().find(is_primary)
    }

    /// Whether `events`, which stand in `body`, may tell why the service does not run as it should, or
    /// that it was rolled back. After a rollback the PRIMARY deployment is the one of before: it was
    /// created long before it was completed. Its end is compared with the time of the first event, so
    /// that no clock is needed: a service that is steady has an event every six hours.
    fn wants(&self, events: &Events, body: &[u8]) -> bool {
        let Some(primary) = self.primary() else {
            return self.running_count != self.desired_count;
        };
        let is_completed = primary.rollout_state.as_deref() == Some("COMPLETED");
        if !is_completed || self.running_count != self.desired_count {
            return true;
        }
        let (Some(created), Some(updated)) = (primary.created_at, primary.updated_at) else {
            return false;
        };
        let first = || events.first_created_at(body);
        since(created, updated) > SHORTEST_ROLLBACK
            && first().is_some_and(|first| since(updated, first) <= ROLLBACK_SHOWN)
    }
}

/// A deployment, or a task set, which has the same members where they are read.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Deployment {
    /// `PRIMARY`, `ACTIVE`, `INACTIVE` or `DRAINING`.
    pub status: Option<String>,
    /// `COMPLETED`, `FAILED` or `IN_PROGRESS`; absent in a task set.
    pub rollout_state: Option<String>,
    /// The ARN of the task definition.
    pub task_definition: Option<String>,
    /// Called `computedDesiredCount` in a task set.
    pub desired_count: Option<u32>,
    pub running_count: Option<u32>,
    pub pending_count: Option<u32>,
    /// The tasks in a row that failed to start; absent in a task set.
    pub failed_tasks: Option<u32>,
    pub created_at: Option<SystemTime>,
    /// The creation or, in the end, the completion.
    pub updated_at: Option<SystemTime>,
    pub launch_type: Option<String>,
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
}

decoded_by_member!(Deployment {
    "status" => status,
    "rolloutState" => rollout_state,
    "taskDefinition" => task_definition,
    "desiredCount" => desired_count,
    "computedDesiredCount" => desired_count,
    "runningCount" => running_count,
    "pendingCount" => pending_count,
    "failedTasks" => failed_tasks,
    "createdAt" => created_at,
    "updatedAt" => updated_at,
    "launchType" => launch_type,
    "capacityProviderStrategy" => capacity_provider_strategy,
});

impl Lenient for Deployment {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            status: members.word("status"),
            rollout_state: members.word("rolloutState"),
            task_definition: members.word("taskDefinition"),
            desired_count: members
                .count("desiredCount")
                .or_else(|| members.count("computedDesiredCount")),
            running_count: members.count("runningCount"),
            pending_count: members.count("pendingCount"),
            failed_tasks: members.count("failedTasks"),
            created_at: members.time("createdAt"),
            updated_at: members.time("updatedAt"),
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
    use crate::aws::lenient::decode;
    use crate::aws::protocol::Operation;

    #[test]
    fn the_request_has_the_members_of_the_api_reference() {
        let services = ["s".to_owned()];
        let json = |with_tags| DescribeServices::new("c", &services, with_tags).encode();
        assert_eq!(
            json(true),
            br#"{"cluster":"c","services":["s"],"include":["TAGS"]}"#
        );
        assert_eq!(json(false), br#"{"cluster":"c","services":["s"]}"#);
    }

    #[test]
    fn null_and_missing_members_are_the_same() {
        let with_null = r#"{"services":[{"serviceName":"a","launchType":null,
            "capacityProviderStrategy":null,"deployments":null,"taskSets":null,"tags":null,
            "events":null,"desiredCount":null}],"failures":null}"#;
        let without = r#"{"services":[{"serviceName":"a"}]}"#;
        let read = |json: &str| {
            format!(
                "{:?}",
                decode::<DescribeServicesOutput>(json.as_bytes()).unwrap()
            )
        };
        assert_eq!(read(with_null), read(without));
    }
}
