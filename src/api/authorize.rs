//! Who may see the fleet (RFC 6750, "The OAuth 2.0 Authorization Framework: Bearer Token Usage").

use super::Request;
use super::problem::Problem;
use crate::config::Config;

/// Whether the answer is for the holder of the token alone; the scheme's name is case-insensitive
/// (RFC 9110, section 11.1).
pub(super) fn check(request: &Request, config: &Config) -> Result<bool, Box<Problem>> {
    let Some(token) = &config.list_token else {
        return Ok(false);
    };
    let given = request.authorization.as_deref().and_then(|header| {
        let (scheme, given) = header.trim().split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(given.trim())
    });
    match given {
        Some(given) if token.is(given) => Ok(true),
        given => Err(Problem::unauthorized(given.is_some()).into()),
    }
}
