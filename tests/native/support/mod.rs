//! Support of the tests: a platform without I/O, an ECS in memory, one configuration, the values that
//! tests are made of, and readers that check the form of what they read.

pub mod ask;
pub mod config;
pub mod ecs;
pub mod events;
pub mod model;
pub mod objects;
pub mod platform;
pub mod read;
pub mod rollouts;
pub mod shared_cache;
pub mod source;
pub mod sts;
pub mod world;

pub use config::config;
pub use platform::{Fake, Reply, Sent, error, ok, response, start};
