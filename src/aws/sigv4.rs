//! Signature Version 4 (AWS IAM User Guide, "AWS Signature Version 4 for API requests").

use std::fmt;
use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as sign_http};
use aws_sigv4::sign::v4;
use http::header::HOST;
use http::{HeaderValue, Request};

use super::credentials::Credentials;

/// Why a request could not be signed: it was not built as this crate builds them.
#[derive(Debug)]
pub struct SigningError(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request cannot be signed")
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
/// `x-amz-security-token` to `request`. Every header that stands in the request is signed, and
/// `host`, which is added if it is missing.
///
/// # Errors
/// Only for a request that was built wrongly: a relative URI, a header that is no text.
pub fn sign(
    request: &mut Request<Vec<u8>>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: SystemTime,
) -> Result<(), SigningError> {
    if !request.headers().contains_key(HOST) {
        let authority = request
            .uri()
            .authority()
            .ok_or_else(|| SigningError::new("the URI has no host"))?;
        let host = HeaderValue::from_str(authority.as_str()).map_err(SigningError::new)?;
        request.headers_mut().insert(HOST, host);
    }

    let identity = credentials.keys().clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(SigningError::new)?
        .into();

    let uri = request.uri().to_string();
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| Ok((name.as_str(), value.to_str()?)))
        .collect::<Result<Vec<_>, http::header::ToStrError>>()
        .map_err(SigningError::new)?;
    let signable = SignableRequest::new(
        request.method().as_str(),
        uri,
        headers.into_iter(),
        SignableBody::Bytes(request.body()),
    )
    .map_err(SigningError::new)?;
    let (instructions, _signature) = sign_http(signable, &params)
        .map_err(SigningError::new)?
        .into_parts();

    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(SigningError::new)?;
        value.set_sensitive(header.sensitive());
        request.headers_mut().insert(header.name(), value);
    }
    Ok(())
}
