//! Whole sweeps. The input is lines: a byte that selects one of the calls in flight, and its response:
//! `{…}` is a body; `400 …` an error and its body; `-` no response; `~` a call that could not be made;
//! an empty line a response without a fault.

mod contract;
mod tally;

use std::cell::RefCell;

use ecs_status::aws::ecs::{
    Cluster, DescribeClusters, DescribeClustersOutput, DescribeServices, DescribeServicesOutput,
    ListClusters, ListClustersOutput, ListServices, ListServicesOutput, Service, Tag,
};
use ecs_status::aws::error::{Error, ServiceError};
use ecs_status::aws::protocol::{CodecError, Operation};
use ecs_status::fleet::model::redact::Redactor;
use ecs_status::fleet::refresh::encoding::{decode, encode};
use ecs_status::fleet::sweep::{Call, Sweep};
use ecs_status::platform::SendError;

use super::support::rollouts::as_of;
use super::support::start;
use tally::Tally;

/// The number of calls that the driver has in flight.
const CONCURRENCY: usize = 6;
const SECRETS: [&str; 2] = ["AKIDEXAMPLEEXAMPLE", "hush-hush-hush-hush"];

/// A sweep ends after as many calls as it finds resources, none of them twice; its report fits the
/// contract; and a report without failures is complete.
pub fn check(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let mut sweep = Sweep::new("default", "us-east-1");
    let (mut in_flight, mut tally) = (Vec::new(), Tally::default());
    // A list's entry takes at least three bytes. It makes its descriptions due, which are split in two
    // where they are denied, and a cluster makes a list due as well.
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
            sweep.requeue(call);
            continue;
        }
        tally.call(&call);
        assert!(tally.calls() <= most, "{} calls", tally.calls());
        respond(&mut sweep, &mut tally, call, line);
        let progress = sweep.progress();
        assert!(progress.described <= progress.services);
    }
    assert!(sweep.is_done());
    let secrets = SECRETS.map(str::to_owned);
    if let Ok(snapshot) = sweep.finish(as_of(start()), Redactor::new(secrets, None)) {
        contract::check(&snapshot);
        tally.check(&snapshot);
    }
}

/// The sweep after it was stored and loaded.
fn reread(sweep: Sweep) -> Sweep {
    let stored = encode("", &RefCell::new(sweep)).expect("it can be encoded");
    let read: RefCell<Sweep> = decode(&stored, None).expect("it was encoded");
    read.into_inner()
}

/// Hands the response in `line` to a call to the sweep and its tally.
fn respond(sweep: &mut Sweep, tally: &mut Tally, call: Call, line: &[u8]) {
    match call {
        Call::ListClusters { .. } => {
            let nothing = || ListClustersOutput {
                cluster_arns: Vec::new(),
                next_token: None,
                is_partial: false,
            };
            let response = response(line, ListClusters::decode, nothing);
            tally.on_list_clusters(&response);
            sweep.on_list_clusters(response);
        }
        Call::DescribeClusters { clusters } => {
            let described = || DescribeClustersOutput {
                clusters: clusters.iter().map(|arn| cluster(arn)).collect(),
                failures: Vec::new(),
            };
            let response = response(line, DescribeClusters::decode, described);
            tally.on_describe_clusters(&response);
            sweep.on_describe_clusters(clusters, response);
        }
        Call::ListServices { cluster, .. } => {
            let one = || ListServicesOutput {
                service_arns: vec![format!("{cluster}/one")],
                next_token: None,
                is_partial: false,
            };
            let response = response(line, ListServices::decode, one);
            tally.on_list_services(&cluster, &response);
            sweep.on_list_services(cluster, response);
        }
        Call::DescribeServices {
            cluster,
            services,
            with_tags,
        } => {
            let described = || DescribeServicesOutput {
                services: services.iter().map(|arn| service(arn)).collect(),
                failures: Vec::new(),
            };
            let response = response(line, DescribeServices::decode, described);
            tally.on_describe_services(&cluster, &response);
            sweep.on_describe_services(cluster, services, with_tags, response);
        }
    }
}

fn response<T>(
    line: &[u8],
    decode: fn(&[u8]) -> Result<T, CodecError>,
    without_fault: impl FnOnce() -> T,
) -> Result<T, Error> {
    match line {
        b"" => Ok(without_fault()),
        b"-" => Err(Error::Send(SendError::TimedOut)),
        [b'{', ..] => decode(line).map_err(Error::Decode),
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
