//! Snapshot: the ACTIVE Fargate services at one moment. Plain data, under AWS's own field names.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::withhold::Withhold;

/// Tags by key, sorted. A tag without a value has the value `""`.
pub type Tags = BTreeMap<String, String>;

/// What one sweep found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the sweep ended.
    pub generated_at: SystemTime,
    /// The id of the account, where one target's services are; it is never shown.
    pub account: Option<String>,
    /// The clusters that have a Fargate service, sorted by target, region and name.
    pub clusters: Vec<Cluster>,
    /// What could not be read, sorted; empty if the snapshot is complete.
    pub failures: Vec<Failure>,
    /// The services that are older, sorted.
    pub kept: Vec<Kept>,
}

/// A service that is as an earlier sweep read it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Kept {
    pub cluster_name: String,
    pub service_name: String,
    pub read_at: SystemTime,
}

/// A cluster with at least one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Cluster {
    pub cluster_name: String,
    /// The name of the configured target that the cluster was found in.
    pub target: String,
    /// Its AWS region.
    pub region: String,
    /// The providers that the cluster is associated with, sorted.
    pub capacity_providers: Vec<String>,
    pub tags: Tags,
    /// Sorted by name.
    pub services: Vec<Service>,
}

/// An ACTIVE service on Fargate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Service {
    pub service_name: String,
    pub status: Status,
    /// The Fargate providers that it runs on, sorted.
    pub capacity_providers: Vec<String>,
    /// The PRIMARY deployment's: `COMPLETED`, `FAILED` or `IN_PROGRESS`.
    pub rollout_state: Option<String>,
    pub desired_count: u32,
    pub running_count: u32,
    pub pending_count: u32,
    pub tags: Tags,
}

/// The status of a service. There are others, which are not reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Status {
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
    /// None where the failure is not of one cluster.
    pub cluster_name: Option<String>,
    /// One sentence, in our own words.
    pub reason: String,
}

impl Failure {
    /// The failure, its cluster's name without what is withheld.
    pub(super) fn without(self, withhold: &Withhold) -> Self {
        Self {
            cluster_name: self.cluster_name.map(|name| withhold.clean(name)),
            ..self
        }
    }
}
