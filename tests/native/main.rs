//! Native tests: one binary, with a module for each layer.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used
)]

mod api {
    mod answers;
    mod caches;
    mod deployments;
    mod escaping;
    mod events;
    mod formats;
    mod openapi;
    mod outsiders;
    mod requests;
}
mod aws {
    mod client;
    mod sigv4_botocore;
}
mod config;
mod corpora;
mod fleet {
    mod events;
    mod forgetting;
    mod freshness;
    mod health;
    mod reasons;
    mod refresh;
    mod refusals;
    mod roles;
    mod service_states;
    mod slices;
    mod sweep;
    mod sweep_denials;
    mod sweep_oddities;
    mod targets;
    mod view;
}
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;
mod lambda;

// The fuzz targets stand on the same support.
use fuzz::support;
