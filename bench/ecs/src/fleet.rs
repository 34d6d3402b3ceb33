//! Uniform fleet, rendered once: every service and cluster in the shape and size of ECS's descriptions
//! (about 21 KB for a service with 100 events, 1.4 KB without).

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::settings::Settings;

pub const REGION: &str = "ap-southeast-2";
const ACCOUNT: &str = "123456789012";
const CREATED_AT: f64 = 1_794_000_000.123;
const EVENT_INTERVAL_SECONDS: f64 = 6.0 * 3_600.0;

/// A cluster's ARN and its description.
pub struct Cluster {
    pub arn: String,
    pub description: Vec<u8>,
    /// The ARNs of its services.
    pub services: Vec<String>,
}

pub struct Fleet {
    pub clusters: Vec<Cluster>,
    /// Descriptions of services by name, which is unique in the fleet.
    pub services: HashMap<String, Vec<u8>>,
}

impl Fleet {
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let mut services = HashMap::new();
        let clusters = (0..settings.clusters).map(|c| {
            let names = (0..settings.services).map(|s| (s, format!("service-{c:03}-{s:04}")));
            let arns = names.map(|(number, name)| {
                let rendered = service(c, number, &name, settings.events).to_string();
                let arn = arn(&format!("service/cluster-{c:03}/{name}"));
                services.insert(name, rendered.into_bytes());
                arn
            });
            let arns = arns.collect();
            Cluster {
                arn: arn(&format!("cluster/cluster-{c:03}")),
                description: cluster(c, settings.services).to_string().into_bytes(),
                services: arns,
            }
        });
        let clusters = clusters.collect();
        Self { clusters, services }
    }

    /// Sets the number of running tasks of a service; none if there is no such service.
    pub fn set_running(&mut self, name: &str, running: u32) -> Option<()> {
        let rendered = self.services.get_mut(name)?;
        let mut service: Value = serde_json::from_slice(rendered).ok()?;
        service["runningCount"] = running.into();
        service["deployments"][0]["runningCount"] = running.into();
        *rendered = service.to_string().into_bytes();
        Some(())
    }
}

fn arn(resource: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:{resource}")
}

fn tags(number: usize) -> Value {
    let owner = ["platform", "payments", "K2", "F1"][number % 4];
    let environment = ["production", "staging"][number / 4 % 2];
    json!([
        {"key": "environment", "value": environment},
        {"key": "owner", "value": owner},
        {"key": "contact", "value": format!("{}@example.com", owner.to_lowercase())},
    ])
}

/// The launch type and the capacity providers of a service: each rule for them in turn, and one of
/// fifty services that is not on Fargate.
fn placement(number: usize) -> (Value, Value) {
    let strategy = json!({"capacityProviderStrategy": [
        {"capacityProvider": "FARGATE_SPOT", "weight": 4, "base": 0},
        {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
    ]});
    match number % 50 {
        49 => (json!({"launchType": "EC2"}), json!({"launchType": "EC2"})),
        n if n % 4 == 0 => (strategy.clone(), strategy),
        n if n % 4 == 1 => (json!({}), strategy),
        n if n % 4 == 2 => (json!({}), json!({})),
        _ => (
            json!({"launchType": "FARGATE"}),
            json!({"launchType": "FARGATE"}),
        ),
    }
}

fn service(cluster: usize, number: usize, name: &str, events: usize) -> Value {
    let arn_of = |kind: &str| arn(&format!("{kind}/cluster-{cluster:03}/{name}"));
    let task_definition = arn(&format!("task-definition/{name}:17"));
    let (placement, deployment_placement) = placement(number);
    // One of fifty is being deleted, and is left out of the report too.
    let status = if number % 50 == 48 {
        "DRAINING"
    } else {
        "ACTIVE"
    };
    let seed = format!("{cluster:08x}-{number:04x}-4b1d-9c3e");
    let deployment_id = format!("ecs-svc/{:019}", cluster * 1_000_000 + number);
    let (desired, running) = (number % 8, number % 8 - usize::from(number % 16 == 15));
    let deployment = merged(
        json!({
            "id": deployment_id,
            "status": "PRIMARY",
            "taskDefinition": task_definition,
            "desiredCount": desired,
            "pendingCount": desired - running,
            "runningCount": running,
            "failedTasks": 0,
            "createdAt": CREATED_AT,
            "updatedAt": CREATED_AT,
        }),
        &[
            deployment_placement,
            json!({
                "platformVersion": "1.4.0",
                "platformFamily": "Linux",
                "rolloutState": "COMPLETED",
                "rolloutStateReason": format!("ECS deployment {deployment_id} completed."),
            }),
        ],
    );
    let events: Vec<Value> = (0..events)
        .zip(0_u32..)
        .map(|(event, past)| {
            json!({
                "id": format!("{seed}-{event:012x}"),
                "createdAt": CREATED_AT - f64::from(past) * EVENT_INTERVAL_SECONDS,
                "message": format!("(service {name}) {}", message(event, name)),
            })
        })
        .collect();
    merged(
        json!({
            "serviceArn": arn_of("service"),
            "serviceName": name,
            "clusterArn": arn(&format!("cluster/cluster-{cluster:03}")),
            "loadBalancers": [],
            "serviceRegistries": [],
            "status": status,
            "desiredCount": desired,
            "runningCount": running,
            "pendingCount": desired - running,
        }),
        &[
            placement,
            json!({
                "platformVersion": "LATEST",
                "platformFamily": "Linux",
                "taskDefinition": task_definition,
                "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
                "deployments": [deployment],
                "events": events,
                "createdAt": CREATED_AT,
                "placementConstraints": [],
                "placementStrategy": [],
                "networkConfiguration": {"awsvpcConfiguration": {
                    "subnets": ["subnet-0a1b2c3d4e5f60718"],
                    "securityGroups": ["sg-0f1e2d3c4b5a69780"],
                    "assignPublicIp": "ENABLED",
                }},
                "schedulingStrategy": "REPLICA",
                "deploymentController": {"type": "ECS"},
                "enableECSManagedTags": false,
                "propagateTags": "NONE",
                "enableExecuteCommand": false,
                "availabilityZoneRebalancing": "ENABLED",
                "tags": tags(number),
            }),
        ],
    )
}

/// The message of an event of a rollout, newest first.
fn message(event: usize, name: &str) -> String {
    let group =
        format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/{event:016x}");
    match event % 4 {
        0 => "has reached a steady state.".to_owned(),
        1 => format!("registered 1 targets in (target-group {group})"),
        2 => format!("has started 1 tasks: (task {event:032x})."),
        _ => format!("deregistered 1 targets in (target-group {group})"),
    }
}

fn cluster(number: usize, services: usize) -> Value {
    json!({
        "clusterArn": arn(&format!("cluster/cluster-{number:03}")),
        "clusterName": format!("cluster-{number:03}"),
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": services,
        "pendingTasksCount": 0,
        "activeServicesCount": services,
        "statistics": [],
        "tags": tags(number),
        "settings": [],
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
    })
}

fn merged(mut object: Value, others: &[Value]) -> Value {
    if let Some(members) = object.as_object_mut() {
        for other in others.iter().filter_map(Value::as_object) {
            members.extend(other.clone());
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(events: usize) -> usize {
        let settings = Settings {
            clusters: 1,
            events,
            ..Settings::default()
        };
        let services = Fleet::new(&settings).services;
        services.values().map(Vec::len).sum::<usize>() / services.len()
    }

    #[test]
    fn a_service_has_the_size_of_a_real_one() {
        assert!((1_300..1_700).contains(&size(0)), "{}", size(0));
        assert!((20_500..22_500).contains(&size(100)), "{}", size(100));
    }
}
