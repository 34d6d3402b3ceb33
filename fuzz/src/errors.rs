//! Errors of AWS. The input is a response: its status, headers, an empty line, its body. With `call`
//! before the status it is the response to a call, which has to be signed and so takes longer.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ecs_status::aws::budget::Budget;
use ecs_status::aws::client::Client;
use ecs_status::aws::ecs::ListClusters;
use ecs_status::aws::error::{Error, ServiceError};
use ecs_status::aws::protocol::EcsOperation;
use ecs_status::aws::retry::{MAX_ATTEMPTS, is_retryable};
use ecs_status::fleet::model::cause::Cause;
use ecs_status::platform::Clock;
use http::Response;
use serde_json::Value;

use super::message::Message;
use super::support::{Fake, Reply};

/// The keys of the platform's client.
const SECRETS: [&str; 3] = [
    "AKIDEXAMPLEEXAMPLE",
    "hush-hush-hush-hush",
    "token-token-token",
];
/// The names of the policies that AWS may say deny an action.
const POLICIES: [&str; 9] = [
    "a policy of the resource",
    "a resource control policy (RCP) of the organization",
    "a service control policy (SCP) of the organization",
    "the IAM policy",
    "the identity policy",
    "the permissions boundary",
    "the policy of the VPC endpoint",
    "the session policy",
    "the trust policy of the role",
];
const TIME: Duration = Duration::from_secs(20);
/// The time that a response takes.
const LATENCY: Duration = Duration::from_millis(40);

/// An error has the code in its body, a call is retried only where that may help and never too often,
/// the log is JSON without keys, and a public reason holds nothing that AWS sent.
pub fn check(data: &[u8]) {
    let call = data.strip_prefix(b"call ");
    let response = Message::read(call.unwrap_or(data)).response();
    if !response.status().is_success() {
        let error = ServiceError::from_response(&response);
        assert_eq!(error.status, response.status().as_u16());
        if let Some(code) = code(response.body()) {
            assert_eq!(error.code, code);
        }
        reread(&error);
    }
    if call.is_some() {
        check_calls(&response);
    }
}

/// Makes calls that each get `response`.
fn check_calls(response: &Response<Vec<u8>>) {
    // A client that corrected its clock signs the next call with the corrected time.
    let calls = 1 + u32::from(response.headers().contains_key(http::header::DATE));
    let sent = Rc::new(Cell::new(0));
    let count = Rc::clone(&sent);
    let sent_back = response.clone();
    let platform = Fake::new(move |_| {
        count.set(count.get() + 1);
        Reply {
            after: LATENCY,
            sent: Ok(sent_back.clone()),
        }
    });
    let client = platform.client();
    for _ in 0..calls {
        sent.set(0);
        call(&platform, &client, &sent);
        platform.advance(TIME);
    }
    for line in platform.lines() {
        let line: Value = serde_json::from_str(&line).expect("a log line is JSON");
        assert!(!holds_secret(&line), "{line}");
    }
}

/// Whether a text in `value` holds a key. In the escaped form, `\t` and "oken" may be adjacent.
fn holds_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => SECRETS.iter().any(|secret| text.contains(secret)),
        Value::Array(values) => values.iter().any(holds_secret),
        Value::Object(fields) => fields.values().any(holds_secret),
        _ => false,
    }
}

fn call(platform: &Fake, client: &Client<Fake>, sent: &Cell<u32>) {
    let started = platform.elapsed();
    let budget = Budget::new("r-1", platform.now(), TIME);
    let result = platform.run(client.call(&ListClusters::page(None), &budget));
    // A corrected clock allows one more.
    assert!(sent.get() <= MAX_ATTEMPTS + 1);
    assert_eq!(sent.get(), budget.usage().calls);
    assert!(platform.elapsed() < started + TIME + LATENCY);
    if let Err(error) = result {
        assert!(is_retryable(&error) || sent.get() <= 2, "{error:?}");
        check_reason(&error);
    }
}

/// The public reason of an error is a sentence of this crate.
fn check_reason(error: &Error) {
    let cause = Cause::of(error, ListClusters::NAME);
    match cause.reason() {
        Cow::Borrowed(_) => {}
        Cow::Owned(reason) => {
            let subject = ["does not allow", "denies"]
                .iter()
                .find_map(|verb| reason.strip_suffix(&format!(" {verb} ecs:ListClusters")));
            assert!(POLICIES.map(Some).contains(&subject), "{reason}");
        }
    }
}

/// The code in a JSON body without anything unusual, found in another way.
fn code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let known = ["__type", "code", "message", "Message"];
    let once = |name: &&str| text.matches(&format!("\"{name}\"")).count() <= 1;
    if text.contains('\\') || !known.iter().all(once) {
        return None;
    }
    let Value::Object(body) = serde_json::from_str(text).ok()? else {
        return None;
    };
    let is_text = |name: &str| body.get(name).is_none_or(|v| v.is_string() || v.is_null());
    if !known.into_iter().all(is_text) {
        return None;
    }
    let kind = ["__type", "code"]
        .into_iter()
        .find_map(|name| body.get(name)?.as_str())?;
    let kind = kind.find(':').map_or(kind, |colon| &kind[..colon]);
    let kind = kind.rfind('#').map_or(kind, |hash| &kind[hash + 1..]);
    // A header may name a code where the body names none.
    Some(kind.trim().to_owned()).filter(|kind| !kind.is_empty())
}

/// An error written as XML is decoded to the same error.
fn reread(error: &ServiceError) {
    let writable = |text: &str| text.chars().all(|c| matches!(c, ' '..='\u{d7ff}'));
    if !writable(&error.code) || !writable(&error.message) {
        return;
    }
    let xml = format!(
        "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>",
        quick_xml::escape::escape(&error.code),
        quick_xml::escape::escape(&error.message),
    );
    let mut response = http::Response::new(xml.into_bytes());
    *response.status_mut() = http::StatusCode::FORBIDDEN;
    let again = ServiceError::from_response(&response);
    assert_eq!(again.code, error.code.trim());
    assert_eq!(again.message, error.message.trim());
}
