//! The services' half of a sweep: lists the services of each cluster and describes them.

use super::denial::{Split, denial};
use super::{Call, Sweep};
use crate::aws::arn::{is_short, name_of};
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
                if page.is_partial {
                    failure = Some(Cause::Unreadable);
                }
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
                known.denials.allow();
                for (service, cause) in known.take_descriptions(output, &services) {
                    self.fail_service(Some(&cluster), Some(&service), cause);
                }
                // Only services with a short ARN are described without tags in the first place.
                if !with_tags && !services.iter().any(|arn| is_short(arn)) {
                    self.fail(Some(&cluster), Cause::TagsRefused);
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
            Err(error) => self.on_services_refused(&cluster, services, with_tags, &error),
        }
    }

    /// One service that may not be described denies its whole batch, which is split.
    fn on_services_refused(
        &mut self,
        cluster: &str,
        services: Vec<String>,
        with_tags: bool,
        error: &Error,
    ) {
        let operation = OperationName::DescribeServices;
        let denial = denial(error, operation);
        let (Some((response, cause)), Some(known)) = (denial, self.clusters.get_mut(cluster))
        else {
            self.fail(Some(cluster), Cause::of(error, operation));
            return;
        };
        match known.denials.split(services, response) {
            Split::Whole(_) => self.fail(Some(cluster), cause),
            Split::Parts { denied, batches } => {
                for arn in denied {
                    self.fail_service(Some(cluster), Some(name_of(&arn)), cause);
                }
                for services in batches.into_iter().rev() {
                    self.describes.push_front(Call::DescribeServices {
                        cluster: cluster.to_owned(),
                        services,
                        with_tags,
                    });
                }
            }
        }
    }
}

fn is_cluster_gone(error: &Error) -> bool {
    matches!(error, Error::Service(error) if error.code == "ClusterNotFoundException")
}
