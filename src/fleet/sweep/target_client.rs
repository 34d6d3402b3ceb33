//! Target client: calls ECS for one target, with the credentials of its role if it has one.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use crate::aws::arn::account_of;
use crate::aws::budget::Budget;
use crate::aws::client::Client;
use crate::aws::error::Error;
use crate::aws::protocol::OperationName;
use crate::aws::rate_limiter::RateLimiter;
use crate::aws::sts::AssumeRole;
use crate::config::{self, Config};
use crate::fleet::model::cause::Cause;
use crate::fleet::model::policy_denial::PolicyDenial;
use crate::fleet::model::redact::Redactor;
use crate::fleet::model::service_state::AsOf;
use crate::fleet::model::snapshot::Snapshot;
use crate::fleet::sweep::{Description, Sweep};
use crate::platform::Platform;

/// The lifetime that is requested for the credentials of a role: the maximum that every role allows.
const ROLE_DURATION: Duration = Duration::from_hours(1);

/// The time before their expiration at which credentials are replaced.
const ROLE_MARGIN: Duration = Duration::from_mins(5);

/// The name of the session in the other account.
const ROLE_SESSION_NAME: &str = "ecs-status";

/// A region of an account, and the clients that read it.
#[derive(Debug)]
pub struct TargetClient<P> {
    name: String,
    region: String,
    identity: String,
    ecs: Client<P>,
    role: Option<Role<P>>,
    exposed_tags: Option<Vec<String>>,
    exposes_deployments: bool,
    stuck_after: Duration,
    /// The ids of all accounts that a role is assumed in: tags of another target may hold them.
    accounts: Vec<String>,
}

#[derive(Debug)]
struct Role<P> {
    sts: Client<P>,
    call: AssumeRole,
    /// The time at which the credentials of the ECS client expire.
    expiration: RefCell<Option<SystemTime>>,
}

impl<P: Platform + Clone> TargetClient<P> {
    /// The clients of a configured target.
    pub fn new(platform: &P, target: config::TargetConfig, config: &Config) -> Self {
        let credentials = &config.credentials;
        let client = |endpoint, limiter| {
            let (region, credentials) = (target.region.clone(), credentials.clone());
            Client::new(platform.clone(), endpoint, region, credentials, limiter)
        };
        let accounts = accounts(config);
        let identity = identity(&target, config, &accounts);
        let limiter = || RateLimiter::new(config.call_burst, config.call_rate);
        let role = target.role.map(|role| Role {
            sts: client(role.sts_endpoint, limiter()),
            call: AssumeRole {
                role_arn: role.arn,
                external_id: role.external_id,
                role_session_name: ROLE_SESSION_NAME,
                duration: ROLE_DURATION,
            },
            expiration: RefCell::default(),
        });
        Self {
            ecs: client(target.ecs_endpoint, limiter()),
            role,
            exposed_tags: config.expose_tags.clone(),
            exposes_deployments: config.expose_deployments,
            stuck_after: config.stuck_after,
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

/// Everything that a snapshot of the target depends on. A snapshot that was stored under another
/// identity belongs to another fleet, or shows what may not be shown any more.
fn identity(target: &config::TargetConfig, config: &Config, accounts: &[String]) -> String {
    let role = target.role.as_ref();
    let parts = [
        target.region.as_str(),
        &target.ecs_endpoint.uri().to_string(),
        config.credentials.access_key_id(),
        role.map_or("", |role| &role.arn),
        &format!("{:?}", config.expose_tags),
        &config.expose_deployments.to_string(),
        &config.stuck_after.as_secs().to_string(),
        &accounts.join(","),
    ];
    parts.join("\n")
}

impl<P: Platform> TargetClient<P> {
    /// The client of ECS. Call [`Self::prepare`] first.
    pub fn ecs(&self) -> &Client<P> {
        &self.ecs
    }

    /// The name of the target.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its AWS region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The identity of the target's configuration. Not to be shown.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// A new sweep of the target.
    pub fn sweep(&self) -> Sweep {
        Sweep::new(&self.name, &self.region)
    }

    /// A sweep that describes these services, by cluster, and lists nothing.
    pub fn sweep_of(
        &self,
        account: Option<String>,
        parts: impl Iterator<Item = (Description, Vec<String>)>,
    ) -> Sweep {
        let sweep = self.sweep().without_lists(account);
        parts.fold(sweep, |sweep, (cluster, services)| {
            sweep.with_services(cluster, services)
        })
    }

    /// Whether AWS does not accept the session of the role any more, so that [`Self::prepare`] will
    /// assume the role once more.
    pub fn is_session_stale(&self) -> bool {
        self.ecs.is_session_stale()
    }

    /// Allows that the role is assumed once more, for a new sweep or check.
    pub fn allow_renewal(&self) {
        self.ecs.allow_renewal();
    }

    fn needs_session(&self, now: SystemTime) -> bool {
        let ends_soon = |role: &Role<P>| {
            let expiration = *role.expiration.borrow();
            expiration.is_none_or(|end| end < now + ROLE_MARGIN)
        };
        self.role.as_ref().is_some_and(ends_soon) || self.is_session_stale()
    }

    /// Assumes the role of the target, if it has one and its session ends soon or is stale.
    ///
    /// # Errors
    /// The cause, if the role cannot be assumed.
    pub async fn prepare(&self, budget: &Budget) -> Result<(), Cause> {
        let Some(role) = &self.role else {
            return Ok(());
        };
        if !self.needs_session(role.sts.platform().now()) {
            return Ok(());
        }
        let assumed = role
            .sts
            .call(&role.call, budget)
            .await
            .map_err(|error| cause(&error))?;
        self.ecs.set_session(assumed.credentials);
        *role.expiration.borrow_mut() = Some(assumed.expiration);
        Ok(())
    }

    /// The redacted snapshot of a sweep that is done.
    ///
    /// # Errors
    /// The cause, if nothing could be read.
    pub fn finish(&self, sweep: Sweep, now: SystemTime) -> Result<Snapshot, Cause> {
        let as_of = AsOf {
            now,
            stuck_after: self.stuck_after,
        };
        sweep.finish(as_of, self.redactor())
    }

    /// Redacts all that must not be shown but the account of the target.
    pub fn redactor(&self) -> Redactor {
        let mut secrets = self.ecs.secrets();
        secrets.extend(self.accounts.iter().cloned());
        if let Some(role) = &self.role {
            secrets.extend(role.sts.secrets());
        }
        Redactor::new(secrets, self.exposed_tags.clone())
            .exposing_deployments(self.exposes_deployments)
    }
}

/// A refusal of STS concerns the role, whatever its code, unless STS tells which policy denies it.
fn cause(error: &Error) -> Cause {
    match Cause::of(error, OperationName::AssumeRole) {
        Cause::NotAllowed(_, PolicyDenial::Unstated) | Cause::Refused => Cause::RoleRefused,
        cause => cause,
    }
}
