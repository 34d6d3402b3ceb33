//! Fleets that nobody has to sweep.

use std::rc::Rc;
use std::time::Duration;

use ecs_status::api::{self, Body, Request};
use ecs_status::aws::budget::Usage;
use ecs_status::config::Config;
use ecs_status::fleet::reading::{Health, Reading, Source, Word};
use ecs_status::fleet::snapshot::{Cluster, Service, Snapshot, Status, Tags};
use ecs_status::fleet::stored::Versioned;
use ecs_status::fleet::view::Fleet;
use http::Response;

use super::support::{Fake, Reply, error, start};

/// A snapshot of each target.
pub struct Fixed(pub Vec<Rc<Snapshot>>);

impl Source for Fixed {
    async fn read(
        &self,
        target: usize,
        _known: &dyn Fn() -> Option<u64>,
        _request_id: &str,
    ) -> Option<Reading> {
        Some(Reading {
            word: Word {
                version: Some(1),
                failed: None,
                extent: None,
                retry_after: Duration::ZERO,
                usage: Usage::default(),
                total: Usage::default(),
            },
            snapshot: Some(Versioned {
                version: 1,
                snapshot: Rc::clone(self.0.get(target)?),
            }),
        })
    }

    async fn check(&self, _target: usize, _request_id: &str) -> Option<Health> {
        Some(Health {
            cause: None,
            checked_at: start(),
            usage: Usage::default(),
        })
    }
}

/// A configuration with these values besides the keys.
pub fn config(values: &[(&str, &str)]) -> Config {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hush-hush"),
    ];
    let config = Config::from_lookup(|name| {
        let mut known = keys.iter().chain(values);
        let (_, value) = known.find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    });
    config.expect("it is complete")
}

/// A service with these counts: desired, running, pending.
pub fn service(name: &str, counts: [u32; 3], rollout: Option<&str>, tags: Tags) -> Service {
    let [desired_count, running_count, pending_count] = counts;
    Service {
        service_name: name.to_owned(),
        status: Status::Active,
        capacity_providers: vec!["FARGATE".to_owned()],
        rollout_state: rollout.map(str::to_owned),
        desired_count,
        running_count,
        pending_count,
        tags,
    }
}

/// A cluster of a target and a region.
pub fn cluster(name: &str, target: &str, region: &str, services: Vec<Service>) -> Cluster {
    Cluster {
        cluster_name: name.to_owned(),
        target: target.to_owned(),
        region: region.to_owned(),
        capacity_providers: vec!["FARGATE".to_owned()],
        tags: Tags::new(),
        services,
    }
}

/// A snapshot of what is complete.
pub fn snapshot(clusters: Vec<Cluster>) -> Rc<Snapshot> {
    Rc::new(Snapshot {
        generated_at: start(),
        account: None,
        clusters,
        failures: Vec::new(),
        kept: Vec::new(),
    })
}

/// The answer of `fleet`, which has to log the request, and has no need to call AWS.
pub fn ask(fleet: &Fleet<impl Source>, request: &Request) -> Response<Body> {
    let platform = Fake::new(|_| Reply {
        after: Duration::ZERO,
        sent: error(400, "AccessDeniedException"),
    });
    let response = platform.run(api::handle(request, Ok(fleet), &platform));
    let lines = platform.lines();
    assert_eq!(lines.len(), 1);
    serde_json::from_str::<serde::de::IgnoredAny>(&lines[0]).expect("a log line is JSON");
    response
}

/// A GET of this path and query.
pub fn get(path: &str, query: Option<&str>) -> Request {
    Request {
        method: "GET".to_owned(),
        origin: "https://ecs-status.example".to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        id: "r-1".to_owned(),
        ..Request::default()
    }
}
