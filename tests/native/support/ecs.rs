//! ECS in memory: the four operations that read a fleet, and the faults that tests ask for.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Request;
use serde_json::{Value, json};

use super::{Fake, Reply, Sent, error, ok, response};

pub const ACCOUNT: &str = "123456789012";

/// Clusters by name, each with the names of its services, and the faults of this ECS.
#[derive(Clone, Debug, Default)]
pub struct Ecs {
    pub clusters: BTreeMap<String, Vec<String>>,
    /// Members of the description of a service, by cluster and service.
    pub described: BTreeMap<(String, String), Value>,
    /// Names of clusters where they differ from those in their ARNs.
    pub shown_names: BTreeMap<String, String>,
    /// The default capacity provider of clusters by name.
    pub providers: BTreeMap<String, String>,
    /// The longest page, where it is shorter than requested.
    pub page: Option<usize>,
    /// An error code by operation and cluster; the cluster `""` stands for calls without one.
    pub errors: BTreeMap<(String, String), &'static str>,
    /// The number of calls so far, by operation.
    pub calls: BTreeMap<String, usize>,
    /// Services that are listed and MISSING.
    pub vanished: Vec<String>,
    /// Services that are listed and then omitted.
    pub omitted: Vec<String>,
    /// Services that are described twice, in place of the service requested after them.
    pub doubled: Vec<String>,
    /// Services with an ARN of before 2018: tags are refused for a batch that holds one.
    pub short: Vec<String>,
    /// Tags are refused for any service.
    pub refuses_tags: bool,
    /// Clusters of which the policy allows nothing.
    pub denied: Vec<String>,
    /// Services that the policy does not allow to be described: a batch that holds one is denied.
    pub denied_services: Vec<String>,
    /// Denials name the resource, as those of AWS do.
    pub names_denied: bool,
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

    /// Two clusters of one service each, of which the second may not be listed.
    pub fn partly_denied() -> Self {
        Self::uniform(2, 1).failing("ListServices", "cluster-0001", "AccessDeniedException")
    }

    /// Clusters of these names, with services that are described as [`service`] describes them. A
    /// cluster's name may hold anything; a service's name holds no slash, which would end it in its
    /// ARN.
    pub fn holding(clusters: Vec<(&str, Vec<Value>)>) -> Self {
        let mut ecs = Self::default();
        for (index, (name, services)) in clusters.into_iter().enumerate() {
            let key = format!("c{index}");
            ecs.shown_names.insert(key.clone(), name.to_owned());
            let names = ecs.clusters.entry(key.clone()).or_default();
            for service in services {
                let name = service["serviceName"].as_str().unwrap().to_owned();
                names.push(name.clone());
                ecs.described.insert((key.clone(), name), service);
            }
        }
        ecs
    }

    /// The same with this error for calls of an operation to a cluster, or to none (`""`).
    pub fn failing(mut self, operation: &str, cluster: &str, code: &'static str) -> Self {
        self.fail(operation, cluster, code);
        self
    }

    /// From now on, calls of an operation to a cluster, or to none (`""`), fail.
    pub fn fail(&mut self, operation: &str, cluster: &str, code: &'static str) {
        let key = (operation.to_owned(), cluster.to_owned());
        self.errors.insert(key, code);
    }

    /// A platform that this ECS serves without latency.
    pub fn platform(mut self) -> Fake {
        Fake::new(move |request| Reply {
            after: Duration::ZERO,
            sent: self.respond(request),
        })
    }

    /// The number of calls that this fleet needs, by operation: the formula of the design.
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

    /// The response to one call.
    pub fn respond(&mut self, request: &Request<Vec<u8>>) -> Sent {
        let target = request.headers()["x-amz-target"].to_str().unwrap();
        let operation = target.split('.').nth(1).unwrap().to_owned();
        let input: Value = serde_json::from_slice(request.body()).unwrap();
        *self.calls.entry(operation.clone()).or_default() += 1;
        let cluster = input["cluster"].as_str().map(name).unwrap_or_default();
        if let Some(code) = self.errors.get(&(operation.clone(), cluster.to_owned())) {
            return error(400, code);
        }
        let is_known = |cluster: &str| cluster.is_empty() || self.clusters.contains_key(cluster);
        if !is_known(cluster) {
            return error(400, "ClusterNotFoundException");
        }
        let is_denied = |name: &str| self.denied.iter().any(|denied| denied == name);
        let mut clusters = input["clusters"].as_array().into_iter().flatten();
        if is_denied(cluster) {
            return error(400, "AccessDeniedException");
        }
        if let Some(arn) = clusters.find(|arn| is_denied(name(arn.as_str().unwrap()))) {
            return self.deny(&operation, arn);
        }
        let mut batch = input["services"].as_array().into_iter().flatten();
        let is_denied = |arn: &&Value| {
            let name = name(arn.as_str().unwrap());
            self.denied_services.iter().any(|denied| denied == name)
        };
        if let Some(arn) = batch.clone().find(is_denied) {
            return self.deny(&operation, arn);
        }
        let is_short = |arn: &Value| {
            self.short
                .iter()
                .any(|short| short == name(arn.as_str().unwrap()))
        };
        let wants_tags = operation == "DescribeServices" && input["include"].is_array();
        if wants_tags && (self.refuses_tags || batch.any(is_short)) {
            return error(400, "InvalidParameterException");
        }
        ok(&match operation.as_str() {
            "ListClusters" => {
                let names = self.clusters.keys();
                let arns: Vec<_> = names.map(|name| arn("cluster", name)).collect();
                self.page(&input, &arns, "clusterArns")
            }
            "ListServices" => {
                let services = self.clusters[cluster].iter();
                let arn = |service: &String| {
                    if self.short.contains(service) {
                        arn("service", service)
                    } else {
                        arn("service", &format!("{cluster}/{service}"))
                    }
                };
                let arns: Vec<_> = services.map(arn).collect();
                self.page(&input, &arns, "serviceArns")
            }
            "DescribeClusters" => self.describe_clusters(&input),
            _ => self.describe_services(&input),
        }
        .to_string())
    }

    /// The denial of an operation because of a resource.
    fn deny(&self, operation: &str, arn: &Value) -> Sent {
        let resource = if self.names_denied {
            arn.as_str().unwrap()
        } else {
            "*"
        };
        let message = format!(
            "User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: \
             ecs:{operation} on resource: {resource} with an explicit deny in an identity-based policy"
        );
        let body = json!({"__type": "AccessDeniedException", "message": message});
        response(400, &[], &body.to_string())
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

    fn describe_clusters(&self, input: &Value) -> Value {
        let describe = |arn| {
            let name = name(arn);
            let shown = self.shown_names.get(name).map_or(name, String::as_str);
            let strategy = self.providers.get(name);
            let strategy = strategy.map(|provider| json!([{"capacityProvider": provider}]));
            json!({
                "clusterArn": arn, "clusterName": shown, "status": "ACTIVE",
                "defaultCapacityProviderStrategy": strategy,
            })
        };
        let clusters: Vec<_> = strings(&input["clusters"]).map(describe).collect();
        assert!((1..=100).contains(&clusters.len()));
        json!({"clusters": clusters, "failures": []})
    }

    fn describe_services(&self, input: &Value) -> Value {
        let cluster = name(input["cluster"].as_str().unwrap());
        let requested: Vec<_> = strings(&input["services"]).collect();
        assert!((1..=10).contains(&requested.len()));
        let is = |names: &[String], arn: &str| names.iter().any(|n| n == name(arn));
        let mut described = requested.clone();
        for index in 1..described.len() {
            if is(&self.doubled, requested[index - 1]) {
                described[index] = requested[index - 1];
            }
        }
        let known = &self.clusters[cluster];
        let is_missing = |arn: &str| is(&self.vanished, arn) || !is(known, arn);
        let services: Vec<_> = described
            .iter()
            .filter(|arn| !is_missing(arn) && !is(&self.omitted, arn))
            .map(|arn| {
                let key = (cluster.to_owned(), name(arn).to_owned());
                let mut described = self.described.get(&key).cloned();
                let described = described
                    .get_or_insert_with(|| service(name(arn), [1, 1, 0], "COMPLETED", &[]));
                described["serviceArn"] = (*arn).into();
                described.take()
            })
            .collect();
        let failures: Vec<_> = requested
            .iter()
            .filter(|arn| is_missing(arn))
            .map(|arn| json!({"arn": arn, "reason": "MISSING"}))
            .collect();
        json!({"services": services, "failures": failures})
    }
}

/// The description of a service on Fargate with these counts: desired, running, pending.
pub fn service(name: &str, counts: [u32; 3], rollout: &str, tags: &[(&str, &str)]) -> Value {
    let [desired, running, pending] = counts;
    let tag = |(key, value): &(&str, &str)| json!({"key": key, "value": value});
    json!({
        "serviceName": name, "status": "ACTIVE", "launchType": "FARGATE",
        "desiredCount": desired, "runningCount": running, "pendingCount": pending,
        "tags": tags.iter().map(tag).collect::<Vec<_>>(),
        "deployments": [{"status": "PRIMARY", "rolloutState": rollout}],
        "events": [{"id": "1", "message": "has reached a steady state"}],
    })
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
