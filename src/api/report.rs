//! Report: the part of a snapshot that a query selects, for a format to render.

use crate::api::problem::Problem;
use crate::api::query::ReportQuery;
use crate::config::Config;
use crate::fleet::model::filter::{Filter, Selected};
use crate::fleet::model::snapshot::{Cluster, Service, Snapshot};
use crate::time::rfc3339;

/// The selected part of a snapshot.
pub(super) struct Report<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) config: &'a Config,
    pub(super) filter: &'a Filter,
    pub(super) generated_at: String,
    /// The clusters with a selected service, and these services.
    pub(super) selected: Vec<Selected<'a>>,
}

/// The tasks of all selected services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tasks {
    pub(super) running: u64,
    pub(super) desired: u64,
    pub(super) pending: u64,
}

impl<'a> Report<'a> {
    /// Selects the services that `query` asks for.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        query: &'a ReportQuery,
        config: &'a Config,
    ) -> Result<Self, Box<Problem>> {
        Ok(Self {
            snapshot,
            config,
            filter: &query.filter,
            generated_at: rfc3339(snapshot.generated_at).ok_or_else(Problem::internal)?,
            selected: query
                .filter
                .select(&snapshot.clusters, snapshot.generated_at),
        })
    }

    /// Whether the whole fleet could be read.
    pub(super) fn is_complete(&self) -> bool {
        self.snapshot.failures.is_empty()
    }

    /// The selected services, each with its cluster, in the order of the report.
    pub(super) fn services(&self) -> impl Iterator<Item = (&'a Cluster, &'a Service)> {
        self.selected.iter().flat_map(|selected| {
            let cluster = selected.cluster;
            selected
                .services
                .iter()
                .map(move |&service| (cluster, service))
        })
    }

    /// The tasks of the selected services.
    pub(super) fn tasks(&self) -> Tasks {
        self.services()
            .fold(Tasks::default(), |tasks, (_, service)| Tasks {
                running: tasks.running + u64::from(service.running_count),
                desired: tasks.desired + u64::from(service.desired_count),
                pending: tasks.pending + u64::from(service.pending_count),
            })
    }
}
