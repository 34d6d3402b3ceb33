//! STS in memory, in front of an ECS: sessions that can be revoked, and a count of them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use http::Request;

use super::ecs::Ecs;
use super::{Fake, Reply, Sent, ok, response};

/// The variable of one target behind a role.
pub fn behind_a_role() -> (&'static str, &'static str) {
    (
        "TARGETS",
        r#"[{"name":"other","region":"us-east-1","roleArn":"arn:aws:iam::123456789012:role/reader"}]"#,
    )
}

/// An AWS with sessions.
pub struct Aws {
    pub ecs: Ecs,
    /// The number of sessions so far; the id of a session is its number.
    pub sessions: usize,
    /// The sessions up to this one are revoked.
    pub revoked: usize,
    /// All sessions are revoked as soon as ECS has taken so many calls.
    pub revoke_after: Option<usize>,
    /// The response to calls of a session that is revoked.
    pub refusal: Box<dyn Fn() -> Sent>,
    /// The response of STS instead of a session.
    pub sts_refusal: Option<Box<dyn Fn() -> Sent>>,
    /// The calls that ECS took.
    pub taken: usize,
}

impl Aws {
    pub fn new(ecs: Ecs, refusal: impl Fn() -> Sent + 'static) -> Self {
        Self {
            ecs,
            sessions: 0,
            revoked: 0,
            revoke_after: None,
            refusal: Box::new(refusal),
            sts_refusal: None,
            taken: 0,
        }
    }

    fn respond(&mut self, request: &Request<Vec<u8>>) -> Sent {
        if request.uri().host().unwrap().starts_with("sts.") {
            self.sessions += 1;
            return match &self.sts_refusal {
                Some(refusal) => refusal(),
                None => session(self.sessions),
            };
        }
        if self.revoke_after.is_some_and(|calls| self.taken >= calls) {
            self.revoke_after = None;
            self.revoked = self.sessions;
        }
        let token = request.headers()["x-amz-security-token"].to_str().unwrap();
        let number: usize = token.strip_prefix("session-").unwrap().parse().unwrap();
        if number <= self.revoked {
            return (self.refusal)();
        }
        self.taken += 1;
        self.ecs.respond(request)
    }

    /// The platform that this AWS serves.
    pub fn serve(self, latency: Duration) -> (Fake, Rc<RefCell<Self>>) {
        let aws = Rc::new(RefCell::new(self));
        let server = Rc::clone(&aws);
        let platform = Fake::new(move |request| Reply {
            after: latency,
            sent: server.borrow_mut().respond(request),
        });
        (platform, aws)
    }
}

/// A response with the session of this number.
pub fn session(number: usize) -> Sent {
    ok(&format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA{number}</AccessKeyId>\
         <SecretAccessKey>quiet</SecretAccessKey><SessionToken>session-{number}</SessionToken>\
         <Expiration>2036-11-22T20:40:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    ))
}

/// An error of AWS, in JSON or, as its front end and STS write it, in XML.
pub fn refusal(status: u16, code: &str, message: &str, is_xml: bool) -> Sent {
    if is_xml {
        let body = format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        response(status, &[], &body)
    } else {
        let body = serde_json::json!({"__type": code, "message": message});
        response(status, &[], &body.to_string())
    }
}
