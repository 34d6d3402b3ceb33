//! A keeper that finds something stored.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use ecs_status::aws::platform::Clock;
use ecs_status::fleet::keeper::Keeper;
use ecs_status::fleet::snapshot::Snapshot;
use ecs_status::fleet::stored::{Store, Underway, Versioned, decode, encode};
use http::Request;
use serde::Serialize;

use super::super::support::{Fake, Reply, Sent, error, ok};
use super::{CONFIG, IDENTITY};

/// A minute after the platform's clock starts: as far as two clocks may be apart.
const LATEST: u64 = 1_795_376_460_000;

/// The snapshot is replaced by a newer one, which keeps what it has of clusters that `fail`.
pub fn replace(stored: &Versioned, fail: bool) {
    let answer = if fail { partly } else { nothing };
    let newest = run("snapshot", stored, answer);
    // A version of the future is dropped.
    assert!(newest.version > stored.version || stored.version > LATEST);
    assert_eq!(newest.snapshot.failures.is_empty(), !fail);
    if fail {
        shows_what_is_kept(&newest.snapshot);
    }
}

/// The sweep comes to its end.
pub fn go_on(underway: &Underway) {
    run("sweep", underway, nothing);
}

/// Reads at once, goes on with a sweep, and reads a quarter of an hour later.
fn run(
    name: &'static str,
    value: &impl Serialize,
    answer: fn(&Request<Vec<u8>>) -> Sent,
) -> Versioned {
    let (config, identity) = (CONFIG.with(Clone::clone), IDENTITY.with(Clone::clone));
    let platform = Fake::new(move |request| Reply {
        after: Duration::from_millis(40),
        sent: answer(request),
    });
    let bytes = encode(&identity, value);
    let store = Memory { name, bytes };
    let (target, policy) = (&config.targets[0], config.policy);
    let keeper = Rc::new(Keeper::new(&platform, target, &config, policy, store));
    let word = platform.run(keeper.read("r-1"));
    assert!(word.version.is_none() || word.version == keeper.newest().map(|n| n.version));
    platform.run(keeper.resume("r-2"));
    platform.settle();
    platform.advance(Duration::from_mins(15));
    let word = platform.run(keeper.read("r-3"));
    platform.settle();
    let newest = keeper.newest().expect("it could be swept");
    assert_eq!(word.version, Some(newest.version));
    assert!(newest.snapshot.generated_at <= platform.now());
    let stored = keeper.encoded().expect("it is kept");
    let stored: Versioned = decode(&stored, Some(&identity)).expect("it was written");
    assert_eq!(stored.snapshot, newest.snapshot);
    newest
}

/// Nothing is there, whatever is asked.
fn nothing(_: &Request<Vec<u8>>) -> Sent {
    ok(r#"{"clusterArns":[],"serviceArns":[],"clusters":[],"services":[],"failures":[]}"#)
}

/// Two clusters, of which only one's services may be listed.
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

/// What is kept is of the cluster that failed, shown, and not too old.
fn shows_what_is_kept(snapshot: &Snapshot) {
    let clusters = || snapshot.clusters.iter();
    assert!(clusters().is_sorted_by_key(|cluster| &cluster.cluster_name));
    let shown = clusters().flat_map(|c| c.services.iter().map(|s| (&c.cluster_name, s)));
    let shown: BTreeSet<_> = shown
        .map(|(c, s)| (c.as_str(), s.service_name.as_str()))
        .collect();
    assert!(shown.contains(&("good", "one")));
    assert!(snapshot.kept.is_sorted());
    for kept in &snapshot.kept {
        assert_eq!(kept.cluster_name, "web");
        assert!(shown.contains(&("web", kept.service_name.as_str())));
        let age = snapshot.generated_at.duration_since(kept.read_at);
        assert!(age.unwrap_or_default() <= Duration::from_hours(1));
    }
}

/// A store that holds one thing.
struct Memory {
    name: &'static str,
    bytes: Option<Vec<u8>>,
}

impl Store for Memory {
    const KEEPS: bool = true;

    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.bytes.clone().filter(|_| name == self.name))
    }

    fn save(&self, _name: &'static str, _bytes: Option<&[u8]>) -> Result<(), String> {
        Ok(())
    }

    async fn resume_later(&self) -> bool {
        false
    }
}
