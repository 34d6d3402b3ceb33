//! Tools of the benchmark: a stand-in for ECS (`ecs`) and a load generator (`load`).

pub mod fleet;
pub mod http;
pub mod operations;
pub mod settings;
