//! JSON: text that is written member by member (RFC 8259).
//!
//! Requests to AWS and reports have thousands of strings. V8 would compile and optimize the functions
//! that serde derives for them during the first report (`bench/TRIED.md`).

/// A JSON text.
#[derive(Clone, Debug, Default)]
pub struct Json(pub Vec<u8>);

impl Json {
    /// Appends an array of strings.
    pub fn strings(&mut self, strings: &[String]) {
        self.list(strings, |json, string| json.string(string));
    }

    /// Appends an array of `items`, each as `write` writes it.
    pub fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.raw("[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    /// Appends a string, or `null`.
    pub fn text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.raw("null"),
        }
    }

    /// Appends a string of which no character has to be escaped, or `null`.
    pub fn word(&mut self, word: Option<&str>) {
        let Some(word) = word else {
            return self.raw("null");
        };
        self.0.push(b'"');
        self.raw(word);
        self.0.push(b'"');
    }

    /// Appends a string.
    pub fn string(&mut self, text: &str) {
        // Without a branch for each byte, so that many are examined at once.
        let found = text.bytes().fold(0, |found, byte| {
            found | u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\')
        });
        if found == 0 {
            self.word(Some(text));
        } else {
            self.escaped(text);
        }
    }

    /// A string with characters that have to be escaped (section 7).
    #[cold]
    fn escaped(&mut self, text: &str) {
        self.raw("\"");
        for &byte in text.as_bytes() {
            match byte {
                b'"' => self.raw("\\\""),
                b'\\' => self.raw("\\\\"),
                b'\n' => self.raw("\\n"),
                b'\r' => self.raw("\\r"),
                b'\t' => self.raw("\\t"),
                0x08 => self.raw("\\b"),
                0x0c => self.raw("\\f"),
                0x00..0x20 => self.raw(&format!("\\u{byte:04x}")),
                _ => self.0.push(byte),
            }
        }
        self.raw("\"");
    }

    /// Appends a number, or `null`.
    pub fn number(&mut self, number: Option<u32>) {
        let Some(mut rest) = number else {
            return self.raw("null");
        };
        let start = self.0.len();
        loop {
            self.0.push(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if let Some(digits) = self.0.get_mut(start..) {
            digits.reverse();
        }
    }

    /// Appends what is JSON already.
    #[inline(never)]
    pub fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::default();
        write(&mut json);
        String::from_utf8(json.0).unwrap()
    }

    proptest! {
        #[test]
        fn strings_and_numbers_are_written_as_serde_json_writes_them(
            text in any::<String>(),
            control in "[\u{0}-\u{7f}]{0,40}",
            number in any::<Option<u32>>(),
        ) {
            for text in [&text, &control] {
                prop_assert_eq!(written(|json| json.string(text)), serde_json::to_string(text).unwrap());
            }
            prop_assert_eq!(written(|json| json.number(number)), serde_json::to_string(&number).unwrap());
        }
    }

    #[test]
    fn every_character_that_has_to_be_escaped_is() {
        let text: String = ('\0'..'\u{100}').collect();
        assert_eq!(
            written(|json| json.string(&text)),
            serde_json::to_string(&text).unwrap()
        );
        for number in [0, 9, 10, 100, u32::MAX] {
            assert_eq!(
                written(|json| json.number(Some(number))),
                number.to_string()
            );
        }
    }
}
