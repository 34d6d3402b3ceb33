//! Operations of ECS that read a fleet (Amazon ECS API Reference, JSON 1.1).

use serde_json::{Value, json};

use crate::fleet::Fleet;

pub const OPERATIONS: [&str; 4] = [
    "ListClusters",
    "DescribeClusters",
    "ListServices",
    "DescribeServices",
];

/// A refused request: the status and the code of the error.
pub struct Refused(pub u16, pub &'static str);

const INVALID: Refused = Refused(400, "InvalidParameterException");

/// Responds to one call, without latency and faults.
///
/// # Errors
/// The error with which ECS refuses the call.
pub fn respond(fleet: &Fleet, operation: &str, input: &[u8]) -> Result<Vec<u8>, Refused> {
    let input: Value =
        serde_json::from_slice(input).map_err(|_| Refused(400, "SerializationException"))?;
    match operation {
        "ListClusters" => {
            let arns: Vec<&str> = fleet.clusters.iter().map(|c| c.arn.as_str()).collect();
            page("clusterArns", &arns, &input, 100)
        }
        "DescribeClusters" => {
            let of = |name: &str| {
                let mut found = fleet.clusters.iter();
                found.find(|cluster| name_of(&cluster.arn) == name)
            };
            let rendered = |name: &str| of(name).map(|cluster| cluster.description.as_slice());
            describe("clusters", &input, 100, rendered)
        }
        "ListServices" => {
            let name = input["cluster"].as_str().map(name_of);
            let mut clusters = fleet.clusters.iter();
            let cluster = clusters
                .find(|cluster| Some(name_of(&cluster.arn)) == name)
                .ok_or(Refused(400, "ClusterNotFoundException"))?;
            page("serviceArns", &cluster.services, &input, 10)
        }
        "DescribeServices" => describe("services", &input, 10, |name| {
            fleet.services.get(name).map(Vec::as_slice)
        }),
        _ => Err(Refused(400, "UnknownOperationException")),
    }
}

fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn page<S: AsRef<str>>(
    member: &str,
    arns: &[S],
    input: &Value,
    default: u64,
) -> Result<Vec<u8>, Refused> {
    let size = input["maxResults"].as_u64().unwrap_or(default);
    let size = usize::try_from(size).map_err(|_| INVALID)?;
    let start = match &input["nextToken"] {
        Value::Null => 0,
        token => token
            .as_str()
            .and_then(|token| token.parse().ok())
            .ok_or(INVALID)?,
    };
    if !(1..=100).contains(&size) || start > arns.len() {
        return Err(INVALID);
    }
    let end = arns.len().min(start + size);
    let found: Vec<&str> = arns[start..end].iter().map(AsRef::as_ref).collect();
    let mut body = json!({ member: found });
    if end < arns.len() {
        body["nextToken"] = end.to_string().into();
    }
    Ok(body.to_string().into_bytes())
}

fn describe<'a>(
    member: &str,
    input: &Value,
    most: usize,
    rendered: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Vec<u8>, Refused> {
    let requested = input[member].as_array().ok_or(INVALID)?;
    if !(1..=most).contains(&requested.len()) {
        return Err(INVALID);
    }
    let requested: Vec<&str> = requested.iter().filter_map(Value::as_str).collect();
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for arn in requested {
        match rendered(name_of(arn)) {
            Some(bytes) => found.push(bytes),
            None => missing.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    let mut body = format!("{{\"{member}\":[").into_bytes();
    body.extend(found.join(&b","[..]));
    body.extend(format!("],\"failures\":{}}}", Value::from(missing)).into_bytes());
    Ok(body)
}
