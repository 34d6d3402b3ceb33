//! `/list`: the report, as JSON, text or CSV.

use serde::Serialize;

use super::problem::Problem;
use super::question::Format;
use super::view::View;
use super::{Answer, csv, text};
use crate::fleet::filter::Selected;
use crate::fleet::snapshot::{Failure, Service, Tags};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
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
    services: &'a [&'a Service],
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

impl<'a> From<&'a Selected<'a>> for ClusterReport<'a> {
    fn from(selected: &'a Selected<'a>) -> Self {
        let cluster = selected.cluster;
        Self {
            cluster_name: &cluster.cluster_name,
            target: &cluster.target,
            region: &cluster.region,
            capacity_providers: &cluster.capacity_providers,
            tags: &cluster.tags,
            services: &selected.services,
        }
    }
}

pub(super) fn answer(view: &View<'_>, format: Format) -> Result<Answer, Box<Problem>> {
    let answer = match format {
        Format::Json => view.kept("application/json", || json(view))?,
        Format::Text => view.kept("text/plain; charset=utf-8", || {
            Ok(text::body(view).into_bytes())
        })?,
        Format::Csv => {
            let mut answer = view.kept(csv::CONTENT_TYPE, || Ok(csv::body(view).into_bytes()))?;
            answer.headers.push(csv::DISPOSITION);
            answer
        }
    };
    Ok(Answer {
        varies: true,
        ..answer
    })
}

fn json(view: &View<'_>) -> Result<Vec<u8>, Box<Problem>> {
    super::json(&Report {
        generated_at: &view.generated_at,
        complete: view.complete,
        clusters: view.selected().iter().map(Into::into).collect(),
        failures: view
            .served
            .snapshot
            .failures
            .iter()
            .map(Into::into)
            .collect(),
    })
}
