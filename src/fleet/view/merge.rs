//! Merge: the snapshots of several targets in one.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::SystemTime;

use crate::fleet::model::redact::Redactor;
use crate::fleet::model::snapshot::{Cluster, Failure, Snapshot};
use crate::fleet::refresh::policy::LastFailure;
use crate::order::sort_by;
use crate::time::rfc3339;

/// The snapshot of one target, as far as it is known.
pub(super) struct Part<'a> {
    pub(super) target: &'a str,
    pub(super) region: &'a str,
    pub(super) snapshot: Option<&'a Rc<Snapshot>>,
    /// The reason why the snapshot is not newer, or missing.
    pub(super) last_failure: Option<LastFailure>,
}

impl Part<'_> {
    /// The failure as it stands in the report.
    fn failure(&self) -> Option<Failure> {
        let failure = self.last_failure?;
        let timestamp = |time| rfc3339(time).unwrap_or_default();
        let reason = failure.cause.reason();
        let reason = match self.snapshot {
            Some(snapshot) => format!(
                "{reason} (at {}); the services are shown as of {}",
                timestamp(failure.at),
                timestamp(snapshot.generated_at)
            ),
            None => reason.into_owned(),
        };
        Some(Failure {
            target: self.target.to_owned(),
            region: self.region.to_owned(),
            cluster_name: None,
            service_name: None,
            reason,
        })
    }
}

/// Merges all snapshots into one that is as old as the oldest, with a failure for each target that
/// is missing or old. `None` if there is no snapshot.
pub(super) fn merge(parts: &[Part<'_>]) -> Option<Rc<Snapshot>> {
    if let [
        Part {
            snapshot: Some(snapshot),
            last_failure: None,
            ..
        },
    ] = parts
    {
        return Some(Rc::clone(snapshot));
    }
    merge_several(parts)
}

/// Not inlined: a fleet of one target, of which a fresh isolate compiles what it needs for its first
/// report, does without.
#[inline(never)]
fn merge_several(parts: &[Part<'_>]) -> Option<Rc<Snapshot>> {
    let snapshots = || parts.iter().filter_map(|part| part.snapshot);
    let generated_at: SystemTime = snapshots().map(|s| s.generated_at).min()?;
    let mut accounts: BTreeSet<&String> = BTreeSet::new();
    accounts.extend(snapshots().filter_map(|s| s.account.as_ref()));
    let mut failures: BTreeSet<Failure> = BTreeSet::new();
    failures.extend(parts.iter().filter_map(Part::failure));
    let mut clusters = Vec::new();
    for snapshot in snapshots() {
        // Its own account is redacted already; a tag may hold the id of another target's account.
        let others = accounts
            .iter()
            .filter(|account| Some(**account) != snapshot.account.as_ref())
            .map(|account| (*account).clone());
        let redactor = Redactor::new(others, None);
        let redacted = |cluster: &Rc<Cluster>| {
            if redactor.is_empty() {
                Rc::clone(cluster)
            } else {
                Rc::new(redactor.cluster(Cluster::clone(cluster)))
            }
        };
        clusters.extend(snapshot.clusters.iter().map(redacted));
        let own = snapshot.failures.iter().cloned();
        failures.extend(own.map(|failure| redactor.failure(failure)));
    }
    sort_by(&mut clusters, |a, b| place(a).cmp(&place(b)));
    Some(Rc::new(Snapshot {
        generated_at,
        account: None,
        clusters,
        failures: failures.into_iter().collect(),
        carried_over: Vec::new(),
    }))
}

/// The sort key of a cluster in the report.
fn place(cluster: &Cluster) -> [&str; 3] {
    [&cluster.target, &cluster.region, &cluster.cluster_name]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::model::snapshot::{Service, Status};
    use crate::fleet::model::tags::Tags;
    use std::time::UNIX_EPOCH;

    const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];

    /// A snapshot of one account, in which all names hold the id of the other.
    fn snapshot(account: &str, other: &str) -> Rc<Snapshot> {
        let tags = Tags::from([(format!("{other}/a"), format!("b-{other}"))]);
        let service = Service {
            service_name: format!("s-{other}"),
            status: Status::Active,
            capacity_providers: Vec::new(),
            rollout_state: Some(other.to_owned()),
            desired_count: 1,
            running_count: 1,
            pending_count: 0,
            tags: tags.clone(),
            ..Service::default()
        };
        Rc::new(Snapshot {
            generated_at: UNIX_EPOCH,
            account: Some(account.to_owned()),
            clusters: vec![Rc::new(Cluster {
                cluster_name: format!("c-{other}"),
                target: "a".into(),
                region: "us-east-1".into(),
                capacity_providers: vec![other.to_owned()],
                tags,
                services: vec![service],
            })],
            failures: vec![Failure {
                target: "a".into(),
                region: "us-east-1".into(),
                cluster_name: Some(format!("f-{other}")),
                service_name: Some(format!("g-{other}")),
                reason: "AWS refused the call".into(),
            }],
            carried_over: Vec::new(),
        })
    }

    #[test]
    fn a_merge_shows_no_account_id_of_any_target() {
        let [one, other] = ACCOUNTS;
        let snapshots = [snapshot(one, other), snapshot(other, one)];
        let parts = snapshots.each_ref().map(|snapshot| Part {
            target: "a",
            region: "us-east-1",
            snapshot: Some(snapshot),
            last_failure: None,
        });
        let merged = format!("{:?}", merge(&parts).unwrap());
        assert!(!ACCOUNTS.iter().any(|id| merged.contains(id)), "{merged}");
    }
}
