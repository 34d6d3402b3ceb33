//! Fargate rule: decides whether a service runs on Fargate (Amazon ECS Developer Guide, "Amazon ECS
//! launch types and capacity providers").
//!
//! The first of these that is present decides: the service's launch type, its capacity provider
//! strategy, its PRIMARY deployment, its task sets, and last the cluster's default strategy.

use crate::aws::ecs::{CapacityProviderStrategyItem, Deployment, Service};
use crate::order::sort;

const FARGATE: &str = "FARGATE";
const FARGATE_SPOT: &str = "FARGATE_SPOT";

/// The verdict of a service's own description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The service runs on these Fargate capacity providers, sorted.
    Fargate(Vec<String>),
    /// The service runs on something else.
    Other,
    /// Nothing in the description decides; the default strategy of the cluster does.
    ClusterDefault,
}

/// The verdict of a service's description.
#[must_use]
pub fn classify(service: &Service) -> Verdict {
    let primary = |deployment: &&Deployment| deployment.status.as_deref() == Some("PRIMARY");
    by_launch_type(service.launch_type.as_deref())
        .or_else(|| by_strategy(&service.capacity_provider_strategy))
        .or_else(|| {
            service
                .deployments
                .iter()
                .find(primary)
                .and_then(by_deployment)
        })
        .or_else(|| by_task_sets(&service.task_sets))
        .unwrap_or(Verdict::ClusterDefault)
}

/// The verdict of a cluster's default strategy. Without one, ECS falls back to EC2.
#[must_use]
pub fn by_default_strategy(strategy: &[CapacityProviderStrategyItem]) -> Verdict {
    by_strategy(strategy).unwrap_or(Verdict::Other)
}

fn by_launch_type(launch_type: Option<&str>) -> Option<Verdict> {
    match launch_type? {
        "" => None,
        FARGATE => Some(Verdict::Fargate(vec![FARGATE.to_owned()])),
        _ => Some(Verdict::Other),
    }
}

fn by_strategy(strategy: &[CapacityProviderStrategyItem]) -> Option<Verdict> {
    if strategy.is_empty() {
        return None;
    }
    let mut providers: Vec<String> = strategy
        .iter()
        .filter_map(|item| item.capacity_provider.as_deref())
        .filter(|provider| matches!(*provider, FARGATE | FARGATE_SPOT))
        .map(str::to_owned)
        .collect();
    sort(&mut providers);
    providers.dedup();
    Some(if providers.is_empty() {
        Verdict::Other
    } else {
        Verdict::Fargate(providers)
    })
}

fn by_deployment(deployment: &Deployment) -> Option<Verdict> {
    by_launch_type(deployment.launch_type.as_deref())
        .or_else(|| by_strategy(&deployment.capacity_provider_strategy))
}

/// The verdict of all task sets together: several can run side by side.
fn by_task_sets(task_sets: &[Deployment]) -> Option<Verdict> {
    task_sets
        .iter()
        .filter_map(by_deployment)
        .reduce(|one, other| match (one, other) {
            (Verdict::Fargate(mut providers), Verdict::Fargate(more)) => {
                providers.extend(more);
                sort(&mut providers);
                providers.dedup();
                Verdict::Fargate(providers)
            }
            (fargate @ Verdict::Fargate(_), _) | (_, fargate @ Verdict::Fargate(_)) => fargate,
            (other, _) => other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::lenient::decode_by_member;

    fn verdict(json: &str) -> Verdict {
        classify(&decode_by_member(json.as_bytes()).unwrap())
    }

    fn fargate(providers: &[&str]) -> Verdict {
        Verdict::Fargate(providers.iter().map(|&p| p.to_owned()).collect())
    }

    #[test]
    fn the_launch_type_decides_first() {
        assert_eq!(
            verdict(r#"{"launchType":"FARGATE"}"#),
            fargate(&["FARGATE"])
        );
        for other in ["EC2", "EXTERNAL", "MANAGED_INSTANCES"] {
            let json = format!(
                r#"{{"launchType":"{other}","deployments":[{{"status":"PRIMARY","launchType":"FARGATE"}}]}}"#
            );
            assert_eq!(verdict(&json), Verdict::Other, "{other}");
        }
    }

    #[test]
    fn a_strategy_counts_its_fargate_providers_sorted() {
        for (providers, expected) in [
            (
                r#"[{"capacityProvider":"FARGATE_SPOT"},{"capacityProvider":"FARGATE"}]"#,
                fargate(&["FARGATE", "FARGATE_SPOT"]),
            ),
            (
                r#"[{"capacityProvider":"FARGATE_SPOT","weight":0}]"#,
                fargate(&["FARGATE_SPOT"]),
            ),
            (r#"[{"capacityProvider":"my-asg"}]"#, Verdict::Other),
            (r#"[{"capacityProvider":"FARGATE_LIKE"}]"#, Verdict::Other),
            (r#"[{"capacityProvider":null}]"#, Verdict::Other),
        ] {
            let json = format!(r#"{{"capacityProviderStrategy":{providers}}}"#);
            assert_eq!(verdict(&json), expected, "{providers}");
        }
    }

    #[test]
    fn only_the_primary_deployment_decides() {
        let json = r#"{"deployments":[
            {"status":"ACTIVE","launchType":"EC2"},
            {"status":"PRIMARY","capacityProviderStrategy":[{"capacityProvider":"FARGATE"}]}]}"#;
        assert_eq!(verdict(json), fargate(&["FARGATE"]));
        let json = r#"{"deployments":[{"status":"ACTIVE","launchType":"FARGATE"}]}"#;
        assert_eq!(verdict(json), Verdict::ClusterDefault);
    }

    #[test]
    fn task_sets_decide_where_nothing_before_them_does() {
        let json = r#"{"taskSets":[{"launchType":"EC2"},{"launchType":"FARGATE"},
            {"capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT"}]}]}"#;
        assert_eq!(verdict(json), fargate(&["FARGATE", "FARGATE_SPOT"]));
        assert_eq!(
            verdict(r#"{"taskSets":[{"launchType":"EXTERNAL"}]}"#),
            Verdict::Other
        );
    }

    #[test]
    fn the_default_strategy_of_the_cluster_decides_last() {
        assert_eq!(verdict("{}"), Verdict::ClusterDefault);
        assert_eq!(verdict(r#"{"launchType":""}"#), Verdict::ClusterDefault);
        assert_eq!(by_default_strategy(&[]), Verdict::Other);
    }
}
