//! Error: the reasons why a call fails, and the error bodies of AWS, in JSON (Smithy, "AWS JSON
//! protocols", operation error serialization) and in XML (query protocols, and the front end of all).

use std::fmt;

use http::Response;
use serde_json::{Map, Value};

use crate::aws::protocol::CodecError;
use crate::aws::sigv4::SigningError;
use crate::aws::xml;
use crate::platform::{SendError, X_AMZN_ERRORTYPE, X_AMZN_REQUESTID};

/// The reason why a call failed.
#[derive(Debug)]
pub enum Error {
    /// AWS returned an error.
    Service(ServiceError),
    /// AWS does not accept the session of a role any more; the role is to be assumed once more, and
    /// the call to be made again.
    StaleSession,
    /// There was no response.
    Send(SendError),
    /// The response is not one of the operation.
    Decode(CodecError),
    /// The request could not be signed.
    Signing(SigningError),
    /// The deadline of the whole budget passed.
    DeadlineExceeded,
    /// The budget has no request left; the call may be made again with another one.
    OutOfRequests,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service(_) => "AWS returned an error",
            Self::StaleSession => "AWS does not accept the session of the role any more",
            Self::Send(_) => "no response from AWS",
            Self::Decode(_) => "the response could not be decoded",
            Self::Signing(_) => "the request could not be signed",
            Self::DeadlineExceeded => "the deadline of the calls has passed",
            Self::OutOfRequests => "the calls have no request left",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Service(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::Decode(error) => Some(error),
            Self::Signing(error) => Some(error),
            Self::StaleSession | Self::DeadlineExceeded | Self::OutOfRequests => None,
        }
    }
}

/// An error response of AWS. Code and message are in AWS's own words: they belong in the log, not in
/// a public response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The error code without namespace and URI, such as `ThrottlingException`; empty if the body
    /// has none.
    pub code: String,
    /// The explanation, which may hold ARNs and account ids.
    pub message: String,
    /// The id by which AWS Support finds the call.
    pub request_id: Option<String>,
    /// Whether the call was signed with the session of a role, not with the configured access key.
    pub is_of_session: bool,
}

/// The codes by which AWS says that it does not know an access key id.
const UNKNOWN_KEY_CODES: [&str; 3] = [
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
];

/// The codes by which AWS says that a session token has expired or is wrong.
const EXPIRED_TOKEN_CODES: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "InvalidToken"];

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.message)
    }
}

impl std::error::Error for ServiceError {}

impl ServiceError {
    /// Whether AWS does not know the access key id, at least not in this region.
    #[must_use]
    pub fn is_unknown_key(&self) -> bool {
        UNKNOWN_KEY_CODES.contains(&self.code.as_str())
    }

    /// Whether the session token has expired or is wrong.
    #[must_use]
    pub fn is_expired_token(&self) -> bool {
        EXPIRED_TOKEN_CODES.contains(&self.code.as_str())
    }

    /// Decodes a response whose status is not a success. Never fails: what cannot be decoded is left
    /// empty.
    #[must_use]
    pub fn from_response(response: &Response<Vec<u8>>) -> Self {
        let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
        let mut error = from_json(response.body())
            .or_else(|| from_xml(response.body()))
            .or_else(|| from_cloudflare(response.body()))
            .unwrap_or_default();
        error.status = response.status().as_u16();
        if error.code.is_empty() {
            error.code = header(X_AMZN_ERRORTYPE).map(bare_code).unwrap_or_default();
        }
        if let Some(id) = header(X_AMZN_REQUESTID) {
            error.request_id = Some(id.to_owned());
        }
        error
    }
}

fn from_json(body: &[u8]) -> Option<ServiceError> {
    let body: Map<String, Value> = serde_json::from_str(&String::from_utf8_lossy(body)).ok()?;
    let text = |wanted: &[&str]| wanted.iter().find_map(|name| body.get(*name)?.as_str());
    Some(ServiceError {
        code: text(&["__type", "code"]).map(bare_code).unwrap_or_default(),
        message: text(&["message", "Message"]).unwrap_or_default().to_owned(),
        ..ServiceError::default()
    })
}

/// `com.amazonaws.ecs#ThrottlingException` and `ThrottlingException:http://…` are both
/// `ThrottlingException`.
fn bare_code(kind: &str) -> String {
    let kind = kind.split(':').next().unwrap_or_default();
    kind.rsplit('#')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn from_xml(body: &[u8]) -> Option<ServiceError> {
    let leaves = xml::leaves(body)?;
    let text = |wanted: &[&str]| {
        let leaf = leaves
            .iter()
            .find(|(name, _)| wanted.contains(&name.as_str()));
        leaf.map(|(_, text)| text.clone())
    };
    Some(ServiceError {
        code: text(&["Code"])?,
        message: text(&["Message"]).unwrap_or_default(),
        request_id: text(&["RequestId", "RequestID"]),
        ..ServiceError::default()
    })
}

/// The body by which Cloudflare tells a Worker why an origin did not respond, such as
/// `error code: 1016` (Cloudflare Docs, "Cloudflare 1xxx errors").
fn from_cloudflare(body: &[u8]) -> Option<ServiceError> {
    let text = str::from_utf8(body).ok()?;
    let code = text.trim().strip_prefix("error code: ")?;
    let is_code = code.len() <= 4 && code.bytes().all(|b| b.is_ascii_digit());
    is_code.then(|| ServiceError {
        code: code.to_owned(),
        ..ServiceError::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, headers: &[(&str, &str)], body: &str) -> ServiceError {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        ServiceError::from_response(&response.body(body.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn the_code_is_read_from_every_form_of_type() {
        for body in [
            r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
            r#"{"__type":"com.amazonaws.ecs#ThrottlingException","message":"Rate exceeded"}"#,
            r#"{"__type":"ThrottlingException:http://internal.amazon.com/coral/","Message":"Rate exceeded"}"#,
            r#"{"__type":"a.b#ThrottlingException:http://x/y#z","message":"Rate exceeded"}"#,
            r#"{"code":"ThrottlingException","message":"Rate exceeded"}"#,
        ] {
            let error = error(400, &[], body);
            assert_eq!(error.code, "ThrottlingException", "{body}");
            assert_eq!(error.message, "Rate exceeded", "{body}");
        }
    }

    #[test]
    fn the_code_is_read_beside_members_of_any_type() {
        for body in [
            r#"{"__type":"ThrottlingException","message":{"reason":"x"}}"#,
            r#"{"__type":null,"code":"ThrottlingException","message":7}"#,
            r#"{"__type":"x","__type":"ThrottlingException","details":[[]]}"#,
        ] {
            let error = error(400, &[], body);
            assert_eq!(error.code, "ThrottlingException", "{body}");
            assert_eq!(error.message, "", "{body}");
        }
    }

    #[test]
    fn the_header_names_the_code_where_the_body_does_not() {
        let headers = [
            ("x-amzn-errortype", "ServerException:http://x"),
            ("x-amzn-requestid", "id-1"),
        ];
        let error = error(500, &headers, "{}");
        assert_eq!(error.code, "ServerException");
        assert_eq!(error.request_id.as_deref(), Some("id-1"));
    }

    #[test]
    fn both_forms_of_xml_are_read() {
        for body in [
            "<ErrorResponse><Errors><Error><Code>SignatureDoesNotMatch</Code><Message>a &lt;b&gt; &#65;</Message></Error></Errors><RequestID>r-1</RequestID></ErrorResponse>",
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n <Error>\n  <Type>Sender</Type>\n  <Code>SignatureDoesNotMatch</Code>\n  <Message>a &lt;b&gt; A</Message>\n </Error>\n <RequestId>r-1</RequestId>\n</ErrorResponse>",
        ] {
            let error = error(403, &[], body);
            assert_eq!(error.code, "SignatureDoesNotMatch");
            assert_eq!(error.message, "a <b> A");
            assert_eq!(error.request_id.as_deref(), Some("r-1"));
        }
    }

    #[test]
    fn the_code_of_cloudflare_is_read_from_its_text() {
        assert_eq!(error(530, &[], "error code: 1016\n").code, "1016");
        for body in [
            "error code: 1016 <b>",
            "error code: ",
            "error code: 10161",
            "1016",
        ] {
            let code = error(530, &[], body).code;
            assert!(code.is_empty(), "{body}: {code}");
        }
    }

    #[test]
    fn a_body_of_another_format_has_a_status_and_no_code() {
        for body in [
            "",
            "<html><body>Bad gateway</body></html>",
            "{",
            "null",
            "<a",
            "\u{0}",
        ] {
            let error = error(502, &[], body);
            assert_eq!((error.status, error.code.as_str()), (502, ""), "{body}");
        }
    }

    #[test]
    fn an_error_names_its_kind_and_its_source() {
        let service = ServiceError {
            status: 400,
            code: "ClientException".into(),
            message: "no".into(),
            ..ServiceError::default()
        };
        for (error, told, cause) in [
            (
                Error::Service(service),
                "AWS returned an error",
                Some("400 ClientException: no"),
            ),
            (
                Error::Send(SendError::TimedOut),
                "no response from AWS",
                Some("no response in time"),
            ),
            (
                Error::DeadlineExceeded,
                "the deadline of the calls has passed",
                None,
            ),
        ] {
            assert_eq!(error.to_string(), told);
            let source = std::error::Error::source(&error).map(ToString::to_string);
            assert_eq!(source.as_deref(), cause, "{told}");
        }
    }
}
