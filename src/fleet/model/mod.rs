//! Model: the data of a fleet. Pure values, without I/O.

pub mod cause;
pub mod deployment;
pub mod fargate;
pub mod filter;
pub mod policy_denial;
pub mod reason;
pub mod redact;
mod search;
pub mod service_state;
pub mod snapshot;
pub mod tags;
pub mod values;
