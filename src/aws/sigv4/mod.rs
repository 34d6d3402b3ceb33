//! `SigV4`: signs requests with Signature Version 4 (AWS IAM User Guide, "Create a signed AWS API request").

pub(super) mod canonical_request;
pub(super) mod signing_key;

use std::fmt;
use std::time::SystemTime;

use aws_sigv4::sign::v4::calculate_signature;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderName, HeaderValue, Request};
use sha2::{Digest, Sha256};

use crate::aws::credentials::Credentials;
use crate::time;
use signing_key::Scope;

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The reason why a request could not be signed: it was not built as this crate builds them.
#[derive(Debug)]
pub struct SigningError(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request could not be signed")
    }
}

impl std::error::Error for SigningError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
    }
}

impl SigningError {
    fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Adds `x-amz-date`, `authorization` and, where the credentials have a session token,
/// `x-amz-security-token` to `request`. All headers of the request are signed, and `host`, which is
/// added if it is missing.
///
/// # Errors
/// If the request was built wrongly: a relative URI, or a header that is not text.
pub fn sign(
    request: &mut Request<Vec<u8>>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: SystemTime,
) -> Result<(), SigningError> {
    let time = basic_format(now)?;
    let day = time.get(..8).unwrap_or_default();
    let scope = Scope {
        text: format!("{day}/{region}/{service}/aws4_request"),
        time: now,
        region,
        service,
    };

    if !request.headers().contains_key(HOST) {
        let authority = request.uri().authority();
        let authority = authority.ok_or_else(|| SigningError::new("the URI has no host"))?;
        let host = HeaderValue::from_str(authority.as_str()).map_err(SigningError::new)?;
        request.headers_mut().insert(HOST, host);
    }
    let date = HeaderValue::from_str(&time).map_err(SigningError::new)?;
    request.headers_mut().insert(X_AMZ_DATE, date);
    if let Some(token) = credentials.session_token() {
        let token = secret(token)?;
        request.headers_mut().insert(X_AMZ_SECURITY_TOKEN, token);
    }

    let (headers, names) =
        canonical_request::headers(request.headers()).map_err(SigningError::new)?;
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        request.method(),
        canonical_request::path(request.uri()),
        canonical_request::query(request.uri()),
        hex_digest(request.body()),
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{}\n{}",
        scope.text,
        hex_digest(canonical.as_bytes()),
    );
    let key = credentials.signing_key(&scope);
    let signature = signature(key, &to_sign);
    let id = credentials.access_key_id();
    let authorization = secret(&format!(
        "AWS4-HMAC-SHA256 Credential={id}/{}, SignedHeaders={names}, Signature={signature}",
        scope.text
    ))?;
    request.headers_mut().insert(AUTHORIZATION, authorization);
    Ok(())
}

/// Not inlined, like the parts of the canonical request.
#[inline(never)]
fn signature(key: impl AsRef<[u8]>, to_sign: &str) -> String {
    calculate_signature(key, to_sign.as_bytes())
}

/// The SHA-256 of `bytes` in hexadecimal digits. `hex::encode` adds them to a string one by one. Not inlined,
/// like the parts of the canonical request.
#[inline(never)]
fn hex_digest(bytes: &[u8]) -> String {
    let mut digits = vec![b'0'; 64];
    // The digits fit, and are ASCII.
    let _ = hex::encode_to_slice(Sha256::digest(bytes), &mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

/// A header value that `Debug` hides.
fn secret(text: &str) -> Result<HeaderValue, SigningError> {
    let mut value = HeaderValue::from_str(text).map_err(SigningError::new)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `20150830T123600Z` (ISO 8601, basic format), in whole seconds.
fn basic_format(now: SystemTime) -> Result<String, SigningError> {
    let text = time::rfc3339(now).ok_or_else(|| SigningError::new("no such date"))?;
    Ok(text.replace(['-', ':'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    /// 2015-08-30T12:36:00Z, the moment of AWS's published examples.
    const PUBLISHED: u64 = 1_440_938_160;

    fn published(session_token: Option<&str>) -> Credentials {
        Credentials::new(
            "AKIDEXAMPLE".into(),
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token.map(str::to_owned),
        )
    }

    fn authorization(request: http::request::Builder, body: &str, service: &str) -> String {
        let mut request = request.body(body.as_bytes().to_vec()).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(PUBLISHED);
        sign(&mut request, &published(None), "us-east-1", service, now).unwrap();
        request.headers()["authorization"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// The example of the AWS General Reference, "Signature Version 4 signing process".
    #[test]
    fn the_documented_example_has_the_documented_signature() {
        let request =
            Request::get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08").header(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            );
        assert_eq!(
            authorization(request, "", "iam"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    /// The Signature Version 4 Test Suite of the AWS General Reference, by the names used there.
    #[test]
    fn the_test_suite_has_its_published_signatures() {
        const HOST: &str = "https://example.amazonaws.com";
        let form = "application/x-www-form-urlencoded";
        let cases = [
            (
                "get-vanilla",
                Request::get(format!("{HOST}/")),
                "",
                "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                Request::get(format!("{HOST}/?Param2=value2&Param1=value1")),
                "",
                "host;x-amz-date",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "get-unreserved",
                Request::get(format!(
                    "{HOST}/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                )),
                "",
                "host;x-amz-date",
                "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            ),
            (
                "post-vanilla",
                Request::post(format!("{HOST}/")),
                "",
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-header-key-sort",
                Request::post(format!("{HOST}/")).header("My-Header1", "value1"),
                "",
                "host;my-header1;x-amz-date",
                "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            ),
            (
                "post-x-www-form-urlencoded",
                Request::post(format!("{HOST}/")).header("Content-Type", form),
                "Param1=value1",
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ];
        for (name, request, body, headers, signature) in cases {
            assert_eq!(
                authorization(request, body, "service"),
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders={headers}, Signature={signature}"
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn a_session_token_is_sent_and_signed_and_hidden_in_debug() {
        let mut request = Request::post("https://ecs.us-east-1.amazonaws.com/")
            .body(vec![])
            .unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(PUBLISHED);
        sign(
            &mut request,
            &published(Some("t/oken")),
            "us-east-1",
            "ecs",
            now,
        )
        .unwrap();
        assert_eq!(request.headers()["x-amz-security-token"], "t/oken");
        let authorization = request.headers()["authorization"].to_str().unwrap();
        assert!(
            authorization.contains("host;x-amz-date;x-amz-security-token"),
            "{authorization}"
        );
        assert!(!format!("{request:?}").contains("t/oken"));
    }

    #[test]
    fn a_request_that_cannot_be_signed_is_an_error_that_says_why() {
        use std::error::Error;
        let no_text = HeaderValue::from_bytes(b"\xff").unwrap();
        for (request, why) in [
            (Request::post("/"), "the URI has no host"),
            (
                Request::post("https://ecs.us-east-1.amazonaws.com/").header("x", no_text),
                "failed to convert header to a str",
            ),
        ] {
            let mut request = request.body(vec![]).unwrap();
            let keys = published(None);
            let error = sign(&mut request, &keys, "us-east-1", "ecs", UNIX_EPOCH).unwrap_err();
            assert_eq!(error.to_string(), "the request could not be signed");
            assert_eq!(error.source().unwrap().to_string(), why);
        }
    }
}
