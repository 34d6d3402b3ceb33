//! The clusters' half of a sweep: lists the clusters and describes them.

use super::cluster_sweep::{ClusterSweep, Description};
use super::{Call, Sweep};
use crate::aws::arn::account_of;
use crate::aws::ecs::{DESCRIBE_CLUSTERS_MAX, DescribeClustersOutput, ListClustersOutput};
use crate::aws::error::Error;
use crate::aws::protocol::OperationName;
use crate::fleet::model::cause::Cause;
use crate::fleet::model::policy_denial::PolicyDenial;

const DENIED: Cause = Cause::NotAllowed(OperationName::DescribeClusters, PolicyDenial::Unstated);

impl Sweep {
    /// Takes the response to a page of `ListClusters`.
    pub fn on_list_clusters(&mut self, response: Result<ListClustersOutput, Error>) {
        self.count_response();
        let mut next_token = None;
        match response {
            Ok(page) => {
                for arn in page.cluster_arns {
                    if self.clusters.contains_key(&arn) {
                        continue;
                    }
                    if self.account.is_none() {
                        self.account = account_of(&arn).map(str::to_owned);
                    }
                    self.lists.push_back(Call::ListServices {
                        cluster: arn.clone(),
                        next_token: None,
                    });
                    self.undescribed.push(arn.clone());
                    self.clusters.insert(arn, ClusterSweep::default());
                }
                next_token = page.next_token.filter(|token| !token.is_empty());
            }
            Err(error) => self.fail(None, Cause::of(&error, OperationName::ListClusters)),
        }
        if let Some(token) = next_token.clone() {
            if self.tokens.insert(token) {
                let next_token = next_token.clone();
                self.lists.push_front(Call::ListClusters { next_token });
            } else {
                self.fail(None, Cause::RepeatedToken);
                next_token = None;
            }
        }
        // A full batch is due at once, the rest when the list has ended.
        while self.undescribed.len() >= DESCRIBE_CLUSTERS_MAX
            || (next_token.is_none() && !self.undescribed.is_empty())
        {
            let length = self.undescribed.len().min(DESCRIBE_CLUSTERS_MAX);
            let clusters = self.undescribed.drain(..length).collect();
            self.describes
                .push_front(Call::DescribeClusters { clusters });
        }
    }

    /// Takes the response to a `DescribeClusters` of `clusters`.
    pub fn on_describe_clusters(
        &mut self,
        clusters: Vec<String>,
        response: Result<DescribeClustersOutput, Error>,
    ) {
        self.count_response();
        let output = match response {
            Ok(output) => output,
            Err(error) => {
                let cause = Cause::of(&error, OperationName::DescribeClusters);
                if matches!(cause, Cause::NotAllowed(..)) {
                    self.denied.push(clusters);
                    self.retry_denied_clusters();
                } else {
                    self.fail_all(&clusters, cause);
                }
                return;
            }
        };
        for cluster in output.clusters {
            let Some(arn) = cluster.cluster_arn.clone() else {
                continue;
            };
            // A cluster without a status counts as omitted.
            if let Some(known) = self.clusters.get_mut(&arn)
                && let Some(description) = Description::new(&arn, cluster)
            {
                known.description = Some(description);
            }
        }
        for failure in output.failures {
            let arn = failure.arn.as_ref();
            if let Some(known) = arn.and_then(|arn| self.clusters.get_mut(arn))
                && failure.reason.as_deref() == Some("MISSING")
            {
                known.gone = true;
            }
        }
        for arn in &clusters {
            let is_omitted = |known: &ClusterSweep| known.description.is_none() && !known.gone;
            if self.clusters.get(arn).is_some_and(is_omitted) {
                self.fail(Some(arn), Cause::LeftOut);
            }
        }
    }

    /// One cluster that may not be described spoils its batch. Once it is known which clusters of a
    /// denied batch may be listed, those are described once more, without the others.
    pub(super) fn retry_denied_clusters(&mut self) {
        for batch in std::mem::take(&mut self.denied) {
            let is_listed = |arn: &String| self.clusters.get(arn).and_then(|known| known.is_listed);
            if batch.iter().any(|arn| is_listed(arn).is_none()) {
                self.denied.push(batch);
                continue;
            }
            let (allowed, denied): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .partition(|arn| is_listed(arn) == Some(true));
            self.fail_all(&denied, DENIED);
            if denied.is_empty() {
                self.fail_all(&allowed, DENIED);
            } else if !allowed.is_empty() {
                self.describes
                    .push_front(Call::DescribeClusters { clusters: allowed });
            }
        }
    }
}
