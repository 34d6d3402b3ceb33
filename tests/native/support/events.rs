//! Events of `EventBridge`, as tests send them.

use ecs_status::api::{Api, Body, Request};
use ecs_status::fleet::view::source::SnapshotSource;
use http::Response;
use serde_json::{Value, json};

use super::Fake;
use super::ask::request;
use super::ecs::ACCOUNT;

/// The value of `EVENTS_TOKEN`.
pub const TOKEN: &str = "event-token-0123456789";

/// An event about a deployment of a service.
pub fn deployment(cluster: &str, service: &str) -> Value {
    let prefix = format!("arn:aws:ecs:us-east-1:{ACCOUNT}");
    json!({
        "version": "0",
        "id": "ddca6449-b258-46c0-8653-e0e3aEXAMPLE",
        "detail-type": "ECS Deployment State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": "2026-11-22T19:40:00Z",
        "region": "us-east-1",
        "resources": [format!("{prefix}:service/{cluster}/{service}")],
        "detail": {
            "eventType": "INFO",
            "eventName": "SERVICE_DEPLOYMENT_IN_PROGRESS",
            "deploymentId": "ecs-svc/123",
            "updatedAt": "2026-11-22T19:40:00Z",
            "reason": "ECS deployment ecs-svc/123 in progress.",
        },
    })
}

/// An event about a task of a service.
pub fn task(cluster: &str, service: &str) -> Value {
    let prefix = format!("arn:aws:ecs:us-east-1:{ACCOUNT}");
    let mut event = deployment(cluster, service);
    event["detail-type"] = "ECS Task State Change".into();
    event["resources"] = json!([format!("{prefix}:task/{cluster}/0123456789abcdef")]);
    event["detail"] = json!({
        "clusterArn": format!("{prefix}:cluster/{cluster}"),
        "group": format!("service:{service}"), "launchType": "FARGATE",
        "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "startedBy": "ecs-svc/123",
    });
    event
}

/// The request with this body and the right token.
pub fn post(body: &[u8]) -> Request {
    Request {
        authorization: Some(format!("Bearer {TOKEN}")),
        body: body.to_vec(),
        ..request("POST", "/events")
    }
}

/// Whether an event was noted.
pub fn noted(response: &Response<Body>) -> bool {
    assert_eq!(response.status(), 202, "{response:?}");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    body["noted"].as_bool().unwrap()
}

/// Sends an event, and returns whether it was noted.
pub fn send(api: &Api<impl SnapshotSource>, platform: &Fake, event: &Value) -> bool {
    let request = post(event.to_string().as_bytes());
    noted(&platform.run(api.handle(&request, platform)))
}
