//! JSON: the report as one object.

use serde::Serialize;

use crate::api::report::Report;
use crate::api::response;
use crate::fleet::model::filter::Selected;
use crate::fleet::model::service_state::ServiceState;
use crate::fleet::model::snapshot::{Failure, Service, Tags};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetReport<'a> {
    generated_at: &'a str,
    complete: bool,
    clusters: Vec<ClusterReport<'a>>,
    failures: Vec<FailureReport<'a>>,
}

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

impl<'a> From<&'a Selected<'a>> for ClusterReport<'a> {
    fn from(selected: &'a Selected<'a>) -> Self {
        let cluster = selected.cluster;
        Self {
            cluster_name: &cluster.cluster_name,
            target: &cluster.target,
            region: &cluster.region,
            capacity_providers: &cluster.capacity_providers,
            tags: &cluster.tags,
            services: selected.services.iter().copied().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a Service> for ServiceReport<'a> {
    fn from(service: &'a Service) -> Self {
        Self {
            service_name: &service.service_name,
            status: service.status.as_str(),
            capacity_providers: &service.capacity_providers,
            rollout_state: service.rollout_state.as_deref(),
            desired_count: service.desired_count,
            running_count: service.running_count,
            pending_count: service.pending_count,
            tags: &service.tags,
            state: ServiceState::of(service).as_str(),
        }
    }
}

pub(super) fn render(report: &Report<'_>) -> serde_json::Result<Vec<u8>> {
    response::json(&FleetReport {
        generated_at: &report.generated_at,
        complete: report.is_complete(),
        clusters: report.selected.iter().map(Into::into).collect(),
        failures: report.snapshot.failures.iter().map(Into::into).collect(),
    })
}
