//! Names and tags as AWS may send them, in every format. The input is a letter that names the format,
//! and texts with `0xff` between them: a cluster, then services: a name, a rollout state, and two
//! tags with their values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ecs_status::config::Config;
use ecs_status::fleet::model::snapshot::{Cluster, Service};
use ecs_status::fleet::model::tags::Tags;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::fleet::{Fixed, api, cluster, config, get, respond, service};
use super::support::model::snapshot;
use super::support::read::{read_metrics, read_tags, read_xml};
use super::support::start;

/// The number of texts of a service.
const TEXTS: usize = 6;
/// The largest number of services.
const MAX_SERVICES: usize = 3;
const SVG: [&str; 10] = [
    "svg", "title", "clipPath", "rect", "g", "rect", "rect", "g", "text", "text",
];

thread_local! {
    static CONFIG: Config = config(&[]);
}

/// Every format preserves its values, and no value breaks out of it.
pub fn check(data: &[u8]) {
    let Some((format, data)) = data.split_first() else {
        return;
    };
    let texts = data
        .split(|&byte| byte == 0xff)
        .take(1 + MAX_SERVICES * TEXTS);
    let texts: Vec<_> = texts.map(String::from_utf8_lossy).collect();
    let Some((name, texts)) = texts.split_first() else {
        return;
    };
    let services = texts.chunks(TEXTS).map(read_service).collect();
    let cluster = cluster(name, "default", "us-east-1", services);
    let snapshot = snapshot(start(), vec![cluster.clone()]);
    let api = api(CONFIG.with(Clone::clone), Fixed(vec![snapshot]));
    let body = |path: &str, query: Option<&str>| {
        let response = respond(&api, &get(path, query));
        assert_eq!(response.status(), 200);
        String::from_utf8(response.body().to_vec()).expect("a response is UTF-8")
    };
    match format {
        b'j' => json(&body("/list", None), &cluster),
        b't' => table(&body("/list", Some("format=text")), &cluster),
        b'c' => records(&body("/list", Some("format=csv")), &cluster),
        b'm' => metrics(&body("/metrics", None), &cluster),
        _ => {
            let wanted = cluster.services.first().map_or("", |s| &s.service_name);
            let wanted = utf8_percent_encode(wanted, NON_ALPHANUMERIC);
            badge(&body("/badge.svg", Some(&format!("service={wanted}"))));
            badge(&body("/badge.svg", Some("show=version")));
        }
    }
}

fn read_service(texts: &[Cow<'_, str>]) -> Service {
    let text = |index: usize| {
        texts
            .get(index)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let tags = [2, 4].map(|index| (text(index), text(index + 1)));
    let tags: Tags = tags
        .into_iter()
        .filter(|(key, _)| !key.is_empty())
        .collect();
    Service {
        task_definition: Some(text(1)),
        ..service(&text(0), [2, 1, 0], Some(&text(1)), tags)
    }
}

fn json(report: &str, cluster: &Cluster) {
    let report: Value = serde_json::from_str(report).expect("JSON is JSON");
    let services = cluster.services.iter();
    let expected = services.map(|service| {
        json!({
            "serviceName": service.service_name, "status": "ACTIVE", "state": "short",
            "reason": null, "taskDefinition": service.task_definition, "deployedAt": null,
            "deployments": [],
            "capacityProviders": service.capacity_providers, "tags": service.tags,
            "rolloutState": service.rollout_state, "desiredCount": service.desired_count,
            "runningCount": service.running_count, "pendingCount": service.pending_count,
        })
    });
    let expected = Value::Array(expected.collect());
    let cluster_report = &report["clusters"][0];
    if cluster.services.is_empty() {
        assert_eq!(cluster_report, &Value::Null);
    } else {
        assert_eq!(cluster_report["clusterName"], cluster.cluster_name.as_str());
        assert_eq!(cluster_report["services"], expected);
    }
}

/// The table has a line for each service between the header and the totals, and no control character.
fn table(table: &str, cluster: &Cluster) {
    assert_eq!(table.matches('\n').count(), cluster.services.len() + 3);
    assert!(
        !table.chars().any(|c| c.is_control() && c != '\n'),
        "{table:?}"
    );
    assert!(
        !table.contains(['\u{202e}', '\u{2028}', '\u{feff}']),
        "{table:?}"
    );
}

fn records(csv: &str, cluster: &Cluster) {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(csv.as_bytes());
    let records = reader.records().map(|record| record.expect("CSV is CSV"));
    let records: Vec<_> = records.collect();
    assert_eq!(records.len(), cluster.services.len() + 1);
    for (record, service) in records.iter().skip(1).zip(&cluster.services) {
        for cell in record {
            let start = cell.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
            assert!(!start.starts_with(['=', '+', '-', '@']), "{cell}");
            assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell}");
        }
        let is = |cell: &str, value: &str| cell == value || cell.strip_prefix('\'') == Some(value);
        assert!(is(&record[2], &cluster.cluster_name));
        assert!(is(&record[3], &service.service_name));
        assert!(is(
            &record[7],
            service.rollout_state.as_deref().unwrap_or_default()
        ));
        let definition = &record[record.len() - 2];
        assert!(is(
            definition,
            service.task_definition.as_deref().unwrap_or_default()
        ));
        let tags = &record[11];
        let guarded = tags.strip_prefix('\'').unwrap_or(tags);
        let read = |tags| -> Tags { read_tags(tags).into_iter().collect() };
        assert!(read(tags) == service.tags || read(guarded) == service.tags);
    }
}

fn metrics(text: &str, cluster: &Cluster) {
    let samples = read_metrics(text);
    let of = |family: &'static str| samples.iter().filter(move |(name, ..)| name == family);
    assert_eq!(
        of("ecs_service_running_tasks").count(),
        cluster.services.len()
    );
    for ((_, labels, value), service) in of("ecs_service_info").zip(&cluster.services) {
        assert_eq!(*value, 1);
        assert_eq!(labels["cluster"], cluster.cluster_name);
        assert_eq!(labels["service"], service.service_name);
        assert_eq!(
            Some(&labels["rollout_state"]),
            service.rollout_state.as_ref()
        );
        assert_eq!(
            Some(&labels["task_definition"]),
            service.task_definition.as_ref()
        );
        assert_eq!(
            tags_in(labels),
            sorted(service.tags.iter().map(|(_, value)| value))
        );
    }
}

fn tags_in(labels: &BTreeMap<String, String>) -> Vec<&str> {
    let tags = labels.iter().filter(|(name, _)| name.starts_with("tag_"));
    sorted(tags.map(|(_, value)| value.as_str()))
}

fn sorted<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values
}

fn badge(svg: &str) {
    let (elements, _) = read_xml(svg);
    assert_eq!(elements, SVG);
    assert!(!svg.chars().any(|c| c.is_control() && c != '\n'), "{svg}");
}
