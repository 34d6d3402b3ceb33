//! The clusters' half of a sweep: lists the clusters and describes them.

use super::cluster_sweep::{ClusterSweep, Description};
use super::denial::{Split, denial};
use super::{Call, Sweep};
use crate::aws::arn::account_of;
use crate::aws::ecs::{DESCRIBE_CLUSTERS_MAX, DescribeClustersOutput, ListClustersOutput};
use crate::aws::error::Error;
use crate::aws::protocol::OperationName;
use crate::fleet::model::cause::Cause;

impl Sweep {
    /// Takes the response to a page of `ListClusters`.
    pub fn on_list_clusters(&mut self, response: Result<ListClustersOutput, Error>) {
        self.count_response();
        let mut next_token = None;
        match response {
            Ok(page) => {
                if page.is_partial {
                    self.fail(None, Cause::Unreadable);
                }
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
                self.on_clusters_refused(clusters, &error);
                return;
            }
        };
        self.denials.allow();
        for cluster in output.clusters {
            let Some(arn) = cluster.cluster_arn.clone() else {
                continue;
            };
            let is_partial = cluster.is_partial;
            // A cluster without a status counts as omitted.
            if let Some(known) = self.clusters.get_mut(&arn)
                && let Some(description) = Description::new(&arn, cluster)
            {
                let is_active = description.is_active;
                known.description = Some(description);
                if is_partial && is_active {
                    self.fail(Some(&arn), Cause::Unreadable);
                }
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

    /// One cluster that may not be described denies its whole batch, which is split.
    fn on_clusters_refused(&mut self, clusters: Vec<String>, error: &Error) {
        let operation = OperationName::DescribeClusters;
        let Some((response, cause)) = denial(error, operation) else {
            self.fail_all(&clusters, Cause::of(error, operation));
            return;
        };
        match self.denials.split(clusters, response) {
            Split::Whole(clusters) => self.fail_all(&clusters, cause),
            Split::Parts { denied, batches } => {
                self.fail_all(&denied, cause);
                for clusters in batches.into_iter().rev() {
                    self.describes
                        .push_front(Call::DescribeClusters { clusters });
                }
            }
        }
    }
}
