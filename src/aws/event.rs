//! Event: an event of Amazon ECS as `EventBridge` delivers it, of which only the place is read
//! (Amazon ECS Developer Guide, "Amazon ECS events").

use std::fmt;

use crate::aws::arn::{Arn, is_account_id, name_of};
use crate::aws::lenient::Members;

/// The longest name of a cluster or a service.
const MAX_NAME: usize = 255;

/// The place of a change: a service, or less where the event does not name one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The id of the account.
    pub account: String,
    /// The AWS region.
    pub region: String,
    /// The names of the cluster and of the service. `None`: anything may have changed.
    pub service: Option<(String, String)>,
}

/// The body is no event of `EventBridge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnEvent;

impl fmt::Display for NotAnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an event of EventBridge")
    }
}

impl std::error::Error for NotAnEvent {}

impl Change {
    /// The change that an event tells. `Ok(None)` if it tells none of a service on Fargate: it is of
    /// another source or kind, or what it names cannot exist.
    ///
    /// # Errors
    /// If `body` is no event.
    pub fn parse(body: &[u8]) -> Result<Option<Self>, NotAnEvent> {
        let body = str::from_utf8(body).map_err(|_| NotAnEvent)?;
        let mut event = Members::of_body(body).map_err(|_| NotAnEvent)?;
        let mut word = |name| event.word(name).ok_or(NotAnEvent);
        let (source, kind) = (word("source")?, word("detail-type")?);
        let (account, region) = (word("account")?, word("region")?);
        let resources = event.strings("resources").ok_or(NotAnEvent)?;
        let detail = event.members("detail").ok_or(NotAnEvent)?;
        if source != "aws.ecs" || !is_account_id(&account) {
            return Ok(None);
        }
        let change = Self {
            account,
            region,
            service: None,
        };
        Ok(match kind.as_str() {
            "ECS Service Action" | "ECS Deployment State Change" => {
                change.of_service(resources.first(), detail)
            }
            "ECS Task State Change" => change.of_task(detail),
            _ => None,
        })
    }

    /// The change of the service whose ARN is `resource`. One of before 2018 lacks the cluster.
    fn of_service(self, resource: Option<&String>, mut detail: Members<'_>) -> Option<Self> {
        let Some(resource) = resource else {
            return Some(self);
        };
        let path = self.resource(resource)?.strip_prefix("service/")?;
        match path.split_once('/') {
            Some((cluster, service)) => self.named(cluster, service),
            None => match detail.word("clusterArn") {
                Some(cluster) => self.named(name_of(&cluster), path),
                None => is_name(path).then_some(self),
            },
        }
    }

    /// The change of the service that a task belongs to, unless the task runs elsewhere.
    fn of_task(self, mut detail: Members<'_>) -> Option<Self> {
        let launch_type = detail.word("launchType");
        let is_elsewhere = launch_type.is_some_and(|launch_type| launch_type != "FARGATE");
        let group = detail.word("group")?;
        let service = group.strip_prefix("service:").filter(|_| !is_elsewhere)?;
        match detail.word("clusterArn") {
            Some(cluster) => {
                let cluster = self
                    .resource(&cluster)?
                    .strip_prefix("cluster/")?
                    .to_owned();
                self.named(&cluster, service)
            }
            None => is_name(service).then_some(self),
        }
    }

    /// The resource part of an ARN of ECS in the account and the region of the event.
    fn resource<'a>(&self, arn: &'a str) -> Option<&'a str> {
        let arn = Arn::parse(arn)?;
        let is_here = arn.service == "ecs" && arn.account == self.account;
        (is_here && arn.region == self.region).then_some(arn.resource)
    }

    fn named(self, cluster: &str, service: &str) -> Option<Self> {
        let service = (is_name(cluster) && is_name(service))
            .then(|| (cluster.to_owned(), service.to_owned()))?;
        Some(Self {
            service: Some(service),
            ..self
        })
    }
}

/// Whether a cluster or a service may have this name (Amazon ECS API Reference, `CreateService`).
fn is_name(text: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SERVICE: &str = "arn:aws:ecs:us-east-1:123456789012:service/web/api";
    const SHORT: &str = "arn:aws:ecs:us-east-1:123456789012:service/api";
    const CLUSTER: &str = "arn:aws:ecs:us-east-1:123456789012:cluster/web";

    fn event(kind: &str, resources: &[&str], detail: Value) -> Value {
        let mut event = json!({
            "version": "0", "id": "1", "detail-type": kind, "source": "aws.ecs",
            "account": "123456789012", "time": "2026-11-25T14:02:11Z", "region": "us-east-1",
            "resources": resources,
        });
        event["detail"] = detail;
        event
    }

    /// The place of the change, as `cluster/service` or `*`.
    fn place(event: &Value) -> Option<String> {
        let change = Change::parse(event.to_string().as_bytes()).unwrap()?;
        assert_eq!(
            (&*change.account, &*change.region),
            ("123456789012", "us-east-1")
        );
        Some(match change.service {
            Some((cluster, service)) => format!("{cluster}/{service}"),
            None => "*".to_owned(),
        })
    }

    #[test]
    fn every_kind_of_event_names_its_service() {
        let (action, deployment, task) = (
            "ECS Service Action",
            "ECS Deployment State Change",
            "ECS Task State Change",
        );
        let group =
            |group: &str| json!({"group": group, "clusterArn": CLUSTER, "launchType": "FARGATE"});
        for (event, expected) in [
            (
                event(action, &[SERVICE], json!({"clusterArn": CLUSTER})),
                Some("web/api"),
            ),
            (event(deployment, &[SERVICE], json!({})), Some("web/api")),
            (
                event(deployment, &[SHORT], json!({"clusterArn": CLUSTER})),
                Some("web/api"),
            ),
            (event(deployment, &[SHORT], json!({})), Some("*")),
            (event(action, &[], json!({})), Some("*")),
            (event(task, &["x"], group("service:api")), Some("web/api")),
            (event(task, &[], json!({"group": "service:api"})), Some("*")),
            (event(task, &[SERVICE], group("family:api")), None),
            (event(task, &[SERVICE], json!({})), None),
            (
                event(
                    task,
                    &[],
                    json!({"group": "service:api", "clusterArn": CLUSTER, "launchType": "EC2"}),
                ),
                None,
            ),
            (
                event("ECS Container Instance State Change", &[SERVICE], json!({})),
                None,
            ),
        ] {
            assert_eq!(place(&event).as_deref(), expected, "{event}");
        }
    }

    #[test]
    fn names_that_cannot_exist_are_none() {
        let long = "x".repeat(256);
        for resource in [
            "arn:aws:ecs:us-east-1:123456789012:service/web/api/x",
            "arn:aws:ecs:us-east-1:123456789012:service/we b/api",
            "arn:aws:ecs:us-east-1:123456789012:service/web/",
            "arn:aws:ecs:us-east-1:123456789012:service//api",
            "arn:aws:ecs:us-east-1:123456789012:service/",
            "arn:aws:ecs:us-east-1:123456789012:task/web/api",
            "arn:aws:ecs:eu-west-1:123456789012:service/web/api",
            "arn:aws:ecs:us-east-1:210987654321:service/web/api",
            "arn:aws:iam::123456789012:service/web/api",
            &format!("arn:aws:ecs:us-east-1:123456789012:service/web/{long}"),
            "web/api",
            "",
        ] {
            let event = event("ECS Service Action", &[resource], json!({}));
            assert_eq!(place(&event), None, "{resource}");
        }
    }

    #[test]
    fn an_event_of_another_source_or_account_form_tells_nothing() {
        for (member, value) in [
            ("source", "aws.ec2"),
            ("source", "my.app"),
            ("account", "1"),
        ] {
            let mut event = event("ECS Service Action", &[SERVICE], json!({}));
            event[member] = value.into();
            assert_eq!(place(&event), None, "{member} {value}");
        }
    }

    #[test]
    fn what_lacks_a_member_of_the_envelope_is_no_event() {
        let whole = event("ECS Service Action", &[SERVICE], json!({}));
        for member in [
            "detail-type",
            "source",
            "account",
            "region",
            "resources",
            "detail",
        ] {
            for other in [Value::Null, json!(1), json!([[1]])] {
                let mut event = whole.clone();
                event[member] = other;
                if member == "resources" && event[member].is_array() {
                    // A list in which nothing can be read is a list.
                    continue;
                }
                let parsed = Change::parse(event.to_string().as_bytes());
                assert_eq!(parsed, Err(NotAnEvent), "{event}");
            }
        }
        let nested = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        for body in [
            "",
            " ",
            "{}",
            "[]",
            "null",
            "1",
            "\"x\"",
            "{",
            "x",
            &nested,
            "{\"a\":\"\u{1}\"}",
        ] {
            assert_eq!(Change::parse(body.as_bytes()), Err(NotAnEvent));
        }
        assert_eq!(Change::parse(b"{\"source\":\"\xff\"}"), Err(NotAnEvent));
        let in_name = whole.to_string().replace("\"id\"", "\"i\u{1}d\"");
        assert_eq!(Change::parse(in_name.as_bytes()), Err(NotAnEvent));
    }

    #[test]
    fn nesting_of_any_depth_in_a_detail_takes_no_stack() {
        let event = event("ECS Service Action", &[SERVICE], json!({"deep": "@"}));
        let nested = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
        let body = event.to_string().replace("\"@\"", &nested);
        let change = Change::parse(body.as_bytes()).unwrap().unwrap();
        assert_eq!(change.service, Some(("web".into(), "api".into())));
    }
}
