//! Budget: the time and the number of requests that a group of calls shares, and what they used.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The requests that calls made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Requests sent, retries included.
    pub calls: u32,
    /// Requests sent again.
    pub retries: u32,
    /// Responses that asked for fewer calls.
    pub throttles: u32,
    /// Requests that failed: error responses, throttles included, and no response at all.
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

/// The time and the number of requests that a group of calls shares, and what they used.
#[derive(Debug)]
pub struct Budget {
    request_id: String,
    deadline: SystemTime,
    attempt_timeout: Duration,
    requests: Cell<u32>,
    usage: Cell<Usage>,
}

impl Budget {
    /// A budget for calls on behalf of `request_id`, which ends `time` after `now`. One attempt may
    /// take a little less than a third of `time`, so that a call that hangs can be retried.
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

    /// The same budget with at most `requests` requests, and `paced` more time: what a rate limiter
    /// takes for them.
    #[must_use]
    pub fn with_requests(self, requests: u32, paced: Duration) -> Self {
        Self {
            deadline: self.deadline + paced,
            requests: Cell::new(requests),
            ..self
        }
    }

    /// Whether a request is left.
    #[must_use]
    pub fn has_requests(&self) -> bool {
        self.requests.get() > 0
    }

    /// The time at which the budget ends.
    #[must_use]
    pub fn deadline(&self) -> SystemTime {
        self.deadline
    }

    /// The requests that were made so far.
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

    /// Takes one request, if one is left.
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

    /// The time that is left. `None` if the deadline has passed.
    pub(super) fn remaining(&self, now: SystemTime) -> Option<Duration> {
        let left = self.deadline.duration_since(now).ok()?;
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_adds_up() {
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
