//! Stand-in for Amazon ECS, fast enough not to be the bottleneck: `ecs services=100 latency=20`.
//!
//! Prints the URL that it listens at. `GET /stats` counts the calls since the last `POST /reset`, which
//! may change settings: `/reset?latency=80`. `POST /change?service-000-0001=3` sets a service's running tasks.

use std::collections::BTreeMap;
use std::io::Result;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use bench::fleet::Fleet;
use bench::http::{Connection, Message};
use bench::operations::{OPERATIONS, Refused, respond};
use bench::settings::Settings;
use serde_json::json;

const TARGET: &str = "AmazonEC2ContainerServiceV20141113.";

struct Ecs {
    fleet: RwLock<Fleet>,
    state: Mutex<State>,
}

struct State {
    settings: Settings,
    stats: Stats,
}

#[derive(Default)]
struct Stats {
    calls: BTreeMap<&'static str, u64>,
    faults: u64,
    refused: u64,
    bytes: u64,
    in_flight: u64,
    peak: u64,
}

fn main() {
    let mut settings = Settings::default();
    for argument in env::args().skip(1) {
        if let Err(wrong) = settings.set(argument.trim_start_matches('-')) {
            eprintln!("{wrong}");
            process::exit(2);
        }
    }
    if let Err(error) = serve(settings) {
        eprintln!("{error}");
        process::exit(1);
    }
}

fn serve(settings: Settings) -> Result<()> {
    let ecs = Arc::new(Ecs {
        fleet: RwLock::new(Fleet::new(&settings)),
        state: Mutex::new(State {
            settings,
            stats: Stats::default(),
        }),
    });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (ecs, stream) = (Arc::clone(&ecs), stream?);
        // An error of one connection does not concern the others.
        thread::spawn(move || converse(&ecs, stream));
    }
    Ok(())
}

fn converse(ecs: &Ecs, stream: TcpStream) -> Result<()> {
    let mut connection = Connection::new(stream)?;
    while let Some(request) = connection.read()? {
        let response = ecs.respond(&request);
        connection.write(&response)?;
    }
    Ok(())
}

impl Ecs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, request: &Message<'_>) -> Vec<u8> {
        let mut words = request.head.split(' ');
        let (method, path) = (words.next(), words.next().unwrap_or_default());
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        match (method, path) {
            (Some("GET"), "/stats") => response(200, &self.stats()),
            (Some("POST"), "/reset") => match self.reset(query) {
                Ok(()) => response(200, b"{}"),
                Err(wrong) => response(400, wrong.as_bytes()),
            },
            (Some("POST"), "/change") => {
                if self.change(query).is_some() {
                    response(200, b"{}")
                } else {
                    response(400, b"not a service and a number")
                }
            }
            _ => self.call(request),
        }
    }

    fn stats(&self) -> Vec<u8> {
        let stats = &self.state().stats;
        json!({
            "calls": stats.calls,
            "faults": stats.faults,
            "refused": stats.refused,
            "bytes": stats.bytes,
            "peak": stats.peak,
        })
        .to_string()
        .into_bytes()
    }

    fn reset(&self, settings: &str) -> std::result::Result<(), String> {
        let mut state = self.state();
        let mut changed = state.settings.clone();
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            changed.set(setting)?;
        }
        state.settings = changed;
        state.stats = Stats {
            in_flight: state.stats.in_flight,
            ..Stats::default()
        };
        Ok(())
    }

    /// Changes a service; none if there is no such service, or no number.
    fn change(&self, change: &str) -> Option<()> {
        let (name, running) = change.split_once('=')?;
        let mut fleet = self.fleet.write().unwrap_or_else(PoisonError::into_inner);
        fleet.set_running(name, running.parse().ok()?)
    }

    fn call(&self, request: &Message<'_>) -> Vec<u8> {
        let received = Instant::now();
        let operation = request.header("x-amz-target").unwrap_or_default();
        let operation = operation.strip_prefix(TARGET).unwrap_or(operation);
        let known = OPERATIONS.iter().find(|known| **known == operation);
        let (fault, latency) = self.begin(known.copied());
        let result = match (fault, request.header("authorization")) {
            (Some(fault), _) => Err(fault),
            (None, None) => Err(Refused(400, "MissingAuthenticationTokenException")),
            (None, Some(_)) => {
                let fleet = self.fleet.read().unwrap_or_else(PoisonError::into_inner);
                respond(&fleet, operation, request.body)
            }
        };
        let (bytes, response) = match &result {
            Ok(body) => (body.len(), response(200, body)),
            Err(Refused(status, code)) => {
                let body = json!({"__type": code, "message": "Rate exceeded"});
                (0, response(*status, body.to_string().as_bytes()))
            }
        };
        thread::sleep(latency.saturating_sub(received.elapsed()));
        let stats = &mut self.state().stats;
        stats.bytes += bytes as u64;
        stats.refused += u64::from(result.is_err());
        // Counted before the other side has the response and sends the next call.
        stats.in_flight -= 1;
        response
    }

    /// Counts a call, and returns its fault, if any, and its latency.
    fn begin(&self, operation: Option<&'static str>) -> (Option<Refused>, Duration) {
        let mut state = self.state();
        let State { settings, stats } = &mut *state;
        *stats.calls.entry(operation.unwrap_or("other")).or_default() += 1;
        stats.in_flight += 1;
        stats.peak = stats.peak.max(stats.in_flight);
        let count: u64 = stats.calls.values().sum();
        let is_due = |every: u64| every > 0 && count.is_multiple_of(every);
        let fault = if is_due(settings.throttle) {
            Some(Refused(400, "ThrottlingException"))
        } else if is_due(settings.fail) {
            Some(Refused(500, "ServerException"))
        } else {
            None
        };
        stats.faults += u64::from(fault.is_some());
        (fault, Duration::from_millis(settings.latency))
    }
}

fn response(status: u16, body: &[u8]) -> Vec<u8> {
    let mut response = format!(
        "HTTP/1.1 {status} Response\r\nx-amzn-RequestId: 2f6c1d0e-5b7a-4c39-8e1f-0a9b8c7d6e5f\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(body);
    response
}
