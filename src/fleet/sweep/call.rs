//! A call that is due, and how it is stored with its sweep.

use serde::{Deserialize, Serialize};

use crate::aws::ecs::{DescribeClusters, DescribeServices, ListClusters, ListServices};

/// A call that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
#[allow(missing_docs)]
pub enum Call {
    ListClusters(ListClusters),
    DescribeClusters(DescribeClusters),
    ListServices(ListServices),
    DescribeServices(DescribeServices),
}

/// What a call is made from.
#[derive(Serialize, Deserialize)]
enum Stored {
    ListClusters(Option<String>),
    DescribeClusters(Vec<String>),
    ListServices(String, Option<String>),
    DescribeServices(String, Vec<String>, bool),
}

impl From<Call> for Stored {
    fn from(call: Call) -> Self {
        match call {
            Call::ListClusters(call) => Self::ListClusters(call.next_token),
            Call::DescribeClusters(call) => Self::DescribeClusters(call.clusters),
            Call::ListServices(call) => Self::ListServices(call.cluster, call.next_token),
            Call::DescribeServices(call) => {
                let has_tags = call.has_tags();
                Self::DescribeServices(call.cluster, call.services, has_tags)
            }
        }
    }
}

impl From<Stored> for Call {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::ListClusters(token) => Self::ListClusters(ListClusters::page(token)),
            Stored::DescribeClusters(clusters) => {
                Self::DescribeClusters(DescribeClusters::with_tags(clusters))
            }
            Stored::ListServices(cluster, token) => {
                Self::ListServices(ListServices::page(cluster, token))
            }
            Stored::DescribeServices(cluster, services, true) => {
                Self::DescribeServices(DescribeServices::with_tags(cluster, services))
            }
            Stored::DescribeServices(cluster, services, false) => {
                Self::DescribeServices(DescribeServices::without_tags(cluster, services))
            }
        }
    }
}
