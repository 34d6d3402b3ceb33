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
        // Sydney, Melbourne and Auckland; Singapore, Jakarta, Malaysia and Thailand.
        ("ap-southeast-2", "oc"),
        ("ap-southeast-4", "oc"),
        ("ap-southeast-6", "oc"),
        ("ap-southeast-", "apac-se"),
        // Tokyo, Seoul and Osaka; Taipei; Beijing and Ningxia.
        ("ap-northeast-", "apac-ne"),
        ("ap-east-2", "apac-ne"),
        ("cn-", "apac-ne"),
        // Hong Kong lies between the two, and Mumbai and Hyderabad near neither.
        ("ap-", "apac"),
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
            ("us-gov-east-1", Some("enam")),
            ("ca-central-1", Some("enam")),
            ("ca-west-1", Some("wnam")),
            ("mx-central-1", Some("wnam")),
            ("sa-east-1", Some("sam")),
            ("eusc-de-east-1", Some("weur")),
            ("ap-southeast-1", Some("apac-se")),
            ("ap-southeast-2", Some("oc")),
            ("ap-southeast-3", Some("apac-se")),
            ("ap-southeast-4", Some("oc")),
            ("ap-southeast-5", Some("apac-se")),
            ("ap-southeast-6", Some("oc")),
            ("ap-southeast-7", Some("apac-se")),
            ("ap-northeast-1", Some("apac-ne")),
            ("ap-northeast-2", Some("apac-ne")),
            ("ap-northeast-3", Some("apac-ne")),
            ("ap-east-1", Some("apac")),
            ("ap-east-2", Some("apac-ne")),
            ("ap-south-1", Some("apac")),
            ("ap-south-2", Some("apac")),
            ("cn-north-1", Some("apac-ne")),
            ("af-south-1", Some("afr")),
            ("me-central-1", Some("me")),
            ("il-central-1", Some("me")),
            ("xx-north-1", None),
        ] {
            assert_eq!(of(region), expected, "{region}");
        }
    }
}
