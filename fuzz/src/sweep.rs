//! Whole sweeps. The input is lines: a byte that tells which of the calls in flight is answered, and
//! its answer: `{…}` is a body; `400 …` an error and its body; `-` no answer; `~` a call that could
//! not be made; nothing at all what ECS says if all is well.

mod contract;
mod tally;

use std::cell::RefCell;

use ecs_status::aws::ecs::{
    Cluster, DescribeClustersOutput, DescribeServicesOutput, ListClustersOutput,
    ListServicesOutput, Service, Tag,
};
use ecs_status::aws::error::{Error, ServiceError};
use ecs_status::aws::operation::{EcsOperation, Operation};
use ecs_status::aws::platform::SendError;
use ecs_status::fleet::stored::{decode, encode};
use ecs_status::fleet::sweep::{Call, Outcome, Sweep};
use ecs_status::fleet::withhold::Withhold;

use super::support::start;
use tally::Tally;

/// As many as the driver keeps in flight.
const CONCURRENCY: usize = 6;
const SECRETS: [&str; 2] = ["AKIDEXAMPLE", "hush-hush"];

/// A sweep ends after as many calls as it finds things to ask for, none of them twice; what it
/// reports fits the contract; and if it says that it is complete, it is.
pub fn check(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let mut sweep = Sweep::new("default", "us-east-1");
    let (mut in_flight, mut tally) = (Vec::new(), Tally::default());
    // A list's entry takes at least three bytes, and makes three calls due at most.
    let most = 8 + 2 * data.len();
    loop {
        if in_flight.is_empty() {
            sweep = reread(sweep);
        }
        while in_flight.len() < CONCURRENCY
            && let Some(call) = sweep.next_call()
        {
            in_flight.push(call);
        }
        if in_flight.is_empty() {
            break;
        }
        let (which, line) = lines
            .next()
            .and_then(<[u8]>::split_first)
            .unwrap_or((&0, b""));
        let call = in_flight.remove(usize::from(*which) % in_flight.len());
        if line == b"~" {
            sweep.put_back(call);
            continue;
        }
        tally.ask(&call);
        assert!(tally.calls() <= most, "{} calls", tally.calls());
        let outcome = outcome(call, line);
        tally.take(&outcome);
        sweep.take(outcome);
        let extent = sweep.extent();
        assert!(extent.described <= extent.services);
    }
    assert!(sweep.is_done());
    let secrets = SECRETS.map(str::to_owned);
    if let Ok(snapshot) = sweep.finish(start(), Withhold::new(secrets, None)) {
        contract::check(&snapshot);
        tally.check(&snapshot);
    }
}

/// As it is after it was stored.
fn reread(sweep: Sweep) -> Sweep {
    let stored = encode("", &RefCell::new(sweep)).expect("it can be written");
    let read: RefCell<Sweep> = decode(&stored, None).expect("it was written");
    read.into_inner()
}

fn outcome(call: Call, line: &[u8]) -> Outcome {
    match call {
        Call::ListClusters(call) => {
            let nothing = || ListClustersOutput {
                cluster_arns: Vec::new(),
                next_token: None,
            };
            let answer = answer(&call, line, nothing);
            Outcome::ListClusters(call, answer)
        }
        Call::DescribeClusters(call) => {
            let described = || DescribeClustersOutput {
                clusters: call.clusters.iter().map(|arn| cluster(arn)).collect(),
                failures: Vec::new(),
            };
            let answer = answer(&call, line, described);
            Outcome::DescribeClusters(call, answer)
        }
        Call::ListServices(call) => {
            let one = || ListServicesOutput {
                service_arns: vec![format!("{}/one", call.cluster)],
                next_token: None,
            };
            let answer = answer(&call, line, one);
            Outcome::ListServices(call, answer)
        }
        Call::DescribeServices(call) => {
            let described = || DescribeServicesOutput {
                services: call.services.iter().map(|arn| service(arn)).collect(),
                failures: Vec::new(),
            };
            let answer = answer(&call, line, described);
            Outcome::DescribeServices(call, answer)
        }
    }
}

fn answer<O: EcsOperation>(
    _call: &O,
    line: &[u8],
    well: impl FnOnce() -> O::Output,
) -> Result<O::Output, Error> {
    match line {
        b"" => Ok(well()),
        b"-" => Err(Error::Send(SendError::TimedOut)),
        [b'{', ..] => O::decode(line).map_err(Error::Unreadable),
        _ => {
            let (status, body) = line.split_at_checked(4).unwrap_or((b"400 ", b""));
            let mut response = http::Response::new(body.to_vec());
            let status = http::StatusCode::from_bytes(status.trim_ascii_end());
            *response.status_mut() = status.unwrap_or(http::StatusCode::BAD_REQUEST);
            Err(Error::Service(ServiceError::from_response(&response)))
        }
    }
}

fn name_of(arn: &str) -> String {
    arn[arn.rfind('/').map_or(0, |slash| slash + 1)..].to_owned()
}

fn cluster(arn: &str) -> Cluster {
    Cluster {
        cluster_arn: Some(arn.to_owned()),
        cluster_name: Some(name_of(arn)),
        status: Some("ACTIVE".to_owned()),
        ..Cluster::default()
    }
}

fn service(arn: &str) -> Service {
    Service {
        service_name: Some(name_of(arn)),
        status: Some("ACTIVE".to_owned()),
        launch_type: Some("FARGATE".to_owned()),
        desired_count: Some(1),
        running_count: Some(1),
        pending_count: Some(0),
        tags: vec![Tag {
            key: Some("aws:cloudformation:stack-id".to_owned()),
            value: Some(arn.to_owned()),
        }],
        ..Service::default()
    }
}
