//! One target: who calls its ECS, and what is known of it.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use super::failure::Cause;
use super::snapshot::Snapshot;
use super::sweep::Sweep;
use super::withhold::{Withhold, account_of};
use crate::aws::budget::Budget;
use crate::aws::client::Client;
use crate::aws::ecs::ListClusters;
use crate::aws::error::Error;
use crate::aws::operation::{EcsOperation, Operation};
use crate::aws::pacer::Pacer;
use crate::aws::platform::Platform;
use crate::aws::sts::AssumeRole;
use crate::config::{self, Config};

/// How long the credentials of a role are asked for: what every role allows.
const ROLE_DURATION: Duration = Duration::from_hours(1);

/// How long before their end credentials are replaced.
const ROLE_MARGIN: Duration = Duration::from_mins(5);

/// What names us in the other account.
const ROLE_SESSION_NAME: &str = "ecs-status";

/// A region of an account.
#[derive(Debug)]
pub struct Target<P> {
    name: String,
    region: String,
    identity: String,
    ecs: Client<P>,
    role: Option<Role<P>>,
    exposed_tags: Option<Vec<String>>,
    /// The ids of all accounts that a role is assumed in: another target's tags may hold them.
    accounts: Vec<String>,
}

#[derive(Debug)]
struct Role<P> {
    sts: Client<P>,
    call: AssumeRole,
    /// When the credentials that the ECS client has stop to work.
    expiration: RefCell<Option<SystemTime>>,
}

impl<P: Platform + Clone> Target<P> {
    /// The target as it is configured.
    pub fn new(platform: &P, target: config::Target, config: &Config) -> Self {
        let credentials = &config.credentials;
        let client = |endpoint, pacer| {
            let (region, credentials) = (target.region.clone(), credentials.clone());
            Client::new(platform.clone(), endpoint, region, credentials, pacer)
        };
        let accounts = accounts(config);
        let identity = identity(&target, config, &accounts);
        let pacer = || Pacer::new(config.call_burst, config.call_rate);
        let role = target.role.map(|role| Role {
            sts: client(role.sts_endpoint, pacer()),
            call: AssumeRole {
                role_arn: role.arn,
                external_id: role.external_id,
                role_session_name: ROLE_SESSION_NAME,
                duration: ROLE_DURATION,
            },
            expiration: RefCell::default(),
        });
        Self {
            ecs: client(target.ecs_endpoint, pacer()),
            role,
            exposed_tags: config.expose_tags.clone(),
            accounts,
            identity,
            name: target.name,
            region: target.region,
        }
    }
}

/// The ids of the accounts that a role is assumed in.
fn accounts(config: &Config) -> Vec<String> {
    let roles = config
        .targets
        .iter()
        .filter_map(|target| target.role.as_ref());
    let accounts = roles.filter_map(|role| account_of(&role.arn));
    accounts.map(str::to_owned).collect()
}

/// Everything that a snapshot of the target depends on: one that was stored under another identity
/// is of another fleet, or shows what may not be shown any more.
fn identity(target: &config::Target, config: &Config, accounts: &[String]) -> String {
    let role = target.role.as_ref();
    let parts = [
        target.region.as_str(),
        &target.ecs_endpoint.uri().to_string(),
        config.credentials.access_key_id(),
        role.map_or("", |role| &role.arn),
        &format!("{:?}", config.expose_tags),
        &accounts.join(","),
    ];
    parts.join("\n")
}

impl<P: Platform> Target<P> {
    /// Who calls its ECS, once [`Self::prepare`] was called.
    pub fn ecs(&self) -> &Client<P> {
        &self.ecs
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its AWS region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// What tells it from a target that was configured otherwise. Not to be shown.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// A sweep of it.
    pub fn sweep(&self) -> Sweep {
        Sweep::new(&self.name, &self.region)
    }

    fn needs_credentials(&self, now: SystemTime) -> bool {
        self.role.as_ref().is_some_and(|role| {
            role.expiration
                .borrow()
                .is_none_or(|end| end < now + ROLE_MARGIN)
        })
    }

    /// Assumes the target's role, if it has one and its credentials are not good for a while.
    ///
    /// # Errors
    /// If the role cannot be assumed: why.
    pub async fn prepare(&self, budget: &Budget) -> Result<(), Cause> {
        let Some(role) = &self.role else {
            return Ok(());
        };
        if !self.needs_credentials(role.sts.platform().now()) {
            return Ok(());
        }
        let assumed = role
            .sts
            .call(&role.call, budget)
            .await
            .map_err(|error| cause(&error))?;
        self.ecs.set_credentials(assumed.credentials);
        *role.expiration.borrow_mut() = Some(assumed.expiration);
        Ok(())
    }

    /// Whether the keys work: one signed `ListClusters` of one item.
    ///
    /// # Errors
    /// If they do not: why.
    pub async fn check(&self, budget: &Budget) -> Result<(), Cause> {
        self.prepare(budget).await?;
        let call = ListClusters {
            max_results: 1,
            next_token: None,
        };
        let answer = self.ecs.call(&call, budget).await;
        answer
            .map(|_| ())
            .map_err(|error| Cause::of(&error, ListClusters::NAME))
    }

    /// What a sweep found.
    ///
    /// # Errors
    /// If nothing could be read: why.
    pub fn finish(&self, sweep: Sweep, now: SystemTime) -> Result<Snapshot, Cause> {
        let mut secrets = self.ecs.secrets();
        secrets.extend(self.accounts.iter().cloned());
        if let Some(role) = &self.role {
            secrets.extend(role.sts.secrets());
        }
        sweep.finish(now, Withhold::new(secrets, self.exposed_tags.clone()))
    }
}

/// A refusal of STS is about the role, whatever its code; the rest is as with ECS.
fn cause(error: &Error) -> Cause {
    match Cause::of(error, AssumeRole::WIRE.name) {
        Cause::NotAllowed(_) | Cause::Refused => Cause::RoleRefused,
        cause => cause,
    }
}
