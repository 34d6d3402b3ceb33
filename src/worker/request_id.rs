//! Request id: Cloudflare's own where it is one, for it is repeated in the response and in the log.

/// The most characters of an id. Cloudflare's have 20: sixteen digits and the data centre.
const MAX_LENGTH: usize = 64;

/// `cf_ray`, if it has the form of an id, else one of `bits`. A header that does not come from
/// Cloudflare, as in local development, can be anything.
pub(super) fn of(cf_ray: Option<String>, bits: impl FnOnce() -> u64) -> String {
    cf_ray
        .filter(|id| is_id(id))
        .unwrap_or_else(|| format!("{:016x}", bits()))
}

fn is_id(text: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(cf_ray: &str) -> String {
        of(Some(cf_ray.to_owned()), || 0xbeef)
    }

    #[test]
    fn the_id_is_the_one_of_cloudflare() {
        let longest = "a".repeat(MAX_LENGTH);
        for ray in ["8f2c7d1e9b3a4c5d-SYD", "a", &longest] {
            assert_eq!(id(ray), ray);
        }
    }

    #[test]
    fn a_header_that_is_no_id_is_replaced() {
        let long = "a".repeat(MAX_LENGTH + 1);
        for ray in [
            "",
            &long,
            "a b",
            "a\u{1b}[31m",
            "a\u{202e}b",
            "a\"b",
            "a/b",
            "é",
            "a\tb",
        ] {
            assert_eq!(id(ray), "000000000000beef", "{ray:?}");
        }
        assert_eq!(of(None, || 1), "0000000000000001");
    }
}
