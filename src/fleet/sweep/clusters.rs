//! The clusters' half of a sweep: which there are, and what they are.

use super::{Call, Sweep};
use crate::aws::ecs::{
    DESCRIBE_CLUSTERS_MAX, DescribeClusters, DescribeClustersOutput, ListClusters,
    ListClustersOutput, ListServices,
};
use crate::aws::error::Error;
use crate::aws::operation::EcsOperation;
use crate::fleet::failure::Cause;
use crate::fleet::progress::{Description, Progress};
use crate::fleet::withhold::account_of;

const DENIED: Cause = Cause::NotAllowed(DescribeClusters::NAME);

impl Sweep {
    pub(super) fn take_clusters(&mut self, answer: Result<ListClustersOutput, Error>) {
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

    pub(super) fn take_descriptions(
        &mut self,
        call: DescribeClusters,
        answer: Result<DescribeClustersOutput, Error>,
    ) {
        let output = match answer {
            Ok(output) => output,
            Err(error) => {
                let cause = Cause::of(&error, DescribeClusters::NAME);
                if cause == DENIED {
                    self.denied.push(call.clusters);
                    self.ask_again_of_denied();
                } else {
                    self.fail_all(&call.clusters, cause);
                }
                return;
            }
        };
        for cluster in output.clusters {
            let Some(arn) = cluster.cluster_arn.clone() else {
                continue;
            };
            // Without a status it counts as left out.
            if let Some(progress) = self.clusters.get_mut(&arn)
                && let Some(description) = Description::new(&arn, cluster)
            {
                progress.description = Some(description);
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
    pub(super) fn ask_again_of_denied(&mut self) {
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
}
