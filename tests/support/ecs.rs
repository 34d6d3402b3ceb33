//! An ECS in memory, as small as the sweep's tests need it.

use std::collections::BTreeMap;

use http::Request;
use serde_json::{Value, json};

use super::{Sent, error, ok};

pub const ACCOUNT: &str = "123456789012";

/// Clusters by name, each with its services' names, and what goes wrong.
#[derive(Clone, Debug, Default)]
pub struct Ecs {
    pub clusters: BTreeMap<String, Vec<String>>,
    /// The longest page, where it is shorter than what is asked for.
    pub page: Option<usize>,
    /// An error code by operation and cluster; the cluster `""` stands for calls without one.
    pub errors: BTreeMap<(String, String), &'static str>,
    /// Calls so far, by operation.
    pub calls: BTreeMap<String, usize>,
    /// Services that are listed and MISSING.
    pub vanished: Vec<String>,
    /// Services that are listed and then forgotten.
    pub forgotten: Vec<String>,
    /// Services that are described twice, instead of the one that is asked for after them.
    pub doubled: Vec<String>,
    /// Services with an ARN of before 2018: tags are refused for a batch that holds one.
    pub short: Vec<String>,
    /// Tags are refused for any service.
    pub refuses_tags: bool,
    /// Clusters of which the policy allows nothing.
    pub denied: Vec<String>,
    /// Lists never end: their token leads back to the start.
    pub repeats: bool,
}

impl Ecs {
    /// `clusters` clusters of `services` services each.
    pub fn uniform(clusters: usize, services: usize) -> Self {
        let names = |prefix: &str, n| {
            (0..n)
                .map(|i| format!("{prefix}-{i:04}"))
                .collect::<Vec<_>>()
        };
        Self {
            clusters: names("cluster", clusters)
                .into_iter()
                .map(|cluster| (cluster, names("service", services)))
                .collect(),
            ..Self::default()
        }
    }

    /// The calls that this fleet needs: the formula of the design.
    pub fn needed(&self) -> BTreeMap<String, usize> {
        let pages = |n: usize| n.div_ceil(self.page.unwrap_or(100).min(100)).max(1);
        let sizes = || self.clusters.values().map(Vec::len);
        BTreeMap::from([
            ("ListClusters".into(), pages(self.clusters.len())),
            ("DescribeClusters".into(), self.clusters.len().div_ceil(100)),
            ("ListServices".into(), sizes().map(pages).sum()),
            (
                "DescribeServices".into(),
                sizes().map(|n| n.div_ceil(10)).sum(),
            ),
        ])
        .into_iter()
        .filter(|(_, calls)| *calls > 0)
        .collect()
    }

    pub fn answer(&mut self, request: &Request<Vec<u8>>) -> Sent {
        let target = request.headers()["x-amz-target"].to_str().unwrap();
        let operation = target.split('.').nth(1).unwrap().to_owned();
        let input: Value = serde_json::from_slice(request.body()).unwrap();
        *self.calls.entry(operation.clone()).or_default() += 1;
        let cluster = input["cluster"].as_str().map(name).unwrap_or_default();
        if let Some(code) = self.errors.get(&(operation.clone(), cluster.to_owned())) {
            return error(400, code);
        }
        let is_denied = |name: &str| self.denied.iter().any(|denied| denied == name);
        let asked = input["clusters"].as_array().into_iter().flatten();
        if is_denied(cluster)
            || asked
                .into_iter()
                .any(|arn| is_denied(name(arn.as_str().unwrap())))
        {
            return error(400, "AccessDeniedException");
        }
        let mut batch = input["services"].as_array().into_iter().flatten();
        let is_short = |arn: &Value| {
            self.short
                .iter()
                .any(|short| short == name(arn.as_str().unwrap()))
        };
        let asks_for_tags = operation == "DescribeServices" && input["include"].is_array();
        if asks_for_tags && (self.refuses_tags || batch.any(is_short)) {
            return error(400, "InvalidParameterException");
        }
        ok(&match operation.as_str() {
            "ListClusters" => {
                let arns: Vec<_> = self
                    .clusters
                    .keys()
                    .map(|name| arn("cluster", name))
                    .collect();
                self.page(&input, &arns, "clusterArns")
            }
            "ListServices" => {
                let arns: Vec<_> = self.clusters[cluster]
                    .iter()
                    .map(|service| {
                        if self.short.contains(service) {
                            arn("service", service)
                        } else {
                            arn("service", &format!("{cluster}/{service}"))
                        }
                    })
                    .collect();
                self.page(&input, &arns, "serviceArns")
            }
            "DescribeClusters" => describe_clusters(&input),
            _ => self.describe_services(&input),
        }
        .to_string())
    }

    fn page(&self, input: &Value, arns: &[String], key: &str) -> Value {
        let size = usize::try_from(input["maxResults"].as_u64().unwrap()).unwrap();
        let size = size.min(self.page.unwrap_or(size));
        let start: usize = input["nextToken"]
            .as_str()
            .map_or(0, |token| token.parse().unwrap());
        let end = (start + size).min(arns.len());
        let next = match (self.repeats, end < arns.len()) {
            (true, _) => Some("0".to_owned()),
            (false, more) => more.then(|| end.to_string()),
        };
        json!({key: arns[start..end], "nextToken": next})
    }

    fn describe_services(&self, input: &Value) -> Value {
        let asked: Vec<_> = strings(&input["services"]).collect();
        assert!((1..=10).contains(&asked.len()));
        let mut described = asked.clone();
        for index in 1..described.len() {
            if self
                .doubled
                .iter()
                .any(|double| double == name(asked[index - 1]))
            {
                described[index] = asked[index - 1];
            }
        }
        let is = |names: &[String], arn: &str| names.iter().any(|n| n == name(arn));
        let services: Vec<_> = described
            .iter()
            .filter(|arn| !is(&self.vanished, arn) && !is(&self.forgotten, arn))
            .map(|arn| {
                json!({
                    "serviceArn": arn, "serviceName": name(arn), "status": "ACTIVE",
                    "launchType": "FARGATE", "desiredCount": 1, "runningCount": 1, "pendingCount": 0,
                    "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED"}],
                    "events": [{"id": "1", "message": "has reached a steady state"}],
                })
            })
            .collect();
        let failures: Vec<_> = asked
            .iter()
            .filter(|arn| is(&self.vanished, arn))
            .map(|arn| json!({"arn": arn, "reason": "MISSING"}))
            .collect();
        json!({"services": services, "failures": failures})
    }
}

fn describe_clusters(input: &Value) -> Value {
    let clusters: Vec<_> = strings(&input["clusters"])
        .map(|arn| json!({"clusterArn": arn, "clusterName": name(arn), "status": "ACTIVE"}))
        .collect();
    assert!((1..=100).contains(&clusters.len()));
    json!({"clusters": clusters, "failures": []})
}

fn arn(kind: &str, path: &str) -> String {
    format!("arn:aws:ecs:us-east-1:{ACCOUNT}:{kind}/{path}")
}

fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}

fn strings(array: &Value) -> impl Iterator<Item = &str> {
    array
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().unwrap())
}
