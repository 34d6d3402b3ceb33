//! What an edge learns about a target, and where from.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::failure::Cause;
use super::keeper::Keeper;
use super::refresh::Failed;
use super::stored::{NoStore, Versioned};
use super::sweep::Extent;
use crate::aws::budget::Usage;
use crate::aws::platform::Platform;
use crate::config::Config;

/// What is said about the snapshot of a target: a few bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Word {
    /// Which snapshot is to be served; none if there is none that may be.
    pub version: Option<u64>,
    /// Why there is no newer one, if there should be.
    pub failed: Option<Failed>,
    /// How far the sweep under way has come, where there is nothing to serve before it is done.
    pub extent: Option<Extent>,
    /// When to ask again, where there is nothing to serve.
    pub retry_after: Duration,
    /// What was used on behalf of this request.
    pub usage: Usage,
    /// What all sweeps used since the keeper started.
    pub total: Usage,
}

/// What is said about the snapshot of a target, and the snapshot, if it is not known already.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What is said about it.
    pub word: Word,
    /// The snapshot of that version.
    pub snapshot: Option<Versioned>,
}

/// Whether the keys work for a target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Health {
    /// Why they do not, if so.
    pub cause: Option<Cause>,
    /// When AWS was asked.
    pub checked_at: SystemTime,
    /// What was used on behalf of this request.
    pub usage: Usage,
}

/// Where an edge learns about targets. They are numbered in the order of the configuration.
pub trait Source {
    /// What there is to serve of a target, for the request called `request_id`. `known` tells the
    /// version of the copy in hand, at any time. None if the source does not answer.
    fn read(
        &self,
        target: usize,
        known: &dyn Fn() -> Option<u64>,
        request_id: &str,
    ) -> impl Future<Output = Option<Reading>>;

    /// Whether the keys work for a target. None if the source does not answer.
    fn check(&self, target: usize, request_id: &str) -> impl Future<Output = Option<Health>>;
}

/// Keepers in the same process, as in a Lambda function.
#[derive(Debug)]
pub struct InProcess<P>(Vec<Rc<Keeper<P, NoStore>>>);

impl<P: Platform + Clone + 'static> InProcess<P> {
    /// A keeper for each target. Nothing runs behind an answer: Lambda freezes a function between
    /// two invocations.
    pub fn new(platform: &P, config: &Config) -> Self {
        let policy = config.policy.without_background();
        let keeper = |target: &crate::config::Target| {
            Rc::new(Keeper::new(platform, target, config, policy, NoStore))
        };
        Self(config.targets.iter().map(keeper).collect())
    }
}

impl<P: Platform + Clone + 'static> Source for InProcess<P> {
    async fn read(
        &self,
        target: usize,
        _known: &dyn Fn() -> Option<u64>,
        request_id: &str,
    ) -> Option<Reading> {
        let keeper = self.0.get(target)?;
        let word = keeper.read(request_id).await;
        // One that is known already costs nothing here.
        let snapshot = keeper.newest().filter(|_| word.version.is_some());
        Some(Reading { word, snapshot })
    }

    async fn check(&self, target: usize, request_id: &str) -> Option<Health> {
        Some(self.0.get(target)?.check(request_id).await)
    }
}
