//! `ListClusters`: the ARNs of all clusters, a page at a time.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListClusters.html>

use super::types::{MAX_RESULTS, write_page};
use crate::aws::lenient::{Lenient, Members, decoded_by_member};
use crate::aws::protocol::{EcsOperation, OperationName};
use crate::json::Json;

/// Lists the ARNs of all clusters, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListClusters<'a> {
    /// 1 to 100.
    pub max_results: u32,
    /// The token of the page before.
    pub next_token: Option<&'a str>,
}

impl<'a> ListClusters<'a> {
    /// The largest page that starts at `next_token`.
    #[must_use]
    pub fn page(next_token: Option<&'a str>) -> Self {
        Self {
            max_results: MAX_RESULTS,
            next_token,
        }
    }
}

impl EcsOperation for ListClusters<'_> {
    const NAME: OperationName = OperationName::ListClusters;
    type Output = ListClustersOutput;

    fn write(&self, json: &mut Json) {
        json.raw("{");
        write_page(json, self.max_results, self.next_token);
        json.raw("}");
    }
}

/// A page of cluster ARNs. A page may be short: only a missing token ends the list.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ListClustersOutput {
    pub cluster_arns: Vec<String>,
    pub next_token: Option<String>,
    /// An ARN or the token could not be read.
    pub is_partial: bool,
}

decoded_by_member!(ListClustersOutput {
    "clusterArns" => cluster_arns,
    "nextToken" => next_token,
} requires "clusterArns");

impl Lenient for ListClustersOutput {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            cluster_arns: members.strings("clusterArns")?,
            next_token: members.text("nextToken"),
            is_partial: !members.unreadable().is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::lenient::decode;
    use crate::aws::protocol::Operation;

    #[test]
    fn the_request_has_the_members_of_the_api_reference() {
        let json = |token| ListClusters::page(token).encode();
        assert_eq!(json(None), br#"{"maxResults":100}"#);
        assert_eq!(json(Some("t")), br#"{"maxResults":100,"nextToken":"t"}"#);
    }

    #[test]
    fn a_body_of_another_shape_is_not_an_empty_fleet() {
        for json in [
            "{}",
            "[]",
            "null",
            r#"{"clusterArns":null}"#,
            r#"{"clusters":[]}"#,
        ] {
            let output = decode::<ListClustersOutput>(json.as_bytes());
            assert!(output.is_err(), "{json}");
        }
    }
}
