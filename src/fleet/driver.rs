//! Keeps the calls of a sweep in flight and feeds it the answers.

use std::cell::RefCell;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::sweep::{Call, Outcome, Sweep};
use crate::aws::budget::Budget;
use crate::aws::client::Client;
use crate::aws::error::Error;
use crate::aws::operation::EcsOperation;
use crate::aws::platform::{Platform, SendError};

/// Calls in flight at once: as many connections of a Worker may wait for headers.
pub const CONCURRENCY: usize = 6;

/// Goes on with `sweep` until it is done or `budget` has no request left; then the calls that could
/// not be made are due again. When the budget's time is up, the calls that are left fail without
/// being made, so it always ends.
pub async fn drive<P: Platform>(ecs: &Client<P>, sweep: &RefCell<Sweep>, budget: &Budget) {
    let mut in_flight = FuturesUnordered::new();
    let mut stopped = false;
    loop {
        while !stopped && in_flight.len() < CONCURRENCY && budget.has_requests() {
            let Some(call) = sweep.borrow_mut().next_call() else {
                break;
            };
            in_flight.push(make(ecs, call, budget));
        }
        match in_flight.next().await {
            None => return,
            Some(Made::Answered(outcome)) => sweep.borrow_mut().take(outcome),
            Some(Made::NotMade(call)) => {
                stopped = true;
                sweep.borrow_mut().put_back(call);
            }
        }
    }
}

enum Made {
    Answered(Outcome),
    NotMade(Call),
}

async fn make<P: Platform>(ecs: &Client<P>, call: Call, budget: &Budget) -> Made {
    match call {
        Call::ListClusters(call) => {
            let answer = ecs.call(&call, budget).await;
            made(call, answer, Call::ListClusters, Outcome::ListClusters)
        }
        Call::DescribeClusters(call) => {
            let answer = ecs.call(&call, budget).await;
            made(
                call,
                answer,
                Call::DescribeClusters,
                Outcome::DescribeClusters,
            )
        }
        Call::ListServices(call) => {
            let answer = ecs.call(&call, budget).await;
            made(call, answer, Call::ListServices, Outcome::ListServices)
        }
        Call::DescribeServices(call) => {
            let answer = ecs.call(&call, budget).await;
            made(
                call,
                answer,
                Call::DescribeServices,
                Outcome::DescribeServices,
            )
        }
    }
}

fn made<O: EcsOperation>(
    call: O,
    answer: Result<O::Output, Error>,
    due: impl FnOnce(O) -> Call,
    outcome: impl FnOnce(O, Result<O::Output, Error>) -> Outcome,
) -> Made {
    match answer {
        // Ours, or the platform's own limit, where it is lower.
        Err(Error::OutOfRequests | Error::Send(SendError::SubrequestLimit)) => {
            Made::NotMade(due(call))
        }
        answer => Made::Answered(outcome(call, answer)),
    }
}
