//! Lambda: the edge that receives API Gateway's events. The responses are those of `api`, as on the
//! Worker.

mod platform;

use std::rc::Rc;

use ecs_status::api::{self, Api};
use ecs_status::config::{Config, log_level};
use ecs_status::fleet::view::Fleet;
use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::lambda_runtime::Diagnostic;
use lambda_http::{Error, RequestExt, service_fn};
use platform::LambdaPlatform;
use tokio::sync::{mpsc, oneshot};

type ResponseSender = oneshot::Sender<http::Response<Vec<u8>>>;

/// Starts the function. The library is single-threaded, as in a Worker, while the runtime requires
/// futures that can move between threads, so one task owns the API and responds over a channel.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (sender, receiver) = mpsc::unbounded_channel::<(api::Request, ResponseSender)>();
    let handler = service_fn(move |request: lambda_http::Request| {
        let sender = sender.clone();
        async move {
            let (response_sender, response) = oneshot::channel();
            sender
                .send((read(&request), response_sender))
                .map_err(|_| stopped())?;
            let response = response.await.map_err(|_| stopped())?;
            Ok::<_, Diagnostic>(write(response))
        }
    });
    let local = tokio::task::LocalSet::new();
    local.spawn_local(serve(receiver));
    local.run_until(lambda_http::run(handler)).await
}

fn stopped() -> Diagnostic {
    Diagnostic {
        error_type: "Stopped".into(),
        error_message: "the task that serves requests has stopped".into(),
    }
}

async fn serve(mut requests: mpsc::UnboundedReceiver<(api::Request, ResponseSender)>) {
    let platform = LambdaPlatform::new(log_level(variable));
    let config = Config::from_lookup(variable);
    let fleet = config.map(|config| Fleet::in_process(&platform, config));
    let api = Rc::new(Api::new(fleet));
    while let Some((request, sender)) = requests.recv().await {
        let (api, platform) = (Rc::clone(&api), platform.clone());
        tokio::task::spawn_local(async move {
            let response = api.handle(&request, &platform).await;
            // The API may share a body with other responses.
            let response = response.map(Rc::unwrap_or_clone);
            // The receiver is gone if Lambda has given the invocation up.
            let _ = sender.send(response);
        });
    }
}

#[allow(clippy::disallowed_methods, reason = "an edge reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn read(request: &lambda_http::Request) -> api::Request {
    let uri = request.uri();
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let scheme = header("x-forwarded-proto").unwrap_or_else(|| "https".to_owned());
    let host = header("host").unwrap_or_default();
    api::Request {
        method: request.method().to_string(),
        origin: format!("{scheme}://{host}"),
        path: request.raw_http_path().to_owned(),
        query: uri.query().map(str::to_owned),
        accept: header("accept"),
        authorization: header("authorization"),
        if_none_match: header("if-none-match"),
        if_modified_since: header("if-modified-since"),
        prefer: header("prefer"),
        scrape_timeout: header("x-prometheus-scrape-timeout-seconds"),
        // API Gateway throttles.
        is_over_limit: false,
        id: request
            .lambda_context_ref()
            .map(|context| context.request_id.clone())
            .unwrap_or_default(),
    }
}

/// `response` with its body as text, so that API Gateway need not decode it.
fn write(response: http::Response<Vec<u8>>) -> http::Response<Body> {
    response.map(|body| match String::from_utf8(body) {
        Ok(text) => Body::Text(text),
        Err(bytes) => Body::Binary(bytes.into_bytes()),
    })
}
