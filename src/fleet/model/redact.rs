//! Redaction: keeps ARNs, account ids, access keys and tags that are not exposed out of responses.
//!
//! They come in by names and tags: `CloudFormation`, for one, tags its resources with the ARN of
//! their stack.

use super::search::contains;
use super::snapshot::{Cluster, Failure, Service};
use super::tags::Tags;
use crate::aws::arn::{dashed, is_account_id};
use crate::aws::credentials::is_redacted;
use crate::order::sort;

/// The start of every ARN, in all partitions.
const ARN_PREFIX: &str = "arn:aws";
/// The replacement of an ARN.
const ARN: &str = "[ARN withheld]";
/// The replacement of any other text.
const OTHER: &str = "[withheld]";

/// Replaces texts that must not be shown.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    texts: Vec<String>,
    shortest: usize,
    exposed_tags: Option<Vec<String>>,
    hides_deployments: bool,
}

impl Redactor {
    /// Redacts ARNs, those of `texts` that are account ids or long enough to be secrets, and all
    /// tags except `exposed_tags`, if given.
    #[must_use]
    pub fn new(texts: impl IntoIterator<Item = String>, exposed_tags: Option<Vec<String>>) -> Self {
        Self {
            exposed_tags,
            ..Self::default()
        }
        .and(texts)
    }

    /// Redacts `texts` too. An account id is redacted in both of its forms.
    #[must_use]
    pub fn and(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        for text in texts {
            if is_account_id(&text) {
                self.texts.push(dashed(&text));
                self.texts.push(text);
            } else if is_redacted(&text) {
                self.texts.push(text);
            }
        }
        let lengths = self.texts.iter().map(String::len);
        self.shortest = lengths.min().unwrap_or(usize::MAX);
        self
    }

    /// Redacts the versions and deployments of services as well, unless they may be shown.
    #[must_use]
    pub fn exposing_deployments(self, exposes_deployments: bool) -> Self {
        Self {
            hides_deployments: !exposes_deployments,
            ..self
        }
    }

    /// Whether only ARNs are redacted.
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

    /// `text` with every ARN and every text of the redactor replaced.
    #[must_use]
    pub fn text(&self, text: String) -> String {
        let is_secret = |secret: &String| contains(text.as_bytes(), secret);
        let has_secret = text.len() >= self.shortest && self.texts.iter().any(is_secret);
        if has_secret || contains(text.as_bytes(), ARN_PREFIX) {
            self.redacted(&text)
        } else {
            text
        }
    }

    /// Not inlined: V8 would optimize it with the search, which nearly every text ends with.
    #[inline(never)]
    fn redacted(&self, text: &str) -> String {
        let mut text = without_arns(text);
        for secret in &self.texts {
            text = text.replace(secret.as_str(), OTHER);
        }
        text
    }

    /// The redacted `tags` that are exposed. Keys that become equal get a number.
    pub fn tags(&self, tags: impl IntoIterator<Item = (String, String)>) -> Tags {
        let tags = tags.into_iter();
        let mut redacted = Tags::with_capacity(tags.size_hint().1.unwrap_or_default());
        for (key, value) in tags {
            if !self.exposes(&key) {
                continue;
            }
            let mut key = self.text(key);
            if redacted.contains_key(&key) {
                let mut numbered = (2..).map(|number: usize| format!("{key} {number}"));
                key = numbered
                    .find(|key| !redacted.contains_key(key))
                    .unwrap_or_default();
            }
            redacted.insert(key, self.text(value));
        }
        redacted
    }

    /// `cluster` with all texts of it and of its services redacted, and its providers sorted.
    #[must_use]
    pub fn cluster(&self, cluster: Cluster) -> Cluster {
        let providers = cluster.capacity_providers.into_iter();
        let mut capacity_providers: Vec<String> = providers.map(|text| self.text(text)).collect();
        sort(&mut capacity_providers);
        let services = cluster.services.into_iter();
        Cluster {
            cluster_name: self.text(cluster.cluster_name),
            capacity_providers,
            tags: self.tags(cluster.tags),
            services: services.map(|service| self.service(service)).collect(),
            ..cluster
        }
    }

    /// `service` with all texts of it redacted.
    #[must_use]
    pub fn service(&self, mut service: Service) -> Service {
        service.service_name = self.text(service.service_name);
        service.rollout_state = service.rollout_state.map(|state| self.text(state));
        service.tags = self.tags(service.tags);
        if self.hides_deployments {
            service.reason = None;
            service.task_definition = None;
            service.deployed_at = None;
            service.failed_tasks = None;
            service.deployments = Vec::new();
        }
        let deployments = service.deployments.iter_mut();
        let definitions = deployments.map(|deployment| &mut deployment.task_definition);
        for definition in definitions.chain([&mut service.task_definition]) {
            *definition = definition.take().map(|name| self.text(name));
        }
        service
    }

    /// `failure` with its names redacted.
    #[must_use]
    pub fn failure(&self, failure: Failure) -> Failure {
        Failure {
            cluster_name: failure.cluster_name.map(|name| self.text(name)),
            service_name: failure.service_name.map(|name| self.text(name)),
            ..failure
        }
    }
}

fn without_arns(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, arn)) = rest.split_once(ARN_PREFIX) {
        redacted.push_str(before);
        redacted.push_str(ARN);
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '|');
        rest = arn
            .find(ends)
            .and_then(|end| arn.get(end..))
            .unwrap_or_default();
    }
    redacted.push_str(rest);
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::model::deployment::Deployment;
    use crate::fleet::model::reason::Reason;
    use crate::fleet::model::service_state::ServiceState;
    use crate::fleet::model::snapshot::Status;
    use proptest::prelude::*;

    const HUSH: &str = "sixteen-letters-";

    fn redacted(text: &str) -> String {
        Redactor::new(["123456789012".into(), HUSH.into()], None).text(text.into())
    }

    #[test]
    fn arns_are_replaced_wherever_they_stand() {
        for (text, expected) in [
            ("arn:aws:iam::1:user/x", "[ARN withheld]"),
            (
                "a arn:aws-cn:s3:::b, arn:aws:s3:::c.",
                "a [ARN withheld], [ARN withheld]",
            ),
            ("barn:awsome", "b[ARN withheld]"),
            ("arn: aws", "arn: aws"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn secret_texts_are_replaced_and_the_rest_stays() {
        assert_eq!(
            redacted("team-123456789012 1234-5678-9012 sixteen-letters-"),
            "team-[withheld] [withheld] [withheld]"
        );
        for text in ["K2 ☃ 1234567890", "1234-5678-901", "sixteen-letters"] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn a_text_of_fewer_than_16_characters_is_redacted_only_if_it_is_an_account_id() {
        let texts = ["test", "", "☃☃☃☃☃☃☃☃☃☃☃☃☃☃☃", "000000000000"];
        let redactor = Redactor::new(texts.map(str::to_owned), None);
        for (text, expected) in [
            (
                "test-service ☃☃☃☃☃☃☃☃☃☃☃☃☃☃☃",
                "test-service ☃☃☃☃☃☃☃☃☃☃☃☃☃☃☃",
            ),
            ("a-000000000000-b", "a-[withheld]-b"),
            ("a 0000-0000-0000 b", "a [withheld] b"),
        ] {
            assert_eq!(redactor.text(text.into()), expected);
        }
    }

    #[test]
    fn only_exposed_tags_are_shown_if_some_are_named() {
        let some = Redactor::new([], Some(vec!["owner".into()]));
        assert!(some.exposes("owner") && !some.exposes("Owner"));
        assert!(Redactor::default().exposes("anything"));
    }

    #[test]
    fn tag_keys_that_become_equal_get_a_number() {
        let secrets = ["hush", "hidden", "shh"].map(|word| word.repeat(16));
        let redactor = Redactor::new(secrets.clone(), None);
        let tags = redactor.tags(secrets.map(|key| (key, "x".to_owned())));
        let keys: Vec<_> = tags.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["[withheld]", "[withheld] 2", "[withheld] 3"]);
    }

    #[test]
    fn every_text_of_a_cluster_and_its_services_is_redacted() {
        let text = || format!("x-{HUSH}-x");
        let tags = || Tags::from([(text(), text())]);
        let cluster = Cluster {
            cluster_name: text(),
            target: "default".into(),
            region: "us-east-1".into(),
            capacity_providers: vec![text()],
            tags: tags(),
            services: vec![Service {
                service_name: text(),
                status: Status::Active,
                capacity_providers: Vec::new(),
                rollout_state: Some(text()),
                tags: tags(),
                task_definition: Some(text()),
                deployments: vec![Deployment {
                    task_definition: Some(text()),
                    ..Deployment::default()
                }],
                ..Service::default()
            }],
        };
        let failure = Failure {
            target: "default".into(),
            region: "us-east-1".into(),
            cluster_name: Some(text()),
            service_name: Some(text()),
            reason: "AWS refused the call".into(),
        };
        let redactor = Redactor::new([HUSH.into()], None);
        let shown = format!("{:?}", redactor.cluster(cluster));
        assert_eq!(shown.matches("x-[withheld]-x").count(), 10, "{shown}");
        assert!(!shown.contains(HUSH), "{shown}");
        let shown = format!("{:?}", redactor.failure(failure));
        assert!(!shown.contains(HUSH), "{shown}");
    }

    #[test]
    fn a_service_whose_deployments_are_hidden_keeps_its_state_alone() {
        let service = Service {
            service_name: "api".into(),
            state: ServiceState::Failing,
            ..Service::default()
        };
        let told = Service {
            reason: Some(Reason::ImagePull),
            task_definition: Some("api:7".into()),
            deployed_at: Some(std::time::UNIX_EPOCH),
            failed_tasks: Some(3),
            deployments: vec![Deployment::default()],
            ..service.clone()
        };
        let redactor = Redactor::default();
        assert_eq!(redactor.service(told.clone()), told);
        let redactor = redactor.exposing_deployments(false);
        assert_eq!(redactor.service(told), service);
    }

    proptest! {
        #[test]
        fn no_secret_is_left(before in ".*", after in ".*") {
            for secret in ["123456789012", "1234-5678-9012", HUSH, "arn:aws:ecs:us-east-1:123456789012:cluster/a"] {
                let shown = redacted(&format!("{before}{secret}{after}"));
                for needle in ["123456789012", "1234-5678-9012", HUSH, "arn:aws"] {
                    prop_assert!(!shown.contains(needle), "{shown}");
                }
            }
        }
    }
}
