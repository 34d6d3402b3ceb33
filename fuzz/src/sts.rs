//! Responses of `AssumeRole`. The input is the XML of a response.

use std::time::{Duration, SystemTime};

use ecs_status::aws::budget::Budget;
use ecs_status::aws::protocol::Operation;
use ecs_status::aws::sigv4;
use ecs_status::aws::sts::{AssumeRole, AssumedRole};
use ecs_status::platform::Clock;
use http::{Method, Request};

use super::support::{Fake, Reply, ok, start};

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
const EMPTY_FLEET: &str = r#"{"clusterArns":[]}"#;

/// Decoded credentials are complete, stay out of `Debug`, are the same in another form of the
/// response, and either sign a request or are refused.
pub fn check(xml: &[u8]) {
    let Ok(role) = AssumeRole::decode(xml) else {
        return;
    };
    let texts = role.credentials.texts();
    assert!(texts.len() == 3 && texts.iter().all(|text| !text.is_empty()));
    assert_eq!(format!("{:?}", role.credentials), "Credentials([withheld])");
    assert!(role.expiration >= SystemTime::UNIX_EPOCH);
    let again = AssumeRole::decode(write(&role).as_bytes()).expect("it was decoded before");
    assert_eq!(again.credentials.texts(), texts);

    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("https://ecs.us-east-1.amazonaws.com/");
    let signed = sigv4::sign(&mut request, &role.credentials, "us-east-1", "ecs", start());
    if signed.is_ok() {
        let token = &request.headers()["x-amz-security-token"];
        assert_eq!(token.as_bytes(), texts[1].as_bytes());
    }
    assume(xml.to_vec(), signed.is_ok());
}

/// Another response with the keys of `role`.
fn write(role: &AssumedRole) -> String {
    let texts = role.credentials.texts();
    let [secret, token, id] = [0, 1, 2].map(|at| quick_xml::escape::escape(texts[at].as_str()));
    format!(
        "<R><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>2026-11-22T20:07:14Z</Expiration></R>"
    )
}

/// Checks a target behind a role whose assumption gets this response.
fn assume(xml: Vec<u8>, signs: bool) {
    let platform = Fake::new(move |request| {
        let is_sts = !request.headers().contains_key("x-amz-target");
        let sent = if is_sts {
            Ok(http::Response::new(xml.clone()))
        } else {
            ok(EMPTY_FLEET)
        };
        Reply {
            after: Duration::ZERO,
            sent,
        }
    });
    let target = platform.target("partner", Some(ROLE));
    for _ in 0..2 {
        let budget = Budget::new("r-1", platform.now(), Duration::from_secs(20));
        assert_eq!(platform.run(target.check(&budget)).is_empty(), signs);
    }
}
