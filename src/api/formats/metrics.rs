//! Metrics: the fleet in the text exposition format of Prometheus, version 0.0.4 (Prometheus,
//! "Exposition formats").

use std::time::{SystemTime, UNIX_EPOCH};

use crate::api::formats::metric_labels::{label, location, service_labels, tag_labels};
use crate::api::headers::conditional;
use crate::api::report::Report;
use crate::api::response_cache::RenderedBody;
use crate::aws::budget::Usage;
use crate::config::Config;
use crate::fleet::model::filter::{Filter, Selected};
use crate::fleet::model::service_state::ServiceState;
use crate::fleet::model::snapshot::Service;
use crate::fleet::view::report::TargetStatus;
use crate::time::since;

/// A family's name, its help, and the number that it shows.
type Counted<T> = (&'static str, &'static str, fn(&T) -> u32);

/// The same, where the number may be unknown.
type Known<T> = (&'static str, &'static str, fn(&T) -> Option<u64>);

/// A family's name and its help.
type Described = (&'static str, &'static str);

const UP: Described = (
    "ecs_status_up",
    "Whether the report includes a snapshot of the target.",
);
const ECS_UP: Described = (
    "ecs_up",
    "Whether the last sweep of the target could read all of it.",
);
const COMPLETE: Described = (
    "ecs_status_complete",
    "Whether the whole target could be read.",
);

/// Labels as they are written, and a value.
type Sample = (String, u64);

/// `services` followed by the metrics of the targets, which change with every response.
pub(super) fn with_targets(
    services: &RenderedBody,
    targets: &[TargetStatus],
    filter: &Filter,
) -> RenderedBody {
    let targets = render_targets(targets, filter);
    let etag = [services.etag.as_bytes(), targets.as_bytes()].concat();
    RenderedBody {
        etag: conditional::etag(&etag),
        body: [services.body.as_slice(), targets.as_bytes()]
            .concat()
            .into(),
    }
}

/// The metrics of the services, which change with the snapshot.
#[inline(never)]
pub(super) fn render_services(report: &Report<'_>) -> String {
    let mut text = String::new();
    let families: [Known<Service>; 5] = [
        (
            "ecs_service_desired_tasks",
            "Desired tasks of the service.",
            |service| Some(service.desired_count.into()),
        ),
        (
            "ecs_service_running_tasks",
            "Running tasks of the service.",
            |service| Some(service.running_count.into()),
        ),
        (
            "ecs_service_pending_tasks",
            "Pending tasks of the service.",
            |service| Some(service.pending_count.into()),
        ),
        (
            "ecs_service_deployment_created_timestamp_seconds",
            "Time at which the PRIMARY deployment of the service was created.",
            |service| Some(unix_seconds(service.deployed_at?)),
        ),
        (
            "ecs_service_deployment_failed_tasks",
            "Tasks of the PRIMARY deployment that failed to start, one after the other.",
            |service| service.failed_tasks.map(Into::into),
        ),
    ];
    for (name, help, known) in families {
        let samples = report.services().filter_map(|(cluster, service)| {
            Some((service_labels(cluster, service), known(service)?))
        });
        family(&mut text, name, "gauge", help, samples.collect());
    }
    states(&mut text, report);
    let names = tag_labels(report.snapshot);
    let info = report.services().map(|(cluster, service)| {
        let mut labels = service_labels(cluster, service);
        let providers = service.capacity_providers.join(" ");
        let rollout = service.rollout_state.as_deref().unwrap_or_default();
        label(&mut labels, "capacity_providers", &providers);
        label(&mut labels, "rollout_state", rollout);
        label(&mut labels, "state", service.state.as_str());
        if report.config.expose_deployments {
            let definition = service.task_definition.as_deref().unwrap_or_default();
            label(&mut labels, "task_definition", definition);
        }
        for (key, value) in &service.tags {
            if let Some(name) = names.get(key) {
                label(&mut labels, name, value);
            }
        }
        (labels, 1)
    });
    let help = "Capacity providers, rollout state, state, task definition and tags of the service.";
    family(&mut text, "ecs_service_info", "gauge", help, info.collect());
    let services = report.selected.iter().map(|selected| {
        let cluster = selected.cluster;
        let mut labels = location(&cluster.target, &cluster.region);
        label(&mut labels, "cluster", &cluster.cluster_name);
        (labels, selected.services.len() as u64)
    });
    let help = "Fargate services in the cluster that the query selects.";
    family(&mut text, "ecs_services", "gauge", help, services.collect());
    let help = "Clusters with such a service in the target.";
    family(&mut text, "ecs_clusters", "gauge", help, clusters(report));
    text
}

/// Appends the state of each service as a state set: a sample for every state, 1 for the one that the
/// service is in (`OpenMetrics`, "State Set", and kube-state-metrics).
fn states(text: &mut String, report: &Report<'_>) {
    let name = "ecs_service_state";
    if !report.selected.is_empty() {
        let help = "Whether the service is in the state.";
        head(text, name, "gauge", help);
    }
    for (cluster, service) in report.services() {
        let labels = service_labels(cluster, service);
        for state in ServiceState::ALL {
            let mut labels = labels.clone();
            label(&mut labels, "state", state.as_str());
            sample(text, name, &labels, u64::from(state == service.state));
        }
    }
}

/// The number of selected clusters in each target that matches, unless the target was not read.
fn clusters(report: &Report<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for target in &report.config.targets {
        let (name, region) = (&target.name, &target.region);
        let is_in = |selected: &&Selected<'_>| selected.cluster.target == *name;
        let count = report.selected.iter().filter(is_in).count() as u64;
        let mut failures = report.snapshot.failures.iter();
        let is_read = !failures.any(|f| f.target == *name && f.cluster_name.is_none());
        if report.filter.matches_place(name, region) && (is_read || count > 0) {
            samples.push((location(name, region), count));
        }
    }
    samples
}

fn unix_seconds(time: SystemTime) -> u64 {
    since(UNIX_EPOCH, time).as_secs()
}

/// The metrics of the targets where nothing of them can be read. Their counters are unknown here, and
/// to reset them would be wrong.
#[inline(never)]
pub(super) fn render_unread(config: &Config, filter: &Filter) -> String {
    let mut text = String::new();
    let targets = config.targets.iter();
    let targets = targets.filter(|target| filter.matches_place(&target.name, &target.region));
    let none: Vec<Sample> = targets
        .map(|target| (location(&target.name, &target.region), 0))
        .collect();
    for (name, help) in [UP, ECS_UP, COMPLETE] {
        family(&mut text, name, "gauge", help, none.clone());
    }
    text
}

fn render_targets(targets: &[TargetStatus], filter: &Filter) -> String {
    let mut text = String::new();
    let selected = || {
        targets
            .iter()
            .filter(|status| filter.matches_place(&status.target, &status.region))
            .map(|status| (location(&status.target, &status.region), status))
    };
    let up = selected().map(|(labels, status)| (labels, u64::from(status.age.is_some())));
    family(&mut text, UP.0, "gauge", UP.1, up.collect());
    let complete: Vec<Sample> = selected()
        .map(|(labels, status)| (labels, u64::from(status.complete)))
        .collect();
    family(&mut text, ECS_UP.0, "gauge", ECS_UP.1, complete.clone());
    let ages = selected().filter_map(|(labels, status)| Some((labels, status.age?.as_secs())));
    let help = "Age of the newest snapshot of the target.";
    let name = "ecs_status_snapshot_age_seconds";
    family(&mut text, name, "gauge", help, ages.collect());
    family(&mut text, COMPLETE.0, "gauge", COMPLETE.1, complete);
    let counters: [Counted<Usage>; 4] = [
        (
            "ecs_status_aws_calls_total",
            "Requests to AWS, including retries.",
            |usage| usage.calls,
        ),
        (
            "ecs_status_aws_errors_total",
            "Requests to AWS that failed.",
            |usage| usage.errors,
        ),
        (
            "ecs_status_aws_throttles_total",
            "Requests to AWS that were throttled.",
            |usage| usage.throttles,
        ),
        (
            "ecs_status_aws_retries_total",
            "Retries of requests to AWS.",
            |usage| usage.retries,
        ),
    ];
    for (name, help, counted) in counters {
        let samples = selected()
            .map(|(labels, status)| (labels, u64::from(counted(&status.usage))))
            .collect();
        family(&mut text, name, "counter", help, samples);
    }
    let events = || selected().filter_map(|(labels, status)| Some((labels, status.events?)));
    let ages = events().map(|(labels, (age, _))| (labels, age.as_secs()));
    let help = "Time since the last event about the target, or since it listens.";
    let name = "ecs_status_last_event_age_seconds";
    family(&mut text, name, "gauge", help, ages.collect());
    let totals = events().map(|(labels, (_, total))| (labels, u64::from(total)));
    let help = "Events about the target.";
    let name = "ecs_status_events_total";
    family(&mut text, name, "counter", help, totals.collect());
    text
}

/// Appends a family of samples under its two comments; nothing if there is no sample.
fn family(text: &mut String, name: &str, kind: &str, help: &str, samples: Vec<Sample>) {
    if samples.is_empty() {
        return;
    }
    head(text, name, kind, help);
    for (labels, value) in samples {
        sample(text, name, &labels, value);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    for part in [
        "# HELP ",
        name,
        " ",
        help,
        "\n# TYPE ",
        name,
        " ",
        kind,
        "\n",
    ] {
        text.push_str(part);
    }
}

fn sample(text: &mut String, name: &str, labels: &str, value: u64) {
    for part in [name, "{", labels, "} ", &value.to_string(), "\n"] {
        text.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn status(target: &str, age: Option<u64>, calls: u32) -> TargetStatus {
        TargetStatus {
            target: target.into(),
            region: "eu-west-1".into(),
            age: age.map(Duration::from_secs),
            complete: age == Some(3),
            usage: Usage {
                calls,
                retries: 3,
                throttles: 2,
                errors: 4,
            },
            events: None,
        }
    }

    fn render(filter: &[(&str, &str)]) -> String {
        let targets = [status("dublin", Some(3), 40), status("partner", None, 9)];
        let pairs = filter
            .iter()
            .map(|&(key, value)| (key.into(), value.into()));
        render_targets(&targets, &Filter::new(pairs.collect(), &[]).unwrap())
    }

    #[test]
    fn every_target_has_its_metrics() {
        let expected = r#"# HELP ecs_status_up Whether the report includes a snapshot of the target.
# TYPE ecs_status_up gauge
ecs_status_up{target="dublin",region="eu-west-1"} 1
ecs_status_up{target="partner",region="eu-west-1"} 0
# HELP ecs_up Whether the last sweep of the target could read all of it.
# TYPE ecs_up gauge
ecs_up{target="dublin",region="eu-west-1"} 1
ecs_up{target="partner",region="eu-west-1"} 0
# HELP ecs_status_snapshot_age_seconds Age of the newest snapshot of the target.
# TYPE ecs_status_snapshot_age_seconds gauge
ecs_status_snapshot_age_seconds{target="dublin",region="eu-west-1"} 3
# HELP ecs_status_complete Whether the whole target could be read.
# TYPE ecs_status_complete gauge
ecs_status_complete{target="dublin",region="eu-west-1"} 1
ecs_status_complete{target="partner",region="eu-west-1"} 0
# HELP ecs_status_aws_calls_total Requests to AWS, including retries.
# TYPE ecs_status_aws_calls_total counter
ecs_status_aws_calls_total{target="dublin",region="eu-west-1"} 40
ecs_status_aws_calls_total{target="partner",region="eu-west-1"} 9
# HELP ecs_status_aws_errors_total Requests to AWS that failed.
# TYPE ecs_status_aws_errors_total counter
ecs_status_aws_errors_total{target="dublin",region="eu-west-1"} 4
ecs_status_aws_errors_total{target="partner",region="eu-west-1"} 4
# HELP ecs_status_aws_throttles_total Requests to AWS that were throttled.
# TYPE ecs_status_aws_throttles_total counter
ecs_status_aws_throttles_total{target="dublin",region="eu-west-1"} 2
ecs_status_aws_throttles_total{target="partner",region="eu-west-1"} 2
# HELP ecs_status_aws_retries_total Retries of requests to AWS.
# TYPE ecs_status_aws_retries_total counter
ecs_status_aws_retries_total{target="dublin",region="eu-west-1"} 3
ecs_status_aws_retries_total{target="partner",region="eu-west-1"} 3
"#;
        assert_eq!(render(&[]), expected);
    }

    #[test]
    fn a_target_has_metrics_of_its_events_where_they_are_taken() {
        let silent = TargetStatus {
            events: Some((Duration::from_millis(7_900), 3)),
            ..status("dublin", Some(3), 40)
        };
        let text = render_targets(&[silent], &Filter::default());
        let expected = r#"# HELP ecs_status_last_event_age_seconds Time since the last event about the target, or since it listens.
# TYPE ecs_status_last_event_age_seconds gauge
ecs_status_last_event_age_seconds{target="dublin",region="eu-west-1"} 7
# HELP ecs_status_events_total Events about the target.
# TYPE ecs_status_events_total counter
ecs_status_events_total{target="dublin",region="eu-west-1"} 3
"#;
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn targets_outside_the_filter_are_omitted() {
        let text = render(&[("target", "partner")]);
        assert!(text.contains("ecs_status_up{target=\"partner\",region=\"eu-west-1\"} 0\n"));
        assert!(
            !text.contains("dublin") && !text.contains("snapshot_age"),
            "{text}"
        );
        assert_eq!(render(&[("region", "nowhere")]), "");
    }
}
