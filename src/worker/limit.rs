//! The rate limit of requests that reach the Worker, by the client's address.

use ::worker::Env;

use super::platform::WorkerPlatform;
use crate::aws::platform::{Level, Log};

/// The binding of `[[ratelimits]]` in wrangler.toml.
const RATE_LIMIT: &str = "RATE_LIMIT";

/// Whether the client at `address` sent more requests than are allowed. Without the binding, or if
/// it fails, nobody is refused: the answers are cheap.
pub(super) async fn is_exceeded(env: &Env, address: String, platform: &WorkerPlatform) -> bool {
    let Ok(limiter) = env.rate_limiter(RATE_LIMIT) else {
        return false;
    };
    match limiter.limit(address).await {
        Ok(outcome) => !outcome.success,
        Err(error) => {
            if platform.enabled(Level::Warn) {
                let line = serde_json::json!({
                    "level": Level::Warn, "event": "rateLimit", "message": error.to_string(),
                });
                platform.write(Level::Warn, line.to_string());
            }
            false
        }
    }
}
