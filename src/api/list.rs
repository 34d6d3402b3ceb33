//! `/list`: the report.

use serde::Serialize;

use super::Answer;
use super::problem::Problem;
use crate::fleet::filter::{Filter, Selected};
use crate::fleet::refresh::Policy;
use crate::fleet::snapshot::{Failure, Service, Tags};
use crate::fleet::view::Served;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    generated_at: String,
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
    services: Vec<&'a Service>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureReport<'a> {
    target: &'a str,
    region: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<&'a str>,
    reason: &'a str,
}

impl<'a> From<&'a Failure> for FailureReport<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            target: &failure.target,
            region: &failure.region,
            cluster_name: failure.cluster_name.as_deref(),
            reason: &failure.reason,
        }
    }
}

impl<'a> From<Selected<'a>> for ClusterReport<'a> {
    fn from(selected: Selected<'a>) -> Self {
        let cluster = selected.cluster;
        Self {
            cluster_name: &cluster.cluster_name,
            target: &cluster.target,
            region: &cluster.region,
            capacity_providers: &cluster.capacity_providers,
            tags: &cluster.tags,
            services: selected.services,
        }
    }
}

pub(super) fn answer(
    served: &Served,
    filter: &Filter,
    policy: Policy,
) -> Result<Answer, Box<Problem>> {
    let snapshot = &served.snapshot;
    let body = super::json(&Report {
        generated_at: super::rfc3339(snapshot.generated_at)?,
        complete: snapshot.failures.is_empty(),
        clusters: filter
            .select(&snapshot.clusters)
            .into_iter()
            .map(Into::into)
            .collect(),
        failures: snapshot.failures.iter().map(Into::into).collect(),
    })?;
    let age = served.age;
    Ok(Answer {
        // What is left: not every cache subtracts the age.
        max_age: Some(policy.max_age.saturating_sub(age)),
        stale_while_revalidate: policy.max_stale.saturating_sub(age.max(policy.max_age)),
        age,
        last_modified: Some(served.modified_at),
        ..Answer::ok("application/json", body)
    })
}
