//! Keeps ARNs, the account id, our own keys and unexposed tags out of public answers.
//!
//! The first three come in by names and tags: `CloudFormation`, for one, tags what it makes with its stack's
//! ARN.

/// What stands in the place of an ARN.
const ARN: &str = "[ARN withheld]";
/// What stands in the place of anything else.
const OTHER: &str = "[withheld]";

/// Texts that must not be shown.
#[derive(Clone, Debug, Default)]
pub struct Withhold {
    texts: Vec<String>,
    shortest: usize,
    exposed_tags: Option<Vec<String>>,
}

impl Withhold {
    /// Withholds ARNs, `texts`, of which the empty ones do not count, and all tags but the exposed
    /// ones, where these are given.
    #[must_use]
    pub fn new(texts: impl IntoIterator<Item = String>, exposed_tags: Option<Vec<String>>) -> Self {
        Self {
            exposed_tags,
            ..Self::default()
        }
        .and(texts)
    }

    /// Withholds `texts` too.
    #[must_use]
    pub fn and(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        self.texts
            .extend(texts.into_iter().filter(|text| !text.is_empty()));
        self.shortest = self
            .texts
            .iter()
            .map(String::len)
            .min()
            .unwrap_or(usize::MAX);
        self
    }

    /// Whether no text is withheld, besides ARNs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether a tag with this key may be shown.
    #[must_use]
    pub fn exposes(&self, key: &str) -> bool {
        self.exposed_tags
            .as_ref()
            .is_none_or(|tags| tags.iter().any(|tag| tag == key))
    }

    /// `text` without ARNs and without what is withheld.
    #[must_use]
    pub fn clean(&self, text: String) -> String {
        let mut text = text;
        if contains(&text, "arn:aws") {
            text = without_arns(&text);
        }
        if text.len() >= self.shortest {
            for withheld in &self.texts {
                if contains(&text, withheld) {
                    text = text.replace(withheld.as_str(), OTHER);
                }
            }
        }
        text
    }
}

/// As `str::contains`, but without its preparations, which take longer than a short text itself.
fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let Some((first, _)) = part.split_first() else {
        return true;
    };
    let starts = text.windows(part.len());
    starts
        .into_iter()
        .any(|start| start.first() == Some(first) && start == part)
}

fn without_arns(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, arn)) = rest.split_once("arn:aws") {
        cleaned.push_str(before);
        cleaned.push_str(ARN);
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '|');
        rest = arn
            .find(ends)
            .and_then(|end| arn.get(end..))
            .unwrap_or_default();
    }
    cleaned.push_str(rest);
    cleaned
}

/// The account id in an ARN (`arn:partition:service:region:account-id:resource`).
#[must_use]
pub fn account_of(arn: &str) -> Option<&str> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clean(text: &str) -> String {
        Withhold::new(["123456789012".into(), "hush".into()], None).clean(text.into())
    }

    #[test]
    fn arns_are_replaced_wherever_they_stand() {
        for (text, cleaned) in [
            ("arn:aws:iam::1:user/x", "[ARN withheld]"),
            (
                "a arn:aws-cn:s3:::b, arn:aws:s3:::c.",
                "a [ARN withheld], [ARN withheld]",
            ),
            ("barn:awsome", "b[ARN withheld]"),
            ("arn: aws", "arn: aws"),
        ] {
            assert_eq!(clean(text), cleaned);
        }
    }

    #[test]
    fn what_is_withheld_is_replaced_and_the_rest_stays() {
        assert_eq!(
            clean("team-123456789012 hush"),
            "team-[withheld] [withheld]"
        );
        assert_eq!(clean("K2 ☃ 1234567890"), "K2 ☃ 1234567890");
    }

    #[test]
    fn only_the_exposed_tags_are_shown_where_some_are_named() {
        let some = Withhold::new([], Some(vec!["owner".into()]));
        assert!(some.exposes("owner") && !some.exposes("Owner"));
        assert!(Withhold::default().exposes("anything"));
    }

    #[test]
    fn an_account_id_is_read_from_an_arn() {
        assert_eq!(
            account_of("arn:aws:ecs:us-east-1:123456789012:cluster/a"),
            Some("123456789012")
        );
        assert_eq!(account_of("arn:aws:s3:::bucket"), None);
        assert_eq!(account_of("cluster"), None);
    }

    proptest! {
        #[test]
        fn nothing_withheld_is_left(before in ".*", after in ".*") {
            for secret in ["123456789012", "hush", "arn:aws:ecs:us-east-1:123456789012:cluster/a"] {
                let cleaned = clean(&format!("{before}{secret}{after}"));
                for needle in ["123456789012", "hush", "arn:aws"] {
                    prop_assert!(!cleaned.contains(needle), "{cleaned}");
                }
            }
        }
    }
}
