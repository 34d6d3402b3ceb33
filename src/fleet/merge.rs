//! The snapshots of several targets in one.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::SystemTime;

use super::refresh::Failed;
use super::snapshot::{Cluster, Failure, Snapshot, Tags};
use super::withhold::Withhold;
use crate::aws::moment::rfc3339;

/// What is known of one target.
pub(super) struct Part<'a> {
    pub(super) target: &'a str,
    pub(super) region: &'a str,
    pub(super) snapshot: Option<&'a Rc<Snapshot>>,
    /// Why the snapshot is not newer, or not there.
    pub(super) failed: Option<Failed>,
}

impl Part<'_> {
    /// What a report says about the failure.
    fn failure(&self) -> Option<Failure> {
        let failed = self.failed?;
        let when = |moment| rfc3339(moment).unwrap_or_default();
        let reason = failed.cause.reason();
        let reason = match self.snapshot {
            Some(snapshot) => format!(
                "{reason} (at {}); what is shown is as of {}",
                when(failed.at),
                when(snapshot.generated_at)
            ),
            None => reason.into_owned(),
        };
        Some(Failure {
            target: self.target.to_owned(),
            region: self.region.to_owned(),
            cluster_name: None,
            reason,
        })
    }
}

/// All snapshots in one, as old as the oldest, with a failure for each target that is missing or
/// old. None if there is none.
pub(super) fn merge(parts: &[Part<'_>]) -> Option<Rc<Snapshot>> {
    if let [
        Part {
            snapshot: Some(snapshot),
            failed: None,
            ..
        },
    ] = parts
    {
        return Some(Rc::clone(snapshot));
    }
    let snapshots = || parts.iter().filter_map(|part| part.snapshot);
    let generated_at: SystemTime = snapshots().map(|s| s.generated_at).min()?;
    let accounts: BTreeSet<&String> = snapshots().filter_map(|s| s.account.as_ref()).collect();
    let mut failures: BTreeSet<Failure> = parts.iter().filter_map(Part::failure).collect();
    let mut clusters = Vec::new();
    for snapshot in snapshots() {
        // Its own account is withheld already.
        let others = accounts
            .iter()
            .filter(|account| Some(**account) != snapshot.account.as_ref())
            .map(|account| (*account).clone());
        let withhold = Withhold::new(others, None);
        clusters.extend(snapshot.clusters.iter().map(|c| without(c, &withhold)));
        let own = snapshot.failures.iter().cloned();
        failures.extend(own.map(|failure| failure.without(&withhold)));
    }
    clusters.sort_by(|a, b| place(a).cmp(&place(b)));
    Some(Rc::new(Snapshot {
        generated_at,
        account: None,
        clusters,
        failures: failures.into_iter().collect(),
        kept: Vec::new(),
    }))
}

/// The cluster without what is withheld: a tag may hold the id of another target's account.
fn without(cluster: &Cluster, withhold: &Withhold) -> Cluster {
    let mut cluster = cluster.clone();
    if withhold.is_empty() {
        return cluster;
    }
    let clean = |text: &mut String| *text = withhold.clean(std::mem::take(text));
    let tags = |tags: &mut Tags| *tags = super::progress::cleaned(std::mem::take(tags), withhold);
    clean(&mut cluster.cluster_name);
    cluster.capacity_providers.iter_mut().for_each(clean);
    tags(&mut cluster.tags);
    for service in &mut cluster.services {
        clean(&mut service.service_name);
        service.rollout_state.iter_mut().for_each(clean);
        tags(&mut service.tags);
    }
    cluster
}

/// What a report is sorted by.
fn place(cluster: &Cluster) -> [&str; 3] {
    [&cluster.target, &cluster.region, &cluster.cluster_name]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::snapshot::{Service, Status};
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
        };
        Rc::new(Snapshot {
            generated_at: UNIX_EPOCH,
            account: Some(account.to_owned()),
            clusters: vec![Cluster {
                cluster_name: format!("c-{other}"),
                target: "a".into(),
                region: "us-east-1".into(),
                capacity_providers: vec![other.to_owned()],
                tags,
                services: vec![service],
            }],
            failures: vec![Failure {
                target: "a".into(),
                region: "us-east-1".into(),
                cluster_name: Some(format!("f-{other}")),
                reason: "AWS failed".into(),
            }],
            kept: Vec::new(),
        })
    }

    #[test]
    fn nothing_holds_the_account_of_another_target() {
        let [one, other] = ACCOUNTS;
        let snapshots = [snapshot(one, other), snapshot(other, one)];
        let parts = snapshots.each_ref().map(|snapshot| Part {
            target: "a",
            region: "us-east-1",
            snapshot: Some(snapshot),
            failed: None,
        });
        let merged = format!("{:?}", merge(&parts).unwrap());
        assert!(!ACCOUNTS.iter().any(|id| merged.contains(id)), "{merged}");
    }
}
