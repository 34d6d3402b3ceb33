//! JSON: the report as one object.

use serde::Serialize;

use crate::api::report::Report;
use crate::api::response::Body;
use crate::api::response_cache::{Part, Rendering};
use crate::fleet::model::deployment::{Deployment, DeploymentStatus, RolloutState};
use crate::fleet::model::filter::Selected;
use crate::fleet::model::reason::Reason;
use crate::fleet::model::snapshot::{Failure, Service};
use crate::fleet::model::tags::Tags;
use crate::time::rfc3339;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterReport<'a> {
    cluster_name: &'a str,
    target: &'a str,
    region: &'a str,
    capacity_providers: &'a [String],
    tags: &'a Tags,
    services: Vec<ServiceReport<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceReport<'a> {
    service_name: &'a str,
    status: &'static str,
    capacity_providers: &'a [String],
    rollout_state: Option<&'a str>,
    desired_count: u32,
    running_count: u32,
    pending_count: u32,
    tags: &'a Tags,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Exposed<Option<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_definition: Exposed<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployed_at: Exposed<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployments: Exposed<Vec<DeploymentReport<'a>>>,
}

/// A member that is left out where `EXPOSE_DEPLOYMENTS` hides it.
type Exposed<T> = Option<T>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentReport<'a> {
    status: Option<&'static str>,
    task_definition: Option<&'a str>,
    rollout_state: Option<&'static str>,
    desired_count: Option<u32>,
    running_count: Option<u32>,
    pending_count: Option<u32>,
    failed_tasks: Option<u32>,
    created_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureReport<'a> {
    target: &'a str,
    region: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<&'a str>,
    reason: &'a str,
}

impl<'a> From<&'a Failure> for FailureReport<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            target: &failure.target,
            region: &failure.region,
            cluster_name: failure.cluster_name.as_deref(),
            service_name: failure.service_name.as_deref(),
            reason: &failure.reason,
        }
    }
}

impl<'a> ClusterReport<'a> {
    fn new(selected: &'a Selected<'a>, exposes_deployments: bool) -> Self {
        let cluster = selected.cluster;
        let services = selected.services.iter();
        let report = |service: &&'a Service| ServiceReport::new(service, exposes_deployments);
        Self {
            cluster_name: &cluster.cluster_name,
            target: &cluster.target,
            region: &cluster.region,
            capacity_providers: &cluster.capacity_providers,
            tags: &cluster.tags,
            services: services.map(report).collect(),
        }
    }
}

impl<'a> ServiceReport<'a> {
    fn new(service: &'a Service, exposes_deployments: bool) -> Self {
        let exposed = exposes_deployments.then_some(service);
        Self {
            service_name: &service.service_name,
            status: service.status.as_str(),
            capacity_providers: &service.capacity_providers,
            rollout_state: service.rollout_state.as_deref(),
            desired_count: service.desired_count,
            running_count: service.running_count,
            pending_count: service.pending_count,
            tags: &service.tags,
            state: service.state.as_str(),
            reason: exposed.map(|service| service.reason.map(Reason::as_str)),
            task_definition: exposed.map(|service| service.task_definition.as_deref()),
            deployed_at: exposed.map(|service| service.deployed_at.and_then(rfc3339)),
            deployments: exposed
                .map(|service| service.deployments.iter().map(Into::into).collect()),
        }
    }
}

impl<'a> From<&'a Deployment> for DeploymentReport<'a> {
    fn from(deployment: &'a Deployment) -> Self {
        Self {
            status: deployment.status.map(DeploymentStatus::as_str),
            task_definition: deployment.task_definition.as_deref(),
            rollout_state: deployment.rollout_state.map(RolloutState::as_str),
            desired_count: deployment.desired_count,
            running_count: deployment.running_count,
            pending_count: deployment.pending_count,
            failed_tasks: deployment.failed_tasks,
            created_at: deployment.created_at.and_then(rfc3339),
        }
    }
}

/// Renders the report. Clusters that have not changed since the body `before` are taken from that.
pub(super) fn render(
    report: &Report<'_>,
    before: Option<&Rendering<Body>>,
) -> serde_json::Result<Rendering> {
    let mut parts = Vec::with_capacity(report.selected.len());
    let mut json = Vec::with_capacity(before.map_or(0, |before| before.body.len()));
    for text in [
        "{\"generatedAt\":\"",
        &report.generated_at,
        "\",\"complete\":",
        if report.is_complete() {
            "true"
        } else {
            "false"
        },
        ",\"clusters\":[",
    ] {
        json.extend_from_slice(text.as_bytes());
    }
    for (index, selected) in report.selected.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        let start = json.len();
        if let Some(bytes) = before.and_then(|before| before.part(index, selected.cluster)) {
            json.extend_from_slice(bytes);
        } else {
            let cluster = ClusterReport::new(selected, report.config.expose_deployments);
            serde_json::to_writer(&mut json, &cluster)?;
        }
        parts.push(Part::new(selected.cluster, start..json.len()));
    }
    json.extend_from_slice(b"],\"failures\":");
    let failures = report.snapshot.failures.iter();
    let failures: Vec<FailureReport<'_>> = failures.map(Into::into).collect();
    serde_json::to_writer(&mut json, &failures)?;
    json.extend_from_slice(b"}\n");
    Ok(Rendering { body: json, parts })
}
