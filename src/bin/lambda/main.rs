//! Lambda: the edge that receives API Gateway's events. The responses are those of `api`, as on the
//! Worker.

mod event;
mod platform;

use ecs_status::api::Api;
use ecs_status::config::{Config, log_level};
use ecs_status::fleet::view::Fleet;
use ecs_status::platform::{Level, Log};
use event::EventResponse;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use platform::LambdaPlatform;
use serde::Serialize;
use serde_json::Value;
use tokio::task::LocalSet;

/// Starts the function. The library is single-threaded, as in a Worker: this task owns the API and
/// takes one event after the other, as Lambda sends them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let platform = LambdaPlatform::new(log_level(variable));
    let config = Config::from_lookup(variable);
    let fleet = config.map(|config| {
        // The Worker takes the events.
        let events_token = None;
        Fleet::in_process(
            &platform,
            Config {
                events_token,
                ..config
            },
        )
    });
    let api = Api::new(fleet).with_body_limit(event::MAX_BODY_BYTES);
    let (api, platform) = (&api, &platform);
    let handler = service_fn(|event: LambdaEvent<Value>| async move {
        let id = event.context.request_id;
        let request = event::request(event.payload, id.clone());
        let request = request.map_err(|problem| rejected(&id, problem, platform))?;
        let response = api.handle(&request, platform).await;
        Ok::<_, Diagnostic>(EventResponse::from(response))
    });
    LocalSet::new()
        .run_until(lambda_runtime::run(handler))
        .await
}

#[allow(clippy::disallowed_methods, reason = "an edge reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// An event that is no request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectedEvent<'a> {
    level: Level,
    event: &'static str,
    request_id: &'a str,
    problem: &'a str,
}

/// Logs why an event is no request; returns it as the error of the invocation.
fn rejected(request_id: &str, problem: String, log: &impl Log) -> Diagnostic {
    log.record(
        Level::Error,
        &RejectedEvent {
            level: Level::Error,
            event: "rejectedEvent",
            request_id,
            problem: &problem,
        },
    );
    Diagnostic {
        error_type: "NotAnHttpEvent".to_owned(),
        error_message: problem,
    }
}
