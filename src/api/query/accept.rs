//! Accept: content negotiation by the `Accept` header (RFC 9110, section 12.5.1).

/// The one of `offers` (media types, the default first) that `accept` prefers; among equals the
/// first. A client that accepts none of them gets the default rather than a 406.
pub(in crate::api) fn best<T: Copy>(accept: Option<&str>, offers: &[(&str, T)], default: T) -> T {
    let ranges: Vec<Range> = accept
        .unwrap_or("*/*")
        .split(',')
        .filter_map(Range::parse)
        .collect();
    let mut best = (0, default);
    for (media_type, format) in offers {
        let quality = quality(&ranges, media_type);
        if quality > best.0 {
            best = (quality, *format);
        }
    }
    best.1
}

/// A media range and its weight in thousandths.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let weight = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1_000), |(_, value)| thousandths(value.trim()))?;
        Some(Self {
            kind,
            subtype,
            weight,
        })
    }

    /// The precision with which it matches `media_type`; `None` if it does not.
    fn specificity(&self, media_type: &str) -> Option<u8> {
        let (kind, subtype) = media_type.split_once('/')?;
        if self.kind.eq_ignore_ascii_case(kind) {
            if self.subtype.eq_ignore_ascii_case(subtype) {
                return Some(2);
            }
            return (self.subtype == "*").then_some(1);
        }
        (self.kind == "*" && self.subtype == "*").then_some(0)
    }
}

/// The weight of the most specific range that matches `media_type`.
fn quality(ranges: &[Range<'_>], media_type: &str) -> u16 {
    ranges
        .iter()
        .filter_map(|range| Some((range.specificity(media_type)?, range.weight)))
        .max()
        .map_or(0, |(_, weight)| weight)
}

/// A weight in thousandths: `0.5` is 500. It is 0 or 1 with at most three decimals, and at most 1
/// (RFC 9110, section 12.4.2).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", _) => Some(decimals),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFERS: [(&str, &str); 3] = [
        ("text/plain", "text"),
        ("text/html", "html"),
        ("application/json", "json"),
    ];

    fn chosen(accept: &str) -> &'static str {
        best(Some(accept), &OFFERS, "text")
    }

    #[test]
    fn curl_browsers_and_programs_get_the_format_that_they_prefer() {
        assert_eq!(best(None, &OFFERS, "text"), "text");
        assert_eq!(chosen("*/*"), "text");
        assert_eq!(
            chosen("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            "html"
        );
        assert_eq!(chosen("application/json"), "json");
        assert_eq!(chosen("application/json, text/plain, */*"), "text");
        assert_eq!(chosen("Application/JSON ; Q=0.9, text/*;q=0.5"), "json");
    }

    #[test]
    fn the_most_specific_range_decides() {
        assert_eq!(chosen("text/*, text/plain;q=0.1"), "html");
        assert_eq!(chosen("*/*;q=0.5, text/plain;q=0, text/html;q=0"), "json");
    }

    #[test]
    fn a_client_that_accepts_none_of_the_offers_gets_the_default() {
        for accept in [
            "",
            "image/png",
            "nonsense",
            "text/html;q=x",
            "text/html;q=1.001",
            "text/html;q=2",
            "text/html;q=0",
            "*/plain",
        ] {
            assert_eq!(chosen(accept), "text", "{accept}");
        }
    }

    #[test]
    fn a_weight_has_exactly_the_form_of_rfc_9110() {
        for (weight, expected) in [
            ("0", 0),
            ("0.", 0),
            ("0.5", 500),
            ("0.123", 123),
            ("1", 1_000),
            ("1.", 1_000),
            ("1.000", 1_000),
        ] {
            assert_eq!(thousandths(weight), Some(expected), "{weight}");
        }
        for weight in [
            "", ".", ".5", "+1", "-0", "+0.5", "0001", "00", "01", "00.5", "10", "1.001", "0.1234",
            "1.0000", "0.+5", "0.5.0", "0,5", "1e0", "0x1", "\"1\"", "١",
        ] {
            assert_eq!(thousandths(weight), None, "{weight}");
        }
    }

    #[test]
    fn a_range_with_a_malformed_weight_counts_for_nothing() {
        for weight in ["+1", "0001", "00.5", ""] {
            let accept = format!("application/json;q={weight}, text/html;q=0.1");
            assert_eq!(chosen(&accept), "html", "{accept}");
        }
    }

    proptest! {
        #[test]
        fn no_accept_header_causes_a_panic(accept in ".*") {
            chosen(&accept);
        }
    }
}
