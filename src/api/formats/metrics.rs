//! Metrics: the fleet in the text exposition format of Prometheus, version 0.0.4 (Prometheus,
//! "Exposition formats").

use crate::api::formats::metric_labels::{label, location, service_labels, tag_labels};
use crate::api::headers::conditional;
use crate::api::report::Report;
use crate::api::response_cache::RenderedBody;
use crate::aws::budget::Usage;
use crate::fleet::model::filter::Filter;
use crate::fleet::model::service_state::ServiceState;
use crate::fleet::model::snapshot::Service;
use crate::fleet::view::report::TargetStatus;

/// A family's name, its help, and the number that it shows.
type Counted<T> = (&'static str, &'static str, fn(&T) -> u32);

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
pub(super) fn render_services(report: &Report<'_>) -> String {
    let mut text = String::new();
    let count = |count: fn(&Service) -> u32| -> Vec<Sample> {
        report
            .services()
            .map(|(cluster, service)| (service_labels(cluster, service), u64::from(count(service))))
            .collect()
    };
    let families: [Counted<Service>; 3] = [
        (
            "ecs_service_desired_tasks",
            "Desired tasks of the service.",
            |service| service.desired_count,
        ),
        (
            "ecs_service_running_tasks",
            "Running tasks of the service.",
            |service| service.running_count,
        ),
        (
            "ecs_service_pending_tasks",
            "Pending tasks of the service.",
            |service| service.pending_count,
        ),
    ];
    for (name, help, counted) in families {
        family(&mut text, name, "gauge", help, count(counted));
    }
    let names = tag_labels(report.snapshot);
    let info = report.services().map(|(cluster, service)| {
        let mut labels = service_labels(cluster, service);
        let providers = service.capacity_providers.join(" ");
        let rollout = service.rollout_state.as_deref().unwrap_or_default();
        label(&mut labels, "capacity_providers", &providers);
        label(&mut labels, "rollout_state", rollout);
        label(&mut labels, "state", ServiceState::of(service).as_str());
        for (key, value) in &service.tags {
            if let Some(name) = names.get(key.as_str()) {
                label(&mut labels, name, value);
            }
        }
        (labels, 1)
    });
    let help = "Capacity providers, rollout state, state and tags of the service.";
    family(&mut text, "ecs_service_info", "gauge", help, info.collect());
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
    let help = "Whether the report includes a snapshot of the target.";
    family(&mut text, "ecs_status_up", "gauge", help, up.collect());
    let ages = selected().filter_map(|(labels, status)| Some((labels, status.age?.as_secs())));
    let help = "Age of the newest snapshot of the target.";
    let name = "ecs_status_snapshot_age_seconds";
    family(&mut text, name, "gauge", help, ages.collect());
    let complete = selected().map(|(labels, status)| (labels, u64::from(status.complete)));
    let help = "Whether the whole target could be read.";
    family(
        &mut text,
        "ecs_status_complete",
        "gauge",
        help,
        complete.collect(),
    );
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
    for (labels, value) in samples {
        for part in [name, "{", &labels, "} ", &value.to_string(), "\n"] {
            text.push_str(part);
        }
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
