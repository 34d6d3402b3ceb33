//! What we know of the fleet: a sweep turns the answers of ECS into a snapshot.

pub mod driver;
pub mod failure;
pub mod fargate;
pub mod filter;
mod progress;
pub mod refresh;
pub mod snapshot;
pub mod state;
pub mod sweep;
pub mod target;
pub mod withhold;
