//! Contract of a report, as assertions.

use ecs_status::fleet::model::snapshot::{Cluster, Service, Snapshot};
use ecs_status::fleet::model::tags::Tags;

use super::SECRETS;

const PLACE: (&str, &str) = ("default", "us-east-1");

/// Panics where `snapshot` does not fit the contract.
pub fn check(snapshot: &Snapshot) {
    let hidden = Hidden(snapshot.account.as_deref());
    let names = snapshot.clusters.iter().map(|c| &c.cluster_name);
    assert!(names.is_sorted());
    for cluster in &snapshot.clusters {
        check_cluster(cluster, &hidden);
    }
    assert!(snapshot.failures.is_sorted() && snapshot.carried_over.is_empty());
    for failure in &snapshot.failures {
        assert_eq!((&*failure.target, &*failure.region), PLACE);
        hidden.in_all(&failure.cluster_name);
        hidden.in_all(&failure.service_name);
        assert!(failure.service_name.is_none() || failure.cluster_name.is_some());
        hidden.in_text(&failure.reason);
    }
}

fn check_cluster(cluster: &Cluster, hidden: &Hidden<'_>) {
    assert_eq!((&*cluster.target, &*cluster.region), PLACE);
    hidden.in_text(&cluster.cluster_name);
    hidden.in_tags(&cluster.tags);
    hidden.in_all(&cluster.capacity_providers);
    assert!(cluster.capacity_providers.is_sorted());
    assert!(!cluster.services.is_empty());
    let names = cluster.services.iter().map(|s| s.service_name.as_str());
    assert!(names.is_sorted_by(|one, next| {
        // Different names may become the same where a part is withheld.
        one < next || (one == next && one.contains("withheld]"))
    }));
    for service in &cluster.services {
        check_service(service, hidden);
    }
}

fn check_service(service: &Service, hidden: &Hidden<'_>) {
    hidden.in_text(&service.service_name);
    hidden.in_tags(&service.tags);
    hidden.in_all(&service.rollout_state);
    let providers = service.capacity_providers.iter().map(String::as_str);
    assert!(matches!(
        providers.collect::<Vec<_>>().as_slice(),
        ["FARGATE" | "FARGATE_SPOT"] | ["FARGATE", "FARGATE_SPOT"]
    ));
}

/// ARNs, keys, and the account id, if it is known.
struct Hidden<'a>(Option<&'a str>);

impl Hidden<'_> {
    fn in_text(&self, text: &str) {
        for hidden in SECRETS.into_iter().chain(["arn:aws"]).chain(self.0) {
            assert!(!text.contains(hidden), "{text}");
        }
    }

    fn in_all<'t>(&self, texts: impl IntoIterator<Item = &'t String>) {
        texts.into_iter().for_each(|text| self.in_text(text));
    }

    fn in_tags(&self, tags: &Tags) {
        for (key, value) in tags {
            self.in_text(key);
            self.in_text(value);
        }
    }
}
