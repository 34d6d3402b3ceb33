//! `ListServices`: the ARNs of a cluster's services, a page at a time.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServices.html>

use super::types::{MAX_RESULTS, write_page};
use crate::aws::lenient::{Lenient, Members, decoded_by_member};
use crate::aws::protocol::{EcsOperation, OperationName};
use crate::json::Json;

/// Lists the ARNs of a cluster's services, a page at a time. The parameter `launchType` omits
/// services that use a capacity provider strategy, so it is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListServices<'a> {
    /// Name or ARN.
    pub cluster: &'a str,
    /// 1 to 100; the default of ECS is 10.
    pub max_results: u32,
    /// The token of the page before.
    pub next_token: Option<&'a str>,
}

impl<'a> ListServices<'a> {
    /// The largest page that starts at `next_token`.
    #[must_use]
    pub fn page(cluster: &'a str, next_token: Option<&'a str>) -> Self {
        Self {
            cluster,
            max_results: MAX_RESULTS,
            next_token,
        }
    }
}

impl EcsOperation for ListServices<'_> {
    const NAME: OperationName = OperationName::ListServices;
    type Output = ListServicesOutput;

    fn write(&self, json: &mut Json) {
        json.raw("{\"cluster\":");
        json.string(self.cluster);
        json.raw(",");
        write_page(json, self.max_results, self.next_token);
        json.raw("}");
    }
}

/// A page of service ARNs. A page may be short: only a missing token ends the list.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ListServicesOutput {
    pub service_arns: Vec<String>,
    pub next_token: Option<String>,
    /// An ARN or the token could not be read.
    pub is_partial: bool,
}

decoded_by_member!(ListServicesOutput {
    "serviceArns" => service_arns,
    "nextToken" => next_token,
} requires "serviceArns");

impl Lenient for ListServicesOutput {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            service_arns: members.strings("serviceArns")?,
            next_token: members.text("nextToken"),
            is_partial: !members.unreadable().is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::protocol::Operation;

    #[test]
    fn the_request_has_the_members_of_the_api_reference() {
        assert_eq!(
            ListServices::page("c", Some("t")).encode(),
            br#"{"cluster":"c","maxResults":100,"nextToken":"t"}"#
        );
    }
}
