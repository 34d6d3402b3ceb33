//! Policy denial: the kind of policy that denies an action, as far as AWS tells (IAM User Guide,
//! "Troubleshoot access denied error messages").

use serde::{Deserialize, Serialize};

/// The kind of policy that denies an action, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PolicyDenial {
    /// No policy of this kind allows the action.
    NotAllowedBy(Policy),
    /// A statement in a policy of this kind denies it.
    DeniedBy(Policy),
    /// AWS does not tell.
    #[default]
    Unstated,
}

/// A kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Policy {
    Identity,
    PermissionsBoundary,
    Session,
    ServiceControl,
    ResourceControl,
    VpcEndpoint,
    Resource,
    RoleTrust,
}

/// The names that AWS gives the kinds in its messages.
const NAMES: [(&str, Policy); 8] = [
    ("identity-based policy", Policy::Identity),
    ("permissions boundary", Policy::PermissionsBoundary),
    ("session policy", Policy::Session),
    ("service control policy", Policy::ServiceControl),
    ("resource control policy", Policy::ResourceControl),
    ("VPC endpoint policy", Policy::VpcEndpoint),
    ("resource-based policy", Policy::Resource),
    ("role trust policy", Policy::RoleTrust),
];

impl PolicyDenial {
    /// Reads the message of an `AccessDenied` error.
    #[must_use]
    pub fn of(message: &str) -> Self {
        // The reason stands at the end, behind names that the account's owner has chosen.
        let behind = |phrase| message.rsplit_once(phrase).map(|(_, reason)| reason);
        if let Some(reason) = behind("with an explicit deny in ") {
            let reason = ["an ", "a ", "the "]
                .into_iter()
                .find_map(|article| reason.strip_prefix(article));
            return reason
                .and_then(policy)
                .map_or(Self::Unstated, Self::DeniedBy);
        }
        behind("because no ")
            .and_then(policy)
            .map_or(Self::Unstated, Self::NotAllowedBy)
    }

    /// A sentence without a full stop about `action`.
    #[must_use]
    pub fn reason(self, action: &str) -> String {
        match self {
            Self::NotAllowedBy(policy) => format!("{} does not allow {action}", policy.name()),
            Self::DeniedBy(policy) => format!("{} denies {action}", policy.name()),
            Self::Unstated => format!("the IAM policy does not allow {action}"),
        }
    }
}

/// The kind whose name `reason` begins with.
fn policy(reason: &str) -> Option<Policy> {
    let is_meant = |(name, _): &&(&str, Policy)| reason.starts_with(name);
    NAMES.iter().find(is_meant).map(|(_, policy)| *policy)
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "the identity policy",
            Self::PermissionsBoundary => "the permissions boundary",
            Self::Session => "the session policy",
            Self::ServiceControl => "a service control policy (SCP) of the organization",
            Self::ResourceControl => "a resource control policy (RCP) of the organization",
            Self::VpcEndpoint => "the policy of the VPC endpoint",
            Self::Resource => "a policy of the resource",
            Self::RoleTrust => "the trust policy of the role",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: \
                         ecs:ListServices on resource: * ";

    #[test]
    fn every_message_of_the_iam_user_guide_is_read() {
        for (reason, said) in [
            (
                "because no identity-based policy allows the ecs:ListServices action",
                "the identity policy does not allow",
            ),
            (
                "with an explicit deny in an identity-based policy",
                "the identity policy denies",
            ),
            (
                "because no permissions boundary allows the ecs:ListServices action",
                "the permissions boundary does not allow",
            ),
            (
                "with an explicit deny in a permissions boundary",
                "the permissions boundary denies",
            ),
            (
                "because no session policy allows the ecs:ListServices action",
                "the session policy does not allow",
            ),
            (
                "with an explicit deny in a session policy",
                "the session policy denies",
            ),
            (
                "because no service control policy allows the ecs:ListServices action",
                "a service control policy (SCP) of the organization does not allow",
            ),
            (
                "with an explicit deny in a service control policy",
                "a service control policy (SCP) of the organization denies",
            ),
            (
                "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-x/service_control_policy/p-x",
                "a service control policy (SCP) of the organization denies",
            ),
            (
                "with an explicit deny in a resource control policy",
                "a resource control policy (RCP) of the organization denies",
            ),
            (
                "because no VPC endpoint policy allows the ecs:ListServices action",
                "the policy of the VPC endpoint does not allow",
            ),
            (
                "with an explicit deny in a VPC endpoint policy",
                "the policy of the VPC endpoint denies",
            ),
            (
                "because no resource-based policy allows the ecs:ListServices action",
                "a policy of the resource does not allow",
            ),
            (
                "with an explicit deny in a resource-based policy",
                "a policy of the resource denies",
            ),
            (
                "because no role trust policy allows the sts:AssumeRole action",
                "the trust policy of the role does not allow",
            ),
            (
                "with an explicit deny in the role trust policy",
                "the trust policy of the role denies",
            ),
            ("", "the IAM policy does not allow"),
            ("with an explicit deny", "the IAM policy does not allow"),
            (
                "with an explicit deny in a new kind of policy",
                "the IAM policy does not allow",
            ),
            ("because of the moon", "the IAM policy does not allow"),
        ] {
            let denial = PolicyDenial::of(&format!("{START}{reason}"));
            assert_eq!(denial.reason("x:Y"), format!("{said} x:Y"), "{reason}");
        }
    }
}
