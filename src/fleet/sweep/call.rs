//! Call: a call of a sweep that is due, as plain data that can be stored.

use serde::{Deserialize, Serialize};

/// A call that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Call {
    ListClusters {
        next_token: Option<String>,
    },
    DescribeClusters {
        /// ARNs, 1 to 100.
        clusters: Vec<String>,
    },
    ListServices {
        /// The ARN of the cluster.
        cluster: String,
        next_token: Option<String>,
    },
    DescribeServices {
        /// The ARN of the cluster.
        cluster: String,
        /// ARNs, 1 to 10.
        services: Vec<String>,
        with_tags: bool,
    },
}
