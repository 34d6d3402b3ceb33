//! Blame: tells a key that AWS does not accept from a region that is not enabled, for which AWS has the
//! same error code. The other targets of the same key show which of the two it is.

use crate::aws::protocol::OperationName;
use crate::config::TargetConfig;
use crate::fleet::model::cause::Cause;

/// Where to lay the blame for an access key id that AWS does not know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blame {
    /// Another target shows that AWS accepts the configured key.
    is_key_accepted: bool,
}

impl Blame {
    /// `results`: each target, whether the newest sweep or check of it succeeded, and else the cause
    /// of its failure.
    pub(super) fn of<'a>(
        results: impl Iterator<Item = (&'a TargetConfig, bool, Option<Cause>)>,
    ) -> Self {
        let mut results = results;
        let is_key_accepted = results.any(|(target, is_read, cause)| match &target.role {
            None => is_read || cause.is_some_and(Cause::shows_accepted_key),
            // The session of a role outlives the key that it was assumed with: only what STS said
            // just now tells something about the key.
            Some(_) => matches!(
                cause,
                Some(Cause::RoleRefused | Cause::NotAllowed(OperationName::AssumeRole, _))
            ),
        });
        Self { is_key_accepted }
    }

    /// The cause of a failure, in the light of the other targets.
    pub(super) fn on(self, cause: Cause) -> Cause {
        match cause {
            Cause::UnknownKey if self.is_key_accepted => Cause::RegionNotEnabled,
            cause => cause,
        }
    }
}
