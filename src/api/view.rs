//! View: the part of a snapshot that a request asks for, ready to be written in any format.

use std::cell::OnceCell;

use super::problem::Problem;
use super::question::Question;
use super::{Answer, Body, caching};
use crate::config::Config;
use crate::fleet::filter::{Filter, Selected};
use crate::fleet::snapshot::{Cluster, Service};
use crate::fleet::view::Served;
use crate::fleet::written::{Text, Written};

/// The header that says whether all of the fleet could be read, in every format.
const COMPLETE: &str = "x-ecs-status-complete";

/// What a request gets to see.
pub(super) struct View<'a> {
    pub(super) served: &'a Served,
    pub(super) config: &'a Config,
    pub(super) filter: &'a Filter,
    pub(super) generated_at: String,
    pub(super) complete: bool,
    selected: OnceCell<Vec<Selected<'a>>>,
    written: &'a Written,
    /// What tells this question from all others.
    key: String,
}

impl<'a> View<'a> {
    pub(super) fn new(
        served: &'a Served,
        question: &'a Question,
        config: &'a Config,
        written: &'a Written,
        key: String,
    ) -> Result<Self, Box<Problem>> {
        Ok(Self {
            served,
            config,
            filter: &question.filter,
            generated_at: super::rfc3339(served.snapshot.generated_at)?,
            complete: served.snapshot.failures.is_empty(),
            selected: OnceCell::new(),
            written,
            key,
        })
    }

    /// What of the snapshot is asked for. Who has the answer written already does not ask.
    pub(super) fn selected(&self) -> &[Selected<'a>] {
        let select = || self.filter.select(&self.served.snapshot.clusters);
        self.selected.get_or_init(select)
    }

    /// The services, each with its cluster, in the order of the report.
    pub(super) fn services(&self) -> impl Iterator<Item = (&'a Cluster, &'a Service)> {
        self.selected().iter().flat_map(|selected| {
            let cluster = selected.cluster;
            selected
                .services
                .iter()
                .map(move |&service| (cluster, service))
        })
    }

    /// Running, desired and pending tasks of all services.
    pub(super) fn tasks(&self) -> [u64; 3] {
        self.services()
            .fold([0; 3], |[running, desired, pending], (_, service)| {
                [
                    running + u64::from(service.running_count),
                    desired + u64::from(service.desired_count),
                    pending + u64::from(service.pending_count),
                ]
            })
    }

    /// An answer as old as the snapshot, of which the body depends on the snapshot and the question
    /// alone, so that it is written once.
    pub(super) fn kept(
        &self,
        content_type: &'static str,
        write: impl FnOnce() -> Result<Vec<u8>, Box<Problem>>,
    ) -> Result<Answer, Box<Problem>> {
        let text = self.text(write)?;
        Ok(Answer {
            etag: Some(text.etag),
            ..self.answer(content_type, text.body)
        })
    }

    /// What depends on the snapshot and the question alone, and its entity tag.
    pub(super) fn text(
        &self,
        write: impl FnOnce() -> Result<Vec<u8>, Box<Problem>>,
    ) -> Result<Text, Box<Problem>> {
        self.written.get(&self.served.snapshot, &self.key, || {
            let mut body = write()?;
            // It grew by doubling, and is kept.
            body.shrink_to_fit();
            Ok(Text {
                etag: caching::etag(&body).into(),
                body: body.into(),
            })
        })
    }

    /// An answer as old as the snapshot.
    pub(super) fn answer(&self, content_type: &'static str, body: impl Into<Body>) -> Answer {
        let complete = if self.complete { "true" } else { "false" };
        let (age, policy) = (self.served.age, self.config.policy);
        Answer {
            // What is left: not every cache subtracts the age.
            max_age: Some(policy.max_age.saturating_sub(age)),
            stale_while_revalidate: policy.max_stale.saturating_sub(age.max(policy.max_age)),
            age,
            last_modified: Some(self.served.modified_at),
            headers: vec![(COMPLETE, complete)],
            ..Answer::ok(content_type, body)
        }
    }
}
