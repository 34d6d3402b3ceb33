//! Problem code: the machine-readable kind of a problem.

use serde::Serialize;

use crate::fleet::model::cause::Cause;

/// The member `code` of problem details. Programs may rely on a code; the sentence may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Code {
    UriTooLong,
    NoRoute,
    MethodNotAllowed,
    RateLimited,
    Unauthorized,
    MalformedQuery,
    MalformedEvent,
    BodyTooLong,
    UnknownKey,
    InvalidParameter,
    InvalidConfiguration,
    ResponseTooLarge,
    Internal,
    Unhealthy,
    FirstSweepRunning,
    AccessKeyUnknown,
    RegionNotEnabled,
    NotSubscribed,
    StsInactive,
    EndpointMismatch,
    SignatureMismatch,
    SessionTokenExpired,
    SessionRefused,
    ClockSkew,
    NotAllowed,
    RoleRefused,
    Refused,
    Undecodable,
    RepeatedToken,
    LeftOut,
    TagsRefused,
    ServerError,
    HostUnknown,
    Unreachable,
    SubrequestLimit,
    StorageUnavailable,
    Throttled,
    TimedOut,
    ObjectUnreachable,
    SweepRunning,
}

impl Code {
    /// The code of a failure to read the fleet.
    pub(super) fn of(cause: Cause) -> Self {
        match cause {
            Cause::UnknownKey => Self::AccessKeyUnknown,
            Cause::RegionNotEnabled => Self::RegionNotEnabled,
            Cause::NotSubscribed(_) => Self::NotSubscribed,
            Cause::StsInactive => Self::StsInactive,
            Cause::OtherRegion | Cause::OtherService => Self::EndpointMismatch,
            Cause::WrongSecret => Self::SignatureMismatch,
            Cause::ExpiredToken => Self::SessionTokenExpired,
            Cause::SessionRefused => Self::SessionRefused,
            Cause::ClockSkew => Self::ClockSkew,
            Cause::NotAllowed(..) => Self::NotAllowed,
            Cause::RoleRefused => Self::RoleRefused,
            Cause::Refused => Self::Refused,
            Cause::Unreadable => Self::Undecodable,
            Cause::RepeatedToken => Self::RepeatedToken,
            Cause::LeftOut => Self::LeftOut,
            Cause::TagsRefused => Self::TagsRefused,
            Cause::ServerError | Cause::PermanentServerError => Self::ServerError,
            Cause::HostUnknown => Self::HostUnknown,
            Cause::Unreachable => Self::Unreachable,
            Cause::SubrequestLimit => Self::SubrequestLimit,
            Cause::StorageUnavailable => Self::StorageUnavailable,
            Cause::Throttled => Self::Throttled,
            Cause::TimedOut => Self::TimedOut,
            Cause::ObjectUnreachable => Self::ObjectUnreachable,
            Cause::NotDone => Self::SweepRunning,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_in_kebab_case() {
        for (code, text) in [
            (Code::NoRoute, "no-route"),
            (Code::of(Cause::UnknownKey), "access-key-unknown"),
            (Code::of(Cause::NotDone), "sweep-running"),
            (Code::of(Cause::StorageUnavailable), "storage-unavailable"),
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), text);
        }
    }
}
