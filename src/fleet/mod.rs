//! What we know of the fleet: a sweep turns the answers of ECS into a snapshot, a keeper decides when,
//! and a view puts the snapshots of all targets together.

pub mod driver;
pub mod failure;
pub mod fargate;
pub mod filter;
pub mod keeper;
mod kept;
mod merge;
mod progress;
pub mod reading;
mod record;
pub mod refresh;
pub mod snapshot;
pub mod state;
pub mod stored;
pub mod sweep;
pub mod target;
pub mod view;
pub mod withhold;
pub mod written;
