//! Location hint: the place on Cloudflare's network that is near an AWS region (Cloudflare Durable
//! Objects documentation, "Data location").

/// The location hint for an AWS region. `None` for a region whose place is unknown.
pub(super) fn of(region: &str) -> Option<&'static str> {
    let hints = [
        ("us-east-", "enam"),
        ("us-gov-east-", "enam"),
        ("ca-central-", "enam"),
        ("us-", "wnam"),
        ("ca-", "wnam"),
        ("mx-", "wnam"),
        ("sa-", "sam"),
        ("eu-", "weur"),
        ("eusc-", "weur"),
        ("ap-southeast-2", "oc"),
        ("ap-southeast-4", "oc"),
        ("ap-southeast-6", "oc"),
        ("ap-", "apac"),
        ("cn-", "apac"),
        ("af-", "afr"),
        ("me-", "me"),
        ("il-", "me"),
    ];
    let matching =
        |(prefix, hint): (&str, &'static str)| region.starts_with(prefix).then_some(hint);
    hints.into_iter().find_map(matching)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_near_its_region() {
        for (region, expected) in [
            ("us-east-1", Some("enam")),
            ("us-west-2", Some("wnam")),
            ("us-gov-west-1", Some("wnam")),
            ("eu-central-1", Some("weur")),
            ("ap-southeast-1", Some("apac")),
            ("ap-southeast-2", Some("oc")),
            ("ap-northeast-3", Some("apac")),
            ("af-south-1", Some("afr")),
            ("xx-north-1", None),
        ] {
            assert_eq!(of(region), expected, "{region}");
        }
    }
}
