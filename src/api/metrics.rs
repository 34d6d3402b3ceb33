//! `/metrics`: the fleet in the text exposition format of Prometheus, version 0.0.4 (Prometheus,
//! "Exposition formats").

use std::collections::BTreeMap;

use super::problem::Problem;
use super::view::View;
use super::{Answer, caching};
use crate::aws::budget::Usage;
use crate::fleet::snapshot::{Cluster, Service};
use crate::fleet::state::State;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A family's name, its help, and what is counted.
type Counted<T> = (&'static str, &'static str, fn(&T) -> u32);

/// Labels as they are written, and a value.
type Sample = (String, u64);

pub(super) fn answer(view: &View<'_>) -> Result<Answer, Box<Problem>> {
    let services = view.text(|| Ok(services(view).into_bytes()))?;
    let targets = targets(view);
    let etag = caching::etag(format!("{}{targets}", services.etag).as_bytes());
    let body = [services.body.as_slice(), targets.as_bytes()].concat();
    Ok(Answer {
        etag: Some(etag.into()),
        ..view.answer(CONTENT_TYPE, body)
    })
}

/// What is as old as the snapshot.
fn services(view: &View<'_>) -> String {
    let mut text = String::new();
    let count = |count: fn(&Service) -> u32| -> Vec<Sample> {
        view.services()
            .map(|(cluster, service)| (labels_of(cluster, service), u64::from(count(service))))
            .collect()
    };
    let families: [Counted<Service>; 3] = [
        (
            "ecs_service_desired_tasks",
            "Tasks that the service should run.",
            |service| service.desired_count,
        ),
        (
            "ecs_service_running_tasks",
            "Tasks of the service that run.",
            |service| service.running_count,
        ),
        (
            "ecs_service_pending_tasks",
            "Tasks of the service that are about to run.",
            |service| service.pending_count,
        ),
    ];
    for (name, help, counted) in families {
        family(&mut text, name, "gauge", help, count(counted));
    }
    let names = tag_labels(view);
    let info = view.services().map(|(cluster, service)| {
        let mut labels = labels_of(cluster, service);
        let providers = service.capacity_providers.join(" ");
        let rollout = service.rollout_state.as_deref().unwrap_or_default();
        label(&mut labels, "capacity_providers", &providers);
        label(&mut labels, "rollout_state", rollout);
        label(&mut labels, "state", State::of(service).word());
        for (key, value) in &service.tags {
            if let Some(name) = names.get(key.as_str()) {
                label(&mut labels, name, value);
            }
        }
        (labels, 1)
    });
    let help = "How the service is run and how it does, with its tags.";
    family(&mut text, "ecs_service_info", "gauge", help, info.collect());
    text
}

/// What changes from one answer to the next.
fn targets(view: &View<'_>) -> String {
    let mut text = String::new();
    let standings = || {
        let standings = view.served.standings.iter();
        standings
            .filter(|standing| {
                view.filter
                    .matches_place(&standing.target, &standing.region)
            })
            .map(|standing| (place(&standing.target, &standing.region), standing))
    };
    let shown = standings().map(|(labels, standing)| (labels, u64::from(standing.age.is_some())));
    let help = "Whether anything of the target is shown.";
    family(&mut text, "ecs_status_up", "gauge", help, shown.collect());
    let ages = standings().filter_map(|(labels, standing)| Some((labels, standing.age?.as_secs())));
    let help = "How old the newest snapshot of the target is.";
    let name = "ecs_status_snapshot_age_seconds";
    family(&mut text, name, "gauge", help, ages.collect());
    let complete = standings().map(|(labels, standing)| (labels, u64::from(standing.complete)));
    let help = "Whether all of the target could be read.";
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
            "Requests sent to AWS, retries included.",
            |usage| usage.calls,
        ),
        (
            "ecs_status_aws_errors_total",
            "Requests to AWS that came to nothing.",
            |usage| usage.errors,
        ),
        (
            "ecs_status_aws_throttles_total",
            "Answers of AWS that asked for fewer requests.",
            |usage| usage.throttles,
        ),
        (
            "ecs_status_aws_retries_total",
            "Requests sent to AWS again.",
            |usage| usage.retries,
        ),
    ];
    for (name, help, counted) in counters {
        let samples = standings()
            .map(|(labels, standing)| (labels, u64::from(counted(&standing.usage))))
            .collect();
        family(&mut text, name, "counter", help, samples);
    }
    text
}

/// A family of samples under its two comments; nothing where there is no sample.
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

fn labels_of(cluster: &Cluster, service: &Service) -> String {
    let mut labels = place(&cluster.target, &cluster.region);
    label(&mut labels, "cluster", &cluster.cluster_name);
    label(&mut labels, "service", &service.service_name);
    labels
}

fn place(target: &str, region: &str) -> String {
    let mut labels = String::new();
    label(&mut labels, "target", target);
    label(&mut labels, "region", region);
    labels
}

fn label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    labels.push_str(name);
    labels.push_str("=\"");
    for c in value.chars() {
        match c {
            '\\' => labels.push_str("\\\\"),
            '"' => labels.push_str("\\\""),
            '\n' => labels.push_str("\\n"),
            c => labels.push(c),
        }
    }
    labels.push('"');
}

/// A label's name for every tag key of the fleet, whatever is filtered by. A key that needs no
/// change comes first; of the others that would become equal, all but the first get a number.
fn tag_labels<'a>(view: &View<'a>) -> BTreeMap<&'a str, String> {
    let clusters = view.served.snapshot.clusters.iter();
    let services = clusters.flat_map(|cluster| &cluster.services);
    let mut keys: Vec<&str> = services
        .flat_map(|service| service.tags.keys().map(String::as_str))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.sort_by_cached_key(|key| snake_case(key) != *key);
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for key in keys {
        let plain = format!("tag_{}", snake_case(key));
        let mut name = plain.clone();
        let mut number = 1_u32;
        while taken.contains_key(&name) {
            number += 1;
            name = format!("{plain}_{number}");
        }
        taken.insert(name, key);
    }
    taken.into_iter().map(|(name, key)| (key, name)).collect()
}

/// Letters, digits and underscores, in lower case: `costCentre` is `cost_centre`. What Prometheus'
/// own linter wants of a name.
fn snake_case(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    let mut after_lower = false;
    for c in key.chars() {
        if c.is_ascii_uppercase() && after_lower {
            name.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        name.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        });
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Request;
    use crate::api::question::Question;
    use crate::api::route::Route;
    use crate::config::Config;
    use crate::fleet::snapshot::Snapshot;
    use crate::fleet::view::{Served, Standing};
    use crate::fleet::written::Written;
    use std::rc::Rc;
    use std::time::{Duration, UNIX_EPOCH};

    fn standing(target: &str, age: Option<u64>, calls: u32) -> Standing {
        Standing {
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
        }
    }

    fn written(query: &str) -> String {
        let config = Config::from_lookup(|name| match name {
            "AWS_ACCESS_KEY_ID" => Some("AKIDEXAMPLE".into()),
            "AWS_SECRET_ACCESS_KEY" => Some("hush-hush".into()),
            "AWS_REGION" => Some("eu-west-1".into()),
            _ => None,
        });
        let config = config.unwrap();
        let request = Request {
            query: Some(query.into()),
            ..Request::default()
        };
        let question = Question::read(&request, Route::Metrics, &config).unwrap();
        let served = Served {
            modified_at: UNIX_EPOCH,
            snapshot: Rc::new(Snapshot {
                account: None,
                kept: Vec::new(),
                generated_at: UNIX_EPOCH,
                clusters: Vec::new(),
                failures: Vec::new(),
            }),
            age: Duration::ZERO,
            standings: vec![
                standing("dublin", Some(3), 40),
                standing("partner", None, 9),
            ],
        };
        let written = Written::default();
        let view = View::new(&served, &question, &config, &written, String::new()).unwrap();
        String::from_utf8(answer(&view).unwrap().body.to_vec()).unwrap()
    }

    #[test]
    fn it_says_how_it_stands_with_each_target() {
        let expected = r#"# HELP ecs_status_up Whether anything of the target is shown.
# TYPE ecs_status_up gauge
ecs_status_up{target="dublin",region="eu-west-1"} 1
ecs_status_up{target="partner",region="eu-west-1"} 0
# HELP ecs_status_snapshot_age_seconds How old the newest snapshot of the target is.
# TYPE ecs_status_snapshot_age_seconds gauge
ecs_status_snapshot_age_seconds{target="dublin",region="eu-west-1"} 3
# HELP ecs_status_complete Whether all of the target could be read.
# TYPE ecs_status_complete gauge
ecs_status_complete{target="dublin",region="eu-west-1"} 1
ecs_status_complete{target="partner",region="eu-west-1"} 0
# HELP ecs_status_aws_calls_total Requests sent to AWS, retries included.
# TYPE ecs_status_aws_calls_total counter
ecs_status_aws_calls_total{target="dublin",region="eu-west-1"} 40
ecs_status_aws_calls_total{target="partner",region="eu-west-1"} 9
# HELP ecs_status_aws_errors_total Requests to AWS that came to nothing.
# TYPE ecs_status_aws_errors_total counter
ecs_status_aws_errors_total{target="dublin",region="eu-west-1"} 4
ecs_status_aws_errors_total{target="partner",region="eu-west-1"} 4
# HELP ecs_status_aws_throttles_total Answers of AWS that asked for fewer requests.
# TYPE ecs_status_aws_throttles_total counter
ecs_status_aws_throttles_total{target="dublin",region="eu-west-1"} 2
ecs_status_aws_throttles_total{target="partner",region="eu-west-1"} 2
# HELP ecs_status_aws_retries_total Requests sent to AWS again.
# TYPE ecs_status_aws_retries_total counter
ecs_status_aws_retries_total{target="dublin",region="eu-west-1"} 3
ecs_status_aws_retries_total{target="partner",region="eu-west-1"} 3
"#;
        assert_eq!(written(""), expected);
    }

    #[test]
    fn targets_that_are_not_asked_for_are_left_out() {
        let text = written("target=partner");
        assert!(text.contains("ecs_status_up{target=\"partner\",region=\"eu-west-1\"} 0\n"));
        assert!(
            !text.contains("dublin") && !text.contains("snapshot_age"),
            "{text}"
        );
        assert_eq!(written("region=nowhere"), "");
    }

    #[test]
    fn names_are_as_the_linter_wants_them() {
        for (key, name) in [
            ("owner", "owner"),
            ("costCentre", "cost_centre"),
            ("Cost Centre", "cost_centre"),
            ("aws:ecs:serviceName", "aws_ecs_service_name"),
            ("URL", "url"),
            ("☃", "_"),
        ] {
            assert_eq!(snake_case(key), name, "{key}");
        }
    }
}
