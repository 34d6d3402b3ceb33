//! Scalars: texts, words and counts, as far as they can be read.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The string in `value`.
pub(super) fn string(value: &RawValue) -> Option<String> {
    let Text(text) = serde_json::from_slice(value.get().as_bytes()).ok()?;
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
