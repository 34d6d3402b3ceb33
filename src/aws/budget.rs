//! Budget: the time and the number of requests that a group of calls may take together, and what they
//! used.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// What was spent on calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Requests sent, retries included.
    pub calls: u32,
    /// Requests sent again.
    pub retries: u32,
    /// Answers that asked for fewer calls.
    pub throttles: u32,
    /// Requests that came to nothing: AWS's errors, throttles included, and no answer at all.
    pub errors: u32,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.retries = self.retries.saturating_add(more.retries);
        self.throttles = self.throttles.saturating_add(more.throttles);
        self.errors = self.errors.saturating_add(more.errors);
    }
}

/// The time and the number of requests that a group of calls may take together, and what they used.
#[derive(Debug)]
pub struct Budget {
    request_id: String,
    deadline: SystemTime,
    attempt_timeout: Duration,
    requests: Cell<u32>,
    usage: Cell<Usage>,
}

impl Budget {
    /// Calls on behalf of `request_id` may run from `now` for `time`. One attempt may take a third
    /// of it, a little less, so that a call that hangs can be made again in time.
    #[must_use]
    pub fn new(request_id: &str, now: SystemTime, time: Duration) -> Self {
        Self {
            request_id: request_id.to_owned(),
            deadline: now + time,
            attempt_timeout: time.mul_f64(0.3),
            requests: Cell::new(u32::MAX),
            usage: Cell::default(),
        }
    }

    /// The same with at most so many requests, and with the time that a pacer takes for them.
    #[must_use]
    pub fn with_requests(self, requests: u32, paced: Duration) -> Self {
        Self {
            deadline: self.deadline + paced,
            requests: Cell::new(requests),
            ..self
        }
    }

    /// Whether another request may be made.
    #[must_use]
    pub fn has_requests(&self) -> bool {
        self.requests.get() > 0
    }

    /// When the time is up.
    #[must_use]
    pub fn deadline(&self) -> SystemTime {
        self.deadline
    }

    /// What was spent so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage.get()
    }

    pub(super) fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(super) fn attempt_timeout(&self) -> Duration {
        self.attempt_timeout
    }

    /// Takes the right to one request, if there is one left.
    pub(super) fn take_request(&self) -> bool {
        let left = self.requests.get().checked_sub(1);
        self.requests.set(left.unwrap_or_default());
        left.is_some()
    }

    pub(super) fn spend(&self, change: impl FnOnce(&mut Usage)) {
        let mut usage = self.usage.get();
        change(&mut usage);
        self.usage.set(usage);
    }

    /// What is left of the time, if anything is.
    pub(super) fn remaining(&self, now: SystemTime) -> Option<Duration> {
        let left = self.deadline.duration_since(now).ok()?;
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_adds_up() {
        let usage = |n: u32| Usage {
            calls: n,
            retries: 2 * n,
            throttles: 3 * n,
            errors: 4 * n,
        };
        let mut total = usage(2);
        total += usage(5);
        assert_eq!(total, usage(7));
    }
}
