//! Snapshot: the ACTIVE Fargate services at one point in time, under the field names of ECS.

use std::rc::Rc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::order::sort_by;

use crate::fleet::model::deployment::Deployment;
use crate::fleet::model::reason::Reason;
use crate::fleet::model::service_state::ServiceState;
use crate::fleet::model::tags::Tags;

/// The result of one sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The time at which the sweep ended.
    pub generated_at: SystemTime,
    /// The account id of the target. Never shown; `None` in a merge of several targets.
    pub account: Option<String>,
    /// The clusters that have a Fargate service, sorted by target, region and name. Snapshots share what
    /// is the same in both.
    pub clusters: Vec<Rc<Cluster>>,
    /// The parts that could not be read, sorted. Empty if the snapshot is complete.
    pub failures: Vec<Failure>,
    /// The services that were carried over from earlier snapshots, sorted.
    pub carried_over: Vec<CarriedOver>,
}

/// A service that is shown as an earlier sweep read it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct CarriedOver {
    pub cluster_name: String,
    pub service_name: String,
    pub read_at: SystemTime,
}

/// A cluster with at least one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Cluster {
    pub cluster_name: String,
    /// The name of the target that the cluster was found in.
    pub target: String,
    /// Its AWS region.
    pub region: String,
    /// The capacity providers of the cluster, sorted.
    pub capacity_providers: Vec<String>,
    pub tags: Tags,
    /// Sorted by name.
    pub services: Vec<Service>,
}

/// An ACTIVE service on Fargate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Service {
    pub service_name: String,
    pub status: Status,
    /// The Fargate capacity providers that the service runs on, sorted.
    pub capacity_providers: Vec<String>,
    /// The rollout state of the PRIMARY deployment: `COMPLETED`, `FAILED` or `IN_PROGRESS`.
    pub rollout_state: Option<String>,
    pub desired_count: u32,
    pub running_count: u32,
    pub pending_count: u32,
    pub tags: Tags,
    /// The condition of the service when it was read.
    pub state: ServiceState,
    /// Why it is not as it should be.
    pub reason: Option<Reason>,
    /// Family and revision of the PRIMARY deployment's task definition, such as `checkout:58`.
    pub task_definition: Option<String>,
    /// The time at which the PRIMARY deployment was created, in whole seconds.
    pub deployed_at: Option<SystemTime>,
    /// The tasks of the PRIMARY deployment that failed to start, one after the other.
    pub failed_tasks: Option<u32>,
    /// The deployments, or task sets, the PRIMARY one first; empty where there is one that is completed.
    pub deployments: Vec<Deployment>,
}

/// Sorts clusters of one target as the report has them.
pub fn sort_clusters(clusters: &mut Vec<Rc<Cluster>>) {
    sort_by(clusters, |a, b| a.cluster_name.cmp(&b.cluster_name));
}

/// Sorts the services of a cluster as the report has them.
pub fn sort_services(services: &mut Vec<Service>) {
    sort_by(services, |a, b| a.service_name.cmp(&b.service_name));
}

/// The status of a service. Services of another status are not reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Status {
    #[default]
    Active,
}

impl Status {
    /// As ECS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
        }
    }
}

/// A part of the fleet that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Failure {
    pub target: String,
    pub region: String,
    /// `None` where the failure does not concern one cluster.
    pub cluster_name: Option<String>,
    /// `None` where the failure does not concern one service.
    pub service_name: Option<String>,
    /// One sentence without a full stop, in the words of [`Cause`](super::cause::Cause).
    pub reason: String,
}
