//! Pasted: what a terminal, an editor or a form adds to a value, and how an error names it.

use std::borrow::Cow;

/// The byte order mark, which `PowerShell` writes before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Quotes that open and close a text.
const QUOTES: [(char, char); 5] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
];

/// `value` without white space and byte order marks around it.
pub(super) fn trim(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK)
}

/// Whether quotes stand around the whole `value`.
pub(super) fn is_quoted(value: &str) -> bool {
    QUOTES.iter().any(|(open, close)| {
        let inside = value.strip_prefix(*open);
        inside.is_some_and(|inside| inside.ends_with(*close))
    })
}

/// The oddity of the malformed `value` that may be invisible where it was copied from.
pub(super) fn hint(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        Some("the value is empty")
    } else if is_quoted(value) {
        Some("the value stands in quotes")
    } else if value.contains(char::is_whitespace) {
        Some("the value contains white space")
    } else if value.contains(is_invisible) {
        Some("the value contains an invisible character")
    } else {
        None
    }
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | BYTE_ORDER_MARK)
}

/// `expected` with `hint` behind it.
pub(super) fn with_hint(
    expected: impl Into<Cow<'static, str>>,
    hint: Option<&str>,
) -> Cow<'static, str> {
    let expected = expected.into();
    match hint {
        Some(hint) => format!("{expected} ({hint})").into(),
        None => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_byte_order_marks_are_trimmed_from_both_ends() {
        for value in [
            "a b",
            " \u{feff}a b\r\n",
            "\u{feff} \u{feff}a b\t\u{feff}",
            "\u{a0}a b\u{3000}",
        ] {
            assert_eq!(trim(value), "a b");
        }
        assert_eq!(trim("\u{feff}\r\n "), "");
    }

    #[test]
    fn quotes_are_found_around_the_whole_value_alone() {
        for value in ["\"a\"", "'a'", "`a`", "\u{201c}a\u{201d}", "''"] {
            assert!(is_quoted(value), "{value}");
        }
        for value in ["\"", "'", "\"a'", "a\"", "\"a", "a\"b\"c", "[\"a\"]", ""] {
            assert!(!is_quoted(value), "{value}");
        }
    }
}
