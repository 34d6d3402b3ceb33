//! How a call is written and read: the AWS JSON 1.1 protocol and the query protocol (Smithy, "AWS
//! protocols").

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// One call of a service.
pub trait Operation {
    /// What it looks like on the wire.
    const WIRE: Wire;
    /// What it answers.
    type Output;

    /// The request's body.
    ///
    /// # Errors
    /// If it cannot be written, which only a mistake in this crate can cause.
    fn encode(&self) -> Result<Vec<u8>, CodecError>;

    /// Reads the body of a successful response.
    ///
    /// # Errors
    /// If it is not what the operation answers.
    fn decode(body: &[u8]) -> Result<Self::Output, CodecError>;
}

/// What all calls of an operation have in common.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// The operation's name.
    pub name: &'static str,
    /// The name of its service in the signature.
    pub signing_name: &'static str,
    /// The body's media type.
    pub content_type: &'static str,
    /// What stands before the name in `X-Amz-Target`; none in the query protocol.
    pub target_prefix: Option<&'static str>,
}

/// An operation of ECS, in the AWS JSON 1.1 protocol: the value serializes to the request's body.
pub trait EcsOperation: Serialize {
    /// Its name, the second half of `X-Amz-Target`.
    const NAME: &'static str;
    /// What it answers.
    type Output: DeserializeOwned;

    /// The part of an answer's body that is worth parsing.
    #[must_use]
    fn worth_parsing(body: &[u8]) -> Cow<'_, [u8]> {
        Cow::Borrowed(body)
    }
}

impl<T: EcsOperation> Operation for T {
    const WIRE: Wire = Wire {
        name: T::NAME,
        signing_name: "ecs",
        content_type: "application/x-amz-json-1.1",
        target_prefix: Some("AmazonEC2ContainerServiceV20141113"),
    };
    type Output = T::Output;

    fn encode(&self) -> Result<Vec<u8>, CodecError> {
        serde_json::to_vec(self).map_err(CodecError::Json)
    }

    fn decode(body: &[u8]) -> Result<Self::Output, CodecError> {
        let body = T::worth_parsing(body);
        // Every answer of the protocol is an object; serde would take an array for one too.
        match body.trim_ascii_start().first() {
            Some(b'{') | None => serde_json::from_slice(&body).map_err(CodecError::Json),
            Some(_) => Err(CodecError::NotAnObject),
        }
    }
}

/// Why a body cannot be written or read. Its `Display` repeats nothing of the body.
#[derive(Debug)]
pub enum CodecError {
    /// It is not the JSON that is expected.
    Json(serde_json::Error),
    /// It is JSON, but no object.
    NotAnObject,
    /// It is not the XML that is expected; the element that is missing or malformed.
    Xml(&'static str),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => {
                write!(
                    f,
                    "{:?} error at column {}",
                    error.classify(),
                    error.column()
                )
            }
            Self::NotAnObject => f.write_str("not an object"),
            Self::Xml(element) => write!(f, "no {element} in the XML"),
        }
    }
}

impl std::error::Error for CodecError {}
