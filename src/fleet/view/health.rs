//! Health of the fleet: the checks of all targets in one.

use super::Fleet;
use super::blame::Blame;
use super::join_all::join_all;
use super::source::SnapshotSource;
use crate::aws::budget::Usage;
use crate::fleet::model::cause::Cause;
use crate::fleet::refresh::status::Health;
use crate::platform::Clock;

impl<S: SnapshotSource> Fleet<S> {
    /// The health of all targets, and the name of the first that is not healthy.
    pub async fn health(&self, clock: &impl Clock, request_id: &str) -> (Health, Option<&str>) {
        let targets = self.config.targets.iter().enumerate();
        let checks = join_all(targets.map(|(index, target)| async move {
            let health = self.source.check(index, request_id).await;
            let health = health.unwrap_or_else(|| Health {
                causes: vec![Cause::ObjectUnreachable],
                checked_at: clock.now(),
                usage: Usage::default(),
                last_event_at: None,
            });
            (health, target)
        }));
        let checks = checks.await;
        let results = checks.iter().map(|(health, target)| {
            let cause = health.causes.first().copied();
            (*target, cause.is_none(), cause)
        });
        let blame = Blame::of(results);
        let mut all = Health {
            causes: Vec::new(),
            checked_at: clock.now(),
            usage: Usage::default(),
            last_event_at: None,
        };
        let mut failing = None;
        for (health, target) in checks {
            if failing.is_none() && !health.causes.is_empty() {
                failing = Some(target.name.as_str());
                let causes = health.causes.into_iter();
                all.causes = causes.map(|cause| blame.on(cause)).collect();
            }
            // The oldest check is the time of which all is known.
            all.checked_at = all.checked_at.min(health.checked_at);
            all.usage += health.usage;
            all.last_event_at = all.last_event_at.max(health.last_event_at);
        }
        (all, failing)
    }
}
