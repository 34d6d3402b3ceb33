//! What a sweep knows of one cluster so far.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::failure::Cause;
use super::fargate::{self, Verdict};
use super::snapshot::{Service, Status, Tags};
use super::withhold::Withhold;
use crate::aws::ecs::{
    self, CapacityProviderStrategyItem, DESCRIBE_SERVICES_MAX, DescribeServices,
    DescribeServicesOutput, Tag,
};

/// One cluster's part of the sweep.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) description: Option<Description>,
    /// It vanished while the sweep ran.
    pub(super) gone: bool,
    pub(super) tokens: BTreeSet<String>,
    pub(super) found: Vec<Found>,
    /// By name, which is unique in a cluster, whatever the format of the ARN.
    seen: BTreeSet<String>,
    waiting: Vec<String>,
    waiting_short: Vec<String>,
    /// At least one of its services is known, or known to have vanished.
    details: bool,
    /// Whether its services could be listed, as soon as that is known.
    pub(super) is_listed: Option<bool>,
}

/// What a cluster is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Description {
    pub(super) name: String,
    pub(super) is_active: bool,
    pub(super) capacity_providers: Vec<String>,
    pub(super) default_strategy: Vec<CapacityProviderStrategyItem>,
    pub(super) tags: Vec<Tag>,
}

impl Description {
    /// None without a status: nobody knows then whether it may be reported.
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

/// An ACTIVE service that may run on Fargate.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Found {
    service: Service,
    tags: Vec<Tag>,
    /// None: the cluster's default strategy decides.
    providers: Option<Vec<String>>,
}

impl Progress {
    /// Notes the ARNs of a page. A service that moved from one page to the next counts once, also
    /// if it was made anew meanwhile and has an ARN of the other format.
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

    /// The calls that are due. A full batch goes at once; the rest waits until the list has ended.
    /// Services with a short ARN have no tags, and spoil a batch that asks for some.
    pub(super) fn batches(&mut self, cluster: &str, ended: bool) -> Vec<DescribeServices> {
        let mut calls = Vec::new();
        for (waiting, call) in [
            (
                &mut self.waiting,
                DescribeServices::with_tags as fn(_, _) -> _,
            ),
            (&mut self.waiting_short, DescribeServices::without_tags),
        ] {
            while waiting.len() >= DESCRIBE_SERVICES_MAX || (ended && !waiting.is_empty()) {
                let batch = waiting.len().min(DESCRIBE_SERVICES_MAX);
                calls.push(call(cluster.to_owned(), waiting.drain(..batch).collect()));
            }
        }
        calls
    }

    /// Keeps what may be reported of the batch `asked`, and says what is amiss with it.
    pub(super) fn take_details(
        &mut self,
        output: DescribeServicesOutput,
        asked: &[String],
    ) -> BTreeSet<Cause> {
        let mut causes = BTreeSet::new();
        let mut open: BTreeSet<&str> = asked.iter().map(|arn| name_of(arn)).collect();
        for failure in output.failures {
            // The service was deleted since it was listed.
            if failure.reason.as_deref() == Some("MISSING")
                && let Some(arn) = failure.arn
            {
                self.details |= open.remove(name_of(&arn));
            }
        }
        for service in output.services {
            if !service
                .service_name
                .as_deref()
                .is_some_and(|name| open.remove(name))
            {
                continue;
            }
            match Found::new(service) {
                Ok(found) => {
                    self.details = true;
                    self.found.extend(found);
                }
                Err(cause) => {
                    causes.insert(cause);
                }
            }
        }
        if !open.is_empty() {
            causes.insert(Cause::LeftOut);
        }
        causes
    }

    /// How many services are known to exist.
    pub(super) fn services(&self) -> usize {
        self.seen.len()
    }

    /// How many of them wait for a full batch.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len() + self.waiting_short.len()
    }

    /// Whether the cluster is known and at least one of its services is.
    pub(super) fn is_read(&self) -> bool {
        self.description.is_some() && self.details
    }
}

/// The last part of an ARN: a cluster's or a service's name.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Whether a service's ARN has the format of before 2018, without the cluster's name (Amazon ECS
/// Developer Guide, "Amazon Resource Names (ARNs) and IDs").
pub(super) fn is_short(arn: &str) -> bool {
    arn.split_once(":service/")
        .is_some_and(|(_, name)| !name.contains('/'))
}

impl Found {
    /// None for a service that is not ACTIVE or surely does not run on Fargate.
    fn new(service: ecs::Service) -> Result<Option<Self>, Cause> {
        let status = service.status.as_deref().ok_or(Cause::Unreadable)?;
        if status != "ACTIVE" {
            return Ok(None);
        }
        let providers = match fargate::classify(&service) {
            Verdict::Fargate(providers) => Some(providers),
            Verdict::ClusterDefault => None,
            Verdict::Other => return Ok(None),
        };
        let primary = |d: &ecs::Deployment| d.status.as_deref() == Some("PRIMARY");
        let deployment = service.deployments.into_iter().find(primary);
        Ok(Some(Self {
            service: Service {
                service_name: service.service_name.ok_or(Cause::Unreadable)?,
                status: Status::Active,
                capacity_providers: Vec::new(),
                rollout_state: deployment.and_then(|d| d.rollout_state),
                desired_count: service.desired_count.ok_or(Cause::Unreadable)?,
                running_count: service.running_count.ok_or(Cause::Unreadable)?,
                pending_count: service.pending_count.ok_or(Cause::Unreadable)?,
                tags: Tags::new(),
            },
            tags: service.tags,
            providers,
        }))
    }

    /// The service as it is reported, if it runs on Fargate in a cluster with this default.
    pub(super) fn into_service(
        self,
        default_strategy: &[CapacityProviderStrategyItem],
        withhold: &Withhold,
    ) -> Option<Service> {
        let capacity_providers = match self.providers {
            Some(providers) => providers,
            None => match fargate::by_default_strategy(default_strategy) {
                Verdict::Fargate(providers) => providers,
                Verdict::Other | Verdict::ClusterDefault => return None,
            },
        };
        Some(Service {
            service_name: withhold.clean(self.service.service_name),
            capacity_providers,
            rollout_state: self
                .service
                .rollout_state
                .map(|state| withhold.clean(state)),
            tags: tags(self.tags, withhold),
            ..self.service
        })
    }
}

/// Tags by key; a tag without a value has the value `""`.
pub(super) fn tags(tags: Vec<Tag>, withhold: &Withhold) -> Tags {
    let exposed = tags.into_iter().filter_map(|tag| {
        let key = tag.key.filter(|key| withhold.exposes(key))?;
        Some((key, tag.value.unwrap_or_default()))
    });
    cleaned(exposed, withhold)
}

/// Tags without what is withheld. Keys that are the same then are told apart by a number.
pub(super) fn cleaned(
    tags: impl IntoIterator<Item = (String, String)>,
    withhold: &Withhold,
) -> Tags {
    let mut cleaned = Tags::new();
    for (key, value) in tags {
        let mut key = withhold.clean(key);
        if cleaned.contains_key(&key) {
            let mut numbered = (2..).map(|number: usize| format!("{key} {number}"));
            key = numbered
                .find(|key| !cleaned.contains_key(key))
                .unwrap_or_default();
        }
        cleaned.insert(key, withhold.clean(value));
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_the_same_without_what_is_withheld_are_told_apart_by_a_number() {
        let secrets = ["hush", "hidden", "shh"].map(str::to_owned);
        let withhold = Withhold::new(secrets.clone(), None);
        let cleaned = cleaned(secrets.map(|key| (key, "x".to_owned())), &withhold);
        let keys: Vec<_> = cleaned.keys().map(String::as_str).collect();
        assert_eq!(keys, ["[withheld]", "[withheld] 2", "[withheld] 3"]);
    }

    #[test]
    fn neither_name_nor_state_nor_tags_of_a_service_show_what_is_withheld() {
        let described = r#"{
            "serviceName": "hush-api", "status": "ACTIVE", "launchType": "FARGATE",
            "desiredCount": 1, "runningCount": 1, "pendingCount": 0,
            "tags": [{"key": "owner", "value": "hush"}],
            "deployments": [{"status": "PRIMARY", "rolloutState": "hush"}]
        }"#;
        let found = Found::new(serde_json::from_str(described).unwrap()).unwrap();
        let withhold = Withhold::new(["hush".to_owned()], None);
        let service = found.unwrap().into_service(&[], &withhold).unwrap();
        assert_eq!(service.service_name, "[withheld]-api");
        assert_eq!(service.rollout_state.as_deref(), Some("[withheld]"));
        assert_eq!(service.tags["owner"], "[withheld]");
    }

    #[test]
    fn a_service_counts_once_whatever_the_format_of_its_arn() {
        let arn = |path: &str| format!("arn:aws:ecs:us-east-1:123456789012:service/{path}");
        let mut progress = Progress::default();
        progress.list(vec![arn("web/api"), arn("old")]);
        progress.list(vec![arn("api"), arn("web/old"), arn("web/api")]);
        assert_eq!((progress.services(), progress.waiting()), (2, 2));
    }
}
