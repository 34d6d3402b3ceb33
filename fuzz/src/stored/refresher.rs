//! Refresher that finds a stored value.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use ecs_status::fleet::model::snapshot::Snapshot;
use ecs_status::fleet::refresh::encoding::{decode, encode};
use ecs_status::fleet::refresh::policy::Policy;
use ecs_status::fleet::refresh::refresher::Refresher;
use ecs_status::fleet::refresh::store::{Continuation, PausedSweep, Store, VersionedSnapshot};
use ecs_status::platform::Clock;
use http::Request;
use serde::Serialize;

use super::super::support::{Fake, Reply, Sent, error, ok};
use super::{CONFIG, IDENTITY};

/// A minute after the start of the platform's clock: the largest difference between two clocks.
const LATEST: u64 = 1_795_376_460_000;

/// Replaces the snapshot by a newer one, which carries over the services of a cluster that fails.
pub fn replace(stored: &VersionedSnapshot, fail: bool) {
    let server = if fail { partly } else { nothing };
    let newest = run("snapshot", stored, server);
    // A version of the future is discarded.
    assert!(newest.version > stored.version || stored.version > LATEST);
    assert_eq!(newest.snapshot.failures.is_empty(), !fail);
    if fail {
        check_carried_over(&newest.snapshot);
    }
}

/// Resumes the sweep, which ends.
pub fn resume(paused: &PausedSweep) {
    run("sweep", paused, nothing);
}

/// Reads, resumes, and reads again a quarter of an hour later.
fn run(
    name: &'static str,
    value: &impl Serialize,
    server: fn(&Request<Vec<u8>>) -> Sent,
) -> VersionedSnapshot {
    let (config, identity) = (CONFIG.with(Clone::clone), IDENTITY.with(Clone::clone));
    let platform = Fake::new(move |request| Reply {
        after: Duration::from_millis(40),
        sent: server(request),
    });
    let bytes = encode(&identity, value);
    let store = Memory { name, bytes };
    let (target, policy) = (&config.targets[0], Policy::new(config.age_limits));
    let refresher = Rc::new(Refresher::new(&platform, target, &config, policy, store));
    let status = platform.run(refresher.read(None, "r-1"));
    assert!(status.version.is_none() || status.version == refresher.newest().map(|n| n.version));
    platform.run(refresher.resume("r-2"));
    platform.settle();
    platform.advance(Duration::from_mins(15));
    let status = platform.run(refresher.read(None, "r-3"));
    platform.settle();
    let newest = refresher.newest().expect("it could be swept");
    assert_eq!(status.version, Some(newest.version));
    assert!(newest.snapshot.generated_at <= platform.now());
    let stored = refresher.encoded().expect("it is encoded");
    let stored: VersionedSnapshot = decode(&stored, Some(&identity)).expect("it was encoded");
    assert_eq!(stored.snapshot, newest.snapshot);
    newest
}

/// Responds that there is nothing.
fn nothing(_: &Request<Vec<u8>>) -> Sent {
    ok(r#"{"clusterArns":[],"serviceArns":[],"clusters":[],"services":[],"failures":[]}"#)
}

/// Responds with two clusters, of which only one may be listed.
fn partly(request: &Request<Vec<u8>>) -> Sent {
    let target = request.headers()["x-amz-target"].to_str().unwrap();
    let of_web = || {
        request
            .body()
            .windows(12)
            .any(|part| part == b":cluster/web")
    };
    match target.rsplit('.').next() {
        Some("ListServices") if of_web() => error(400, "AccessDeniedException"),
        Some("ListServices") => {
            ok(r#"{"serviceArns":["arn:aws:ecs:us-east-1:1:service/good/one"]}"#)
        }
        Some("ListClusters") => ok(r#"{"clusterArns":["a:cluster/good","a:cluster/web"]}"#),
        Some("DescribeClusters") => ok(r#"{"clusters":[
            {"clusterArn":"a:cluster/good","clusterName":"good","status":"ACTIVE"},
            {"clusterArn":"a:cluster/web","clusterName":"web","status":"ACTIVE"}]}"#),
        _ => ok(
            r#"{"services":[{"serviceName":"one","status":"ACTIVE","launchType":"FARGATE",
            "desiredCount":1,"runningCount":1,"pendingCount":0}]}"#,
        ),
    }
}

/// Services that are carried over are of the failed cluster, shown, and not too old.
fn check_carried_over(snapshot: &Snapshot) {
    let clusters = || snapshot.clusters.iter();
    assert!(clusters().is_sorted_by_key(|cluster| &cluster.cluster_name));
    let shown = clusters().flat_map(|c| c.services.iter().map(|s| (&c.cluster_name, s)));
    let shown: BTreeSet<_> = shown
        .map(|(c, s)| (c.as_str(), s.service_name.as_str()))
        .collect();
    assert!(shown.contains(&("good", "one")));
    assert!(snapshot.carried_over.is_sorted());
    for carried_over in &snapshot.carried_over {
        assert_eq!(carried_over.cluster_name, "web");
        assert!(shown.contains(&("web", carried_over.service_name.as_str())));
        let age = snapshot.generated_at.duration_since(carried_over.read_at);
        assert!(age.unwrap_or_default() <= Duration::from_hours(1));
    }
}

/// A store that holds one item.
struct Memory {
    name: &'static str,
    bytes: Option<Vec<u8>>,
}

impl Store for Memory {
    const PERSISTENT: bool = true;

    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.bytes.clone().filter(|_| name == self.name))
    }

    fn save(&self, _name: &'static str, _bytes: Option<&[u8]>) -> Result<(), String> {
        Ok(())
    }

    async fn resume_later(&self) -> Result<Continuation, String> {
        Ok(Continuation::SameInvocation)
    }
}
