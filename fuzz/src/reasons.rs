//! Messages of events. The input is messages with `0xff` between them, the newest first.

use ecs_status::fleet::model::reason::{Reason, meaning};
use ecs_status::fleet::model::snapshot::Service;
use serde_json::{Value, json};

use super::support::rollouts::{ago, deployment, found, service, with};

/// The largest number of events.
const MAX_EVENTS: usize = 30;

/// A message decides nothing but the reason, which is a word of a fixed list; and the name of the
/// service in front of a message does not change its meaning.
pub fn check(data: &[u8]) {
    let messages = data.split(|&byte| byte == 0xff).take(MAX_EVENTS);
    let messages: Vec<_> = messages.map(String::from_utf8_lossy).collect();
    for message in &messages {
        if !message.trim_start().starts_with(['(', 's']) {
            let named = format!("(service a-b_1) {message}");
            assert_eq!(meaning(&named), meaning(message));
        }
    }
    let events = messages.iter().zip(0..);
    let events: Vec<Value> = events
        .map(|(message, age)| json!({"id": "e", "createdAt": ago(age), "message": message}))
        .collect();
    let described = service(
        [2, 1, 0],
        json!([deployment("PRIMARY", "COMPLETED", [2, 1], 9)]),
    );
    let told = found(&with(described.clone(), json!({"events": events})));
    let untold = found(&described);
    assert_eq!(untold.reason, Some(Reason::Other));
    assert!(told.reason.is_some());
    let without_reason = |service| Service {
        reason: None,
        ..service
    };
    assert_eq!(without_reason(told), without_reason(untold));
}
