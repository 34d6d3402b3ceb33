//! Rollouts: services in the midst of a deployment, as ECS describes them.

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ecs_status::aws::ecs::{DescribeClusters, DescribeServices, ListClusters, ListServices};
use ecs_status::aws::error::Error;
use ecs_status::aws::protocol::Operation;
use ecs_status::fleet::model::redact::Redactor;
use ecs_status::fleet::model::service_state::AsOf;
use ecs_status::fleet::model::snapshot::{Service, Snapshot};
use ecs_status::fleet::sweep::{Call, Sweep};
use serde_json::{Value, json};

use super::ecs::ACCOUNT;
use super::start;

/// A moment, with the default of `STUCK_AFTER`.
pub fn as_of(now: SystemTime) -> AsOf {
    AsOf {
        now,
        stuck_after: Duration::from_mins(15),
    }
}

/// So many seconds before the end of the sweep, as ECS writes it.
pub fn ago(seconds: i32) -> f64 {
    let now = start().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs_f64() - f64::from(seconds)
}

/// The ARN of a task definition.
pub fn definition(name: &str) -> String {
    format!("arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/{name}")
}

/// A deployment of a status, a rollout state, desired and running tasks, and an age in seconds.
pub fn deployment(status: &str, rollout: &str, [desired, running]: [u32; 2], age: i32) -> Value {
    let revision = if status == "PRIMARY" { 58 } else { 57 };
    json!({
        "id": format!("ecs-svc/{revision}"), "status": status, "rolloutState": rollout,
        "taskDefinition": definition(&format!("checkout:{revision}")),
        "desiredCount": desired, "runningCount": running, "pendingCount": 0, "failedTasks": 0,
        "createdAt": ago(age), "updatedAt": ago(age), "launchType": "FARGATE",
    })
}

/// `value` with these members replaced.
pub fn with(mut value: Value, members: Value) -> Value {
    let Value::Object(members) = members else {
        panic!("{members}");
    };
    for (name, member) in members {
        value[name] = member;
    }
    value
}

/// A service called `checkout` with these counts: desired, running, pending.
pub fn service([desired, running, pending]: [u32; 3], deployments: Value) -> Value {
    let mut service = json!({
        "serviceName": "checkout", "status": "ACTIVE", "launchType": "FARGATE",
        "desiredCount": desired, "runningCount": running, "pendingCount": pending,
        "taskSets": [], "events": [], "tags": [],
    });
    service["deployments"] = deployments;
    service
}

/// Events of these ages in seconds and messages behind the name of the service.
pub fn events(events: &[(i32, &str)]) -> Value {
    let event = |(index, (age, message)): (usize, &(i32, &str))| {
        json!({
            "id": format!("e-{index}"), "createdAt": ago(*age),
            "message": format!("(service checkout) {message}"),
        })
    };
    events.iter().enumerate().map(event).collect()
}

/// The service that a report shows for `described`.
pub fn found(described: &Value) -> Service {
    let mut snapshot = sweep(
        std::slice::from_ref(described),
        as_of(start()),
        Redactor::default(),
    );
    let cluster = Rc::unwrap_or_clone(snapshot.clusters.remove(0));
    cluster.services.into_iter().next().unwrap()
}

/// The snapshot of a cluster with these services.
pub fn sweep(services: &[Value], as_of: AsOf, redactor: Redactor) -> Snapshot {
    fn read<O: Operation>(body: &Value) -> Result<O::Output, Error> {
        O::decode(body.to_string().as_bytes()).map_err(Error::Decode)
    }
    let cluster = format!("arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/web");
    let arn = |service: &Value| {
        let name = service["serviceName"].as_str().unwrap();
        json!(format!(
            "arn:aws:ecs:us-east-1:{ACCOUNT}:service/web/{name}"
        ))
    };
    let mut sweep = Sweep::new("default", "us-east-1");
    while let Some(call) = sweep.next_call() {
        match call {
            Call::ListClusters { .. } => {
                let body = json!({"clusterArns": [cluster]});
                sweep.on_list_clusters(read::<ListClusters<'_>>(&body));
            }
            Call::DescribeClusters { clusters } => {
                let body = json!({"clusters": [{
                    "clusterArn": cluster, "clusterName": "web", "status": "ACTIVE",
                }]});
                sweep.on_describe_clusters(clusters, read::<DescribeClusters<'_>>(&body));
            }
            Call::ListServices { cluster, .. } => {
                let arns: Vec<Value> = services.iter().map(arn).collect();
                let body = json!({"serviceArns": arns});
                sweep.on_list_services(cluster, read::<ListServices<'_>>(&body));
            }
            Call::DescribeServices {
                cluster,
                services: arns,
                with_tags,
            } => {
                let body = json!({"services": services});
                let response = read::<DescribeServices<'_>>(&body);
                sweep.on_describe_services(cluster, arns, with_tags, response);
            }
        }
    }
    sweep.finish(as_of, redactor).unwrap()
}
