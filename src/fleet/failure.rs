//! Why something could not be read, in words that may be shown to anybody.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::aws::ecs::{DescribeClusters, DescribeServices, ListClusters, ListServices};
use crate::aws::error::{Error, ServiceError};
use crate::aws::operation::EcsOperation;
use crate::aws::platform::SendError;
use crate::aws::retry;

/// A kind of failure. The most telling one comes first: if a sweep fails for several reasons, the
/// smallest is the cause that is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    /// AWS does not know the access key id.
    UnknownKey,
    /// The signature is wrong, most likely by a wrong secret.
    WrongSecret,
    /// The session token is expired or wrong.
    ExpiredToken,
    /// The clock is off, even after a correction.
    ClockSkew,
    /// The policy does not allow this operation.
    NotAllowed(#[serde(deserialize_with = "operation")] OperationName),
    /// The role of a target cannot be assumed.
    RoleRefused,
    /// AWS refused the call for another reason.
    Refused,
    /// The answer cannot be read.
    Unreadable,
    /// The list of a paged operation repeats itself.
    RepeatedToken,
    /// Resources that were asked for are neither described nor named as failures.
    LeftOut,
    /// Services are described, but without their tags.
    TagsRefused,
    /// AWS failed, after all retries.
    ServerError,
    /// No connection, after all retries.
    Unreachable,
    /// The platform allows no more calls for this request.
    SubrequestLimit,
    /// AWS asked for fewer calls, after all retries.
    Throttled,
    /// Time ran out.
    TimedOut,
    /// What keeps the snapshots did not answer.
    ObjectUnreachable,
    /// The sweep that will replace the snapshot is not done yet.
    NotDone,
}

/// The name of one of our operations.
pub type OperationName = &'static str;

/// The name of an operation that was stored.
fn operation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OperationName, D::Error> {
    let stored = String::deserialize(deserializer)?;
    [
        ListClusters::NAME,
        DescribeClusters::NAME,
        ListServices::NAME,
        DescribeServices::NAME,
    ]
    .into_iter()
    .find(|name| *name == stored)
    .ok_or_else(|| serde::de::Error::custom("no operation has this name"))
}

impl Cause {
    /// The cause of `error` in a call of `operation`.
    #[must_use]
    pub fn of(error: &Error, operation: &'static str) -> Self {
        match error {
            Error::Service(error) => Self::of_service_error(error, operation),
            Error::Send(SendError::Unreachable(_)) => Self::Unreachable,
            Error::Send(SendError::SubrequestLimit) | Error::OutOfRequests => Self::SubrequestLimit,
            Error::Send(SendError::TimedOut) | Error::DeadlineExceeded => Self::TimedOut,
            Error::Send(SendError::TooLarge) | Error::Unreadable(_) => Self::Unreadable,
            Error::Signing(_) => Self::Refused,
        }
    }

    fn of_service_error(error: &ServiceError, operation: &'static str) -> Self {
        match error.code.as_str() {
            "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => {
                Self::UnknownKey
            }
            "InvalidSignatureException" | "SignatureDoesNotMatch" => Self::WrongSecret,
            "ExpiredTokenException" | "ExpiredToken" | "InvalidToken" => Self::ExpiredToken,
            "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Self::ClockSkew,
            "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => {
                Self::NotAllowed(operation)
            }
            _ if retry::is_throttle(error) => Self::Throttled,
            _ if error.status >= 500 => Self::ServerError,
            "" => Self::Unreadable,
            _ => Self::Refused,
        }
    }

    /// One sentence without a full stop, safe to show: it holds nothing that AWS said.
    #[must_use]
    pub fn reason(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnknownKey => "AWS does not accept the access key id in AWS_ACCESS_KEY_ID",
            Self::WrongSecret => {
                "AWS does not accept the signature: AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID"
            }
            Self::ExpiredToken => "AWS does not accept the session token: it is expired or wrong",
            Self::ClockSkew => "AWS does not accept the time of the request",
            Self::NotAllowed(operation) => {
                return Cow::Owned(format!("the IAM policy does not allow ecs:{operation}"));
            }
            Self::RoleRefused => {
                "AWS does not let us assume the role: its trust policy, its external id or our sts:AssumeRole does not allow it"
            }
            Self::Refused => "AWS refused the call",
            Self::Unreadable => "AWS answered what cannot be read",
            Self::RepeatedToken => "AWS repeated a page of a list instead of ending it",
            Self::LeftOut => "AWS left something out of its answer",
            Self::TagsRefused => "AWS did not tell the tags of some services",
            Self::ServerError => "AWS failed, also when asked again",
            Self::Unreachable => "AWS could not be reached",
            Self::SubrequestLimit => {
                "the platform allows no more subrequests for one request, and the fleet needs more"
            }
            Self::Throttled => "AWS throttled the calls, also when asked again",
            Self::TimedOut => "AWS did not answer in time",
            Self::ObjectUnreachable => "what keeps the snapshots did not answer",
            Self::NotDone => "a newer sweep is not done yet",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(status: u16, code: &str) -> Cause {
        let error = ServiceError {
            status,
            code: code.into(),
            ..ServiceError::default()
        };
        Cause::of(&Error::Service(error), "ListServices")
    }

    #[test]
    fn aws_codes_become_causes() {
        for (status, code, expected) in [
            (400, "UnrecognizedClientException", Cause::UnknownKey),
            (403, "InvalidClientTokenId", Cause::UnknownKey),
            (403, "SignatureDoesNotMatch", Cause::WrongSecret),
            (400, "InvalidSignatureException", Cause::WrongSecret),
            (400, "ExpiredTokenException", Cause::ExpiredToken),
            (400, "RequestTimeTooSkewed", Cause::ClockSkew),
            (400, "RequestExpired", Cause::ClockSkew),
            (
                400,
                "AccessDeniedException",
                Cause::NotAllowed("ListServices"),
            ),
            (403, "AccessDenied", Cause::NotAllowed("ListServices")),
            (400, "ThrottlingException", Cause::Throttled),
            (429, "", Cause::Throttled),
            (500, "ServerException", Cause::ServerError),
            (502, "", Cause::ServerError),
            (400, "InvalidParameterException", Cause::Refused),
            (404, "", Cause::Unreadable),
        ] {
            assert_eq!(cause(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn a_missing_permission_is_named_by_its_iam_action() {
        assert_eq!(
            cause(400, "AccessDeniedException").reason(),
            "the IAM policy does not allow ecs:ListServices"
        );
    }
}
