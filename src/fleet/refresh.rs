//! Fresh or not: when to sweep, and what to serve meanwhile.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::driver::drive;
use super::failure::Cause;
use super::snapshot::Snapshot;
use super::sweep::Sweep;
use crate::aws::budget::{Budget, Usage};
use crate::aws::client::Client;
use crate::aws::ecs::{ListClusters, Operation};
use crate::aws::platform::Platform;
use crate::config::Config;

/// How long the outcome of a health check is remembered, so that asking for it cannot be used to
/// hammer AWS.
pub const HEALTH_MAX_AGE: Duration = Duration::from_secs(30);

/// The name of the one target.
const TARGET: &str = "default";

/// A snapshot as it is served.
#[derive(Clone, Debug)]
pub struct Served {
    /// What the newest sweep found.
    pub snapshot: Rc<Snapshot>,
    /// How old it is.
    pub age: Duration,
}

/// What a health check found.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether the keys work, or why not.
    pub keys: Result<(), Cause>,
    /// When AWS was asked.
    pub checked_at: SystemTime,
}

/// The fleet as this process knows it.
#[derive(Debug)]
pub struct Fleet<P> {
    client: Client<P>,
    config: Config,
    snapshot: RefCell<Option<Rc<Snapshot>>>,
    health: RefCell<Option<Health>>,
}

impl<P: Platform> Fleet<P> {
    /// A fleet that nothing is known of yet.
    pub fn new(platform: P, config: Config) -> Self {
        let client = Client::new(
            platform,
            config.ecs_endpoint.clone(),
            config.region.clone(),
            config.credentials.clone(),
        );
        Self {
            client,
            config,
            snapshot: RefCell::default(),
            health: RefCell::default(),
        }
    }

    /// How it is configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The edge that it runs on.
    pub fn platform(&self) -> &P {
        self.client.platform()
    }

    /// The snapshot in hand if it is fresh, else that of a new sweep; and what the sweep used.
    ///
    /// # Errors
    /// If a sweep was due and nothing could be read: why.
    pub async fn snapshot(&self, request_id: &str) -> (Result<Served, Cause>, Usage) {
        let now = self.platform().now();
        let in_hand = self.snapshot.borrow().clone();
        if let Some(snapshot) = in_hand
            && let Ok(age) = now.duration_since(snapshot.generated_at)
            && age < self.config.snapshot_max_age
        {
            return (Ok(Served { snapshot, age }), Usage::default());
        }
        let budget = Budget::new(request_id, now, self.config.sweep_timeout);
        let sweep = Sweep::new(TARGET, &self.config.region);
        let sweep = drive(sweep, &self.client, &budget).await;
        let secrets = self.config.credentials.texts();
        let served = sweep
            .finish(self.platform().now(), secrets)
            .map(|snapshot| {
                let snapshot = Rc::new(snapshot);
                *self.snapshot.borrow_mut() = Some(Rc::clone(&snapshot));
                Served {
                    snapshot,
                    age: Duration::ZERO,
                }
            });
        (served, budget.usage())
    }

    /// Whether the keys work: one signed `ListClusters` of one item, not more often than every
    /// [`HEALTH_MAX_AGE`].
    pub async fn health(&self, request_id: &str) -> (Health, Usage) {
        let now = self.platform().now();
        let known = self.health.borrow().clone();
        if let Some(health) = known
            && let Ok(age) = now.duration_since(health.checked_at)
            && age < HEALTH_MAX_AGE
        {
            return (health, Usage::default());
        }
        let budget = Budget::new(request_id, now, self.config.sweep_timeout);
        let call = ListClusters {
            max_results: 1,
            next_token: None,
        };
        let answer = self.client.call(&call, &budget).await;
        let health = Health {
            keys: answer
                .map(|_| ())
                .map_err(|error| Cause::of(&error, ListClusters::NAME)),
            checked_at: self.platform().now(),
        };
        *self.health.borrow_mut() = Some(health.clone());
        (health, budget.usage())
    }
}
