//! Cluster sweep: the part of a sweep that concerns one cluster.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::call::Call;
use super::denial::Denials;
use super::found_service::{FoundService, pairs};
use crate::aws::arn::{is_short, name_of};
use crate::aws::ecs::{
    self, CapacityProviderStrategyItem, DESCRIBE_SERVICES_MAX, DescribeServicesOutput, Tag,
};
use crate::fleet::model::cause::Cause;
use crate::fleet::model::redact::Redactor;
use crate::fleet::model::service_state::AsOf;
use crate::fleet::model::snapshot::{Cluster, Service, sort_services};

/// The part of a sweep that concerns one cluster.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ClusterSweep {
    pub(super) description: Option<Description>,
    /// The cluster was deleted while the sweep ran.
    pub(super) gone: bool,
    pub(super) tokens: BTreeSet<String>,
    found: Vec<FoundService>,
    /// By name, which is unique in a cluster, whatever the format of the ARN.
    seen: BTreeSet<String>,
    waiting: Vec<String>,
    waiting_short: Vec<String>,
    /// At least one of its services is described, or known to be deleted.
    has_described: bool,
    /// The denials of descriptions of its services.
    pub(super) denials: Denials,
}

/// The description of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Description {
    name: String,
    pub(super) is_active: bool,
    capacity_providers: Vec<String>,
    default_strategy: Vec<CapacityProviderStrategyItem>,
    tags: Vec<Tag>,
}

impl Description {
    /// The name of the cluster.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `None` for a cluster without a status, since it is unknown whether it may be reported.
    pub(super) fn new(arn: &str, cluster: ecs::Cluster) -> Option<Self> {
        Some(Self {
            is_active: cluster.status? == "ACTIVE",
            name: cluster
                .cluster_name
                .unwrap_or_else(|| name_of(arn).to_owned()),
            capacity_providers: cluster.capacity_providers,
            default_strategy: cluster.default_capacity_provider_strategy,
            tags: cluster.tags,
        })
    }
}

/// The clusters that a sweep described, by name.
#[derive(Debug, Default)]
pub struct KnownClusters(pub(super) Vec<(String, Description)>);

impl KnownClusters {
    /// The cluster called `name`. `None` also for one that ECS describes under another name than that
    /// in its ARN: its services could not be told from others.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Description> {
        let by_name = |(known, _): &(String, Description)| known.as_str().cmp(name);
        let index = self.0.binary_search_by(by_name).ok()?;
        let (_, description) = self.0.get(index)?;
        (description.name() == name).then_some(description)
    }
}

impl ClusterSweep {
    /// The part of a sweep that finds the cluster described already.
    pub(super) fn of(description: Description) -> Self {
        Self {
            description: Some(description),
            ..Self::default()
        }
    }

    /// Adds the ARNs of a page. A service that moved from one page to the next counts once, even if
    /// it was created anew meanwhile and has an ARN of the other format.
    pub(super) fn list(&mut self, arns: Vec<String>) {
        for arn in arns {
            if self.seen.insert(name_of(&arn).to_owned()) {
                if is_short(&arn) {
                    self.waiting_short.push(arn);
                } else {
                    self.waiting.push(arn);
                }
            }
        }
    }

    /// The descriptions that are due. A full batch is due at once, the rest when the list has ended.
    /// Services with a short ARN have no tags, and spoil a batch that asks for tags.
    pub(super) fn due_batches(&mut self, cluster: &str, is_last_page: bool) -> Vec<Call> {
        let mut calls = Vec::new();
        for (waiting, with_tags) in [(&mut self.waiting, true), (&mut self.waiting_short, false)] {
            while waiting.len() >= DESCRIBE_SERVICES_MAX || (is_last_page && !waiting.is_empty()) {
                let length = waiting.len().min(DESCRIBE_SERVICES_MAX);
                calls.push(Call::DescribeServices {
                    cluster: cluster.to_owned(),
                    services: waiting.drain(..length).collect(),
                    with_tags,
                });
            }
        }
        calls
    }

    /// Adds the services of `output` that may be reported. Returns the names of the services of the
    /// batch `requested` that are missing, or are not there as a whole, with the cause.
    pub(super) fn take_descriptions(
        &mut self,
        output: DescribeServicesOutput,
        requested: &[String],
    ) -> Vec<(String, Cause)> {
        let mut failures = Vec::new();
        let mut open: BTreeSet<&str> = BTreeSet::new();
        open.extend(requested.iter().map(|arn| name_of(arn)));
        for failure in output.failures {
            // The service was deleted since it was listed.
            if failure.reason.as_deref() == Some("MISSING")
                && let Some(arn) = failure.arn
            {
                self.has_described |= open.remove(name_of(&arn));
            }
        }
        for service in output.services {
            let Some(name) = service.service_name.clone() else {
                continue;
            };
            if !open.remove(name.as_str()) {
                continue;
            }
            let is_partial = !service.unreadable.is_empty();
            let found = FoundService::new(service);
            self.has_described |= found.is_ok();
            match found {
                Ok(None) => {}
                Ok(Some(found)) => {
                    if is_partial {
                        failures.push((name, Cause::Unreadable));
                    }
                    self.found.push(found);
                }
                Err(cause) => failures.push((name, cause)),
            }
        }
        let omitted = open
            .into_iter()
            .map(|name| (name.to_owned(), Cause::LeftOut));
        failures.extend(omitted);
        failures
    }

    /// The number of services that are known to exist.
    pub(super) fn services(&self) -> usize {
        self.seen.len()
    }

    /// The number of services that wait for a full batch.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len() + self.waiting_short.len()
    }

    /// Whether the cluster and at least one of its services are known.
    pub(super) fn is_read(&self) -> bool {
        self.description.is_some() && self.has_described
    }

    /// The cluster as it is reported. `None` if it is not ACTIVE or has no Fargate service.
    pub(super) fn into_cluster(
        self,
        target: &str,
        region: &str,
        redactor: &Redactor,
        as_of: AsOf,
    ) -> Option<Cluster> {
        let description = self.description.filter(|_| !self.gone)?;
        if !description.is_active {
            return None;
        }
        let strategy = &description.default_strategy;
        let found = self.found.into_iter();
        let found = found.filter_map(|found| found.into_service(strategy, redactor, as_of));
        let mut services: Vec<Service> = found.collect();
        if services.is_empty() {
            return None;
        }
        sort_services(&mut services);
        let cluster = redactor.cluster(Cluster {
            cluster_name: description.name,
            target: target.to_owned(),
            region: region.to_owned(),
            capacity_providers: description.capacity_providers,
            tags: pairs(description.tags).collect(),
            services: Vec::new(),
        });
        Some(Cluster {
            services,
            ..cluster
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_counts_once_whatever_the_format_of_its_arn() {
        let arn = |path: &str| format!("arn:aws:ecs:us-east-1:123456789012:service/{path}");
        let mut cluster = ClusterSweep::default();
        cluster.list(vec![arn("web/api"), arn("old")]);
        cluster.list(vec![arn("api"), arn("web/old"), arn("web/api")]);
        assert_eq!((cluster.services(), cluster.waiting()), (2, 2));
    }
}
