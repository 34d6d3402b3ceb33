//! Event skipping: removes the events from a JSON body before it is parsed, and leaves their place
//! behind. They are about 94 % of a `DescribeServices` response.

use std::borrow::Cow;

use wide::u8x16;

/// The bytes that are examined together.
const BLOCK: usize = 64;

/// `body` with the place of the array in place of its content under every key that `opening` opens,
/// such as `"events":[`: the indices of its first byte and of the byte behind it. Inside of the arrays
/// only strings and brackets are examined. A body that ends too early is returned as it is, for the
/// parser to refuse.
pub(super) fn without<'a>(body: &'a [u8], opening: &[u8]) -> Cow<'a, [u8]> {
    let mut rest_of_body = Vec::new();
    let mut rest = body;
    while let Some((before, array)) = split_after(rest, opening) {
        rest_of_body.extend_from_slice(before);
        let Some(end) = end_of_array(array) else {
            return Cow::Borrowed(body);
        };
        // The array is the end of the body from behind its bracket on.
        let start = body.len() - array.len();
        rest_of_body.extend_from_slice((start - 1).to_string().as_bytes());
        rest_of_body.push(b',');
        rest_of_body.extend_from_slice((start + end + 1).to_string().as_bytes());
        rest = array.get(end..).unwrap_or_default();
    }
    if rest_of_body.is_empty() {
        return Cow::Borrowed(body);
    }
    rest_of_body.extend_from_slice(rest);
    Cow::Owned(rest_of_body)
}

/// Splits `bytes` at the end of the first `opening`, which starts with a quote. Not inlined, as all loops
/// here: V8 counts the bytes of code that a loop passes, and would optimize a large function with them.
#[inline(never)]
fn split_after<'a>(bytes: &'a [u8], opening: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let pair = *opening.first_chunk()?;
    let mut from = 0;
    loop {
        let at = from + find(pair, bytes.get(from..)?)?;
        // A quote behind a backslash is a character of a string, not the start of a key.
        let is_key = at.checked_sub(1).and_then(|i| bytes.get(i)) != Some(&b'\\');
        if is_key && bytes.get(at..)?.starts_with(opening) {
            return bytes.split_at_checked(at + opening.len());
        }
        from = at + 1;
    }
}

/// The index of the first `pair` of bytes in `bytes`, of which 16 are examined together.
#[inline(never)]
fn find(pair: [u8; 2], bytes: &[u8]) -> Option<usize> {
    let [first, second] = pair.map(u8x16::splat);
    let mut from = 0;
    while let Some(block) = bytes.get(from..from + 17) {
        let is_first = u8x16::new(*block.first_chunk()?).simd_eq(first);
        let is_second = u8x16::new(*block.last_chunk()?).simd_eq(second);
        let found = (is_first & is_second).to_bitmask();
        if found != 0 {
            return Some(from + found.trailing_zeros() as usize);
        }
        from += 16;
    }
    let found = bytes.get(from..)?.windows(2).position(|at| at == pair)?;
    Some(from + found)
}

/// The index of the bracket that closes the array whose content `bytes` starts with.
#[inline(never)]
fn end_of_array(bytes: &[u8]) -> Option<usize> {
    let mut place = Place {
        depth: 1,
        in_string: false,
        is_escaped: false,
    };
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        let (quotes, has_other) = examine(block);
        // Most blocks hold neither brackets nor backslashes: only the parity of the quotes matters.
        if !has_other && !place.is_escaped {
            place.in_string ^= quotes.count_ones() % 2 == 1;
        } else if let Some(end) = place.scan(block) {
            return Some(index * BLOCK + end);
        }
    }
    place.scan(tail).map(|end| blocks.len() * BLOCK + end)
}

/// Examines `block`: a mask whose number of bits has the parity of the number of quotes, and whether
/// there is a bracket or a backslash.
#[inline]
fn examine(block: &[u8; BLOCK]) -> (u32, bool) {
    let mut quotes = u8x16::ZERO;
    let mut others = u8x16::ZERO;
    for bytes in block.as_chunks::<16>().0 {
        let bytes = u8x16::new(*bytes);
        quotes ^= bytes.simd_eq(u8x16::splat(b'"'));
        // `[`, `\\` and `]` follow each other.
        let from_bracket = bytes - u8x16::splat(b'[');
        others |= from_bracket.simd_eq(from_bracket.min(u8x16::splat(b']' - b'[')));
    }
    (quotes.to_bitmask(), others.any())
}

/// The position of a scan in JSON.
struct Place {
    depth: u32,
    in_string: bool,
    is_escaped: bool,
}

impl Place {
    /// Scans `bytes`. Returns the index at which the outermost array ends, if it ends in them.
    #[inline(never)]
    fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'[' if !self.in_string => self.depth += 1,
                b']' if !self.in_string => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn cut(text: &str) -> String {
        String::from_utf8(without(text.as_bytes(), b"\"events\":[").into_owned()).unwrap()
    }

    /// The array at the place that stands in `array`.
    fn placed<'a>(array: &Value, text: &'a str) -> &'a str {
        let index = |at: usize| usize::try_from(array[at].as_u64().unwrap()).unwrap();
        text.get(index(0)..index(1)).unwrap()
    }

    #[test]
    fn arrays_under_the_key_become_their_place_and_the_rest_stays() {
        for (text, expected) in [
            (r#"{"a":1}"#, r#"{"a":1}"#),
            (r#"{"events":[]}"#, r#"{"events":[10,12]}"#),
            (
                r#"{"events":[1,[2,"]"],{"x":"\"]["}],"b":[3]}"#,
                r#"{"events":[10,34],"b":[3]}"#,
            ),
            (
                r#"[{"events":["\\"]},{"events":["\\\"]"],"c":"events"}]"#,
                r#"[{"events":[11,17]},{"events":[29,38],"c":"events"}]"#,
            ),
            // No key of that name, or no array.
            (r#"{"x\"events":[1]}"#, r#"{"x\"events":[1]}"#),
            (r#"{"events":null}"#, r#"{"events":null}"#),
            (r#"{"myevents":[1]}"#, r#"{"myevents":[1]}"#),
        ] {
            assert_eq!(cut(text), expected);
        }
    }

    #[test]
    fn a_pair_is_found_wherever_a_block_ends() {
        for before in 0..40 {
            for behind in 0..40 {
                let bytes = format!("{}\"e{}", "x\"".repeat(before), "x".repeat(behind));
                let expected = bytes.find("\"e");
                assert_eq!(find(*b"\"e", bytes.as_bytes()), expected, "{bytes}");
                assert_eq!(find(*b"\"f", bytes.as_bytes()), None, "{bytes}");
            }
        }
        assert_eq!(find(*b"\"e", b"x\""), None);
        assert_eq!(find(*b"\"e", b""), None);
    }

    #[test]
    fn a_body_that_ends_too_early_is_returned_unchanged() {
        let whole = r#"{"events":[{"message":"a [b] \" c"}],"x":1}"#;
        for end in r#"{"events":["#.len()..whole.find(']').unwrap() + 8 {
            let text = whole.get(..end).unwrap();
            let is_closed = cut(text) != text;
            assert!(!is_closed, "{text}");
        }
    }

    #[test]
    fn a_quote_is_escaped_wherever_a_block_ends() {
        for before in 0..3 * BLOCK {
            let string = format!("\"{}\\\"{}\"", "x".repeat(before), "y".repeat(2 * BLOCK));
            for array in [string.clone(), format!("{string},[{string}]")] {
                let whole = format!("{array}],\"{array}]");
                assert_eq!(
                    end_of_array(whole.as_bytes()),
                    Some(array.len()),
                    "{before}"
                );
            }
        }
    }

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(vec![
                "\"",
                "\\",
                "[",
                "]",
                "{",
                "}",
                "events",
                ":",
                ",",
                "X",
                "_",
                "☃",
                "a longer text ",
            ]),
            0..12,
        )
        .prop_map(|parts| parts.concat())
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            text().prop_map(Value::from),
            Just(json!(null)),
            Just(json!(7))
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(text(), inner, 0..4)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    /// Bytes of which few mean anything, most of them quotes.
    fn long() -> impl Strategy<Value = Vec<u8>> {
        let special = prop::sample::select(b"\"\"\"\"\"\"\"\"\"\"\"\"\\[]".to_vec());
        let part = (0..40_usize, special).prop_map(|(length, special)| {
            let mut part = vec![b'x'; length];
            part.push(special);
            part
        });
        prop::collection::vec(part, 0..48).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn blocks_and_bytes_find_the_same_end_of_an_array(bytes in long()) {
            let mut place = Place { depth: 1, in_string: false, is_escaped: false };
            prop_assert_eq!(end_of_array(&bytes), place.scan(&bytes));
        }

        #[test]
        fn only_arrays_under_the_key_change(before in any_json(), events in prop::collection::vec(any_json(), 0..4), after in any_json()) {
            let whole = json!({"a": before, "events": events, "z": after});
            let text = whole.to_string();
            let read: Value = serde_json::from_str(&cut(&text)).unwrap();
            let found: Value = serde_json::from_str(placed(&read["events"], &text)).unwrap();
            prop_assert_eq!(&found, &whole["events"]);
            // Events further inside are cut too, so those are compared that have none.
            for (key, value) in [("a", before), ("z", after)] {
                if !value.to_string().contains("\"events\":[") {
                    prop_assert_eq!(&read[key], &value);
                }
            }
        }

        #[test]
        fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), text in text()) {
            without(&bytes, b"\"events\":[");
            without(format!("\"events\":[{text}").as_bytes(), b"\"events\":[");
        }
    }
}
