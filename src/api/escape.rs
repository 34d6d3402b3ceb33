//! Escaping: making text from AWS and from clients safe to display.

/// Replaces a character that may not be displayed.
const REPLACEMENT: char = '\u{fffd}';

/// `text` without characters that act instead of being displayed: control characters, such as
/// those that begin a terminal's escape sequences, and those that change the direction of writing,
/// break lines, or are invisible.
pub(super) fn displayable(text: &str) -> String {
    text.chars()
        .map(|c| if acts(c) { REPLACEMENT } else { c })
        .collect()
}

/// `text` escaped for HTML or XML, as content of an element or value of an attribute.
pub(super) fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if acts(c) => escaped.push(REPLACEMENT),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `text` as one word of a POSIX shell. What acts on a terminal is replaced.
pub(super) fn shell_word(text: &str) -> String {
    let text = displayable(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_act_on_a_terminal_are_replaced_and_others_stay() {
        assert_eq!(
            displayable("a\u{1b}[31mb\r\n\t\u{9b}\u{202e}c\u{7f}"),
            "a�[31mb����\u{fffd}c�"
        );
        assert_eq!(
            displayable("K2 ☃ é 日本 \u{1f600}"),
            "K2 ☃ é 日本 \u{1f600}"
        );
    }

    #[test]
    fn a_word_of_a_shell_is_quoted_unless_it_is_plain() {
        for (text, word) in [
            ("https://a.example:8787/list", "https://a.example:8787/list"),
            ("/list?unhealthy=true", "'/list?unhealthy=true'"),
            ("http://[::1]:8787/list", "'http://[::1]:8787/list'"),
            ("https://a';id;'/list", r"'https://a'\'';id;'\''/list'"),
            ("https://$(id)/`id`", "'https://$(id)/`id`'"),
            ("a b", "'a b'"),
            ("a\nb", "'a\u{fffd}b'"),
            ("a\u{1b}[31m\u{202e}b", "'a\u{fffd}[31m\u{fffd}b'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn markup_is_escaped_and_line_feeds_stay() {
        assert_eq!(
            markup("<b a='1'>\"&\n\u{0}"),
            "&lt;b a=&#39;1&#39;&gt;&quot;&amp;\n�"
        );
    }
}
