//! Load generator: `load URL CONNECTIONS SECONDS [HEADER: VALUE]...` requests a URL repeatedly on each
//! connection, and prints the number of responses as JSON. All must have the same status.

use std::collections::BTreeMap;
use std::env;
use std::io::{Error, Result};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use bench::http::Connection;
use serde_json::json;

struct Plan {
    address: String,
    request: String,
    connections: usize,
    time: Duration,
}

/// Responses by status.
type Counts = BTreeMap<String, Count>;

#[derive(Debug, Default)]
struct Count {
    responses: usize,
    /// The length of all bodies.
    bytes: usize,
}

impl Count {
    fn add(&mut self, more: &Self) {
        self.responses += more.responses;
        self.bytes += more.bytes;
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let plan = plan(&arguments).ok_or_else(|| Error::other("load URL CONNECTIONS SECONDS"))?;
    let started = Instant::now();
    let until = started + plan.time;
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.connections)
            .map(|_| scope.spawn(|| ask(&plan, until)))
            .collect();
        let joined = threads.into_iter().map(|thread| {
            let panicked = |_| Err(Error::other("the thread of a connection panicked"));
            thread.join().unwrap_or_else(panicked)
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let mut total = Counts::new();
    for (status, count) in counts.into_iter().flatten() {
        total.entry(status).or_default().add(&count);
    }
    if total.len() != 1 {
        return Err(Error::other(format!(
            "responses of several statuses: {total:?}"
        )));
    }
    for (status, Count { responses, bytes }) in total {
        println!(
            "{}",
            json!({"status": status, "count": responses, "bytes": bytes, "seconds": seconds})
        );
    }
    Ok(())
}

fn plan(arguments: &[String]) -> Option<Plan> {
    let [url, connections, seconds, headers @ ..] = arguments else {
        return None;
    };
    let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
    let lines = [&[format!("Host: {address}")], headers, &[String::new()]].concat();
    Some(Plan {
        address: address.to_owned(),
        request: format!("GET /{path} HTTP/1.1\r\n{}\r\n", lines.join("\r\n")),
        connections: connections.parse().ok()?,
        time: Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?,
    })
}

/// Sends requests on one connection until `until`, and counts the responses.
fn ask(plan: &Plan, until: Instant) -> Result<Counts> {
    let mut connection = Connection::new(TcpStream::connect(&plan.address)?)?;
    let mut counts = Counts::new();
    while Instant::now() < until {
        connection.write(plan.request.as_bytes())?;
        let response = connection
            .read()?
            .ok_or_else(|| Error::other("the connection was closed"))?;
        let status = response.head.split(' ').nth(1).unwrap_or_default();
        counts.entry(status.to_owned()).or_default().add(&Count {
            responses: 1,
            bytes: response.body.len(),
        });
    }
    Ok(counts)
}
