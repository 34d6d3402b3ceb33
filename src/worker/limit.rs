//! The rate limit of requests that reach the Worker, by the client's address.

use ::worker::{Env, Request};

use super::platform::WorkerPlatform;
use crate::aws::platform::{Level, Log};

/// The binding of `[[ratelimits]]` in wrangler.toml.
const RATE_LIMIT: &str = "RATE_LIMIT";

/// Whether the client sent more requests than are allowed. Without the binding, or if it fails,
/// nobody is refused: the answers are cheap.
pub(super) async fn is_exceeded(env: &Env, request: &Request, platform: &WorkerPlatform) -> bool {
    let Ok(limiter) = env.rate_limiter(RATE_LIMIT) else {
        return false;
    };
    let address = request.headers().get("cf-connecting-ip").ok().flatten();
    match limiter.limit(address.unwrap_or_default()).await {
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
