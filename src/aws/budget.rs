//! Budget: the time that a group of calls may take together, and what they used.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

/// What was spent on calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        self.calls += more.calls;
        self.retries += more.retries;
        self.throttles += more.throttles;
        self.errors += more.errors;
    }
}

/// The time that a group of calls may take together, and what they used.
#[derive(Debug)]
pub struct Budget {
    request_id: String,
    deadline: SystemTime,
    attempt_timeout: Duration,
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
            usage: Cell::default(),
        }
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
