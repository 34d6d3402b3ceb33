//! A load generator: `load URL CONNECTIONS SECONDS [HEADER: VALUE]...` asks for the same URL over and
//! over on each connection, and prints what came of it as JSON. All answers must have the same status.

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

/// By status.
type Answers = BTreeMap<String, Answered>;

#[derive(Debug, Default)]
struct Answered {
    count: usize,
    /// Of the bodies.
    bytes: usize,
}

impl Answered {
    fn add(&mut self, more: &Self) {
        self.count += more.count;
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
            let died = |_| Err(Error::other("a connection's thread died"));
            thread.join().unwrap_or_else(died)
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let mut answers = Answers::new();
    for (status, answered) in counts.into_iter().flatten() {
        answers.entry(status).or_default().add(&answered);
    }
    if answers.len() != 1 {
        return Err(Error::other(format!("several kinds: {answers:?}")));
    }
    for (status, Answered { count, bytes }) in answers {
        println!(
            "{}",
            json!({"status": status, "count": count, "bytes": bytes, "seconds": seconds})
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

/// What was answered before `until`.
fn ask(plan: &Plan, until: Instant) -> Result<Answers> {
    let mut connection = Connection::new(TcpStream::connect(&plan.address)?)?;
    let mut answers = Answers::new();
    while Instant::now() < until {
        connection.write(plan.request.as_bytes())?;
        let answer = connection
            .read()?
            .ok_or_else(|| Error::other("the connection was closed"))?;
        let status = answer.head.split(' ').nth(1).unwrap_or_default();
        answers
            .entry(status.to_owned())
            .or_default()
            .add(&Answered {
                count: 1,
                bytes: answer.body.len(),
            });
    }
    Ok(answers)
}
