//! Fleets that need no sweep.

use std::cmp::Ordering;
use std::rc::Rc;
use std::time::Duration;

use ecs_status::api::{Api, Body, Request};
use ecs_status::aws::budget::Usage;
use ecs_status::config::Config;
use ecs_status::fleet::model::service_state::ServiceState;
use ecs_status::fleet::model::snapshot::{Cluster, Service, Snapshot, Status};
use ecs_status::fleet::model::tags::Tags;
use ecs_status::fleet::refresh::status::Health;
use ecs_status::fleet::refresh::store::VersionedSnapshot;
use ecs_status::fleet::view::Fleet;
use ecs_status::fleet::view::source::{SnapshotReply, SnapshotRequest, SnapshotSource};
use http::Response;

use super::support::ask;
use super::support::model::status;
use super::support::{Fake, Reply, error, start};

/// A source with one snapshot for each target.
pub struct Fixed(pub Vec<Rc<Snapshot>>);

impl SnapshotSource for Fixed {
    async fn read(&self, target: usize, _: SnapshotRequest<'_>) -> Option<SnapshotReply> {
        Some(SnapshotReply {
            status: status(Some(1)),
            snapshot: Some(VersionedSnapshot {
                version: 1,
                sweep_duration: Duration::from_secs(1),
                snapshot: Rc::clone(self.0.get(target)?),
            }),
        })
    }

    async fn check(&self, _target: usize, _request_id: &str) -> Option<Health> {
        Some(Health {
            causes: Vec::new(),
            checked_at: start(),
            usage: Usage::default(),
            last_event_at: None,
        })
    }
}

/// A configuration that is complete but for these variables.
pub fn config(changes: &[(&str, &str)]) -> Config {
    super::support::config(changes).expect("it is complete")
}

/// A service with these counts: desired, running, pending.
pub fn service(name: &str, counts: [u32; 3], rollout: Option<&str>, tags: Tags) -> Service {
    let [desired_count, running_count, pending_count] = counts;
    let state = match running_count.cmp(&desired_count) {
        Ordering::Equal => ServiceState::Healthy,
        Ordering::Less => ServiceState::Short,
        Ordering::Greater => ServiceState::Draining,
    };
    Service {
        service_name: name.to_owned(),
        status: Status::Active,
        capacity_providers: vec!["FARGATE".to_owned()],
        rollout_state: rollout.map(str::to_owned),
        desired_count,
        running_count,
        pending_count,
        tags,
        state,
        ..Service::default()
    }
}

/// A cluster of a target and a region.
pub fn cluster(name: &str, target: &str, region: &str, services: Vec<Service>) -> Cluster {
    Cluster {
        cluster_name: name.to_owned(),
        target: target.to_owned(),
        region: region.to_owned(),
        capacity_providers: vec!["FARGATE".to_owned()],
        tags: Tags::default(),
        services,
    }
}

/// The API of a fleet that is read from `source`.
pub fn api<S: SnapshotSource>(config: Config, source: S) -> Api<S> {
    Api::new(Ok(Fleet::new(config, source)))
}

/// The response of `api`, which logs the request and calls nothing of AWS.
pub fn respond(api: &Api<impl SnapshotSource>, request: &Request) -> Response<Body> {
    let platform = Fake::new(|_| Reply {
        after: Duration::ZERO,
        sent: error(400, "AccessDeniedException"),
    });
    let response = platform.run(api.handle(request, &platform));
    let lines = platform.lines();
    assert_eq!(lines.len(), 1);
    serde_json::from_str::<serde::de::IgnoredAny>(&lines[0]).expect("a log line is JSON");
    response
}

/// A GET request of this path and query.
pub fn get(path: &str, query: Option<&str>) -> Request {
    Request {
        query: query.map(str::to_owned),
        path: path.to_owned(),
        ..ask::get("")
    }
}
