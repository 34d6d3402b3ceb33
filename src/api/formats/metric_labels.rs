//! Metric labels: their names and escaped values.

use std::collections::BTreeMap;

use crate::fleet::model::snapshot::{Cluster, Service, Snapshot};
use crate::order::{sort, sort_by};

/// The labels of a service.
pub(super) fn service_labels(cluster: &Cluster, service: &Service) -> String {
    let mut labels = location(&cluster.target, &cluster.region);
    label(&mut labels, "cluster", &cluster.cluster_name);
    label(&mut labels, "service", &service.service_name);
    labels
}

/// The labels of a target.
pub(super) fn location(target: &str, region: &str) -> String {
    let mut labels = String::new();
    label(&mut labels, "target", target);
    label(&mut labels, "region", region);
    labels
}

/// Appends a label, its value escaped.
pub(super) fn label(labels: &mut String, name: &str, value: &str) {
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

/// The label name of every tag key in the snapshot, independent of the filter. Keys that need no
/// change come first; of others that would become equal, all but the first get a number.
pub(super) fn tag_labels(snapshot: &Snapshot) -> BTreeMap<&str, String> {
    let clusters = snapshot.clusters.iter();
    let services = clusters.flat_map(|cluster| &cluster.services);
    let mut keys: Vec<&str> = services
        .flat_map(|service| service.tags.iter().map(|(key, _)| key))
        .collect();
    sort(&mut keys);
    keys.dedup();
    let is_changed = |key: &str| snake_case(key) != key;
    sort_by(&mut keys, |a, b| is_changed(a).cmp(&is_changed(b)));
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

/// `key` in lower case, with letters, digits and underscores only, as Prometheus' linter demands:
/// `costCentre` becomes `cost_centre`.
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

    #[test]
    fn label_names_satisfy_the_linter() {
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
