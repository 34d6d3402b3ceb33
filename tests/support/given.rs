//! An ECS that holds exactly the services it is given, whatever they are called. A service's name has
//! no slash, which would end it in its ARN.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Fake, Reply, ok};

const ACCOUNT: &str = "123456789012";

/// A cluster and its services, as ECS describes them, but without ARNs.
#[derive(Clone, Debug)]
pub struct Given {
    pub name: String,
    pub services: Vec<Value>,
}

/// A service on Fargate with these counts: desired, running, pending.
pub fn service(name: &str, counts: [u32; 3], rollout: &str, tags: &[(&str, &str)]) -> Value {
    let [desired, running, pending] = counts;
    let tag = |(key, value): &(&str, &str)| json!({"key": key, "value": value});
    json!({
        "serviceName": name, "status": "ACTIVE", "launchType": "FARGATE",
        "desiredCount": desired, "runningCount": running, "pendingCount": pending,
        "tags": tags.iter().map(tag).collect::<Vec<_>>(),
        "deployments": [{"status": "PRIMARY", "rolloutState": rollout}],
    })
}

/// A platform whose ECS holds `clusters`, in every region; at most ten services in each.
pub fn holding(clusters: Vec<Given>) -> Fake {
    let arn = |kind: &str, path: &str| format!("arn:aws:ecs:us-east-1:{ACCOUNT}:{kind}/{path}");
    Fake::new(move |request| {
        let target = request.headers()["x-amz-target"].to_str().unwrap();
        let operation = target.split('.').nth(1).unwrap();
        let input: Value = serde_json::from_slice(request.body()).unwrap();
        let of = |index: usize| arn("cluster", &format!("c{index}"));
        let asked = (0..clusters.len()).find(|index| input["cluster"] == of(*index));
        let services = || {
            let services = &clusters[asked.unwrap()].services;
            services.iter().map(|service| {
                let name = service["serviceName"].as_str().unwrap();
                let path = format!("c{}/{name}", asked.unwrap());
                (arn("service", &path), service)
            })
        };
        let body = match operation {
            "ListClusters" => {
                json!({"clusterArns": (0..clusters.len()).map(of).collect::<Vec<_>>()})
            }
            "DescribeClusters" => {
                let described = clusters.iter().enumerate().map(|(index, cluster)| {
                    json!({"clusterArn": of(index), "clusterName": cluster.name, "status": "ACTIVE"})
                });
                json!({"clusters": described.collect::<Vec<_>>(), "failures": []})
            }
            "ListServices" => {
                json!({"serviceArns": services().map(|(arn, _)| arn).collect::<Vec<_>>()})
            }
            _ => {
                let described = services().map(|(arn, service)| {
                    let mut service = service.clone();
                    service["serviceArn"] = arn.into();
                    service
                });
                json!({"services": described.collect::<Vec<_>>(), "failures": []})
            }
        };
        Reply {
            after: Duration::ZERO,
            sent: ok(&body.to_string()),
        }
    })
}
