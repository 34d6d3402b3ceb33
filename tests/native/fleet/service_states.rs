//! Service states: every line of the table at its borders, as ECS describes such services.
use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::ecs::ACCOUNT;
use crate::support::rollouts::{
    ago, as_of, definition, deployment, events, found, service, sweep, with,
};
use crate::support::start;
use ecs_status::fleet::model::reason::Reason;
use ecs_status::fleet::model::redact::Redactor;
use ecs_status::fleet::model::service_state::ServiceState;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The default of `STUCK_AFTER`.
const STUCK: i32 = 900;

/// A rolling update with a PRIMARY deployment of this rollout state, desired and running tasks, age
/// and failed tasks, beside a completed one.
fn rolling(rollout: &str, counts: [u32; 2], age: i32, failed_tasks: u32) -> Value {
    let primary = deployment("PRIMARY", rollout, counts, age);
    json!([
        with(primary, json!({"failedTasks": failed_tasks})),
        deployment("ACTIVE", "COMPLETED", [2, 2], 90_000),
    ])
}

/// The same beside one that failed.
fn rolling_back(rollout: &str, failed_tasks: u32) -> Value {
    let primary = deployment("PRIMARY", rollout, [2, 1], 90_000);
    json!([
        with(primary, json!({"failedTasks": failed_tasks})),
        deployment("ACTIVE", "FAILED", [0, 0], 600),
    ])
}

/// A service of `count` task sets in place of deployments.
fn of_task_sets(counts: [u32; 3], count: usize) -> Value {
    let task_set = |index: usize| {
        json!({
            "id": format!("ecs-svc/{index}"), "status": if index == 0 { "PRIMARY" } else { "ACTIVE" },
            "taskDefinition": definition(&format!("checkout:{}", 58 - index)),
            "computedDesiredCount": 2, "runningCount": 2, "pendingCount": 0,
            "createdAt": ago(60), "stabilityStatus": "STABILIZING", "launchType": "FARGATE",
        })
    };
    let sets: Vec<Value> = (0..count).map(task_set).collect();
    with(service(counts, json!([])), json!({"taskSets": sets}))
}

fn settled(counts: [u32; 3]) -> Value {
    let [desired, running, _] = counts;
    service(
        counts,
        json!([deployment(
            "PRIMARY",
            "COMPLETED",
            [desired, running],
            90_000
        )]),
    )
}

/// Services, each with what is special about it.
type Cases = Vec<(&'static str, Value)>;

/// Services of which a deployment fails.
fn failing() -> Cases {
    let full = [2, 2, 0];
    let new = |counts, deployments| service(counts, deployments);
    vec![
        ("FAILED", new(full, rolling("FAILED", [2, 0], 60, 0))),
        (
            "FAILED, none desired",
            new([0, 0, 0], rolling("FAILED", [0, 0], 60, 0)),
        ),
        (
            "IN_PROGRESS, failedTasks 1",
            new(full, rolling("IN_PROGRESS", [2, 0], 60, 1)),
        ),
        (
            "IN_PROGRESS, failedTasks 0",
            new(full, rolling("IN_PROGRESS", [2, 0], 60, 0)),
        ),
        (
            "COMPLETED, failedTasks 1",
            new(full, rolling("COMPLETED", [2, 2], 60, 1)),
        ),
        (
            "IN_PROGRESS beside FAILED",
            new(full, rolling_back("IN_PROGRESS", 0)),
        ),
        (
            "the same, failedTasks 1",
            new(full, rolling_back("IN_PROGRESS", 1)),
        ),
        (
            "COMPLETED beside FAILED",
            new(full, rolling_back("COMPLETED", 0)),
        ),
    ]
}

/// Services in a rollout of about as long as it may take.
fn slow() -> Cases {
    let full = [2, 2, 0];
    let new = |counts, deployments| service(counts, deployments);
    vec![
        (
            "STUCK_AFTER - 1 s, PRIMARY runs desired - 1",
            new(full, rolling("IN_PROGRESS", [2, 1], STUCK - 1, 0)),
        ),
        (
            "STUCK_AFTER, PRIMARY runs desired - 1",
            new(full, rolling("IN_PROGRESS", [2, 1], STUCK, 0)),
        ),
        (
            "STUCK_AFTER + 1 s, PRIMARY runs desired - 1",
            new(full, rolling("IN_PROGRESS", [2, 1], STUCK + 1, 0)),
        ),
        (
            "STUCK_AFTER + 1 s, PRIMARY runs desired",
            new([2, 4, 0], rolling("IN_PROGRESS", [2, 2], STUCK + 1, 0)),
        ),
        (
            "STUCK_AFTER + 1 s, PRIMARY desires none yet",
            new(full, rolling("IN_PROGRESS", [0, 0], STUCK + 1, 0)),
        ),
        (
            "STUCK_AFTER + 1 s, none desired",
            new([0, 0, 0], rolling("IN_PROGRESS", [0, 0], STUCK + 1, 0)),
        ),
        (
            "none desired during a rollout, old tasks still run",
            new([0, 2, 0], rolling("IN_PROGRESS", [0, 0], 60, 0)),
        ),
    ]
}

/// Services in an ordinary rollout, or in none.
fn ordinary() -> Cases {
    let full = [2, 2, 0];
    let new = |counts, deployments| service(counts, deployments);
    vec![
        ("none desired, none running", settled([0, 0, 0])),
        ("none desired, one pending", settled([0, 0, 1])),
        ("none desired, one running", settled([0, 1, 0])),
        ("as many as desired, one pending", settled([2, 2, 1])),
        ("as many as desired", settled(full)),
        (
            "as many as desired, IN_PROGRESS",
            new(full, rolling("IN_PROGRESS", [2, 0], 60, 0)),
        ),
        (
            "more than desired, IN_PROGRESS",
            new([2, 3, 0], rolling("IN_PROGRESS", [2, 1], 60, 0)),
        ),
        (
            "fewer than desired, IN_PROGRESS",
            new([2, 1, 0], rolling("IN_PROGRESS", [2, 1], 60, 0)),
        ),
        ("fewer than desired, one pending", settled([2, 1, 1])),
        ("fewer than desired", settled([2, 1, 0])),
        ("more than desired", settled([2, 3, 0])),
        ("one task set", of_task_sets(full, 1)),
        ("two task sets", of_task_sets([2, 4, 0], 2)),
        (
            "two task sets, fewer than desired",
            of_task_sets([2, 1, 0], 2),
        ),
        ("two task sets, none running", of_task_sets([0, 0, 0], 2)),
    ]
}

/// Services that ECS describes in an odd way.
fn odd() -> Cases {
    let full = [2, 2, 0];
    let new = |counts, deployments| service(counts, deployments);
    vec![
        ("no deployment", new(full, json!([]))),
        ("deployments: null", new(full, json!(null))),
        (
            "no time, PRIMARY runs fewer than desired",
            new(
                full,
                json!([with(
                    deployment("PRIMARY", "IN_PROGRESS", [2, 1], 0),
                    json!({"createdAt": null})
                )]),
            ),
        ),
        (
            "created in an hour",
            new(full, rolling("IN_PROGRESS", [2, 1], -3_600, 0)),
        ),
        (
            "two PRIMARY, of which the newer one fails",
            new(
                full,
                json!([
                    deployment("PRIMARY", "COMPLETED", [2, 2], 90_000),
                    deployment("PRIMARY", "FAILED", [2, 0], 60)
                ]),
            ),
        ),
        (
            "three ACTIVE, none PRIMARY",
            new(
                full,
                json!([
                    deployment("ACTIVE", "COMPLETED", [2, 1], 60),
                    deployment("ACTIVE", "FAILED", [2, 1], 90),
                    deployment("ACTIVE", "IN_PROGRESS", [2, 0], 120)
                ]),
            ),
        ),
        (
            "an unknown rollout state",
            new(
                full,
                json!([deployment("PRIMARY", "UNHEARD_OF", [2, 2], 60)]),
            ),
        ),
    ]
}

#[test]
fn every_line_of_the_table_holds_at_its_borders() {
    let mut table = String::new();
    let mut seen = Vec::new();
    for (case, described) in [failing(), slow(), ordinary(), odd()].concat() {
        let service = found(&described);
        seen.push(service.state);
        writeln!(
            table,
            "{case:<52} {:<13} {:<9} {:<18} {} {:<12} {}",
            service.state.as_str(),
            if service.state.is_unhealthy() {
                "unhealthy"
            } else {
                ""
            },
            service.reason.map_or("", Reason::as_str),
            service.deployments.len(),
            service.task_definition.as_deref().unwrap_or("null"),
            service
                .deployed_at
                .map_or("null".to_owned(), |at| ecs_status::time::rfc3339(at)
                    .unwrap()),
        )
        .unwrap();
    }
    println!("{table}");
    assert!(ServiceState::ALL.iter().all(|state| seen.contains(state)));
    insta::assert_snapshot!("states", table);
}

#[test]
fn every_state_has_a_word_of_its_own() {
    for state in ServiceState::ALL {
        assert_eq!(ServiceState::from_name(state.as_str()), Some(state));
    }
    for name in ["", "Failing", "failed", "healthy "] {
        assert_eq!(ServiceState::from_name(name), None, "{name}");
    }
}

#[test]
fn stuck_after_is_configured() {
    let described = service([2, 2, 0], rolling("IN_PROGRESS", [2, 1], 61, 0));
    let state = |stuck_after| {
        let mut as_of = as_of(start());
        as_of.stuck_after = Duration::from_secs(stuck_after);
        let snapshot = sweep(std::slice::from_ref(&described), as_of, Redactor::default());
        snapshot.clusters[0].services[0].state
    };
    assert_eq!(state(60), ServiceState::Stuck);
    assert_eq!(state(61), ServiceState::Deploying);
}

#[test]
fn the_deployments_are_those_of_the_contract_in_an_order_of_their_own() {
    let expected = found(&service([2, 2, 0], rolling("IN_PROGRESS", [2, 0], 60, 0)));
    let mut deployments = rolling("IN_PROGRESS", [2, 0], 60, 0);
    deployments.as_array_mut().unwrap().reverse();
    assert_eq!(found(&service([2, 2, 0], deployments)), expected);
    let names: Vec<_> = expected
        .deployments
        .iter()
        .map(|d| d.task_definition.as_deref())
        .collect();
    assert_eq!(names, [Some("checkout:58"), Some("checkout:57")]);
    assert_eq!(expected.task_definition.as_deref(), Some("checkout:58"));
    assert_eq!(expected.deployed_at, Some(start() - Duration::from_mins(1)));
    let settled = found(&settled([2, 2, 0]));
    assert_eq!(
        (settled.deployments.len(), settled.failed_tasks),
        (0, Some(0))
    );
}

/// A service after its rollback to a deployment of two days ago, which ended `ago` seconds ago.
fn rolled_back(ended: i32) -> Value {
    let two_days = 2 * 86_400;
    let primary = deployment("PRIMARY", "COMPLETED", [2, 2], two_days);
    let primary = with(primary, json!({"updatedAt": ago(ended)}));
    let told = events(&[
        (ended - 1, "has reached a steady state."),
        (ended, "(deployment ecs-svc/57) deployment completed."),
        (ended + 60, "rolling back to deployment ecs-svc/57."),
        (
            ended + 61,
            "(deployment ecs-svc/58) deployment failed: tasks failed to start.",
        ),
        (ended + 90, "has started 1 tasks: (task 1)."),
    ]);
    with(
        service([2, 2, 0], json!([primary])),
        json!({"events": told}),
    )
}

#[test]
fn a_rollback_is_told_for_a_day_unless_a_newer_deployment_follows() {
    let day = 86_400;
    for (ended, expected) in [
        (1, Some(Reason::RolledBack)),
        (3_600, Some(Reason::RolledBack)),
        (day - 60, Some(Reason::RolledBack)),
        (day - 59, None),
    ] {
        let service = found(&rolled_back(ended));
        assert_eq!(
            (service.state, service.reason),
            (ServiceState::Healthy, expected),
            "{ended}"
        );
    }
    // A steady service has an event every six hours.
    let mut later = rolled_back(3 * 3_600);
    let steady = events(&[(60, "has reached a steady state.")]);
    later["events"]
        .as_array_mut()
        .unwrap()
        .insert(0, steady[0].clone());
    assert_eq!(found(&later).reason, Some(Reason::RolledBack));
    let mut redeployed = rolled_back(3_600);
    redeployed["deployments"][0]["createdAt"] = ago(1_800).into();
    assert_eq!(found(&redeployed).reason, None);
}

#[test]
fn a_rollback_in_progress_is_as_old_as_itself_and_not_as_what_it_rolls_back_to() {
    let primary = deployment("PRIMARY", "IN_PROGRESS", [2, 1], 90_000);
    let state = |age| {
        let told = events(&[(age, "rolling back to deployment ecs-svc/57.")]);
        let described = service([2, 2, 0], json!([primary]));
        found(&with(described, json!({"events": told}))).state
    };
    assert_eq!(state(STUCK), ServiceState::Deploying);
    assert_eq!(state(STUCK + 1), ServiceState::Stuck);
}

#[test]
fn a_rollout_that_ended_between_two_sweeps_leaves_nothing_behind() {
    let before = found(&service([2, 2, 0], rolling("IN_PROGRESS", [2, 0], 60, 0)));
    let ended = deployment("PRIMARY", "COMPLETED", [2, 2], 60);
    let after = found(&service([2, 2, 0], json!([ended])));
    assert_eq!(before.state, ServiceState::Deploying);
    assert_eq!((after.state, after.reason), (ServiceState::Healthy, None));
    assert_eq!(after.deployments, []);
}

#[test]
fn an_odd_deployment_is_named_and_leaves_the_service_and_its_neighbours() {
    for odd in [
        json!({"createdAt": "yesterday"}),
        json!({"failedTasks": {}}),
        json!({"runningCount": 1.5}),
        json!({"taskDefinition": 7}),
        json!({"updatedAt": -1}),
    ] {
        let primary = with(
            deployment("PRIMARY", "IN_PROGRESS", [2, 1], 60),
            odd.clone(),
        );
        let services = ["a", "b"].map(|name| {
            let deployments = if name == "a" {
                json!([primary])
            } else {
                json!([])
            };
            with(
                service([2, 2, 0], deployments),
                json!({"serviceName": name}),
            )
        });
        let snapshot = sweep(&services, as_of(start()), Redactor::default());
        let names: Vec<_> = snapshot
            .failures
            .iter()
            .map(|f| f.service_name.as_deref())
            .collect();
        assert_eq!(names, [Some("a")], "{odd}");
        let services = &snapshot.clusters[0].services;
        let states: Vec<_> = services.iter().map(|service| service.state).collect();
        assert_eq!(
            states,
            [ServiceState::Deploying, ServiceState::Healthy],
            "{odd}"
        );
    }
}

#[test]
fn an_account_id_in_the_name_of_a_family_is_redacted() {
    let primary = deployment("PRIMARY", "IN_PROGRESS", [2, 2], 60);
    let family = format!("x-{ACCOUNT}:7");
    let primary = with(primary, json!({"taskDefinition": definition(&family)}));
    let service = found(&service([2, 2, 0], json!([primary])));
    assert_eq!(service.task_definition.as_deref(), Some("x-[withheld]:7"));
    assert_eq!(
        service.deployments[0].task_definition,
        service.task_definition
    );
}

fn any_deployment() -> impl Strategy<Value = Value> {
    let status = prop::sample::select(vec!["PRIMARY", "ACTIVE", "INACTIVE", "X"]);
    let rollout = prop::sample::select(vec!["IN_PROGRESS", "COMPLETED", "FAILED", "X"]);
    let time = prop::sample::select(vec![json!(null), json!(0), json!(1e11), json!(ago(1_000))]);
    (status, rollout, 0..3_u32, 0..3_u32, 0..2_u32, time).prop_map(
        |(status, rollout, desired, running, failed, time)| {
            let deployment = deployment(status, rollout, [desired, running], 0);
            with(
                deployment,
                json!({"failedTasks": failed, "createdAt": time}),
            )
        },
    )
}

proptest! {
    #[test]
    fn every_service_has_a_state_and_a_reason_if_it_is_unhealthy(
        counts in [0..3_u32, 0..3_u32, 0..2_u32],
        deployments in prop::collection::vec(any_deployment(), 0..4),
    ) {
        let service = found(&service(counts, deployments.into()));
        prop_assert_eq!(service.reason.is_some(), service.state.is_unhealthy());
        let [desired, running, _] = counts;
        if running < desired {
            prop_assert!(service.state.is_unhealthy());
        }
        if let Some(at) = service.deployed_at {
            prop_assert!(at >= UNIX_EPOCH);
        }
    }
}
