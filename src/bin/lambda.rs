//! The Lambda edge: API Gateway's events, the execution role's environment, and what a Lambda
//! function lends to the rooms. What is answered is `api`'s, as on the Worker.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use ecs_status::api;
use ecs_status::aws::platform::{
    Clock, Host, HttpSend, Level, Log, MAX_RESPONSE_BYTES, Rng, SendError, Sleep,
};
use ecs_status::config::{Config, log_level};
use ecs_status::fleet::view::Fleet;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::lambda_runtime::Diagnostic;
use lambda_http::{Error, RequestExt, service_fn};
use tokio::sync::{mpsc, oneshot};

type Reply = oneshot::Sender<http::Response<Vec<u8>>>;

/// Starts the function. The rooms are single-threaded, as in a Worker, while the runtime wants
/// futures that can move between threads; so one task owns the fleet and answers over a channel.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (sender, receiver) = mpsc::unbounded_channel::<(api::Request, Reply)>();
    let handler = service_fn(move |request: lambda_http::Request| {
        let sender = sender.clone();
        async move {
            let (reply, answer) = oneshot::channel();
            sender
                .send((read(&request), reply))
                .map_err(|_| stopped())?;
            let response = answer.await.map_err(|_| stopped())?;
            Ok::<_, Diagnostic>(write(response))
        }
    });
    let local = tokio::task::LocalSet::new();
    local.spawn_local(answer_all(receiver));
    local.run_until(lambda_http::run(handler)).await
}

fn stopped() -> Diagnostic {
    Diagnostic {
        error_type: "Stopped".into(),
        error_message: "the task that answers has stopped".into(),
    }
}

async fn answer_all(mut requests: mpsc::UnboundedReceiver<(api::Request, Reply)>) {
    let platform = LambdaPlatform::new(log_level(variable));
    let config = Config::from_lookup(variable);
    let fleet = Rc::new(config.map(|config| Fleet::in_process(&platform, config)));
    while let Some((request, reply)) = requests.recv().await {
        let (fleet, platform) = (Rc::clone(&fleet), platform.clone());
        tokio::task::spawn_local(async move {
            let response = api::handle(&request, (*fleet).as_ref(), &platform).await;
            // Shared bodies stay with the fleet.
            let response = response.map(Rc::unwrap_or_clone);
            // Nobody to answer is left if Lambda gave the invocation up.
            let _ = reply.send(response);
        });
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the edge that reads the environment"
)]
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
        // Throttling is API Gateway's.
        is_over_limit: false,
        id: request
            .lambda_context_ref()
            .map(|context| context.request_id.clone())
            .unwrap_or_default(),
    }
}

/// Text, so that API Gateway need not decode it.
fn write(response: http::Response<Vec<u8>>) -> http::Response<Body> {
    response.map(|body| match String::from_utf8(body) {
        Ok(text) => Body::Text(text),
        Err(bytes) => Body::Binary(bytes.into_bytes()),
    })
}

#[derive(Clone)]
struct LambdaPlatform {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    level: Level,
}

impl LambdaPlatform {
    fn new(level: Level) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, level }
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, SendError> {
        let unreachable = |error: &dyn std::error::Error| SendError::Unreachable(chain(error));
        let answer = self
            .client
            .request(request.map(|body| Full::new(body.into())))
            .await
            .map_err(|error| unreachable(&error))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_RESPONSE_BYTES)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    SendError::TooLarge
                } else {
                    unreachable(&*error)
                }
            })?;
        Ok(http::Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

/// An error and its causes, which hyper keeps apart.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl HttpSend for LambdaPlatform {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Vec<u8>>, SendError> {
        tokio::time::timeout(timeout, self.exchange(request))
            .await
            .unwrap_or(Err(SendError::TimedOut))
    }
}

impl Clock for LambdaPlatform {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the edge that has a clock"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

impl Sleep for LambdaPlatform {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Rng for LambdaPlatform {
    fn bits(&self) -> u64 {
        getrandom::u64().unwrap_or_default()
    }
}

impl Host for LambdaPlatform {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(task);
    }

    fn memory_bytes(&self) -> Option<u64> {
        None
    }
}

impl Log for LambdaPlatform {
    fn enabled(&self, level: Level) -> bool {
        level <= self.level
    }

    fn write(&self, _level: Level, line: String) {
        println!("{line}");
    }
}
