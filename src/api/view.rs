//! View: the part of a snapshot that a request asks for, ready to be written in any format.

use std::rc::Rc;

use super::problem::Problem;
use super::question::Question;
use super::{Answer, caching};
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
    pub(super) selected: Vec<Selected<'a>>,
    pub(super) generated_at: String,
    pub(super) complete: bool,
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
            selected: question.filter.select(&served.snapshot.clusters),
            generated_at: super::rfc3339(served.snapshot.generated_at)?,
            complete: served.snapshot.failures.is_empty(),
            written,
            key,
        })
    }

    /// The services, each with its cluster, in the order of the report.
    pub(super) fn services(&self) -> impl Iterator<Item = (&'a Cluster, &'a Service)> {
        self.selected.iter().flat_map(|selected| {
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
        let text = self.written.get(&self.served.snapshot, &self.key, || {
            let body = write()?;
            Ok::<_, Box<Problem>>(Text {
                etag: caching::etag(&body).into(),
                body: Rc::new(body),
            })
        })?;
        Ok(Answer {
            etag: Some(text.etag),
            ..self.answer(content_type, text.body.as_ref().clone())
        })
    }

    /// An answer as old as the snapshot.
    pub(super) fn answer(&self, content_type: &'static str, body: Vec<u8>) -> Answer {
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
