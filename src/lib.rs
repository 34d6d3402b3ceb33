//! One URL that reports which Amazon ECS services are running on Fargate, right now.
//!
//! In scope: signing and sending the ECS read operations, deciding which services run on Fargate,
//! filtering them by tag, and answering over HTTP.
//! Out of scope: changing anything at AWS, history, alerting.
//!
//! The rooms, and the one rule of dependency: a room uses those to its right, never to its left.
//!
//! ```text
//! worker, bin/lambda → api → fleet::view → fleet::refresh → fleet::sweep → fleet::model → aws → platform, time, order, json
//! ```
//!
//! - [`platform`] holds the ports that an edge implements: HTTP, clock, sleep, randomness, log.
//! - [`aws`] speaks to AWS and knows nothing of reports.
//! - [`fleet::model`] is the data: snapshot, state, causes of failure, filter, redaction.
//! - [`fleet::sweep`] reads one target's fleet into a snapshot.
//! - [`fleet::refresh`] decides when to sweep, and stores what was found.
//! - [`fleet::view`] holds this isolate's copies and merges the targets.
//! - [`api`] turns requests into responses: routes, formats, problems.
//! - [`config`] turns named values into a [`config::Config`]. It uses [`aws`] and [`platform`] only,
//!   and every room to the left of [`aws`] may use it.
//!
//! Only an edge touches a clock, an environment variable, randomness, a socket or a console.

pub mod api;
pub mod aws;
pub mod config;
pub mod fleet;
pub mod json;
pub mod order;
pub mod platform;
pub mod time;

#[cfg(target_arch = "wasm32")]
mod worker;

/// The parts of `worker` that do not need a Worker, for their tests.
#[cfg(all(test, not(target_arch = "wasm32")))]
#[path = "worker"]
mod worker_natively {
    mod client_key;
    mod location_hint;
    mod request_id;
    mod same_isolate;
    mod snapshot_protocol;
}
