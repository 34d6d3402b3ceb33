//! One URL that says which Amazon ECS services are running on Fargate, right now.
//!
//! In scope: signing and sending the ECS read operations, deciding which services run on Fargate,
//! filtering them by tag, and answering over HTTP.
//! Out of scope: changing anything at AWS, history, alerting.
//!
//! The rooms, and who may use whom (no arrow runs back):
//!
//! ```text
//! worker (the wasm32 edge), bin/lambda (the Lambda edge) → api → fleet → aws
//! ```
//!
//! - [`aws`] speaks to AWS and knows nothing of reports.
//! - [`fleet`] is what we know of the fleet: the sweep, the Fargate rule, the filter.
//! - [`api`] is what we answer: routes, formats, problems.
//! - [`config`] turns named values into a [`config::Config`].
//!
//! Only an edge touches a clock, an environment variable, randomness, a socket or a console; it
//! lends them to the rooms through the small traits of [`aws::platform`].

pub mod api;
pub mod aws;
pub mod config;
pub mod fleet;

#[cfg(target_arch = "wasm32")]
mod worker;
