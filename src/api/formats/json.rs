//! JSON: the report as one object.

use std::time::SystemTime;

use crate::api::report::Report;
use crate::api::response::Body;
use crate::api::response_cache::{Part, Rendering};
use crate::fleet::model::deployment::{Deployment, DeploymentStatus, RolloutState};
use crate::fleet::model::filter::Selected;
use crate::fleet::model::reason::Reason;
use crate::fleet::model::snapshot::{Failure, Service};
use crate::fleet::model::tags::Tags;
use crate::json::Json;
use crate::time::rfc3339;

impl Json {
    fn cluster(&mut self, selected: &Selected<'_>, exposes_deployments: bool) {
        let cluster = selected.cluster;
        self.raw("{\"clusterName\":");
        self.string(&cluster.cluster_name);
        self.raw(",\"target\":");
        self.string(&cluster.target);
        self.raw(",\"region\":");
        self.string(&cluster.region);
        self.raw(",\"capacityProviders\":");
        self.strings(&cluster.capacity_providers);
        self.raw(",\"tags\":");
        self.tags(&cluster.tags);
        self.raw(",\"services\":");
        self.list(&selected.services, |json, service| {
            json.service(service, exposes_deployments);
        });
        self.raw("}");
    }

    fn service(&mut self, service: &Service, exposes_deployments: bool) {
        self.raw("{\"serviceName\":");
        self.string(&service.service_name);
        self.raw(",\"status\":");
        self.word(Some(service.status.as_str()));
        self.raw(",\"capacityProviders\":");
        self.strings(&service.capacity_providers);
        self.raw(",\"rolloutState\":");
        self.text(service.rollout_state.as_deref());
        self.raw(",\"desiredCount\":");
        self.number(Some(service.desired_count));
        self.raw(",\"runningCount\":");
        self.number(Some(service.running_count));
        self.raw(",\"pendingCount\":");
        self.number(Some(service.pending_count));
        self.raw(",\"tags\":");
        self.tags(&service.tags);
        self.raw(",\"state\":");
        self.word(Some(service.state.as_str()));
        if exposes_deployments {
            self.raw(",\"reason\":");
            self.word(service.reason.map(Reason::as_str));
            self.raw(",\"taskDefinition\":");
            self.text(service.task_definition.as_deref());
            self.raw(",\"deployedAt\":");
            self.time(service.deployed_at);
            self.raw(",\"deployments\":");
            self.list(&service.deployments, Self::deployment);
        }
        self.raw("}");
    }

    fn deployment(&mut self, deployment: &Deployment) {
        self.raw("{\"status\":");
        self.word(deployment.status.map(DeploymentStatus::as_str));
        self.raw(",\"taskDefinition\":");
        self.text(deployment.task_definition.as_deref());
        self.raw(",\"rolloutState\":");
        self.word(deployment.rollout_state.map(RolloutState::as_str));
        for (name, count) in [
            (",\"desiredCount\":", deployment.desired_count),
            (",\"runningCount\":", deployment.running_count),
            (",\"pendingCount\":", deployment.pending_count),
            (",\"failedTasks\":", deployment.failed_tasks),
        ] {
            self.raw(name);
            self.number(count);
        }
        self.raw(",\"createdAt\":");
        self.time(deployment.created_at);
        self.raw("}");
    }

    fn failure(&mut self, failure: &Failure) {
        self.raw("{\"target\":");
        self.string(&failure.target);
        self.raw(",\"region\":");
        self.string(&failure.region);
        for (name, value) in [
            (",\"clusterName\":", &failure.cluster_name),
            (",\"serviceName\":", &failure.service_name),
        ] {
            if let Some(value) = value {
                self.raw(name);
                self.string(value);
            }
        }
        self.raw(",\"reason\":");
        self.string(&failure.reason);
        self.raw("}");
    }

    fn tags(&mut self, tags: &Tags) {
        self.raw("{");
        for (index, (key, value)) in tags.iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            self.string(key);
            self.raw(":");
            self.string(value);
        }
        self.raw("}");
    }

    fn time(&mut self, time: Option<SystemTime>) {
        self.word(time.and_then(rfc3339).as_deref());
    }
}

/// Renders the report. Clusters that have not changed since the body `before` are taken from that.
pub(super) fn render(report: &Report<'_>, before: Option<&Rendering<Body>>) -> Rendering {
    let mut parts = Vec::with_capacity(report.selected.len());
    let mut json = Json(Vec::with_capacity(
        before.map_or(0, |before| before.body.len()),
    ));
    json.raw("{\"generatedAt\":");
    json.word(Some(&report.generated_at));
    json.raw(",\"complete\":");
    json.raw(if report.is_complete() {
        "true"
    } else {
        "false"
    });
    json.raw(",\"clusters\":[");
    for (index, selected) in report.selected.iter().enumerate() {
        if index > 0 {
            json.raw(",");
        }
        let start = json.0.len();
        if let Some(bytes) = before.and_then(|before| before.part(index, selected.cluster)) {
            json.0.extend_from_slice(bytes);
        } else {
            json.cluster(selected, report.config.expose_deployments);
        }
        parts.push(Part::new(selected.cluster, start..json.0.len()));
    }
    json.raw("],\"failures\":");
    json.list(&report.snapshot.failures, Json::failure);
    json.raw("}\n");
    Rendering {
        body: json.0,
        parts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tags_are_written_as_serde_json_writes_them(
            tags in prop::collection::btree_map(any::<String>(), "[ -~\n]{0,3}", 0..4),
        ) {
            let expected = serde_json::to_string(&tags).unwrap();
            let tags: Tags = tags.into_iter().collect();
            let mut json = Json::default();
            json.tags(&tags);
            prop_assert_eq!(String::from_utf8(json.0).unwrap(), expected);
        }
    }
}
