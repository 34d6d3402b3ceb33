//! ARN: the parts of an Amazon Resource Name (IAM User Guide, "Identify AWS resources with Amazon
//! Resource Names").

/// An ARN in its parts: `arn:partition:service:region:account:resource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    /// Empty, or 12 digits.
    pub account: &'a str,
    /// Everything behind the account, such as `service/web/api`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes `text` apart. `None` unless it has six parts, starts with `arn:aws`, and its account
    /// is empty or an account id.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next();
        if part()? != "arn" {
            return None;
        }
        let arn = Self {
            partition: part()?,
            service: part()?,
            region: part()?,
            account: part()?,
            resource: part()?,
        };
        let is_valid = arn.partition.starts_with("aws")
            && (arn.account.is_empty() || is_account_id(arn.account));
        is_valid.then_some(arn)
    }
}

/// Whether `text` is an account id: 12 digits.
#[must_use]
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// An account id as the AWS console writes it: `1234-5678-9012`.
#[must_use]
pub fn dashed(account_id: &str) -> String {
    let digits = account_id.as_bytes().chunks(4);
    let groups: Vec<_> = digits.map(String::from_utf8_lossy).collect();
    groups.join("-")
}

/// The account id of an ARN, if it has one.
#[must_use]
pub fn account_of(arn: &str) -> Option<&str> {
    let account = Arn::parse(arn)?.account;
    (!account.is_empty()).then_some(account)
}

/// The name of a cluster or a service: the last segment of its ARN, or the text itself.
#[must_use]
pub fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Whether a service's ARN has the short format of before 2018, without its cluster's name (Amazon
/// ECS Developer Guide, "Amazon Resource Names (ARNs) and IDs").
#[must_use]
pub fn is_short(service_arn: &str) -> bool {
    let resource = service_arn.rsplit_once(':').map(|(_, resource)| resource);
    let path = resource.and_then(|resource| resource.strip_prefix("service/"));
    path.is_some_and(|path| !path.contains('/'))
}

/// Whether `text` is the ARN of an IAM role: `arn:partition:iam::account:role/path/name`.
#[must_use]
pub fn is_role(text: &str) -> bool {
    let is_role = |arn: Arn| {
        let name = arn.resource.strip_prefix("role/");
        arn.service == "iam"
            && arn.region.is_empty()
            && !arn.account.is_empty()
            && name.is_some_and(|name| !name.is_empty())
    };
    text.len() <= 2_048
        && text.bytes().all(|b| b.is_ascii_graphic())
        && Arn::parse(text).is_some_and(is_role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_an_account_or_none() {
        for (arn, account) in [
            (
                "arn:aws:ecs:us-east-1:123456789012:cluster/a",
                Some("123456789012"),
            ),
            (
                "arn:aws-cn:iam::123456789012:role/a:b",
                Some("123456789012"),
            ),
            ("arn:aws:s3:::bucket", None),
            ("arn:aws:ecs:us-east-1:12345678901x:cluster/a", None),
            ("arn:gcp:ecs:us-east-1:123456789012:cluster/a", None),
            ("cluster", None),
            ("", None),
        ] {
            assert_eq!(account_of(arn), account, "{arn}");
        }
    }

    #[test]
    fn the_console_writes_an_account_id_in_groups_of_four_digits() {
        assert_eq!(dashed("123456789012"), "1234-5678-9012");
    }

    #[test]
    fn the_name_is_the_last_segment_in_the_long_and_in_the_short_format() {
        let prefix = "arn:aws:ecs:us-east-1:123456789012";
        for (resource, name, short) in [
            ("service/web/api", "api", false),
            ("service/api", "api", true),
            ("cluster/web", "web", false),
        ] {
            let arn = format!("{prefix}:{resource}");
            assert_eq!((name_of(&arn), is_short(&arn)), (name, short), "{arn}");
        }
        assert_eq!((name_of("api"), is_short("api")), ("api", false));
    }

    #[test]
    fn only_the_arn_of_a_role_is_a_role() {
        assert!(is_role("arn:aws:iam::123456789012:role/ecs/status"));
        assert!(is_role("arn:aws-us-gov:iam::123456789012:role/status"));
        for text in [
            "arn:aws:iam::1:role/x",
            "arn:aws:iam:::role/x",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam:us-east-1:123456789012:role/x",
            "arn:aws:sts::123456789012:role/x",
            "arn:aws:iam::123456789012:role/a b",
            "role/x",
        ] {
            assert!(!is_role(text), "{text}");
        }
        assert!(!is_role(&format!(
            "arn:aws:iam::123456789012:role/{}",
            "x".repeat(2_048)
        )));
    }
}
