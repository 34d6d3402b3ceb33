//! The fleet as an edge sees it: the newest snapshots that it knows of, and where to get newer ones.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use futures_util::future::maybe_done;

use super::failure::Cause;
use super::merge::{Part, merge};
use super::reading::{Health, InProcess, Source, Word};
use super::refresh::{Failed, since};
use super::snapshot::Snapshot;
use super::stored::Versioned;
use super::sweep::Extent;
use super::written::Written;
use crate::aws::budget::Usage;
use crate::aws::platform::{Clock, Platform};
use crate::config::Config;

/// When to ask again while what keeps the snapshots does not answer.
const RETRY_UNREACHABLE: Duration = Duration::from_secs(5);

/// A snapshot as it is served.
#[derive(Clone, Debug)]
pub struct Served {
    /// What the newest sweeps found, of all targets.
    pub snapshot: Rc<Snapshot>,
    /// How old its oldest part is.
    pub age: Duration,
    /// When it became what it is: the newest sweep of any part ended, or failed.
    pub modified_at: SystemTime,
    /// How it stands with each target, in the order of the configuration.
    pub standings: Vec<Standing>,
}

/// How it stands with a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub target: String,
    /// Its AWS region.
    pub region: String,
    /// How old its snapshot is; none if nothing of it is shown.
    pub age: Option<Duration>,
    /// Whether all of it could be read, by the newest sweep.
    pub complete: bool,
    /// What all sweeps of it used so far, as long as it is known.
    pub usage: Usage,
}

/// Why there is no snapshot to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// The most telling cause of all targets.
    pub cause: Cause,
    /// How far the sweep under way has come, where it is the first.
    pub extent: Option<Extent>,
    /// When to ask again.
    pub retry_after: Duration,
}

/// What an edge knows of a target.
#[derive(Clone, Debug, Default)]
struct Copy {
    newest: Option<Versioned>,
    failed: Option<Failed>,
    total: Usage,
}

/// The fleet as this isolate or process knows it.
#[derive(Debug)]
pub struct Fleet<S> {
    config: Config,
    source: S,
    copies: RefCell<Vec<Copy>>,
    merged: RefCell<Option<Merged>>,
    written: Written,
}

/// The snapshots of all targets in one, as long as none of them changes.
#[derive(Debug)]
struct Merged {
    of: Vec<(Option<u64>, Option<Failed>)>,
    snapshot: Rc<Snapshot>,
}

impl<P: Platform + Clone + 'static> Fleet<InProcess<P>> {
    /// A fleet that this process sweeps itself.
    pub fn in_process(platform: &P, config: Config) -> Self {
        let source = InProcess::new(platform, &config);
        Self::new(config, source)
    }
}

impl<S: Source> Fleet<S> {
    /// A fleet that nothing is known of yet.
    pub fn new(config: Config, source: S) -> Self {
        Self {
            copies: RefCell::new(vec![Copy::default(); config.targets.len()]),
            merged: RefCell::default(),
            written: Written::default(),
            config,
            source,
        }
    }

    /// How it is configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was written of the newest snapshot.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// The snapshot of all targets, and what was used to get it. The source is asked for targets of
    /// which the copy in hand is not fresh. A target that cannot be read makes it incomplete.
    ///
    /// # Errors
    /// If there is nothing to serve of any target.
    pub async fn snapshot(
        &self,
        clock: &impl Clock,
        request_id: &str,
    ) -> (Result<Served, Unavailable>, Usage) {
        let asked = (0..self.config.targets.len()).map(|index| async move {
            if self.is_fresh(index, clock.now()) {
                return None;
            }
            let known = || self.version(index);
            let reading = self.source.read(index, &known, request_id).await;
            Some(match reading {
                Some(reading) => {
                    self.take(index, &reading.word, reading.snapshot);
                    reading.word
                }
                None => self.stand_in(index, clock.now()),
            })
        });
        let words = all(asked).await;
        let now = clock.now();
        let mut usage = Usage::default();
        words.iter().flatten().for_each(|word| usage += word.usage);
        let served = self.served(&words, now).ok_or_else(|| unavailable(&words));
        (served, usage)
    }

    /// Whether the keys work for every target, or the first for which they do not.
    pub async fn health(&self, clock: &impl Clock, request_id: &str) -> (Health, Option<&str>) {
        let targets = self.config.targets.iter().enumerate();
        let checks = all(targets.map(|(index, target)| async move {
            let health = self.source.check(index, request_id).await;
            let health = health.unwrap_or_else(|| Health {
                cause: Some(Cause::ObjectUnreachable),
                checked_at: clock.now(),
                usage: Usage::default(),
            });
            (health, target.name.as_str())
        }));
        let mut all: Option<(Health, Option<&str>)> = None;
        for (health, name) in checks.await {
            let (known, failing) = all.get_or_insert_with(|| {
                let usage = Usage::default();
                (
                    Health {
                        usage,
                        ..health.clone()
                    },
                    None,
                )
            });
            if failing.is_none() && health.cause.is_some() {
                *failing = Some(name);
                known.cause = health.cause;
            }
            // The oldest of all checks is what may be claimed of all.
            known.checked_at = known.checked_at.min(health.checked_at);
            known.usage += health.usage;
        }
        all.unwrap_or_else(|| {
            let health = Health {
                cause: None,
                checked_at: clock.now(),
                usage: Usage::default(),
            };
            (health, None)
        })
    }

    fn is_fresh(&self, index: usize, now: SystemTime) -> bool {
        let copies = self.copies.borrow();
        let copy = copies.get(index).filter(|copy| copy.failed.is_none());
        copy.and_then(|copy| copy.newest.as_ref())
            .is_some_and(|newest| {
                since(newest.snapshot.generated_at, now) <= self.config.policy.max_age
            })
    }

    fn version(&self, index: usize) -> Option<u64> {
        let copies = self.copies.borrow();
        Some(copies.get(index)?.newest.as_ref()?.version)
    }

    fn take(&self, index: usize, word: &Word, snapshot: Option<Versioned>) {
        let mut copies = self.copies.borrow_mut();
        let Some(copy) = copies.get_mut(index) else {
            return;
        };
        let known = copy.newest.as_ref().map(|newest| newest.version);
        // Answers may come in another order than they were given in.
        if word.version < known {
            if word.version.is_none() {
                copy.newest = None;
            }
            return;
        }
        if let Some(snapshot) = snapshot.filter(|newest| Some(newest.version) > known) {
            copy.newest = Some(snapshot);
        }
        copy.failed = word.failed;
        copy.total = word.total;
    }

    /// What the copy in hand is good for where the source does not answer.
    fn stand_in(&self, index: usize, now: SystemTime) -> Word {
        let mut copies = self.copies.borrow_mut();
        let failed = Failed {
            cause: Cause::ObjectUnreachable,
            at: now,
            in_a_row: 1,
        };
        let mut word = Word {
            version: None,
            failed: Some(failed),
            extent: None,
            retry_after: RETRY_UNREACHABLE,
            usage: Usage::default(),
            total: Usage::default(),
        };
        if let Some(copy) = copies.get_mut(index) {
            let is_kept = |newest: &Versioned| {
                let policy = self.config.policy;
                policy.is_kept(since(newest.snapshot.generated_at, now))
            };
            copy.newest = copy.newest.take().filter(is_kept);
            word.version = copy.newest.as_ref().map(|newest| newest.version);
            copy.failed = Some(failed);
        }
        word
    }

    /// What is served, where `words` are what the source said about the targets that it was asked
    /// about.
    fn served(&self, words: &[Option<Word>], now: SystemTime) -> Option<Served> {
        let copies = self.copies.borrow();
        let targets = self.config.targets.iter().zip(copies.iter().zip(words));
        let parts: Vec<(Part<'_>, Usage, Option<u64>)> = targets
            .map(|(target, (copy, word))| {
                let known = copy.newest.as_ref().map(|newest| newest.version);
                // Another request may have brought a newer one while this waited for other targets.
                let word = word.as_ref().filter(|word| word.version >= known);
                let part = Part {
                    target: &target.name,
                    region: &target.region,
                    snapshot: copy.newest.as_ref().map(|newest| &newest.snapshot),
                    failed: word.map_or(copy.failed, |word| word.failed),
                };
                (part, copy.total, known)
            })
            .collect();
        let standings = parts
            .iter()
            .map(|(part, usage, _)| Standing {
                target: part.target.to_owned(),
                region: part.region.to_owned(),
                age: part
                    .snapshot
                    .map(|snapshot| since(snapshot.generated_at, now)),
                complete: part.failed.is_none()
                    && part
                        .snapshot
                        .is_some_and(|snapshot| snapshot.failures.is_empty()),
                usage: *usage,
            })
            .collect();
        let moments = parts.iter().flat_map(|(part, ..)| {
            let swept = part.snapshot.map(|snapshot| snapshot.generated_at);
            [swept, part.failed.map(|failed| failed.at)]
        });
        let modified_at = moments.flatten().max().unwrap_or(now);
        let of: Vec<_> = parts
            .iter()
            .map(|(part, _, version)| (*version, part.failed))
            .collect();
        let parts: Vec<Part<'_>> = parts.into_iter().map(|(part, _, _)| part).collect();
        let snapshot = self.merged(of, &parts)?;
        Some(Served {
            age: since(snapshot.generated_at, now),
            modified_at,
            snapshot,
            standings,
        })
    }

    fn merged(
        &self,
        of: Vec<(Option<u64>, Option<Failed>)>,
        parts: &[Part<'_>],
    ) -> Option<Rc<Snapshot>> {
        let mut merged = self.merged.borrow_mut();
        if let Some(merged) = merged.as_ref().filter(|merged| merged.of == of) {
            return Some(Rc::clone(&merged.snapshot));
        }
        let snapshot = merge(parts)?;
        *merged = Some(Merged {
            of,
            snapshot: Rc::clone(&snapshot),
        });
        Some(snapshot)
    }
}

/// What all `futures` come to, in their order. They are few, so each is polled whenever one may go
/// on; that is a tenth of the code of `join_all`, which counts in a Worker.
async fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.map(maybe_done).map(Box::pin).collect();
    poll_fn(|context| {
        let mut is_pending = false;
        for future in &mut running {
            is_pending |= future.as_mut().poll(context).is_pending();
        }
        if is_pending {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    let outputs = running
        .iter_mut()
        .map(|future| future.as_mut().take_output());
    outputs.flatten().collect()
}

fn unavailable(words: &[Option<Word>]) -> Unavailable {
    let failing = words
        .iter()
        .flatten()
        .filter_map(|word| Some((word.failed?.cause, word)));
    failing.min_by_key(|(cause, _)| *cause).map_or(
        Unavailable {
            cause: Cause::ObjectUnreachable,
            extent: None,
            retry_after: RETRY_UNREACHABLE,
        },
        |(cause, word)| Unavailable {
            cause,
            extent: word.extent,
            retry_after: word.retry_after,
        },
    )
}
