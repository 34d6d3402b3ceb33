//! Speaks to AWS: signs, sends, retries and decodes. Knows nothing of reports.

pub mod budget;
mod canonical;
pub mod client;
pub mod credentials;
pub mod ecs;
pub mod endpoint;
pub mod error;
pub mod moment;
pub mod operation;
pub mod pacer;
pub mod platform;
pub mod retry;
pub mod sigv4;
mod skew;
pub mod sts;
mod unread;
mod xml;
