//! The services' half of a sweep: lists the services of each cluster and describes them.

use super::{Call, Sweep};
use crate::aws::arn::is_short;
use crate::aws::ecs::{DescribeServicesOutput, ListServicesOutput};
use crate::aws::error::Error;
use crate::aws::protocol::OperationName;
use crate::fleet::model::cause::Cause;

impl Sweep {
    /// Takes the response to a page of `ListServices`.
    pub fn on_list_services(
        &mut self,
        cluster: String,
        response: Result<ListServicesOutput, Error>,
    ) {
        self.count_response();
        let Some(known) = self.clusters.get_mut(&cluster) else {
            return;
        };
        let mut failure = None;
        let mut next_token = None;
        match response {
            Ok(page) => {
                known.list(page.service_arns);
                next_token = page.next_token.filter(|token| !token.is_empty());
                if let Some(token) = &next_token
                    && !known.tokens.insert(token.clone())
                {
                    failure = Some(Cause::RepeatedToken);
                    next_token = None;
                }
            }
            Err(error) if is_cluster_gone(&error) => known.gone = true,
            Err(error) => failure = Some(Cause::of(&error, OperationName::ListServices)),
        }
        known.is_listed.get_or_insert(failure.is_none());
        self.describes
            .extend(known.due_batches(&cluster, next_token.is_none()));
        if let Some(cause) = failure {
            self.fail(Some(&cluster), cause);
        }
        if next_token.is_some() {
            self.lists.push_back(Call::ListServices {
                cluster,
                next_token,
            });
        }
        self.retry_denied_clusters();
    }

    /// Takes the response to a `DescribeServices` of `services`.
    pub fn on_describe_services(
        &mut self,
        cluster: String,
        services: Vec<String>,
        with_tags: bool,
        response: Result<DescribeServicesOutput, Error>,
    ) {
        self.count_response();
        let Some(known) = self.clusters.get_mut(&cluster) else {
            return;
        };
        match response {
            Ok(output) => {
                let mut causes = known.take_descriptions(output, &services);
                // Only services with a short ARN are described without tags in the first place.
                if !with_tags && !services.iter().any(|arn| is_short(arn)) {
                    causes.insert(Cause::TagsRefused);
                }
                for cause in causes {
                    self.fail(Some(&cluster), cause);
                }
            }
            Err(error) if is_cluster_gone(&error) => known.gone = true,
            // ECS refuses tags for services with a short ARN. A service without tags is better than
            // none.
            Err(Error::Service(error))
                if error.code == "InvalidParameterException" && with_tags =>
            {
                self.describes.push_front(Call::DescribeServices {
                    cluster,
                    services,
                    with_tags: false,
                });
            }
            Err(error) => {
                let cause = Cause::of(&error, OperationName::DescribeServices);
                self.fail(Some(&cluster), cause);
            }
        }
    }
}

fn is_cluster_gone(error: &Error) -> bool {
    matches!(error, Error::Service(error) if error.code == "ClusterNotFoundException")
}
