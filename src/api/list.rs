//! `/list`: the report.

use std::time::Duration;

use serde::Serialize;

use super::Answer;
use super::problem::Problem;
use crate::fleet::filter::{Filter, Selected};
use crate::fleet::refresh::Served;
use crate::fleet::snapshot::{Failure, Service, Tags};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    generated_at: String,
    complete: bool,
    clusters: Vec<ClusterReport<'a>>,
    failures: &'a [Failure],
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
    max_age: Duration,
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
        failures: &snapshot.failures,
    })?;
    Ok(Answer {
        max_age: Some(max_age),
        age: served.age,
        ..Answer::ok("application/json", body)
    })
}
