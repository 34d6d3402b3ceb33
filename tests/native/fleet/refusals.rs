//! Refusals: the table of what AWS says and what the response says, for each operation and each kind
//! of target.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use crate::support::ecs::Ecs;
use crate::support::sts::{refusal, session};
use crate::support::{Fake, Reply, Sent, ask, response};
use ecs_status::platform::SendError;
use serde_json::Value;

const OPERATIONS: [&str; 4] = [
    "ListClusters",
    "DescribeClusters",
    "ListServices",
    "DescribeServices",
];

/// The region whose calls are refused.
const REFUSED: &str = "ap-southeast-2";

/// The targets of a configuration, and the operations that are refused.
const KINDS: [(&str, &str, &[&str]); 5] = [
    (
        "key, one target",
        r#"[{"name":"x","region":"ap-southeast-2"}]"#,
        &OPERATIONS,
    ),
    (
        "key, another target works",
        r#"[{"name":"x","region":"ap-southeast-2"},{"name":"home","region":"us-east-1"}]"#,
        &OPERATIONS,
    ),
    (
        "role, one target",
        r#"[{"name":"x","region":"ap-southeast-2","roleArn":"arn:aws:iam::210987654321:role/r"}]"#,
        &OPERATIONS,
    ),
    (
        "role, one target",
        r#"[{"name":"x","region":"ap-southeast-2","roleArn":"arn:aws:iam::210987654321:role/r"}]"#,
        &["AssumeRole"],
    ),
    (
        "role, another target works",
        r#"[{"name":"x","region":"ap-southeast-2","roleArn":"arn:aws:iam::210987654321:role/r"},{"name":"home","region":"us-east-1"}]"#,
        &["AssumeRole"],
    ),
];

const USER: &str = "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: \
                    ACTION on resource: arn:aws:ecs:ap-southeast-2:123456789012:cluster/prod ";

/// Codes, and messages where they matter.
const SAID: [(&str, &str); 34] = [
    (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    ),
    ("InvalidAccessKeyId", ""),
    (
        "ExpiredTokenException",
        "The security token included in the request is expired",
    ),
    ("ExpiredToken", ""),
    ("InvalidToken", ""),
    (
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.",
    ),
    ("SignatureDoesNotMatch", ""),
    (
        "InvalidSignatureException",
        "Credential should be scoped to a valid region. ",
    ),
    (
        "SignatureDoesNotMatch",
        "Credential should be scoped to a valid region, not 'us-east-1'. ",
    ),
    (
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'ecs'. ",
    ),
    ("RequestTimeTooSkewed", ""),
    ("RequestExpired", ""),
    ("AccessDeniedException", ""),
    (
        "AccessDenied",
        "because no identity-based policy allows the ACTION action",
    ),
    (
        "AccessDeniedException",
        "with an explicit deny in an identity-based policy",
    ),
    (
        "AccessDeniedException",
        "because no permissions boundary allows the ACTION action",
    ),
    (
        "AccessDeniedException",
        "with an explicit deny in a permissions boundary",
    ),
    (
        "AccessDeniedException",
        "because no session policy allows the ACTION action",
    ),
    (
        "AccessDeniedException",
        "with an explicit deny in a session policy",
    ),
    (
        "AccessDeniedException",
        "because no service control policy allows the ACTION action",
    ),
    (
        "AccessDeniedException",
        "with an explicit deny in a service control policy",
    ),
    (
        "AccessDeniedException",
        "with an explicit deny in a resource control policy",
    ),
    (
        "AccessDeniedException",
        "because no VPC endpoint policy allows the ACTION action",
    ),
    (
        "AccessDenied",
        "because no role trust policy allows the ACTION action",
    ),
    ("UnauthorizedOperation", ""),
    (
        "SubscriptionRequiredException",
        "The AWS Access Key Id needs a subscription for the service",
    ),
    (
        "OptInRequired",
        "The AWS Access Key Id needs a subscription for the service",
    ),
    ("BlockedException", "Your AWS account was blocked."),
    (
        "RegionDisabledException",
        "STS is not activated in this region for account:123456789012.",
    ),
    ("ThrottlingException", "Rate exceeded"),
    ("ServerException", "Service Unavailable."),
    ("ClientException", "The action is not valid."),
    ("ValidationError", ""),
];

/// Statuses of Cloudflare and of proxies, and their bodies.
const STATUSES: [(u16, &str); 13] = [
    (429, ""),
    (500, ""),
    (501, ""),
    (503, "<html>"),
    (520, "error code: 520"),
    (521, "error code: 521"),
    (522, "error code: 522"),
    (523, "error code: 523"),
    (524, "error code: 524"),
    (525, "error code: 525"),
    (530, "error code: 1016"),
    (530, ""),
    (404, "<html>"),
];

/// Status and sentence of the response where `operation` gets `sent`, and the number of its calls.
fn said(targets: &str, operation: &'static str, sent: impl Fn() -> Sent + 'static) -> String {
    let mut ecs = Ecs::uniform(1, 1);
    let platform = Fake::new(move |request| {
        let target = request.headers().get("x-amz-target");
        let name = target.map_or("AssumeRole", |target| {
            target.to_str().unwrap().split('.').nth(1).unwrap()
        });
        let is_refused = request.uri().host().unwrap().contains(REFUSED) && name == operation;
        Reply {
            after: Duration::ZERO,
            sent: if is_refused {
                sent()
            } else if target.is_none() {
                session(1)
            } else {
                ecs.respond(request)
            },
        }
    });
    let response = ask::ask_with(&platform, &[("TARGETS", targets)], &ask::get("/list"));
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let text = body.to_string();
    for secret in [
        "123456789012",
        "210987654321",
        "arn:",
        "Credential",
        "token included",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
    let reasons = body["failures"].as_array().map(|failures| {
        let reasons = failures
            .iter()
            .map(|failure| failure["reason"].as_str().unwrap());
        reasons.collect::<Vec<_>>().join(" | ")
    });
    let reason = reasons.unwrap_or_else(|| {
        let detail = body["detail"].as_str().unwrap();
        let detail = detail
            .strip_prefix("The fleet could not be read: ")
            .unwrap();
        format!("[{}] {detail}", body["code"].as_str().unwrap())
    });
    let lines = platform.lines();
    let is_call = |line: &&String| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["event"] == "awsError" && line["operation"] == operation
    };
    let calls = lines.iter().filter(is_call).count();
    format!("{} after {calls}: {reason}", response.status().as_u16())
}

/// The rows about one thing that AWS says: kinds and operations with the same response are in one.
fn rows(sent: impl Fn(&'static str) -> Sent + Clone + 'static) -> String {
    let mut rows = String::new();
    for (kind, targets, operations) in KINDS {
        let mut grouped: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for &operation in operations {
            let sent = sent.clone();
            let answer = said(targets, operation, move || sent(operation));
            let action = [format!("ecs:{operation}"), format!("sts:{operation}")];
            let answer = action
                .iter()
                .fold(answer, |answer, action| answer.replace(action, "ACTION"));
            grouped.entry(answer).or_default().push(operation);
        }
        for (answer, operations) in grouped {
            writeln!(rows, "  {kind}, {}\n      {answer}", operations.join(" ")).unwrap();
        }
    }
    rows
}

#[test]
fn every_refusal_is_blamed_on_what_is_to_blame() {
    let mut table = String::new();
    for (code, message) in SAID {
        let sent = move |is_xml: bool| {
            move |operation: &'static str| {
                let action = match operation {
                    "AssumeRole" => "sts:AssumeRole".to_owned(),
                    _ => format!("ecs:{operation}"),
                };
                let is_denial = message.contains("policy") || message.contains("boundary");
                let start = if is_denial { USER } else { "" };
                let message = format!("{start}{message}").replace("ACTION", &action);
                let status = match (code, is_xml) {
                    ("ServerException", _) => 500,
                    (_, true) => 403,
                    (_, false) => 400,
                };
                refusal(status, code, &message, is_xml)
            }
        };
        let [json, xml] = [false, true].map(|is_xml| rows(sent(is_xml)));
        assert_eq!(json, xml, "{code}");
        writeln!(table, "{code} {message}\n{json}").unwrap();
    }
    for (status, body) in STATUSES {
        let rows = rows(move |_| response(status, &[], body));
        writeln!(table, "HTTP {status} {body}\n{rows}").unwrap();
    }
    let unreachable = [
        "dns error: failed to lookup address information: Name or service not known",
        "connection reset",
    ];
    for words in unreachable {
        let rows = rows(move |_| Err(SendError::Unreachable(words.to_owned())));
        writeln!(table, "{words}\n{rows}").unwrap();
    }
    insta::assert_snapshot!(table);
}
