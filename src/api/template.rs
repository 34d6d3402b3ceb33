//! Template: text with named placeholders.

/// The delimiters of a placeholder in HTML.
pub(super) const BRACES: (&str, &str) = ("{{", "}}");
/// The delimiters of a placeholder in JSON, where a string stands for what replaces it.
pub(super) const QUOTED_BRACES: (&str, &str) = ("\"{{", "}}\"");

/// `template` with each name between `delimiters` replaced by its value, in one pass: a value is
/// not searched for placeholders. An unknown name stays as it is.
pub(super) fn fill(template: &str, delimiters: (&str, &str), values: &[(&str, &str)]) -> String {
    let (open, close) = delimiters;
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(open) {
        filled.push_str(before);
        let placeholder = after.split_once(close).and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((*value, after))
        });
        if let Some((value, after)) = placeholder {
            filled.push_str(value);
            rest = after;
        } else {
            filled.push_str(open);
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_not_searched_for_placeholders() {
        let values = [("a", "{{b}}"), ("b", "2")];
        assert_eq!(
            fill("{{a}} {{b}} {{c}} {{", BRACES, &values),
            "{{b}} 2 {{c}} {{"
        );
    }

    #[test]
    fn a_placeholder_in_json_is_replaced_with_its_quotes() {
        let filled = fill("[\"{{a}}\", \"{{b}}\"]", QUOTED_BRACES, &[("a", "1, 2")]);
        assert_eq!(filled, "[1, 2, \"{{b}}\"]");
    }
}
