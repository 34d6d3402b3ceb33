//! Sweep: a state machine that reads one target's whole fleet. Calls come out, answers go in, and
//! at the end there is a [`Snapshot`].
//!
//! It holds no connection and knows no clock. Each call is due as soon as its input is known:
//!
//! ```text
//! ListClusters ─┬─ a page's clusters ─── DescribeClusters (100 a call)
//!               └─ each cluster ──────── ListServices ─── DescribeServices (10 a call)
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::SystemTime;

use super::failure::Cause;
use super::progress::{self, Progress, name_of};
use super::snapshot::{Cluster, Failure, Service, Snapshot};
use super::withhold::{Withhold, account_of};
use crate::aws::ecs::{
    DESCRIBE_CLUSTERS_MAX, DescribeClusters, DescribeClustersOutput, DescribeServices,
    DescribeServicesOutput, ListClusters, ListClustersOutput, ListServices, ListServicesOutput,
};
use crate::aws::error::Error;
use crate::aws::operation::EcsOperation;

/// Lists come first, but every so many calls a description that is due may go before them.
const CALLS_TO_A_DESCRIPTION: usize = 6;

const DENIED: Cause = Cause::NotAllowed(DescribeClusters::NAME);

/// A call that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Call {
    ListClusters(ListClusters),
    DescribeClusters(DescribeClusters),
    ListServices(ListServices),
    DescribeServices(DescribeServices),
}

/// A call and what came of it.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Outcome {
    ListClusters(ListClusters, Result<ListClustersOutput, Error>),
    DescribeClusters(DescribeClusters, Result<DescribeClustersOutput, Error>),
    ListServices(ListServices, Result<ListServicesOutput, Error>),
    DescribeServices(DescribeServices, Result<DescribeServicesOutput, Error>),
}

/// The sweep of one target.
#[derive(Debug)]
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
            tokens: BTreeSet::new(),
            account: None,
            failures: BTreeSet::new(),
            cause: None,
        }
    }

    /// The next call that can be made now. None while calls are out means that their answers may
    /// make more due; none while no call is out means that the sweep is done.
    pub fn next_call(&mut self) -> Option<Call> {
        self.turn += 1;
        // Some descriptions in between, so that there is something to report if time runs out.
        if self.turn.is_multiple_of(CALLS_TO_A_DESCRIPTION)
            && let Some(call) = self.describes.pop_front()
        {
            return Some(call);
        }
        let list = self.lists.pop_front();
        list.or_else(|| self.describes.pop_front())
    }

    /// Gives up before the first call.
    pub fn abandon(&mut self, cause: Cause) {
        self.lists.clear();
        self.fail(None, cause);
    }

    /// Takes what came of a call.
    pub fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::ListClusters(_, answer) => self.take_clusters(answer),
            Outcome::DescribeClusters(call, answer) => self.take_descriptions(call, answer),
            Outcome::ListServices(call, answer) => self.take_services(call, answer),
            Outcome::DescribeServices(call, answer) => self.take_details(call, answer),
        }
    }

    fn take_clusters(&mut self, answer: Result<ListClustersOutput, Error>) {
        let mut next_token = None;
        match answer {
            Ok(page) => {
                for arn in page.cluster_arns {
                    if self.clusters.contains_key(&arn) {
                        continue;
                    }
                    if self.account.is_none() {
                        self.account = account_of(&arn).map(str::to_owned);
                    }
                    self.lists
                        .push_back(Call::ListServices(ListServices::page(arn.clone(), None)));
                    self.undescribed.push(arn.clone());
                    self.clusters.insert(arn, Progress::default());
                }
                next_token = page.next_token.filter(|token| !token.is_empty());
            }
            Err(error) => self.fail(None, Cause::of(&error, ListClusters::NAME)),
        }
        if let Some(token) = next_token.clone() {
            if self.tokens.insert(token) {
                self.lists
                    .push_front(Call::ListClusters(ListClusters::page(next_token.clone())));
            } else {
                self.fail(None, Cause::RepeatedToken);
                next_token = None;
            }
        }
        // A full batch goes at once; the rest waits until the list has ended.
        while self.undescribed.len() >= DESCRIBE_CLUSTERS_MAX
            || (next_token.is_none() && !self.undescribed.is_empty())
        {
            let rest = self.undescribed.len().min(DESCRIBE_CLUSTERS_MAX);
            let batch = self.undescribed.drain(..rest).collect();
            self.describes
                .push_front(Call::DescribeClusters(DescribeClusters::with_tags(batch)));
        }
    }

    fn take_descriptions(
        &mut self,
        call: DescribeClusters,
        answer: Result<DescribeClustersOutput, Error>,
    ) {
        let output = match answer {
            Ok(output) => output,
            Err(error) => {
                let cause = Cause::of(&error, DescribeClusters::NAME);
                if cause == DENIED && call.clusters.len() > 1 {
                    self.denied.push(call.clusters);
                    self.ask_again_of_denied();
                } else {
                    self.fail_all(&call.clusters, cause);
                }
                return;
            }
        };
        for cluster in output.clusters {
            let known = cluster
                .cluster_arn
                .as_ref()
                .and_then(|arn| self.clusters.get_mut(arn));
            // Without a status nobody knows whether it may be reported; then it counts as left out.
            if let Some(progress) = known
                && cluster.status.is_some()
            {
                progress.description = Some(cluster);
            }
        }
        for failure in output.failures {
            let known = failure
                .arn
                .as_ref()
                .and_then(|arn| self.clusters.get_mut(arn));
            if let Some(progress) = known
                && failure.reason.as_deref() == Some("MISSING")
            {
                progress.gone = true;
            }
        }
        for arn in &call.clusters {
            let left_out = |p: &Progress| p.description.is_none() && !p.gone;
            if self.clusters.get(arn).is_some_and(left_out) {
                self.fail(Some(arn), Cause::LeftOut);
            }
        }
    }

    /// One cluster that may not be described spoils its batch. Those of which the services may be
    /// listed are asked for once more, without the others.
    fn ask_again_of_denied(&mut self) {
        for batch in std::mem::take(&mut self.denied) {
            let is_listed = |arn: &String| self.clusters.get(arn).and_then(|known| known.is_listed);
            if batch.iter().any(|arn| is_listed(arn).is_none()) {
                self.denied.push(batch);
                continue;
            }
            let (open, closed): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .partition(|arn| is_listed(arn) == Some(true));
            self.fail_all(&closed, DENIED);
            if closed.is_empty() {
                self.fail_all(&open, DENIED);
            } else if !open.is_empty() {
                let call = DescribeClusters::with_tags(open);
                self.describes.push_front(Call::DescribeClusters(call));
            }
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
                if call.tags_refused {
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
                self.describes
                    .push_front(Call::DescribeServices(call.again_without_tags()));
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
        let withhold = withhold.and(self.account);
        let (target, region) = (self.target, self.region);
        let mut clusters: Vec<Cluster> = self
            .clusters
            .into_iter()
            .filter_map(|(arn, progress)| cluster(&arn, progress, &target, &region, &withhold))
            .collect();
        clusters.sort_by(|a, b| a.cluster_name.cmp(&b.cluster_name));
        let failures = self
            .failures
            .into_iter()
            .map(|failure| Failure {
                cluster_name: failure.cluster_name.map(|name| withhold.clean(name)),
                ..failure
            })
            .collect();
        Ok(Snapshot {
            generated_at: now,
            clusters,
            failures,
        })
    }
}

fn is_cluster_gone(error: &Error) -> bool {
    matches!(error, Error::Service(error) if error.code == "ClusterNotFoundException")
}

fn cluster(
    arn: &str,
    progress: Progress,
    target: &str,
    region: &str,
    withhold: &Withhold,
) -> Option<Cluster> {
    let description = progress.description.filter(|_| !progress.gone)?;
    if description.status.as_deref() != Some("ACTIVE") {
        return None;
    }
    let strategy = &description.default_capacity_provider_strategy;
    let mut services: Vec<Service> = progress
        .found
        .into_iter()
        .filter_map(|found| found.into_service(strategy, withhold))
        .collect();
    if services.is_empty() {
        return None;
    }
    services.sort_by(|a, b| a.service_name.cmp(&b.service_name));
    let name = description
        .cluster_name
        .unwrap_or_else(|| name_of(arn).to_owned());
    let clean = |text| withhold.clean(text);
    let mut capacity_providers: Vec<String> = description
        .capacity_providers
        .into_iter()
        .map(clean)
        .collect();
    capacity_providers.sort_unstable();
    Some(Cluster {
        cluster_name: clean(name),
        target: target.to_owned(),
        region: region.to_owned(),
        capacity_providers,
        tags: progress::tags(description.tags, withhold),
        services,
    })
}
