//! AWS: signs, sends, retries and decodes calls. Knows nothing of reports.

pub mod arn;
pub mod budget;
mod call_log;
pub mod client;
mod clock_skew;
pub mod credentials;
pub mod ecs;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod lenient;
mod partition;
pub mod protocol;
pub mod rate_limiter;
pub mod region;
pub mod retry;
pub mod sigv4;
pub mod sts;
mod xml;
