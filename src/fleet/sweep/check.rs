//! Check: one call of each kind that a sweep needs, to tell whether all of them are allowed.

use std::ops::ControlFlow;
use std::slice;

use super::target_client::TargetClient;
use crate::aws::budget::Budget;
use crate::aws::ecs::{DescribeClusters, DescribeServices, ListClusters, ListServices};
use crate::aws::error::Error;
use crate::aws::protocol::Operation;
use crate::fleet::model::cause::Cause;
use crate::platform::Platform;

/// The number of clusters in which a service is looked for.
const MAX_CLUSTERS: usize = 5;

impl<P: Platform + Clone> TargetClient<P> {
    /// Makes one call of each kind that a sweep needs, as far as there is a cluster and a service to
    /// make it for, and returns the causes of those that fail. A denial does not end the check, so
    /// that every denied action is known.
    pub async fn check(&self, budget: &Budget) -> Vec<Cause> {
        let mut check = Check {
            target: self,
            budget,
            causes: Vec::new(),
        };
        // Either way, the causes say it all.
        let (ControlFlow::Continue(()) | ControlFlow::Break(())) = check.run().await;
        check.causes
    }
}

struct Check<'a, P> {
    target: &'a TargetClient<P>,
    budget: &'a Budget,
    causes: Vec<Cause>,
}

impl<P: Platform + Clone> Check<'_, P> {
    async fn run(&mut self) -> ControlFlow<()> {
        let page = self.call(&ListClusters::page(None)).await?;
        let clusters = page.map(|page| page.cluster_arns).unwrap_or_default();
        let Some(first) = clusters.first() else {
            return ControlFlow::Continue(());
        };
        self.call(&DescribeClusters::with_tags(slice::from_ref(first)))
            .await?;
        for cluster in clusters.iter().take(MAX_CLUSTERS) {
            let Some(page) = self.call(&ListServices::page(cluster, None)).await? else {
                break;
            };
            if let Some(service) = page.service_arns.first() {
                // Without tags: they take no other action, and ECS refuses them for a short ARN.
                let call = DescribeServices::new(cluster, slice::from_ref(service), false);
                self.call(&call).await?;
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// Makes `call`. `None` if it is denied, or if its cluster was deleted meanwhile; ends the check
    /// if it fails otherwise, since the next one would fail alike.
    async fn call<O: Operation>(&mut self, call: &O) -> ControlFlow<(), Option<O::Output>> {
        loop {
            if let Err(cause) = self.target.prepare(self.budget).await {
                self.causes.push(cause);
                return ControlFlow::Break(());
            }
            let error = match self.target.ecs().call(call, self.budget).await {
                Ok(output) => return ControlFlow::Continue(Some(output)),
                // The role is assumed once more.
                Err(Error::StaleSession) => continue,
                Err(error) => error,
            };
            if matches!(&error, Error::Service(error) if error.code == "ClusterNotFoundException") {
                return ControlFlow::Continue(None);
            }
            let cause = Cause::of(&error, O::WIRE.name);
            self.causes.push(cause);
            return match cause {
                Cause::NotAllowed(..) => ControlFlow::Continue(None),
                _ => ControlFlow::Break(()),
            };
        }
    }
}
