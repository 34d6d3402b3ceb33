//! Platform of a Worker: fetch, `Date.now`, `setTimeout`, crypto and the console.

use std::cell::OnceCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::worker::js_sys;
use ::worker::{Delay, console_error, console_log, console_warn};
use http::{Request, Response};

use super::aws_fetch::{self, AwsFetch};
use crate::platform::{Clock, HttpSend, Level, Log, Memory, Rng, SendError, Sleep, Spawn};

#[derive(Clone, Debug)]
pub(super) struct WorkerPlatform {
    level: Level,
    /// Made by the first request to AWS.
    fetch: OnceCell<AwsFetch>,
}

impl WorkerPlatform {
    pub(super) fn new(level: Level) -> Self {
        Self {
            level,
            fetch: OnceCell::new(),
        }
    }
}

impl HttpSend for WorkerPlatform {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Response<Vec<u8>>, SendError> {
        let fetch = self.fetch.get_or_init(aws_fetch::new_fetch);
        aws_fetch::send(fetch, request, timeout).await
    }
}

impl Clock for WorkerPlatform {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs_f64(js_sys::Date::now() / 1_000.0)
    }
}

impl Sleep for WorkerPlatform {
    async fn sleep(&self, duration: Duration) {
        Delay::from(duration).await;
    }
}

impl Rng for WorkerPlatform {
    fn bits(&self) -> u64 {
        // Workers always have crypto.getRandomValues inside a request.
        getrandom::u64().unwrap_or_default()
    }
}

impl Spawn for WorkerPlatform {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        js_sys::futures::spawn_local(task);
    }
}

impl Memory for WorkerPlatform {
    fn memory_bytes(&self) -> Option<u64> {
        u64::try_from(core::arch::wasm32::memory_size(0))
            .ok()
            .map(|pages| pages * 65_536)
    }
}

impl Log for WorkerPlatform {
    fn enabled(&self, level: Level) -> bool {
        level <= self.level
    }

    fn write(&self, level: Level, line: String) {
        match level {
            Level::Error => console_error!("{line}"),
            Level::Warn => console_warn!("{line}"),
            Level::Info | Level::Debug => console_log!("{line}"),
        }
    }
}
