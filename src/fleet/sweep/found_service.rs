//! Found service: a service of ECS on its way to a service of the report.

use serde::{Deserialize, Serialize};

use crate::aws::ecs::{self, CapacityProviderStrategyItem, Tag};
use crate::fleet::model::cause::Cause;
use crate::fleet::model::fargate::{self, Verdict};
use crate::fleet::model::redact::Redactor;
use crate::fleet::model::snapshot::{Service, Status, Tags};

/// An ACTIVE service that may run on Fargate.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FoundService {
    /// Without its tags.
    service: Service,
    tags: Vec<Tag>,
    /// `None`: the default strategy of the cluster decides.
    providers: Option<Vec<String>>,
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
        let is_primary = |d: &ecs::Deployment| d.status.as_deref() == Some("PRIMARY");
        let primary = service.deployments.into_iter().find(is_primary);
        Ok(Some(Self {
            service: Service {
                service_name: service.service_name.ok_or(Cause::Unreadable)?,
                status: Status::Active,
                capacity_providers: Vec::new(),
                rollout_state: primary.and_then(|deployment| deployment.rollout_state),
                desired_count: service.desired_count.ok_or(Cause::Unreadable)?,
                running_count: service.running_count.ok_or(Cause::Unreadable)?,
                pending_count: service.pending_count.ok_or(Cause::Unreadable)?,
                tags: Tags::new(),
                task_sets,
            },
            tags: service.tags,
            providers,
        }))
    }

    /// The redacted service, if it runs on Fargate in a cluster with this default strategy.
    pub(super) fn into_service(
        self,
        default_strategy: &[CapacityProviderStrategyItem],
        redactor: &Redactor,
    ) -> Option<Service> {
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
