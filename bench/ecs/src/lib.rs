//! What measuring takes besides the Worker: a stand-in for ECS (`ecs`) and a load generator (`load`).

pub mod answers;
pub mod fleet;
pub mod http;
pub mod settings;
