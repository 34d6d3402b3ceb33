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
    mod escaping;
    mod formats;
    mod openapi;
}
mod aws {
    mod client;
    mod sigv4_botocore;
}
mod corpora;
mod fleet {
    mod freshness;
    mod refresh;
    mod slices;
    mod sweep;
    mod targets;
    mod view;
}
mod support;
