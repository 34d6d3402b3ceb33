//! Makes text from outside harmless, wherever it is shown.

/// What stands in the place of a character that may not be shown.
const REPLACEMENT: char = '\u{fffd}';

/// `text` without characters that do something instead of being shown: control characters, such as
/// those that begin a terminal's escape sequences, and those that turn the direction of writing,
/// break lines or hide.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if acts(c) { REPLACEMENT } else { c })
        .collect()
}

/// `text` as it may stand in HTML or XML, in an element or in an attribute.
pub(super) fn escaped(text: &str) -> String {
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

/// `template` with every `{{name}}` replaced by its value, in one pass: what is filled in is not
/// looked at again.
pub(super) fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let place = after.split_once("}}").and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((*value, after))
        });
        if let Some((value, after)) = place {
            filled.push_str(value);
            rest = after;
        } else {
            filled.push_str("{{");
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
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
    fn what_acts_on_a_terminal_is_replaced_and_the_rest_stays() {
        assert_eq!(
            shown("a\u{1b}[31mb\r\n\t\u{9b}\u{202e}c\u{7f}"),
            "a�[31mb����\u{fffd}c�"
        );
        assert_eq!(shown("K2 ☃ é 日本 \u{1f600}"), "K2 ☃ é 日本 \u{1f600}");
    }

    #[test]
    fn markup_is_escaped_and_lines_stay() {
        assert_eq!(
            escaped("<b a='1'>\"&\n\u{0}"),
            "&lt;b a=&#39;1&#39;&gt;&quot;&amp;\n�"
        );
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        let values = [("a", "{{b}}"), ("b", "2")];
        assert_eq!(filled("{{a}} {{b}} {{c}} {{", &values), "{{b}} 2 {{c}} {{");
    }
}
