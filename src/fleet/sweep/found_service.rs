//! Found service: a service of ECS on its way to a service of the report.

use serde::{Deserialize, Serialize};

use crate::aws::ecs::{self, CapacityProviderStrategyItem, Tag};
use crate::fleet::model::cause::Cause;
use crate::fleet::model::deployment::{self, RolloutState};
use crate::fleet::model::fargate::{self, Verdict};
use crate::fleet::model::reason::{Reason, Told};
use crate::fleet::model::redact::Redactor;
use crate::fleet::model::service_state::{AsOf, Rollout, ServiceState};
use crate::fleet::model::snapshot::{Service, Status};
use crate::fleet::model::tags::Tags;

/// An ACTIVE service that may run on Fargate.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FoundService {
    /// With all its deployments, but without its tags and what depends on the time.
    service: Service,
    tags: Vec<Tag>,
    /// `None`: the default strategy of the cluster decides.
    providers: Option<Vec<String>>,
    task_sets: usize,
    told: Told,
}

impl FoundService {
    /// `Ok(None)` for a service that is not ACTIVE or does not run on Fargate.
    ///
    /// # Errors
    /// If the description lacks a member that the report needs, or one that decides whether the
    /// service runs on Fargate could not be read.
    pub(super) fn new(service: ecs::Service) -> Result<Option<Self>, Cause> {
        let status = service.status.as_deref().ok_or(Cause::Unreadable)?;
        if status != "ACTIVE" {
            return Ok(None);
        }
        let providers = match fargate::classify(&service) {
            Verdict::Fargate(providers) => Some(providers),
            Verdict::ClusterDefault => None,
            Verdict::Other if is_decided(&service) => return Ok(None),
            Verdict::Other => return Err(Cause::Unreadable),
        };
        let task_sets = service.task_sets.len();
        let rollout_state = service.primary().and_then(|d| d.rollout_state.clone());
        let deployments = if service.deployments.is_empty() {
            service.task_sets
        } else {
            service.deployments
        };
        Ok(Some(Self {
            service: Service {
                service_name: service.service_name.ok_or(Cause::Unreadable)?,
                status: Status::Active,
                capacity_providers: Vec::new(),
                rollout_state,
                desired_count: service.desired_count.ok_or(Cause::Unreadable)?,
                running_count: service.running_count.ok_or(Cause::Unreadable)?,
                pending_count: service.pending_count.ok_or(Cause::Unreadable)?,
                tags: Tags::default(),
                deployments: deployment::in_order(deployments),
                ..Service::default()
            },
            tags: service.tags,
            providers,
            task_sets,
            told: Told::by(service.events.first()),
        }))
    }

    /// The redacted service, if it runs on Fargate in a cluster with this default strategy.
    pub(super) fn into_service(
        mut self,
        default_strategy: &[CapacityProviderStrategyItem],
        redactor: &Redactor,
        as_of: AsOf,
    ) -> Option<Service> {
        self.tell(as_of);
        let capacity_providers = match self.providers {
            Some(providers) => providers,
            None => match fargate::by_default_strategy(default_strategy) {
                Verdict::Fargate(providers) => providers,
                Verdict::Other | Verdict::ClusterDefault => return None,
            },
        };
        Some(Service {
            capacity_providers,
            tags: redactor.tags(pairs(self.tags)),
            ..redactor.service(self.service)
        })
    }

    /// Fills in what depends on the deployments and the time.
    fn tell(&mut self, as_of: AsOf) {
        let service = &mut self.service;
        let rollout = Rollout {
            desired_count: service.desired_count,
            running_count: service.running_count,
            pending_count: service.pending_count,
            deployments: &service.deployments,
            task_sets: self.task_sets,
            told: &self.told,
        };
        service.state = ServiceState::of(rollout, as_of);
        let deployments = &service.deployments;
        let is_unhealthy = service.state.is_unhealthy();
        service.reason = Reason::of(is_unhealthy, deployments, &self.told, as_of.now);
        if let Some(primary) = deployments.first().filter(|d| d.is_primary()) {
            service.task_definition.clone_from(&primary.task_definition);
            service.deployed_at = primary.created_at;
            service.failed_tasks = primary.failed_tasks;
        }
        // A task set by itself has no rollout.
        let is_settled = self.task_sets == 1
            || deployments
                .first()
                .is_some_and(|deployment| deployment.is(RolloutState::Completed));
        if service.deployments.len() == 1 && is_settled {
            service.deployments = Vec::new();
        }
    }
}

/// Whether everything that decides where a service runs could be read. The launch type comes first.
fn is_decided(service: &ecs::Service) -> bool {
    let decides = [
        "launchType",
        "capacityProviderStrategy",
        "deployments",
        "taskSets",
    ];
    let mut unreadable = service.unreadable.iter();
    service.launch_type.is_some() || !unreadable.any(|name| decides.contains(name))
}

/// Tags as pairs of key and value; a tag without a value has the value `""`.
pub(super) fn pairs(tags: Vec<Tag>) -> impl Iterator<Item = (String, String)> {
    tags.into_iter()
        .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
}
