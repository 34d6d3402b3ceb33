//! The fleet as an edge sees it, where several requests learn of it at once.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use ecs_status::aws::budget::Usage;
use ecs_status::aws::platform::{Clock, Sleep};
use ecs_status::config::Config;
use ecs_status::fleet::failure::Cause;
use ecs_status::fleet::reading::{Health, Reading, Source, Word};
use ecs_status::fleet::refresh::Failed;
use ecs_status::fleet::snapshot::Snapshot;
use ecs_status::fleet::stored::Versioned;
use ecs_status::fleet::view::{Fleet, Served};
use futures_util::future::join;
use support::{Fake, start};

/// What is said of each target, one after the other, and how long that takes.
struct Script {
    platform: Fake,
    said: [RefCell<VecDeque<(Duration, Reading)>>; 2],
}

impl Source for Script {
    async fn read(
        &self,
        target: usize,
        _known: &dyn Fn() -> Option<u64>,
        _request_id: &str,
    ) -> Option<Reading> {
        let (after, reading) = self.said.get(target)?.borrow_mut().pop_front()?;
        self.platform.sleep(after).await;
        Some(reading)
    }

    async fn check(&self, _target: usize, _request_id: &str) -> Option<Health> {
        None
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// After so many seconds it is said that the snapshot of `generated_at` is the newest, which is
/// brought along if it `is_news`, and that the newest sweep failed, if it did.
fn said(
    after: u64,
    generated_at: Option<SystemTime>,
    is_news: bool,
    failed_at: Option<SystemTime>,
) -> (Duration, Reading) {
    let version = generated_at.map(|at| at.duration_since(start()).unwrap().as_secs());
    let word = Word {
        version,
        failed: failed_at.map(|at| Failed {
            cause: Cause::Throttled,
            at,
            in_a_row: 1,
        }),
        extent: None,
        retry_after: Duration::ZERO,
        usage: Usage::default(),
        total: Usage::default(),
    };
    let snapshot = generated_at
        .filter(|_| is_news)
        .map(|generated_at| Versioned {
            version: version.unwrap(),
            snapshot: Rc::new(Snapshot {
                generated_at,
                account: None,
                clusters: Vec::new(),
                failures: Vec::new(),
                kept: Vec::new(),
            }),
        });
    (seconds(after), Reading { word, snapshot })
}

fn fleet(platform: &Fake, said: [Vec<(Duration, Reading)>; 2]) -> Fleet<Script> {
    let config = Config::from_lookup(|name| match name {
        "AWS_ACCESS_KEY_ID" => Some("AKIDEXAMPLE".into()),
        "AWS_SECRET_ACCESS_KEY" => Some("hush-hush".into()),
        "TARGETS" => Some(
            r#"[{"name": "a", "region": "us-east-1"}, {"name": "b", "region": "us-east-1"}]"#
                .into(),
        ),
        _ => None,
    });
    let source = Script {
        platform: platform.clone(),
        said: said.map(|said| RefCell::new(said.into())),
    };
    Fleet::new(config.unwrap(), source)
}

async fn ask(platform: &Fake, fleet: &Fleet<Script>, after: u64) -> Served {
    platform.sleep(seconds(after)).await;
    fleet.snapshot(platform, "id").await.0.unwrap()
}

fn reasons(served: &Served) -> Vec<&str> {
    let failures = served.snapshot.failures.iter();
    failures.map(|failure| failure.reason.as_str()).collect()
}

#[test]
fn what_a_request_heard_before_another_one_brought_a_newer_snapshot_is_not_said_of_that() {
    let platform = Fake::script(Vec::new());
    let (old, failed, new) = (start(), start() + seconds(20), start() + seconds(21));
    for before in [Some(old), None] {
        let platform = platform.clone();
        let since = platform.now().duration_since(start()).unwrap();
        let (failed, new) = (failed + since, new + since);
        let old = before.map(|old| old + since);
        let fleet = fleet(
            &platform,
            [
                vec![
                    said(0, old, true, None),
                    said(0, old, false, Some(failed)),
                    said(0, Some(new), true, None),
                ],
                vec![
                    said(0, Some(start() + since), true, None),
                    said(5, Some(new), true, None),
                    said(4, Some(new), true, None),
                ],
            ],
        );
        platform.run(ask(&platform, &fleet, 0));
        platform.advance(seconds(20));
        let (first, second) =
            platform.run(join(ask(&platform, &fleet, 0), ask(&platform, &fleet, 1)));
        assert_eq!(reasons(&second), [""; 0]);
        assert_eq!(reasons(&first), [""; 0], "before: {before:?}");
        assert_eq!(first.snapshot.generated_at, new);
    }
}
