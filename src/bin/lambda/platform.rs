//! Platform: the ports of the library on a Lambda function: HTTP by hyper, timers and tasks by
//! Tokio, and a log on standard output.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use ecs_status::platform::{
    Clock, HttpSend, Level, Log, MAX_RESPONSE_BYTES, Memory, Rng, SendError, Sleep, Spawn,
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// The ports of a Lambda function.
#[derive(Clone)]
pub(crate) struct LambdaPlatform {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    level: Level,
}

impl LambdaPlatform {
    /// A platform that logs up to `level`.
    pub(crate) fn new(level: Level) -> Self {
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
        let response = self
            .client
            .request(request.map(|body| Full::new(body.into())))
            .await
            .map_err(|error| unreachable(&error))?;
        let (parts, body) = response.into_parts();
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

/// The messages of `error` and its causes, which hyper's `Display` does not include.
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
    #[allow(clippy::disallowed_methods, reason = "an edge reads the clock")]
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

impl Spawn for LambdaPlatform {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(task);
    }
}

impl Memory for LambdaPlatform {
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
