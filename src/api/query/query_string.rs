//! Query string: decoding of `application/x-www-form-urlencoded` (WHATWG URL). Malformed input is
//! an error instead of being repaired silently.

use std::fmt;

use percent_encoding::percent_decode_str;

/// The reason why a query string cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MalformedQuery {
    PercentEncoding,
    Utf8,
}

impl fmt::Display for MalformedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PercentEncoding => {
                "a % is not followed by two hexadecimal digits; write a literal % as %25"
            }
            Self::Utf8 => "it is not UTF-8",
        })
    }
}

/// The decoded key-value pairs, in order. A key without `=` has the value `""`.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>, MalformedQuery> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, MalformedQuery> {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        if *byte == b'%' && !(is_hex(bytes.get(index + 1)) && is_hex(bytes.get(index + 2))) {
            return Err(MalformedQuery::PercentEncoding);
        }
    }
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| MalformedQuery::Utf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect()
    }

    #[test]
    fn pairs_are_decoded_in_order() {
        for (query, expected) in [
            ("", vec![]),
            ("&&", vec![]),
            ("owner=K2", vec![("owner", "K2")]),
            ("owner=K2&owner=F1&", vec![("owner", "K2"), ("owner", "F1")]),
            ("owner", vec![("owner", "")]),
            ("owner=", vec![("owner", "")]),
            ("=x", vec![("", "x")]),
            ("a=b=c", vec![("a", "b=c")]),
            ("owner=a+b%2Bc%20d", vec![("owner", "a b+c d")]),
            ("%6Fwner=%E2%98%83", vec![("owner", "☃")]),
        ] {
            assert_eq!(pairs(query), Ok(owned(&expected)), "{query}");
        }
    }

    #[test]
    fn a_malformed_query_string_is_an_error() {
        for query in ["a=%", "a=%2", "a=%zz", "%=1", "a=100%"] {
            assert_eq!(
                pairs(query),
                Err(MalformedQuery::PercentEncoding),
                "{query}"
            );
        }
        for query in ["a=%ff", "%C3=1", "a=%C3%28"] {
            assert_eq!(pairs(query), Err(MalformedQuery::Utf8), "{query}");
        }
    }

    proptest! {
        #[test]
        fn every_encoded_pair_is_decoded_to_itself(key in ".+", value in ".*") {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let query = format!("{}={}", encode(&key), encode(&value));
            prop_assert_eq!(pairs(&query), Ok(vec![(key, value)]));
        }

        #[test]
        fn no_query_string_causes_a_panic(query in ".*") {
            let _ = pairs(&query);
        }
    }
}
