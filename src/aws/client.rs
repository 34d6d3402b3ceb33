//! Client: signs, sends, retries and decodes the calls of one AWS service.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response};
use serde::Serialize;

use crate::aws::budget::Budget;
use crate::aws::clock_skew::SkewedClock;
use crate::aws::credentials::Credentials;
use crate::aws::endpoint::Endpoint;
use crate::aws::error::{Error, ServiceError};
use crate::aws::protocol::{Operation, OperationName, Wire};
use crate::aws::rate_limiter::RateLimiter;
use crate::aws::retry::{self, MAX_ATTEMPTS, RetryQuota};
use crate::aws::sigv4;
use crate::platform::{Level, Platform, SendError};
use crate::time::since;

/// The longest text of AWS that is logged, in characters.
const LOGGED_CHARACTERS: usize = 1_024;

/// Calls one service in one region with one set of credentials.
#[derive(Debug)]
pub struct Client<P> {
    platform: P,
    endpoint: Endpoint,
    region: String,
    credentials: RefCell<Credentials>,
    clock: SkewedClock,
    quota: RetryQuota,
    limiter: RateLimiter,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedAttempt<'a> {
    level: Level,
    event: &'static str,
    request_id: &'a str,
    operation: OperationName,
    region: &'a str,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_request_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Call<'a> {
    level: Level,
    event: &'static str,
    request_id: &'a str,
    operation: OperationName,
    attempt: u32,
    status: u16,
    bytes: usize,
    duration_ms: u128,
}

impl<P: Platform> Client<P> {
    /// A client that signs for `region` and sends to `endpoint`, at the rate of `limiter`.
    pub fn new(
        platform: P,
        endpoint: Endpoint,
        region: String,
        credentials: Credentials,
        limiter: RateLimiter,
    ) -> Self {
        Self {
            platform,
            endpoint,
            region,
            credentials: RefCell::new(credentials),
            clock: SkewedClock::default(),
            quota: RetryQuota::default(),
            limiter,
        }
    }

    /// The limiter of its calls.
    pub fn limiter(&self) -> &RateLimiter {
        &self.limiter
    }

    /// The platform that the edge provides.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Replaces the credentials for all later requests.
    pub fn set_credentials(&self, credentials: Credentials) {
        *self.credentials.borrow_mut() = credentials;
    }

    /// The secrets, which must appear nowhere.
    pub fn secrets(&self) -> Vec<String> {
        self.credentials.borrow().texts()
    }

    /// Makes one call, with up to [`MAX_ATTEMPTS`] attempts within `budget`. Every failed attempt is
    /// logged, with the code, the message and the request id of AWS.
    ///
    /// # Errors
    /// The [`Error`] of the last attempt; [`Error::DeadlineExceeded`] if there was no time for one, and
    /// [`Error::OutOfRequests`] if the budget has no request left.
    pub async fn call<O: Operation>(
        &self,
        operation: &O,
        budget: &Budget,
    ) -> Result<O::Output, Error> {
        let body = operation.encode().map_err(Error::Decode)?;
        let (attempt, answer) = self.attempts(O::WIRE, &body, budget).await?;
        O::decode(&answer).map_err(|error| {
            let error = Error::Decode(error);
            self.log_failure(O::WIRE, attempt, &error, budget);
            error
        })
    }

    async fn attempts(
        &self,
        wire: Wire,
        body: &[u8],
        budget: &Budget,
    ) -> Result<(u32, Vec<u8>), Error> {
        let mut skew_corrected = false;
        let mut attempt = 1;
        let mut retries = 0;
        loop {
            let (started, remaining) = self.wait_for_slot(budget).await?;
            let signed = self.clock.at_aws(started);
            let request = self.request(wire, body, signed).map_err(Error::Signing)?;
            budget.spend(|usage| usage.calls += 1);
            let timeout = remaining.min(budget.attempt_timeout());
            let sent = self.platform.send(request, timeout).await;
            let now = self.platform.now();
            let (error, asked) = match sent {
                Ok(response) if response.status().is_success() => {
                    self.quota.give_back(retries);
                    self.log_call(wire, attempt, &response, now, started, budget);
                    return Ok((attempt, response.into_body()));
                }
                Ok(response) => {
                    let error = ServiceError::from_response(&response);
                    budget.spend(|usage| usage.errors += 1);
                    if !skew_corrected && self.clock.correct(&error, &response, signed, now) {
                        skew_corrected = true;
                        self.log_failure(wire, attempt, &Error::Service(error), budget);
                        budget.spend(|usage| usage.retries += 1);
                        continue;
                    }
                    if retry::is_throttle(&error) {
                        budget.spend(|usage| usage.throttles += 1);
                    }
                    (Error::Service(error), retry_after(&response))
                }
                Err(error) => {
                    budget.spend(|usage| usage.errors += 1);
                    (Error::Send(error), None)
                }
            };
            self.log_failure(wire, attempt, &error, budget);

            if attempt == MAX_ATTEMPTS || !retry::is_retryable(&error) || !self.quota.take() {
                return Err(error);
            }
            let wait = retry::backoff(attempt, self.platform.bits(), asked);
            if budget.remaining(now).is_none_or(|left| left <= wait) {
                return Err(error);
            }
            if !budget.has_requests() {
                return Err(Error::OutOfRequests);
            }
            self.platform.sleep(wait).await;
            budget.spend(|usage| usage.retries += 1);
            attempt += 1;
            retries += 1;
        }
    }

    /// Waits for the rate limiter, and returns the time at which the next request may be sent and the
    /// time that is left. A slot that comes after the deadline is not taken.
    async fn wait_for_slot(&self, budget: &Budget) -> Result<(SystemTime, Duration), Error> {
        let now = self.platform.now();
        let remaining = budget.remaining(now).ok_or(Error::DeadlineExceeded)?;
        if self.limiter.wait(1, now) >= remaining {
            return Err(Error::DeadlineExceeded);
        }
        if !budget.take_request() {
            return Err(Error::OutOfRequests);
        }
        let wait = self.limiter.take(now);
        if wait.is_zero() {
            return Ok((now, remaining));
        }
        self.platform.sleep(wait).await;
        let now = self.platform.now();
        let remaining = budget.remaining(now).ok_or(Error::DeadlineExceeded)?;
        Ok((now, remaining))
    }

    /// Builds and signs a request.
    fn request(
        &self,
        wire: Wire,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Request<Vec<u8>>, sigv4::SigningError> {
        let mut request = Request::new(body.to_vec());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.uri().clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(wire.content_type));
        if let Some(prefix) = wire.target_prefix
            && let Ok(target) = format!("{prefix}.{}", wire.name.as_str()).parse()
        {
            headers.insert("x-amz-target", target);
        }
        sigv4::sign(
            &mut request,
            &self.credentials.borrow(),
            &self.region,
            wire.signing_name,
            now,
        )?;
        Ok(request)
    }

    fn log_call(
        &self,
        wire: Wire,
        attempt: u32,
        response: &Response<Vec<u8>>,
        now: SystemTime,
        started: SystemTime,
        budget: &Budget,
    ) {
        let record = Call {
            level: Level::Debug,
            event: "awsCall",
            request_id: budget.request_id(),
            operation: wire.name,
            attempt,
            status: response.status().as_u16(),
            bytes: response.body().len(),
            duration_ms: since(started, now).as_millis(),
        };
        self.platform.record(Level::Debug, &record);
    }

    fn log_failure(&self, wire: Wire, attempt: u32, error: &Error, budget: &Budget) {
        let service = match error {
            Error::Service(error) => Some(error),
            _ => None,
        };
        let message = match error {
            Error::Service(error) => error.message.clone(),
            _ => std::error::Error::source(error)
                .unwrap_or(error)
                .to_string(),
        };
        let clean = |text: &str| -> String {
            self.credentials
                .borrow()
                .redact(text)
                .chars()
                .take(LOGGED_CHARACTERS)
                .collect()
        };
        let record = FailedAttempt {
            level: Level::Warn,
            event: "awsError",
            request_id: budget.request_id(),
            operation: wire.name,
            region: &self.region,
            attempt,
            status: service.map(|error| error.status),
            code: clean(service.map_or(code(error), |error| &error.code)),
            message: clean(&message),
            aws_request_id: service.and_then(|e| e.request_id.as_deref()).map(clean),
        };
        self.platform.record(Level::Warn, &record);
    }
}

/// The code in the log of an error that AWS did not return.
fn code(error: &Error) -> &'static str {
    match error {
        Error::Service(_) => "",
        Error::Send(SendError::Unreachable(_)) => "Unreachable",
        Error::Send(SendError::TimedOut) => "TimedOut",
        Error::Send(SendError::TooLarge) => "TooLarge",
        Error::Send(SendError::SubrequestLimit) => "SubrequestLimit",
        Error::Decode(_) => "Unreadable",
        Error::Signing(_) => "Signing",
        Error::DeadlineExceeded => "DeadlineExceeded",
        Error::OutOfRequests => "OutOfRequests",
    }
}

fn retry_after(response: &Response<Vec<u8>>) -> Option<Duration> {
    let value = response.headers().get("x-amz-retry-after")?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_millis)
}
