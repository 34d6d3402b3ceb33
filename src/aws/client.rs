//! Client: signs, sends, retries and decodes the calls of one AWS service.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime};

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request, Response};

use crate::aws::budget::Budget;
use crate::aws::clock_skew::SkewedClock;
use crate::aws::credentials::Credentials;
use crate::aws::endpoint::Endpoint;
use crate::aws::error::{Error, ServiceError};
use crate::aws::protocol::{Operation, Wire};
use crate::aws::rate_limiter::RateLimiter;
use crate::aws::retry::{self, MAX_ATTEMPTS, RetryQuota};
use crate::aws::sigv4;
use crate::platform::{Platform, SendError, X_AMZ_RETRY_AFTER};

/// A constant, since reading a name takes longer than signing.
const X_AMZ_TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// Calls one service in one region with one set of credentials.
#[derive(Debug)]
pub struct Client<P> {
    pub(super) platform: P,
    endpoint: Endpoint,
    pub(super) region: String,
    pub(super) credentials: RefCell<Credentials>,
    session: Cell<Session>,
    /// Counts the sessions, to recognize a call that was signed with an older one.
    generation: Cell<u32>,
    clock: SkewedClock,
    quota: RetryQuota,
    limiter: RateLimiter,
}

/// State of the session that the credentials belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    /// The credentials are those of the configuration.
    None,
    /// A session of a role, which may be replaced once if AWS does not accept it any more.
    Renewable,
    /// AWS does not accept it any more.
    Stale,
    /// A session of a role that has been replaced already.
    Renewed,
}

/// The attempts of one call so far.
struct Attempts<'a> {
    wire: Wire,
    budget: &'a Budget,
    /// The number of the current one, from 1.
    number: u32,
    /// Those that the retry quota has paid for.
    retries: u32,
    skew_corrected: bool,
    /// The session that the current one is signed with.
    generation: u32,
}

impl<'a> Attempts<'a> {
    fn new(wire: Wire, budget: &'a Budget) -> Self {
        Self {
            wire,
            budget,
            number: 1,
            retries: 0,
            skew_corrected: false,
            generation: 0,
        }
    }

    fn count_retry(&mut self) {
        self.budget.spend(|usage| usage.retries += 1);
        self.number += 1;
        self.retries += 1;
    }
}

impl<P: Platform> Client<P> {
    /// A client that sends to `endpoint`, at the rate of `limiter`, and signs for `region`, unless
    /// the endpoint is AWS's in another one.
    pub fn new(
        platform: P,
        endpoint: Endpoint,
        region: String,
        credentials: Credentials,
        limiter: RateLimiter,
    ) -> Self {
        let region = endpoint.region().map_or(region, str::to_owned);
        Self {
            platform,
            endpoint,
            region,
            credentials: RefCell::new(credentials),
            session: Cell::new(Session::None),
            generation: Cell::new(0),
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

    /// Replaces the credentials for all later requests by those of a role's session.
    pub fn set_session(&self, credentials: Credentials) {
        *self.credentials.borrow_mut() = credentials;
        self.generation.set(self.generation.get().wrapping_add(1));
        self.session.set(match self.session.get() {
            Session::Stale | Session::Renewed => Session::Renewed,
            Session::None | Session::Renewable => Session::Renewable,
        });
    }

    /// Whether AWS does not accept the session any more, and it may be replaced.
    pub fn is_session_stale(&self) -> bool {
        self.session.get() == Session::Stale
    }

    /// Allows that the session is replaced once more, for the next sweep or check.
    pub fn allow_renewal(&self) {
        if self.session.get() == Session::Renewed {
            self.session.set(Session::Renewable);
        }
    }

    /// Whether the role has to be assumed once more before AWS's refusal of the session is reported.
    fn may_renew(&self) -> bool {
        matches!(self.session.get(), Session::Renewable | Session::Stale)
    }

    /// The secrets, which must appear nowhere.
    pub fn secrets(&self) -> Vec<String> {
        self.credentials.borrow().texts()
    }

    /// Makes one call, with up to [`MAX_ATTEMPTS`] attempts within `budget`. Every failed attempt is
    /// logged, with the code, the message and the request id of AWS.
    ///
    /// # Errors
    /// The [`Error`] of the last attempt; [`Error::StaleSession`] if the credentials are those of a role
    /// that is to be assumed once more; [`Error::DeadlineExceeded`] if there was no time for one, and
    /// [`Error::OutOfRequests`] if the budget has no request left.
    pub async fn call<O: Operation>(
        &self,
        operation: &O,
        budget: &Budget,
    ) -> Result<O::Output, Error> {
        let body = operation.encode();
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
        let mut attempts = Attempts::new(wire, budget);
        loop {
            let (started, remaining) = self.wait_for_slot(budget).await?;
            let signed = self.clock.at_aws(started);
            attempts.generation = self.generation.get();
            let request = self.request(wire, body, signed).map_err(Error::Signing)?;
            budget.spend(|usage| usage.calls += 1);
            let timeout = remaining.min(budget.attempt_timeout());
            let sent = self.platform.send(request, timeout).await;
            let now = self.platform.now();
            match sent {
                Ok(response) if response.status().is_success() => {
                    self.quota.give_back(attempts.retries);
                    self.log_call(wire, attempts.number, &response, now, started, budget);
                    return Ok((attempts.number, response.into_body()));
                }
                failed => {
                    let wait = self.after_failure(&mut attempts, failed, signed, now)?;
                    if let Some(wait) = wait {
                        self.platform.sleep(wait).await;
                        attempts.count_retry();
                    }
                }
            }
        }
    }

    /// The wait before the next attempt after one that failed; `None` if what was wrong with it is put
    /// right, so that it is made again at once.
    ///
    /// # Errors
    /// As of [`Self::call`], if there is no further attempt.
    #[inline(never)]
    fn after_failure(
        &self,
        attempts: &mut Attempts<'_>,
        failed: Result<Response<Vec<u8>>, SendError>,
        signed: SystemTime,
        now: SystemTime,
    ) -> Result<Option<Duration>, Error> {
        let Attempts { wire, budget, .. } = *attempts;
        budget.spend(|usage| usage.errors += 1);
        let log = |error: &Error| self.log_failure(wire, attempts.number, error, budget);
        let (error, asked) = match failed {
            Ok(response) => {
                let mut error = ServiceError::from_response(&response);
                error.is_of_session = self.session.get() != Session::None;
                if error.is_of_session && (error.is_unknown_key() || error.is_expired_token()) {
                    let is_replaced = self.generation.get() != attempts.generation;
                    if is_replaced || self.may_renew() {
                        log(&Error::Service(error));
                        if is_replaced {
                            budget.spend(|usage| usage.retries += 1);
                            return Ok(None);
                        }
                        self.session.set(Session::Stale);
                        return Err(Error::StaleSession);
                    }
                }
                if !attempts.skew_corrected && self.clock.correct(&error, &response, signed, now) {
                    log(&Error::Service(error));
                    attempts.skew_corrected = true;
                    budget.spend(|usage| usage.retries += 1);
                    return Ok(None);
                }
                if retry::is_throttle(&error) {
                    budget.spend(|usage| usage.throttles += 1);
                }
                (Error::Service(error), retry_after(&response))
            }
            Err(error) => (Error::Send(error), None),
        };
        log(&error);
        let number = attempts.number;
        if number == MAX_ATTEMPTS || !retry::is_retryable(&error) || !self.quota.take() {
            return Err(error);
        }
        let wait = retry::backoff(number, self.platform.bits(), asked);
        if budget.remaining(now).is_none_or(|left| left <= wait) {
            return Err(error);
        }
        if !budget.has_requests() {
            return Err(Error::OutOfRequests);
        }
        Ok(Some(wait))
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
    #[inline(never)]
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
            headers.insert(X_AMZ_TARGET, target);
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
}

fn retry_after(response: &Response<Vec<u8>>) -> Option<Duration> {
    let value = response.headers().get(X_AMZ_RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_millis)
}
