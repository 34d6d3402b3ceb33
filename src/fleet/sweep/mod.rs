//! Sweep: a state machine that reads the whole fleet of one target. Calls come out, responses go in,
//! and at the end there is a [`Snapshot`].
//!
//! It holds no connection and knows no clock. Each call is due as soon as its input is known:
//!
//! ```text
//! ListClusters ─┬─ a page's clusters ─── DescribeClusters (100 a call)
//!               └─ each cluster ──────── ListServices ─── DescribeServices (10 a call)
//! ```

mod call;
mod check;
mod cluster_sweep;
mod clusters;
mod denial;
pub mod driver;
mod found_service;
mod known_clusters;
mod services;
pub mod target_client;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::aws::arn::name_of;
use crate::fleet::model::cause::Cause;
use crate::fleet::model::redact::Redactor;
use crate::fleet::model::service_state::AsOf;
use crate::fleet::model::snapshot::{Cluster, Failure, Snapshot, sort_clusters};
pub use call::Call;
use cluster_sweep::ClusterSweep;
pub use cluster_sweep::{Description, KnownClusters};
use denial::Denials;

/// Lists come first, but one call in this many is a description, if one is due.
const DESCRIPTION_INTERVAL: usize = 6;

/// The progress of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepProgress {
    /// Clusters found so far.
    pub clusters: usize,
    /// Services found so far.
    pub services: usize,
    /// Services described so far, or deleted meanwhile.
    pub described: usize,
    /// Calls that are known to remain.
    pub calls_left: usize,
}

/// The sweep of one target. It can be stored while no call is in flight, and continued later.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sweep {
    target: String,
    region: String,
    /// Lists make other calls due, so they come first: they lie on the critical path.
    lists: VecDeque<Call>,
    describes: VecDeque<Call>,
    clusters: BTreeMap<String, ClusterSweep>,
    undescribed: Vec<String>,
    /// The denials of descriptions of clusters.
    denials: Denials,
    calls: usize,
    responses: usize,
    tokens: BTreeSet<String>,
    account: Option<String>,
    failures: BTreeSet<Failure>,
    cause: Option<Cause>,
}

impl Sweep {
    /// A sweep of `region` for the target called `target`.
    #[must_use]
    pub fn new(target: &str, region: &str) -> Self {
        Self {
            target: target.to_owned(),
            region: region.to_owned(),
            lists: VecDeque::from([Call::ListClusters { next_token: None }]),
            describes: VecDeque::new(),
            clusters: BTreeMap::new(),
            undescribed: Vec::new(),
            denials: Denials::default(),
            calls: 0,
            responses: 0,
            tokens: BTreeSet::new(),
            account: None,
            failures: BTreeSet::new(),
            cause: None,
        }
    }

    /// The same without lists: it reads what it is told to read, of this account.
    #[must_use]
    fn without_lists(self, account: Option<String>) -> Self {
        Self {
            lists: VecDeque::new(),
            account,
            ..self
        }
    }

    /// The next call that can be made now. `None` while calls are in flight means that their
    /// responses may make more due; otherwise it means that the sweep is done.
    pub fn next_call(&mut self) -> Option<Call> {
        self.calls = self.calls.wrapping_add(1);
        // Some descriptions in between, so that there is something to report if time runs out.
        if self.calls.is_multiple_of(DESCRIPTION_INTERVAL)
            && let Some(call) = self.describes.pop_front()
        {
            return Some(call);
        }
        let list = self.lists.pop_front();
        list.or_else(|| self.describes.pop_front())
    }

    /// Takes back a call that could not be made. It is due again before all others of its kind.
    pub fn requeue(&mut self, call: Call) {
        match call {
            Call::ListClusters { .. } | Call::ListServices { .. } => self.lists.push_front(call),
            Call::DescribeClusters { .. } | Call::DescribeServices { .. } => {
                self.describes.push_front(call);
            }
        }
    }

    /// Whether no call is due. The sweep is done if no call is in flight either.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.lists.is_empty() && self.describes.is_empty()
    }

    /// The number of responses taken so far.
    #[must_use]
    pub fn responses(&self) -> usize {
        self.responses
    }

    /// The progress so far.
    #[must_use]
    pub fn progress(&self) -> SweepProgress {
        let services = self.clusters.values().map(ClusterSweep::services).sum();
        let waiting: usize = self.clusters.values().map(ClusterSweep::waiting).sum();
        let due = |call: &Call| match call {
            Call::DescribeServices { services, .. } => services.len(),
            _ => 0,
        };
        let due: usize = self.describes.iter().map(due).sum();
        SweepProgress {
            clusters: self.clusters.len(),
            services,
            described: services.saturating_sub(waiting + due),
            calls_left: self.lists.len() + self.describes.len(),
        }
    }

    /// Gives up all calls that are due.
    pub fn abandon(&mut self, cause: Cause) {
        self.lists.clear();
        self.describes.clear();
        self.fail(None, cause);
    }

    /// Counts a response, whichever it is.
    fn count_response(&mut self) {
        self.responses = self.responses.wrapping_add(1);
    }

    fn fail_all(&mut self, cluster_arns: &[String], cause: Cause) {
        for arn in cluster_arns {
            self.fail(Some(arn), cause);
        }
    }

    fn fail(&mut self, cluster_arn: Option<&str>, cause: Cause) {
        self.fail_service(cluster_arn, None, cause);
    }

    /// Notes a failure that concerns the service called `service`, if one.
    fn fail_service(&mut self, cluster_arn: Option<&str>, service: Option<&str>, cause: Cause) {
        self.cause = Some(self.cause.map_or(cause, |known| known.min(cause)));
        self.failures.insert(Failure {
            target: self.target.clone(),
            region: self.region.clone(),
            cluster_name: cluster_arn.map(|arn| name_of(arn).to_owned()),
            service_name: service.map(str::to_owned),
            reason: cause.reason().into_owned(),
        });
    }

    /// The snapshot as of a moment, redacted by `redactor` and without the account id.
    ///
    /// # Errors
    /// If something failed and not one service could be read: the most specific cause.
    pub fn finish(self, as_of: AsOf, redactor: Redactor) -> Result<Snapshot, Cause> {
        if let Some(cause) = self.cause
            && !self.clusters.values().any(ClusterSweep::is_read)
        {
            return Err(cause);
        }
        let redactor = redactor.and(self.account.clone());
        let (target, region) = (self.target, self.region);
        let mut clusters: Vec<Rc<Cluster>> = self
            .clusters
            .into_values()
            .filter_map(|cluster| cluster.into_cluster(&target, &region, &redactor, as_of))
            .map(Rc::new)
            .collect();
        sort_clusters(&mut clusters);
        let failures = self.failures.into_iter();
        let failures = failures.map(|failure| redactor.failure(failure));
        // Redacted names may sort differently.
        // `extend` inserts; `collect` would bring in a sort of its own.
        let mut sorted = BTreeSet::new();
        sorted.extend(failures);
        Ok(Snapshot {
            generated_at: as_of.now,
            account: self.account,
            clusters,
            failures: sorted.into_iter().collect(),
            carried_over: Vec::new(),
        })
    }
}
