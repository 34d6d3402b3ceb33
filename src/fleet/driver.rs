//! Keeps a sweep's calls in flight and feeds it the answers.

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::sweep::{Call, Outcome, Sweep};
use crate::aws::budget::Budget;
use crate::aws::client::Client;
use crate::aws::platform::Platform;

/// Calls in flight at once: as many connections of a Worker may wait for headers.
pub const CONCURRENCY: usize = 6;

/// Makes all calls of `sweep` inside `budget`. When the budget's time is up, the calls that are
/// left fail without being made, so it always ends.
pub async fn drive<P: Platform>(mut sweep: Sweep, client: &Client<P>, budget: &Budget) -> Sweep {
    let mut in_flight = FuturesUnordered::new();
    loop {
        while in_flight.len() < CONCURRENCY
            && let Some(call) = sweep.next_call()
        {
            in_flight.push(make(call, client, budget));
        }
        match in_flight.next().await {
            Some(outcome) => sweep.take(outcome),
            None => return sweep,
        }
    }
}

async fn make<P: Platform>(call: Call, client: &Client<P>, budget: &Budget) -> Outcome {
    match call {
        Call::ListClusters(call) => {
            let answer = client.call(&call, budget).await;
            Outcome::ListClusters(call, answer)
        }
        Call::DescribeClusters(call) => {
            let answer = client.call(&call, budget).await;
            Outcome::DescribeClusters(call, answer)
        }
        Call::ListServices(call) => {
            let answer = client.call(&call, budget).await;
            Outcome::ListServices(call, answer)
        }
        Call::DescribeServices(call) => {
            let answer = client.call(&call, budget).await;
            Outcome::DescribeServices(call, answer)
        }
    }
}
