//! Cause: the reason why a part of the fleet could not be read, in words that are safe to show.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::aws::error::{Error, ServiceError};
use crate::aws::protocol::OperationName;
use crate::aws::retry;
use crate::fleet::model::policy_denial::PolicyDenial;
use crate::platform::SendError;

/// The cause of a failure. The most specific ones come first: if a sweep fails for several causes,
/// the smallest is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    /// AWS does not accept the access key id, or does not know it in the region.
    UnknownKey,
    /// AWS accepts the credentials, but not in the region.
    RegionNotEnabled,
    /// The account is not signed up for the service of the operation, or is suspended.
    NotSubscribed(OperationName),
    /// STS is not active in the region.
    StsInactive,
    /// The endpoint expects signatures for another region.
    OtherRegion,
    /// The endpoint expects signatures for another service.
    OtherService,
    /// The signature is wrong, most likely because of a wrong secret.
    WrongSecret,
    /// The session token is expired or wrong.
    ExpiredToken,
    /// AWS does not accept the session of a role, also after the role was assumed once more.
    SessionRefused,
    /// The clock is wrong, even after a correction.
    ClockSkew,
    /// A policy does not allow the operation.
    NotAllowed(OperationName, PolicyDenial),
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
    /// A server error that another attempt would not change.
    PermanentServerError,
    /// The host of the endpoint does not exist.
    HostUnknown,
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
            Error::StaleSession => Self::SessionRefused,
            Error::Send(SendError::Unreachable(detail)) if is_unknown_name(detail) => {
                Self::HostUnknown
            }
            Error::Send(SendError::Unreachable(_)) => Self::Unreachable,
            Error::Send(SendError::SubrequestLimit) | Error::OutOfRequests => Self::SubrequestLimit,
            Error::Send(SendError::TimedOut) | Error::DeadlineExceeded => Self::TimedOut,
            Error::Send(SendError::TooLarge) | Error::Decode(_) => Self::Unreadable,
            Error::Signing(_) => Self::Refused,
        }
    }

    fn of_service_error(error: &ServiceError, operation: OperationName) -> Self {
        match error.code.as_str() {
            // STS has accepted the key that the role was assumed with, and issued this session.
            _ if error.is_unknown_key() && error.is_of_session => Self::RegionNotEnabled,
            _ if error.is_unknown_key() => Self::UnknownKey,
            "InvalidSignatureException" | "SignatureDoesNotMatch" => Self::of_signature(error),
            _ if error.is_expired_token() && error.is_of_session => Self::SessionRefused,
            _ if error.is_expired_token() => Self::ExpiredToken,
            "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Self::ClockSkew,
            "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => {
                Self::NotAllowed(operation, PolicyDenial::of(&error.message))
            }
            "SubscriptionRequiredException"
            | "SubscriptionRequired"
            | "OptInRequired"
            | "BlockedException" => Self::NotSubscribed(operation),
            "RegionDisabledException" | "RegionDisabled" => Self::StsInactive,
            // Cloudflare could not resolve the name of the host.
            "1016" => Self::HostUnknown,
            _ if error.status == 530 => Self::HostUnknown,
            _ if retry::is_throttle(error) => Self::Throttled,
            _ if retry::is_transient(error.status) => Self::ServerError,
            _ if error.status >= 500 => Self::PermanentServerError,
            "" => Self::Unreadable,
            _ => Self::Refused,
        }
    }

    /// The cause of a signature that does not match.
    fn of_signature(error: &ServiceError) -> Self {
        let message = error.message.to_ascii_lowercase();
        if message.contains("scoped to a valid region") {
            Self::OtherRegion
        } else if message.contains("scoped to correct service") {
            Self::OtherService
        } else if error.is_of_session {
            // The secret of a session comes from AWS itself.
            Self::SessionRefused
        } else {
            Self::WrongSecret
        }
    }

    /// Whether AWS has accepted the access key of a call that failed for this cause.
    #[must_use]
    pub fn shows_accepted_key(self) -> bool {
        matches!(
            self,
            Self::NotSubscribed(_)
                | Self::NotAllowed(..)
                | Self::RoleRefused
                | Self::RepeatedToken
                | Self::LeftOut
                | Self::TagsRefused
        )
    }

    /// One sentence without a full stop. Safe to show: it holds no text of AWS.
    #[must_use]
    pub fn reason(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnknownKey => {
                "AWS does not accept the access key id in AWS_ACCESS_KEY_ID, or the region is not enabled for the account"
            }
            Self::RegionNotEnabled => "the region is not enabled for the account",
            Self::NotSubscribed(OperationName::AssumeRole) => {
                "the account is not signed up for AWS STS, or it is suspended"
            }
            Self::NotSubscribed(_) => {
                "the account is not signed up for Amazon ECS, or it is suspended"
            }
            Self::StsInactive => {
                "AWS STS is not active in the region: activate it in the account settings of IAM"
            }
            Self::OtherRegion => "the endpoint belongs to another region",
            Self::OtherService => "the endpoint belongs to another service of AWS",
            Self::WrongSecret => {
                "AWS does not accept the signature: AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID"
            }
            Self::ExpiredToken => {
                "AWS does not accept the session token: it has expired or is wrong"
            }
            Self::SessionRefused => "AWS does not accept the session that it issued for the role",
            Self::ClockSkew => "AWS does not accept the time of the request",
            Self::NotAllowed(operation, denial) => {
                return Cow::Owned(denial.reason(operation.iam_action()));
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
            Self::PermanentServerError => "AWS returned a server error",
            Self::HostUnknown => {
                "the host of the AWS endpoint does not exist: check the region and the endpoint"
            }
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

/// Whether a runtime's own words about a failed connection say that the host has no address.
fn is_unknown_name(detail: &str) -> bool {
    [
        "Name or service not known",
        "No address associated with hostname",
        "nodename nor servname provided",
    ]
    .iter()
    .any(|words| detail.contains(words))
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
                Cause::NotAllowed(OperationName::ListServices, PolicyDenial::Unstated),
            ),
            (
                403,
                "AccessDenied",
                Cause::NotAllowed(OperationName::ListServices, PolicyDenial::Unstated),
            ),
            (400, "ThrottlingException", Cause::Throttled),
            (429, "", Cause::Throttled),
            (500, "ServerException", Cause::ServerError),
            (502, "", Cause::ServerError),
            (400, "InvalidParameterException", Cause::Refused),
            (404, "", Cause::Unreadable),
            (522, "", Cause::ServerError),
            (501, "", Cause::PermanentServerError),
            (525, "", Cause::PermanentServerError),
            (530, "", Cause::HostUnknown),
            (530, "1016", Cause::HostUnknown),
            (
                400,
                "OptInRequired",
                Cause::NotSubscribed(OperationName::ListServices),
            ),
            (403, "RegionDisabledException", Cause::StsInactive),
        ] {
            assert_eq!(cause(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn a_name_that_no_server_knows_is_not_a_broken_connection() {
        let cause = |detail: &str| {
            let error = Error::Send(SendError::Unreachable(detail.into()));
            Cause::of(&error, OperationName::ListServices)
        };
        let unknown = "client error (Connect): dns error: failed to lookup address information: \
                       Name or service not known";
        assert_eq!(cause(unknown), Cause::HostUnknown);
        let broken = "dns error: Temporary failure in name resolution";
        assert_eq!(cause(broken), Cause::Unreachable);
        assert_eq!(cause("connection reset"), Cause::Unreachable);
    }

    #[test]
    fn a_missing_permission_is_named_by_its_iam_action() {
        assert_eq!(
            cause(400, "AccessDeniedException").reason(),
            "the IAM policy does not allow ecs:ListServices"
        );
    }
}
