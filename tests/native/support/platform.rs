//! Platform without I/O: scripted responses, and a clock that jumps to the next event.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ecs_status::aws::client::Client;
use ecs_status::aws::credentials::Credentials;
use ecs_status::aws::endpoint::Endpoint;
use ecs_status::aws::rate_limiter::RateLimiter;
use ecs_status::config::{Role, TargetConfig};
use ecs_status::fleet::sweep::target_client::TargetClient;
use ecs_status::platform::{Clock, HttpSend, Level, Log, Memory, Rng, SendError, Sleep, Spawn};
use http::{Request, Response};

use super::config::{SECRET, config};

pub type Sent = Result<Response<Vec<u8>>, SendError>;

/// The fate of a request: its response, and how long that takes.
pub struct Reply {
    pub after: Duration,
    pub sent: Sent,
}

type Server = Box<dyn FnMut(&Request<Vec<u8>>) -> Reply>;

#[derive(Clone)]
pub struct Fake(Rc<World>);

struct World {
    now: Cell<SystemTime>,
    timers: RefCell<BTreeMap<(SystemTime, u64), Waker>>,
    next_timer: Cell<u64>,
    server: RefCell<Server>,
    in_flight: Cell<usize>,
    peak: Cell<usize>,
    lines: RefCell<Vec<String>>,
    random: Cell<u64>,
    tasks: RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>>,
}

pub fn start() -> SystemTime {
    // 2026-11-22T19:40:00Z
    UNIX_EPOCH + Duration::from_mins(29_922_940)
}

impl Fake {
    pub fn new(server: impl FnMut(&Request<Vec<u8>>) -> Reply + 'static) -> Self {
        Self(Rc::new(World {
            now: Cell::new(start()),
            timers: RefCell::default(),
            next_timer: Cell::new(0),
            server: RefCell::new(Box::new(server)),
            in_flight: Cell::new(0),
            peak: Cell::new(0),
            lines: RefCell::default(),
            random: Cell::new(u64::MAX),
            tasks: RefCell::default(),
        }))
    }

    /// A platform whose server responds at once, with one of `script` after the other.
    pub fn script(script: Vec<Sent>) -> Self {
        let mut script = script.into_iter();
        Self::new(move |_| Reply {
            after: Duration::ZERO,
            sent: script.next().expect("the script has no response left"),
        })
    }

    /// A client of ECS that no rate limiter holds back.
    pub fn client(&self) -> Client<Self> {
        self.limited_client(RateLimiter::new(u32::MAX, u32::MAX))
    }

    /// A client of ECS behind `limiter`.
    pub fn limited_client(&self, limiter: RateLimiter) -> Client<Self> {
        let token = Some("token-token-token".to_owned());
        let credentials =
            Credentials::new("AKIDEXAMPLEEXAMPLE".to_owned(), SECRET.to_owned(), token);
        let endpoint = Endpoint::parse("https://ecs.us-east-1.amazonaws.com").unwrap();
        let region = "us-east-1".to_owned();
        Client::new(self.clone(), endpoint, region, credentials, limiter)
    }

    /// A target of that name in us-east-1, behind a role if there is a `role_arn`.
    pub fn target(&self, name: &str, role_arn: Option<&str>) -> TargetClient<Self> {
        let target = TargetConfig {
            name: name.to_owned(),
            region: "us-east-1".to_owned(),
            ecs_endpoint: Endpoint::of("ecs", "us-east-1").unwrap(),
            role: role_arn.map(|arn| Role {
                arn: arn.to_owned(),
                external_id: Some("external-id".to_owned()),
                sts_endpoint: Endpoint::of("sts", "us-east-1").unwrap(),
            }),
        };
        TargetClient::new(self, target, &config(&[("CALL_BURST", "10000")]).unwrap())
    }

    /// Runs `future` to its end, and spawned tasks beside it; the clock jumps whenever nothing else
    /// can proceed.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut ignoring()) {
                return output;
            }
            if !self.poll_tasks() {
                self.jump();
            }
        }
    }

    /// Runs spawned tasks to their end.
    pub fn settle(&self) {
        while !self.0.tasks.borrow().is_empty() {
            if !self.poll_tasks() {
                self.jump();
            }
        }
    }

    /// Polls `future` once, and the tasks that it spawned.
    pub fn poll_once<F: Future>(&self, future: Pin<&mut F>) {
        let _ = future.poll(&mut ignoring());
        self.poll_tasks();
    }

    /// Drops spawned tasks, as the end of an invocation does.
    pub fn forget_tasks(&self) {
        self.0.tasks.borrow_mut().clear();
        self.0.timers.borrow_mut().clear();
    }

    /// Polls spawned tasks; whether any of them ended.
    fn poll_tasks(&self) -> bool {
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        let before = tasks.len();
        let pending = |mut task: Pin<Box<dyn Future<Output = ()>>>| {
            task.as_mut()
                .poll(&mut ignoring())
                .is_pending()
                .then_some(task)
        };
        let left: Vec<_> = tasks.into_iter().filter_map(pending).collect();
        let ended = left.len() < before;
        self.0.tasks.borrow_mut().extend(left);
        ended
    }

    /// Moves the clock to the next timer.
    fn jump(&self) {
        let timer = self.0.timers.borrow_mut().pop_first();
        let ((at, _), waker) = timer.expect("a future waits for nothing");
        self.0.now.set(at.max(self.0.now.get()));
        waker.wake();
    }

    pub fn elapsed(&self) -> Duration {
        self.0.now.get().duration_since(start()).unwrap()
    }

    pub fn advance(&self, duration: Duration) {
        self.0.now.set(self.0.now.get() + duration);
    }

    pub fn set_random(&self, random: u64) {
        self.0.random.set(random);
    }

    pub fn peak(&self) -> usize {
        self.0.peak.get()
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lines.borrow().clone()
    }

    pub fn forget_lines(&self) {
        self.0.lines.borrow_mut().clear();
    }

    async fn wait(&self, duration: Duration) {
        let at = self.0.now.get() + duration;
        let id = self.0.next_timer.get();
        self.0.next_timer.set(id + 1);
        poll_fn(|context| {
            if self.0.now.get() >= at {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            self.0.timers.borrow_mut().insert((at, id), waker);
            Poll::Pending
        })
        .await;
    }
}

impl HttpSend for Fake {
    async fn send(&self, request: Request<Vec<u8>>, timeout: Duration) -> Sent {
        let reply = (self.0.server.borrow_mut())(&request);
        self.0.in_flight.set(self.0.in_flight.get() + 1);
        self.0
            .peak
            .set(self.0.peak.get().max(self.0.in_flight.get()));
        self.wait(reply.after.min(timeout)).await;
        self.0.in_flight.set(self.0.in_flight.get() - 1);
        if reply.after > timeout {
            return Err(SendError::TimedOut);
        }
        reply.sent
    }
}

impl Clock for Fake {
    fn now(&self) -> SystemTime {
        self.0.now.get()
    }
}

impl Sleep for Fake {
    async fn sleep(&self, duration: Duration) {
        self.wait(duration).await;
    }
}

impl Spawn for Fake {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.tasks.borrow_mut().push(Box::pin(task));
    }
}

impl Memory for Fake {
    fn memory_bytes(&self) -> Option<u64> {
        None
    }
}

impl Rng for Fake {
    fn bits(&self) -> u64 {
        self.0.random.get()
    }
}

impl Log for Fake {
    fn enabled(&self, _level: Level) -> bool {
        true
    }

    fn write(&self, _level: Level, line: String) {
        self.0.lines.borrow_mut().push(line);
    }
}

/// A context whose waker does nothing: everything is polled again after each step.
fn ignoring() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

pub fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Sent {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(body.as_bytes().to_vec()).unwrap())
}

pub fn ok(body: &str) -> Sent {
    response(200, &[], body)
}

/// An ECS error body in JSON.
pub fn error(status: u16, code: &str) -> Sent {
    response(
        status,
        &[],
        &format!(r#"{{"__type":"{code}","message":"AWS's own words"}}"#),
    )
}
