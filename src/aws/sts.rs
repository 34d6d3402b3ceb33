//! STS: `AssumeRole` (AWS Security Token Service API Reference, version 2011-06-15), in the query
//! protocol: a form in the request, XML in the response.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::time::{Duration, SystemTime};

use percent_encoding::utf8_percent_encode;

use crate::aws::credentials::Credentials;
use crate::aws::protocol::{CodecError, Operation, OperationName, Wire};
use crate::aws::sigv4::canonical_request::UNRESERVED;
use crate::aws::xml;
use crate::time;

/// Assumes a role, usually of another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    /// The role's ARN.
    pub role_arn: String,
    /// The value that the role's trust policy demands by the condition `sts:ExternalId`.
    pub external_id: Option<String>,
    /// The name of the session in the other account's `CloudTrail`, 2 to 64 characters.
    pub role_session_name: &'static str,
    /// The lifetime of the credentials, from 15 minutes to the role's maximum.
    pub duration: Duration,
}

/// Credentials of a role's session.
#[derive(Clone, Debug)]
pub struct AssumedRole {
    /// With a session token.
    pub credentials: Credentials,
    /// The time at which they expire.
    pub expiration: SystemTime,
}

impl Operation for AssumeRole {
    const WIRE: Wire = Wire {
        name: OperationName::AssumeRole,
        signing_name: "sts",
        content_type: "application/x-www-form-urlencoded; charset=utf-8",
        target_prefix: None,
    };
    type Output = AssumedRole;

    fn encode(&self) -> Vec<u8> {
        let seconds = self.duration.as_secs().to_string();
        let external_id = self.external_id.as_deref().map(|id| ("ExternalId", id));
        let form: Vec<String> = [
            ("Action", Self::WIRE.name.as_str()),
            ("Version", "2011-06-15"),
            ("RoleArn", &self.role_arn),
            ("RoleSessionName", self.role_session_name),
            ("DurationSeconds", &seconds),
        ]
        .into_iter()
        .chain(external_id)
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED)))
        .collect();
        form.join("&").into_bytes()
    }

    fn decode(body: &[u8]) -> Result<AssumedRole, CodecError> {
        let leaves = xml::leaves(body).ok_or(CodecError::Xml("AssumeRoleResponse"))?;
        let text = |element: &'static str| {
            leaves
                .iter()
                .find(|(name, text)| name == element && !text.is_empty())
                .map(|(_, text)| text.clone())
                .ok_or(CodecError::Xml(element))
        };
        let expiration =
            time::from_rfc3339(&text("Expiration")?).ok_or(CodecError::Xml("Expiration"))?;
        Ok(AssumedRole {
            credentials: Credentials::new(
                text("AccessKeyId")?,
                text("SecretAccessKey")?,
                Some(text("SessionToken")?),
            ),
            expiration,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const ANSWER: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><AssumedRoleId>AROA:ecs-status</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/ecs-status</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>hu/sh+</SecretAccessKey>
      <SessionToken>tok/en==</SessionToken><Expiration>2026-11-22T20:07:14.597946Z</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata>
</AssumeRoleResponse>"#;

    #[test]
    fn the_form_is_percent_encoded() {
        let call = AssumeRole {
            role_arn: "arn:aws:iam::123456789012:role/ecs/status".into(),
            external_id: Some("a b&c=+".into()),
            role_session_name: "ecs-status",
            duration: Duration::from_hours(1),
        };
        assert_eq!(
            String::from_utf8(call.encode()).unwrap(),
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fecs%2Fstatus\
             &RoleSessionName=ecs-status&DurationSeconds=3600&ExternalId=a%20b%26c%3D%2B"
        );
    }

    #[test]
    fn credentials_are_decoded_and_hidden_in_debug() {
        let assumed = AssumeRole::decode(ANSWER.as_bytes()).unwrap();
        assert_eq!(
            assumed.credentials.texts(),
            ["hu/sh+", "tok/en==", "ASIAEXAMPLE"]
        );
        let expiration = assumed.expiration.duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(expiration.as_secs(), 1_795_378_034);
        assert!(!format!("{assumed:?}").contains("hu/sh"));
    }

    #[test]
    fn a_response_that_lacks_an_element_is_an_error() {
        for element in [
            "AccessKeyId",
            "SecretAccessKey",
            "SessionToken",
            "Expiration",
        ] {
            for broken in [format!("{element}s"), String::new()] {
                let xml = ANSWER.replace(element, &broken);
                assert!(AssumeRole::decode(xml.as_bytes()).is_err(), "{element}");
            }
        }
        for body in ["", "{}", "<a>", "<AssumeRoleResponse/>"] {
            assert!(AssumeRole::decode(body.as_bytes()).is_err(), "{body}");
        }
    }
}
