//! Authorization: the bearer token that protects the fleet (RFC 6750).

use crate::api::problem::Problem;
use crate::api::request::Request;
use crate::config::BearerToken;

/// Checks the `Authorization` header of `request` against `token`, if one is configured. Returns
/// whether the response is private to the holder of the token. The name of the scheme is
/// case-insensitive (RFC 9110, section 11.1).
pub(super) fn authorize(
    request: &Request,
    token: Option<&BearerToken>,
) -> Result<bool, Box<Problem>> {
    let Some(token) = token else {
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
        Some(_) => Err(Problem::invalid_token().into()),
        None => Err(Problem::missing_token().into()),
    }
}
