//! Scalars: texts, words and counts, as far as they can be read.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::time::from_rfc3339;

/// The end of the year 9999, beyond which RFC 3339 has no timestamps.
const END_OF_TIME: f64 = 253_402_300_800.0;

/// The string in `value`.
pub(super) fn string(value: &RawValue) -> Option<String> {
    let Text(text) = serde_json::from_str(value.get()).ok()?;
    Some(text)
}

/// The characters of a string, a number, `true` or `false`.
pub(super) fn text(value: &RawValue) -> Option<String> {
    let is_structure = value.get().starts_with(['{', '[']);
    string(value).or_else(|| (!is_structure).then(|| value.get().to_owned()))
}

/// The count that a number in the notation of JSON stands for.
pub(super) fn count(number: &str) -> Option<u32> {
    let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !number.bytes().all(is_number) {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    if number.is_finite() && number.fract() != 0.0 {
        return None;
    }
    // The conversion saturates at both ends.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(number as u32)
}

/// The time that a JSON value stands for: a number of seconds since 1970 with a fraction, as AWS JSON
/// 1.1 has it, or a string in the format of RFC 3339.
pub(super) fn time(json: &str) -> Option<SystemTime> {
    match millis(json) {
        Some(millis) => Some(UNIX_EPOCH + Duration::from_millis(millis)),
        None => unusual_time(json),
    }
}

/// The time in another notation than ECS's. Not inlined: V8 would optimize it with the usual one.
#[inline(never)]
fn unusual_time(json: &str) -> Option<SystemTime> {
    if let Some(text) = json.strip_prefix('"') {
        let text = text.strip_suffix('"')?;
        return match text.strip_suffix("+00:00") {
            Some(utc) => from_rfc3339(&format!("{utc}Z")),
            None => from_rfc3339(text),
        };
    }
    let seconds: f64 = json.parse().ok()?;
    let is_valid = (0.0..END_OF_TIME).contains(&seconds);
    // A thousandth is what AWS tells.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    is_valid.then(|| UNIX_EPOCH + Duration::from_millis((seconds * 1_000.0) as u64))
}

/// The milliseconds in the usual notation of seconds: up to ten digits, and up to three behind a point. The
/// parser of floating-point numbers is so large that V8 would optimize it during the first report.
fn millis(seconds: &str) -> Option<u64> {
    let (mut value, mut digits, mut point) = (0, 0, None);
    for byte in seconds.bytes() {
        match byte {
            b'0'..=b'9' if digits < 13 => {
                value = 10 * value + u64::from(byte - b'0');
                digits += 1;
            }
            b'.' if point.is_none() => point = Some(digits),
            _ => return None,
        }
    }
    let whole = point.unwrap_or(digits);
    let factor = match (point, digits - whole) {
        (None, _) => 1_000,
        (Some(_), 1) => 100,
        (Some(_), 2) => 10,
        (Some(_), 3) => 1,
        _ => return None,
    };
    (1..=10).contains(&whole).then_some(value * factor)
}

/// Deserializes a time; `null` is none.
pub(in crate::aws) fn optional_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SystemTime>, D::Error> {
    match <&RawValue>::deserialize(deserializer)?.get() {
        "null" => Ok(None),
        json => time(json)
            .map(Some)
            .ok_or_else(|| D::Error::custom("not a time")),
    }
}

/// A string, of which every part that is no Unicode is replaced.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
        }

        // As bytes, half of a surrogate pair is no error.
        deserializer.deserialize_bytes(TextVisitor)
    }
}
