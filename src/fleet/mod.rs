//! Fleet: a sweep turns responses of ECS into a snapshot, the refresher decides when, and a view
//! merges the snapshots of all targets.

pub mod model;
pub mod refresh;
pub mod sweep;
pub mod view;
