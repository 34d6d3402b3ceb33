//! Rate limit: refuses requests of a client that sends too many.

use ::worker::Env;

use super::client_key;
use super::platform::WorkerPlatform;
use crate::platform::{Level, Log};

/// The binding of `[[ratelimits]]` in wrangler.toml.
const RATE_LIMIT: &str = "RATE_LIMIT";

/// Whether the client at `address` exceeds the limit. Without the binding, or if it fails, no client
/// is refused: responses are cheap.
pub(super) async fn is_exceeded(env: &Env, address: &str, platform: &WorkerPlatform) -> bool {
    let Ok(limiter) = env.rate_limiter(RATE_LIMIT) else {
        return false;
    };
    match limiter.limit(client_key::of(address)).await {
        Ok(outcome) => !outcome.success,
        Err(error) => {
            let record = serde_json::json!({
                "level": Level::Warn, "event": "rateLimit", "message": error.to_string(),
            });
            platform.record(Level::Warn, &record);
            false
        }
    }
}
