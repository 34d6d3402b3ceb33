//! Deployment: a version of a service, and how far it is rolled out, under the field names of ECS.

use std::cmp::Reverse;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::aws::arn::Arn;
use crate::aws::ecs;

/// The most deployments that are held of a service. ECS has two, or a few where one follows another.
const MAX_DEPLOYMENTS: usize = 20;

/// The longest name of a family of task definitions, in characters.
const MAX_FAMILY: usize = 255;

/// A deployment, or a task set. What ECS does not tell, or tells in other words than these, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Deployment {
    pub status: Option<DeploymentStatus>,
    /// Family and revision, such as `checkout:58`.
    pub task_definition: Option<String>,
    /// `None` for a task set.
    pub rollout_state: Option<RolloutState>,
    pub desired_count: Option<u32>,
    pub running_count: Option<u32>,
    pub pending_count: Option<u32>,
    /// The tasks in a row that failed to start. More than 0 proves a failure; 0 proves nothing.
    pub failed_tasks: Option<u32>,
    pub created_at: Option<SystemTime>,
}

/// The status of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum DeploymentStatus {
    Primary,
    Active,
    Inactive,
    Draining,
}

impl DeploymentStatus {
    /// As ECS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Draining => "DRAINING",
        }
    }
}

/// The rollout state of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum RolloutState {
    InProgress,
    Completed,
    Failed,
}

impl RolloutState {
    /// As ECS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

impl Deployment {
    /// Whether the deployment is the PRIMARY one.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.status == Some(DeploymentStatus::Primary)
    }

    /// Whether the rollout is in this state.
    #[must_use]
    pub fn is(&self, state: RolloutState) -> bool {
        self.rollout_state == Some(state)
    }

    /// Whether `self` stands before `other`: the PRIMARY one first, then the newest.
    fn precedes(&self, other: &Self) -> bool {
        let key = |d: &Self| (!d.is_primary(), Reverse(d.created_at));
        (key(self), &self.task_definition) < (key(other), &other.task_definition)
    }
}

impl From<ecs::Deployment> for Deployment {
    fn from(deployment: ecs::Deployment) -> Self {
        let status = deployment.status.as_deref();
        let rollout_state = deployment.rollout_state.as_deref();
        Self {
            status: match status {
                Some("PRIMARY") => Some(DeploymentStatus::Primary),
                Some("ACTIVE") => Some(DeploymentStatus::Active),
                Some("INACTIVE") => Some(DeploymentStatus::Inactive),
                Some("DRAINING") => Some(DeploymentStatus::Draining),
                _ => None,
            },
            rollout_state: match rollout_state {
                Some("IN_PROGRESS") => Some(RolloutState::InProgress),
                Some("COMPLETED") => Some(RolloutState::Completed),
                Some("FAILED") => Some(RolloutState::Failed),
                _ => None,
            },
            task_definition: deployment
                .task_definition
                .and_then(|text| family_and_revision(&text).map(str::to_owned)),
            desired_count: deployment.desired_count,
            running_count: deployment.running_count,
            pending_count: deployment.pending_count,
            failed_tasks: deployment.failed_tasks,
            created_at: deployment.created_at.map(crate::time::whole_seconds),
        }
    }
}

/// The deployments in the order of the report, which does not depend on that of ECS.
#[must_use]
pub fn in_order(deployments: Vec<ecs::Deployment>) -> Vec<Deployment> {
    let mut sorted: Vec<Deployment> = Vec::new();
    for deployment in deployments {
        let deployment = Deployment::from(deployment);
        let place = sorted.iter().position(|other| deployment.precedes(other));
        sorted.insert(place.unwrap_or(sorted.len()), deployment);
        sorted.truncate(MAX_DEPLOYMENTS);
    }
    sorted
}

/// Family and revision of a task definition, from its ARN or from themselves. `None` for any other
/// text (Amazon ECS API Reference, `TaskDefinition`).
fn family_and_revision(text: &str) -> Option<&str> {
    let name = match Arn::parse(text) {
        Some(arn) if arn.service == "ecs" => arn.resource.strip_prefix("task-definition/")?,
        Some(_) => return None,
        None => text,
    };
    let (family, revision) = name.split_once(':')?;
    let is_family = (1..=MAX_FAMILY).contains(&family.len())
        && family
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let is_revision =
        (1..=10).contains(&revision.len()) && revision.bytes().all(|b| b.is_ascii_digit());
    (is_family && is_revision).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_definition_is_the_family_and_revision_of_an_arn_of_any_partition() {
        let longest = "f".repeat(MAX_FAMILY);
        for partition in [
            "aws",
            "aws-cn",
            "aws-us-gov",
            "aws-iso",
            "aws-iso-b",
            "aws-eusc",
        ] {
            for family in ["checkout", "Check_out-2", "0", &longest] {
                let name = format!("{family}:58");
                let arn =
                    format!("arn:{partition}:ecs:eu-west-1:123456789012:task-definition/{name}");
                assert_eq!(family_and_revision(&arn), Some(name.as_str()), "{arn}");
                assert_eq!(family_and_revision(&name), Some(name.as_str()), "{name}");
            }
        }
    }

    #[test]
    fn any_other_text_is_no_task_definition() {
        let arn = "arn:aws:ecs:eu-west-1:123456789012";
        let too_long = format!("{}:1", "f".repeat(MAX_FAMILY + 1));
        for text in [
            "",
            ":",
            "checkout",
            "checkout:",
            ":58",
            "checkout:x",
            "checkout:58:59",
            "checkout:-1",
            "checkout:12345678901",
            "check out:58",
            "chéckout:58",
            "<b>:58",
            "a/b:58",
            &too_long,
            &format!("{arn}:task-definition/checkout"),
            &format!("{arn}:task-definition/checkout:58 "),
            &format!("{arn}:task-definition/a/checkout:58"),
            &format!("{arn}:service/web/checkout:58"),
            &format!("{arn}:task-definition/{too_long}"),
            "arn:aws:iam::123456789012:task-definition/checkout:58",
            "arn:aws:ecs:eu-west-1:12345:task-definition/checkout:58",
            "arn:gcp:ecs:eu-west-1:123456789012:task-definition/checkout:58",
        ] {
            assert_eq!(family_and_revision(text), None, "{text}");
        }
    }

    #[test]
    fn the_primary_deployment_comes_first_and_then_the_newest() {
        let deployment = |status: &str, definition: &str, created: Option<u64>| ecs::Deployment {
            status: Some(status.to_owned()),
            task_definition: Some(definition.to_owned()),
            created_at: created
                .map(|seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)),
            ..ecs::Deployment::default()
        };
        let given = vec![
            deployment("ACTIVE", "a:1", Some(1)),
            deployment("ACTIVE", "a:0", None),
            deployment("UNHEARD_OF", "b:9", Some(9)),
            deployment("PRIMARY", "a:3", Some(3)),
            deployment("ACTIVE", "a:2", Some(2)),
            deployment("PRIMARY", "a:4", Some(4)),
        ];
        let mut reversed = given.clone();
        reversed.reverse();
        let names = |deployments: Vec<ecs::Deployment>| -> Vec<String> {
            let sorted = in_order(deployments).into_iter();
            sorted.filter_map(|d| d.task_definition).collect()
        };
        let expected = ["a:4", "a:3", "b:9", "a:2", "a:1", "a:0"];
        assert_eq!(names(given), expected);
        assert_eq!(names(reversed), expected);
        let many: Vec<_> = (0..50)
            .map(|n| deployment("ACTIVE", "a:1", Some(n)))
            .collect();
        let many = [many, vec![deployment("PRIMARY", "a:7", Some(0))]].concat();
        let sorted = names(many);
        assert_eq!((sorted.len(), sorted[0].as_str()), (MAX_DEPLOYMENTS, "a:7"));
    }
}
