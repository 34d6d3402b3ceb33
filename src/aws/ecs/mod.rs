//! ECS: the four read operations (Amazon ECS API Reference, version 2014-11-13), with only the
//! members that are used. About 94 % of a `DescribeServices` response is events, of which the newest
//! are read where a service does not run as it should.
//!
//! A list that carries the answer is required, so that a body of another shape is not taken for an
//! empty fleet. Everything inside of it is optional, and `null` counts as absent.

mod describe_clusters;
mod describe_services;
mod events;
mod list_clusters;
mod list_services;
mod skip_events;
mod types;

pub use describe_clusters::{
    Cluster, DESCRIBE_CLUSTERS_MAX, DescribeClusters, DescribeClustersOutput,
};
pub use describe_services::{
    DESCRIBE_SERVICES_MAX, Deployment, DescribeServices, DescribeServicesOutput, ROLLBACK_SHOWN,
    Service,
};
pub use events::{Events, ServiceEvent};
pub use list_clusters::{ListClusters, ListClustersOutput};
pub use list_services::{ListServices, ListServicesOutput};
pub use types::{CapacityProviderStrategyItem, Failure, Tag};
