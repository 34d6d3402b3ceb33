//! Sweep: a state machine that reads one target's whole fleet. Calls come out, answers go in, and
//! at the end there is a [`Snapshot`].
//!
//! It holds no connection and knows no clock. Each call is due as soon as its input is known:
//!
//! ```text
//! ListClusters ─┬─ a page's clusters ─── DescribeClusters (100 a call)
//!               └─ each cluster ──────── ListServices ─── DescribeServices (10 a call)
//! ```

mod call;
mod clusters;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::failure::Cause;
use super::progress::{self, Progress, is_short, name_of};
use super::snapshot::{Cluster, Failure, Service, Snapshot};
use super::withhold::Withhold;
use crate::aws::ecs::{
    DescribeClusters, DescribeClustersOutput, DescribeServices, DescribeServicesOutput,
    ListClusters, ListClustersOutput, ListServices, ListServicesOutput,
};
use crate::aws::error::Error;
use crate::aws::operation::EcsOperation;
pub use call::Call;

/// Lists come first, but every so many calls a description that is due may go before them.
const CALLS_TO_A_DESCRIPTION: usize = 6;

/// A call and what came of it.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Outcome {
    ListClusters(ListClusters, Result<ListClustersOutput, Error>),
    DescribeClusters(DescribeClusters, Result<DescribeClustersOutput, Error>),
    ListServices(ListServices, Result<ListServicesOutput, Error>),
    DescribeServices(DescribeServices, Result<DescribeServicesOutput, Error>),
}

/// How far a sweep has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Clusters found so far.
    pub clusters: usize,
    /// Services found so far.
    pub services: usize,
    /// Services described so far, or gone.
    pub described: usize,
    /// Calls that are known to be left.
    pub calls_left: usize,
}

/// The sweep of one target. It can be stored while no call is out, and continued.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sweep {
    target: String,
    region: String,
    /// Calls that make others due come first: they lie on the longest path.
    lists: VecDeque<Call>,
    describes: VecDeque<Call>,
    clusters: BTreeMap<String, Progress>,
    undescribed: Vec<String>,
    /// Batches of clusters that may not be described together.
    denied: Vec<Vec<String>>,
    turn: usize,
    /// Answers taken so far.
    answers: usize,
    tokens: BTreeSet<String>,
    account: Option<String>,
    failures: BTreeSet<Failure>,
    cause: Option<Cause>,
}

impl Sweep {
    /// The sweep of the target called `target`, in `region`.
    #[must_use]
    pub fn new(target: &str, region: &str) -> Self {
        Self {
            target: target.to_owned(),
            region: region.to_owned(),
            lists: VecDeque::from([Call::ListClusters(ListClusters::page(None))]),
            describes: VecDeque::new(),
            clusters: BTreeMap::new(),
            undescribed: Vec::new(),
            denied: Vec::new(),
            turn: 0,
            answers: 0,
            tokens: BTreeSet::new(),
            account: None,
            failures: BTreeSet::new(),
            cause: None,
        }
    }

    /// The next call that can be made now. None while calls are out means that their answers may
    /// make more due; none while no call is out means that the sweep is done.
    pub fn next_call(&mut self) -> Option<Call> {
        self.turn = self.turn.wrapping_add(1);
        // Some descriptions in between, so that there is something to report if time runs out.
        if self.turn.is_multiple_of(CALLS_TO_A_DESCRIPTION)
            && let Some(call) = self.describes.pop_front()
        {
            return Some(call);
        }
        let list = self.lists.pop_front();
        list.or_else(|| self.describes.pop_front())
    }

    /// Takes back a call that could not be made; it is due again before all others of its kind.
    pub fn put_back(&mut self, call: Call) {
        match call {
            Call::ListClusters(_) | Call::ListServices(_) => self.lists.push_front(call),
            Call::DescribeClusters(_) | Call::DescribeServices(_) => {
                self.describes.push_front(call);
            }
        }
    }

    /// Whether no call is due. It is done then, if none is out either.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.lists.is_empty() && self.describes.is_empty()
    }

    /// How many answers it took so far.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// How far it has come.
    #[must_use]
    pub fn extent(&self) -> Extent {
        let services = self.clusters.values().map(Progress::services).sum();
        let waiting: usize = self.clusters.values().map(Progress::waiting).sum();
        let due = |call: &Call| match call {
            Call::DescribeServices(call) => call.services.len(),
            _ => 0,
        };
        let due: usize = self.describes.iter().map(due).sum();
        Extent {
            clusters: self.clusters.len(),
            services,
            described: services.saturating_sub(waiting + due),
            calls_left: self.lists.len() + self.describes.len(),
        }
    }

    /// Gives up: what is due is not asked for any more.
    pub fn abandon(&mut self, cause: Cause) {
        self.lists.clear();
        self.describes.clear();
        self.fail(None, cause);
    }

    /// Takes what came of a call.
    pub fn take(&mut self, outcome: Outcome) {
        self.answers = self.answers.wrapping_add(1);
        match outcome {
            Outcome::ListClusters(_, answer) => self.take_clusters(answer),
            Outcome::DescribeClusters(call, answer) => self.take_descriptions(call, answer),
            Outcome::ListServices(call, answer) => self.take_services(call, answer),
            Outcome::DescribeServices(call, answer) => self.take_details(call, answer),
        }
    }

    fn take_services(&mut self, call: ListServices, answer: Result<ListServicesOutput, Error>) {
        let Some(progress) = self.clusters.get_mut(&call.cluster) else {
            return;
        };
        let mut failure = None;
        let mut next_token = None;
        match answer {
            Ok(page) => {
                progress.list(page.service_arns);
                next_token = page.next_token.filter(|token| !token.is_empty());
                if let Some(token) = &next_token
                    && !progress.tokens.insert(token.clone())
                {
                    failure = Some(Cause::RepeatedToken);
                    next_token = None;
                }
            }
            Err(error) if is_cluster_gone(&error) => progress.gone = true,
            Err(error) => failure = Some(Cause::of(&error, ListServices::NAME)),
        }
        progress.is_listed.get_or_insert(failure.is_none());
        let batches = progress.batches(&call.cluster, next_token.is_none());
        self.describes
            .extend(batches.into_iter().map(Call::DescribeServices));
        if let Some(cause) = failure {
            self.fail(Some(&call.cluster), cause);
        }
        if next_token.is_some() {
            let page = ListServices::page(call.cluster, next_token);
            self.lists.push_back(Call::ListServices(page));
        }
        self.ask_again_of_denied();
    }

    fn take_details(
        &mut self,
        call: DescribeServices,
        answer: Result<DescribeServicesOutput, Error>,
    ) {
        let Some(progress) = self.clusters.get_mut(&call.cluster) else {
            return;
        };
        match answer {
            Ok(output) => {
                let mut causes = progress.take_details(output, &call.services);
                // Only those with a short ARN are asked for without tags of ourselves.
                if !call.has_tags() && !call.services.iter().any(|arn| is_short(arn)) {
                    causes.insert(Cause::TagsRefused);
                }
                for cause in causes {
                    self.fail(Some(&call.cluster), cause);
                }
            }
            Err(error) if is_cluster_gone(&error) => progress.gone = true,
            // Tags are refused for services with an old, short ARN. Better without than not at all.
            Err(Error::Service(error))
                if error.code == "InvalidParameterException" && call.has_tags() =>
            {
                let call = DescribeServices::without_tags(call.cluster, call.services);
                self.describes.push_front(Call::DescribeServices(call));
            }
            Err(error) => {
                let cause = Cause::of(&error, DescribeServices::NAME);
                self.fail(Some(&call.cluster), cause);
            }
        }
    }

    fn fail_all(&mut self, cluster_arns: &[String], cause: Cause) {
        for arn in cluster_arns {
            self.fail(Some(arn), cause);
        }
    }

    fn fail(&mut self, cluster_arn: Option<&str>, cause: Cause) {
        self.cause = Some(self.cause.map_or(cause, |known| known.min(cause)));
        self.failures.insert(Failure {
            target: self.target.clone(),
            region: self.region.clone(),
            cluster_name: cluster_arn.map(|arn| name_of(arn).to_owned()),
            reason: cause.reason().into_owned(),
        });
    }

    /// The snapshot as of `now`, without what `withhold` keeps back and without the account's id.
    ///
    /// # Errors
    /// If something failed and not one service could be read: the most telling cause.
    pub fn finish(self, now: SystemTime, withhold: Withhold) -> Result<Snapshot, Cause> {
        if let Some(cause) = self.cause
            && !self.clusters.values().any(Progress::is_read)
        {
            return Err(cause);
        }
        let withhold = withhold.and(self.account.clone());
        let (target, region) = (self.target, self.region);
        let mut clusters: Vec<Cluster> = self
            .clusters
            .into_values()
            .filter_map(|progress| cluster(progress, &target, &region, &withhold))
            .collect();
        clusters.sort_by(|a, b| a.cluster_name.cmp(&b.cluster_name));
        let failures = self.failures.into_iter();
        let failures = failures.map(|failure| failure.without(&withhold));
        // Names without what is withheld may stand in another order.
        let failures: BTreeSet<Failure> = failures.collect();
        Ok(Snapshot {
            generated_at: now,
            account: self.account,
            clusters,
            failures: failures.into_iter().collect(),
            kept: Vec::new(),
        })
    }
}

fn is_cluster_gone(error: &Error) -> bool {
    matches!(error, Error::Service(error) if error.code == "ClusterNotFoundException")
}

fn cluster(progress: Progress, target: &str, region: &str, withhold: &Withhold) -> Option<Cluster> {
    let description = progress.description.filter(|_| !progress.gone)?;
    if !description.is_active {
        return None;
    }
    let mut services: Vec<Service> = progress
        .found
        .into_iter()
        .filter_map(|found| found.into_service(&description.default_strategy, withhold))
        .collect();
    if services.is_empty() {
        return None;
    }
    services.sort_by(|a, b| a.service_name.cmp(&b.service_name));
    let clean = |text| withhold.clean(text);
    let mut capacity_providers: Vec<String> = description
        .capacity_providers
        .into_iter()
        .map(clean)
        .collect();
    capacity_providers.sort_unstable();
    Some(Cluster {
        cluster_name: clean(description.name),
        target: target.to_owned(),
        region: region.to_owned(),
        capacity_providers,
        tags: progress::tags(description.tags, withhold),
        services,
    })
}
