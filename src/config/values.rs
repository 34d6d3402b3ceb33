//! Values: parsers of single values.

use crate::config::error::VariableError;

/// The access key ids of IAM users.
const LONG_TERM_PREFIX: &str = "AKIA";

/// The access key ids of sessions.
const TEMPORARY_PREFIX: &str = "ASIA";

/// Letters and digits.
pub(super) fn access_key_id(text: String) -> Option<String> {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric())
        .then_some(text)
}

/// Printable ASCII without spaces.
pub(super) fn printable(text: String) -> Option<String> {
    text.bytes().all(|b| b.is_ascii_graphic()).then_some(text)
}

/// The error of an access key id that does not go with a session token, or with none. AWS would
/// blame the key.
pub(super) fn session_token_error(
    access_key_id: &str,
    session_token: Option<&str>,
) -> Option<VariableError> {
    let error = |expected: &'static str, missing| VariableError {
        variable: "AWS_SESSION_TOKEN".into(),
        expected: expected.into(),
        missing,
    };
    let is_temporary = access_key_id.starts_with(TEMPORARY_PREFIX);
    let is_long_term = access_key_id.starts_with(LONG_TERM_PREFIX);
    match session_token {
        None if is_temporary => Some(error(
            "the session token of the temporary access key in AWS_ACCESS_KEY_ID, whose id starts with ASIA",
            true,
        )),
        Some(_) if is_long_term => Some(error(
            "none, since the access key in AWS_ACCESS_KEY_ID, whose id starts with AKIA, is not temporary",
            false,
        )),
        _ => None,
    }
}

/// `true` or `false`, in any case, as the AWS SDKs read them.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// `*`, or an origin as browsers write it: scheme, host and an optional port, in lower case, without
/// a path (RFC 6454, section 6.2). `Some(None)` for `none`.
#[allow(clippy::option_option, reason = "malformed, no origin, an origin")]
pub(super) fn origin(text: &str) -> Option<Option<String>> {
    if text == "none" {
        return Some(None);
    }
    let authority = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_host = |host: &str| {
        let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b);
        !host.is_empty() && !host.ends_with(':') && host.bytes().all(byte)
    };
    (text == "*" || authority.is_some_and(is_host)).then(|| Some(text.to_owned()))
}

/// Tag keys separated by commas, each once.
pub(super) fn tag_keys(text: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    for key in text.split(',').map(str::trim) {
        // AWS: a tag key has 1 to 128 characters.
        if !(1..=128).contains(&key.chars().count()) || keys.iter().any(|k| k == key) {
            return None;
        }
        keys.push(key.to_owned());
    }
    Some(keys)
}
