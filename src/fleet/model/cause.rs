//! Cause: the reason why a part of the fleet could not be read, in words that are safe to show.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::aws::error::{Error, ServiceError};
use crate::aws::protocol::OperationName;
use crate::aws::retry;
use crate::platform::SendError;

/// The cause of a failure. The most specific ones come first: if a sweep fails for several causes,
/// the smallest is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    /// AWS does not accept the access key id.
    UnknownKey,
    /// The signature is wrong, most likely because of a wrong secret.
    WrongSecret,
    /// The session token is expired or wrong.
    ExpiredToken,
    /// The clock is wrong, even after a correction.
    ClockSkew,
    /// The policy does not allow the operation.
    NotAllowed(OperationName),
    /// The role of a target cannot be assumed.
    RoleRefused,
    /// AWS refused the call for another reason.
    Refused,
    /// The response could not be decoded.
    Unreadable,
    /// The list of a paged operation repeats itself.
    RepeatedToken,
    /// A requested resource is neither described nor named as a failure.
    LeftOut,
    /// Services were described without their tags.
    TagsRefused,
    /// Every attempt ended in a server error.
    ServerError,
    /// No attempt got a connection.
    Unreachable,
    /// The platform allows no more calls in this invocation.
    SubrequestLimit,
    /// The Durable Object could not request the invocation that continues the sweep.
    StorageUnavailable,
    /// Every attempt was throttled.
    Throttled,
    /// The time ran out.
    TimedOut,
    /// The Durable Object of the target did not respond.
    ObjectUnreachable,
    /// The sweep that will replace the snapshot is still running.
    NotDone,
}

impl Cause {
    /// The cause of `error` in a call of `operation`.
    #[must_use]
    pub fn of(error: &Error, operation: OperationName) -> Self {
        match error {
            Error::Service(error) => Self::of_service_error(error, operation),
            Error::Send(SendError::Unreachable(_)) => Self::Unreachable,
            Error::Send(SendError::SubrequestLimit) | Error::OutOfRequests => Self::SubrequestLimit,
            Error::Send(SendError::TimedOut) | Error::DeadlineExceeded => Self::TimedOut,
            Error::Send(SendError::TooLarge) | Error::Decode(_) => Self::Unreadable,
            Error::Signing(_) => Self::Refused,
        }
    }

    fn of_service_error(error: &ServiceError, operation: OperationName) -> Self {
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

    /// One sentence without a full stop. Safe to show: it holds no text of AWS.
    #[must_use]
    pub fn reason(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnknownKey => "AWS does not accept the access key id in AWS_ACCESS_KEY_ID",
            Self::WrongSecret => {
                "AWS does not accept the signature: AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID"
            }
            Self::ExpiredToken => {
                "AWS does not accept the session token: it has expired or is wrong"
            }
            Self::ClockSkew => "AWS does not accept the time of the request",
            Self::NotAllowed(operation) => {
                let action = operation.iam_action();
                return Cow::Owned(format!("the IAM policy does not allow {action}"));
            }
            Self::RoleRefused => {
                "the role cannot be assumed: check its trust policy, its external id, and the permission sts:AssumeRole"
            }
            Self::Refused => "AWS refused the call",
            Self::Unreadable => "AWS returned a response that cannot be decoded",
            Self::RepeatedToken => "AWS repeated a page of a list instead of ending the list",
            Self::LeftOut => "AWS omitted a resource from its response",
            Self::TagsRefused => "AWS did not return the tags of some services",
            Self::ServerError => "AWS returned a server error on every attempt",
            Self::Unreachable => "AWS could not be reached",
            Self::SubrequestLimit => {
                "the platform's limit of subrequests is too low for this fleet"
            }
            Self::StorageUnavailable => {
                "the Durable Object could not store its progress: the daily limit of the plan may be used up"
            }
            Self::Throttled => "AWS throttled every attempt",
            Self::TimedOut => "AWS did not respond in time",
            Self::ObjectUnreachable => "the Durable Object that holds the snapshot did not respond",
            Self::NotDone => "a newer sweep is still running",
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
        Cause::of(&Error::Service(error), OperationName::ListServices)
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
                Cause::NotAllowed(OperationName::ListServices),
            ),
            (
                403,
                "AccessDenied",
                Cause::NotAllowed(OperationName::ListServices),
            ),
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
