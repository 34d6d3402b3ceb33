//! Protocol: encoding and decoding of calls in the AWS JSON 1.1 protocol and the query protocol
//! (Smithy, "AWS protocols").

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::aws::lenient::{self, Lenient};
use crate::json::Json;

/// One call of a service.
pub trait Operation {
    /// Its form on the wire.
    const WIRE: Wire;
    /// The decoded response.
    type Output;

    /// Encodes the request's body.
    fn encode(&self) -> Vec<u8>;

    /// Decodes the body of a successful response.
    ///
    /// # Errors
    /// If the body is not a response of the operation.
    fn decode(body: &[u8]) -> Result<Self::Output, CodecError>;
}

/// The name of an operation that this crate calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum OperationName {
    ListClusters,
    DescribeClusters,
    ListServices,
    DescribeServices,
    AssumeRole,
}

impl OperationName {
    /// The name as AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListClusters => "ListClusters",
            Self::DescribeClusters => "DescribeClusters",
            Self::ListServices => "ListServices",
            Self::DescribeServices => "DescribeServices",
            Self::AssumeRole => "AssumeRole",
        }
    }

    /// The IAM action that allows the operation (Service Authorization Reference).
    #[must_use]
    pub fn iam_action(self) -> &'static str {
        match self {
            Self::ListClusters => "ecs:ListClusters",
            Self::DescribeClusters => "ecs:DescribeClusters",
            Self::ListServices => "ecs:ListServices",
            Self::DescribeServices => "ecs:DescribeServices",
            Self::AssumeRole => "sts:AssumeRole",
        }
    }
}

/// The form that all calls of an operation share.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// The operation's name.
    pub name: OperationName,
    /// The name of its service in the signature.
    pub signing_name: &'static str,
    /// The body's media type.
    pub content_type: &'static str,
    /// The prefix of the name in `X-Amz-Target`. `None` in the query protocol.
    pub target_prefix: Option<&'static str>,
}

/// An operation of ECS, in the AWS JSON 1.1 protocol.
pub trait EcsOperation {
    /// Its name, the second half of `X-Amz-Target`.
    const NAME: OperationName;
    /// The decoded response.
    type Output: Lenient;

    /// Writes the request's body.
    fn write(&self, json: &mut Json);

    /// The part of a response body that is worth parsing.
    #[must_use]
    fn worth_parsing(body: &[u8]) -> Cow<'_, [u8]> {
        Cow::Borrowed(body)
    }

    /// Adds to `output` what turns out to be wanted of the rest of `body`.
    fn complete(output: &mut Self::Output, body: &[u8]) {
        let _ = (output, body);
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

    fn encode(&self) -> Vec<u8> {
        let mut json = Json::default();
        self.write(&mut json);
        json.0
    }

    fn decode(body: &[u8]) -> Result<Self::Output, CodecError> {
        let worth_parsing = T::worth_parsing(body);
        // Every response of the protocol is an object; serde would accept an array as well.
        match worth_parsing.trim_ascii_start().first() {
            Some(b'{') | None => {
                let mut output = lenient::decode(&worth_parsing).map_err(CodecError::Json)?;
                T::complete(&mut output, body);
                Ok(output)
            }
            Some(_) => Err(CodecError::NotAnObject),
        }
    }
}

/// The reason why a body cannot be decoded. Its `Display` repeats nothing of the body.
#[derive(Debug)]
pub enum CodecError {
    /// The body is not the expected JSON.
    Json(serde_json::Error),
    /// The body is JSON, but not an object.
    NotAnObject,
    /// The named element is missing from the XML, or malformed.
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
