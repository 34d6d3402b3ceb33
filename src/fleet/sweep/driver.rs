//! Driver: keeps the calls of a sweep in flight and passes it the responses.

use std::cell::RefCell;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::{Call, Sweep};
use crate::aws::budget::Budget;
use crate::aws::client::Client;
use crate::aws::ecs::{DescribeClusters, DescribeServices, ListClusters, ListServices};
use crate::aws::error::Error;
use crate::platform::{Platform, SendError};

/// The number of calls in flight: as many connections of a Worker may wait for response headers.
pub const CONCURRENCY: usize = 6;

/// Continues `sweep` until it is done, `budget` has no request left, or the session of the target's
/// role is stale; calls that could not be made are due again then. When the time of `budget` is up, the remaining calls fail without being made,
/// so the driver always ends.
pub async fn drive<P: Platform>(ecs: &Client<P>, sweep: &RefCell<Sweep>, budget: &Budget) {
    let mut in_flight = FuturesUnordered::new();
    let mut stopped = false;
    loop {
        while !stopped && in_flight.len() < CONCURRENCY && budget.has_requests() {
            let Some(call) = sweep.borrow_mut().next_call() else {
                break;
            };
            in_flight.push(make(ecs, sweep, call, budget));
        }
        match in_flight.next().await {
            None => return,
            Some(CallResult::Responded) => {}
            Some(CallResult::NotMade(call)) => {
                stopped = true;
                sweep.borrow_mut().requeue(call);
            }
        }
    }
}

enum CallResult {
    /// The sweep has taken the response, or the error.
    Responded,
    /// No request was left for the call.
    NotMade(Call),
}

/// Makes `call`, and passes its response to `sweep`. Each operation has a future of its own: a
/// function that is polled often should be small, since V8 optimizes it during the first report, and
/// that takes longer than the report if it is large.
fn make<'a, P: Platform>(
    ecs: &'a Client<P>,
    sweep: &'a RefCell<Sweep>,
    call: Call,
    budget: &'a Budget,
) -> LocalBoxFuture<'a, CallResult> {
    match call {
        Call::ListClusters { next_token } => Box::pin(async move {
            let request = ListClusters::page(next_token.as_deref());
            let response = ecs.call(&request, budget).await;
            if is_not_made(&response) {
                return CallResult::NotMade(Call::ListClusters { next_token });
            }
            sweep.borrow_mut().on_list_clusters(response);
            CallResult::Responded
        }),
        Call::DescribeClusters { clusters } => Box::pin(async move {
            let request = DescribeClusters::with_tags(&clusters);
            let response = ecs.call(&request, budget).await;
            if is_not_made(&response) {
                return CallResult::NotMade(Call::DescribeClusters { clusters });
            }
            sweep.borrow_mut().on_describe_clusters(clusters, response);
            CallResult::Responded
        }),
        Call::ListServices {
            cluster,
            next_token,
        } => Box::pin(async move {
            let request = ListServices::page(&cluster, next_token.as_deref());
            let response = ecs.call(&request, budget).await;
            if is_not_made(&response) {
                return CallResult::NotMade(Call::ListServices {
                    cluster,
                    next_token,
                });
            }
            sweep.borrow_mut().on_list_services(cluster, response);
            CallResult::Responded
        }),
        Call::DescribeServices {
            cluster,
            services,
            with_tags,
        } => Box::pin(async move {
            let request = DescribeServices::new(&cluster, &services, with_tags);
            let response = ecs.call(&request, budget).await;
            if is_not_made(&response) {
                return CallResult::NotMade(Call::DescribeServices {
                    cluster,
                    services,
                    with_tags,
                });
            }
            let mut sweep = sweep.borrow_mut();
            sweep.on_describe_services(cluster, services, with_tags, response);
            CallResult::Responded
        }),
    }
}

/// Whether the budget, or the platform's own lower limit, had no request left, or the role has to be
/// assumed once more before the call is made again.
fn is_not_made<T>(response: &Result<T, Error>) -> bool {
    matches!(
        response,
        Err(Error::OutOfRequests | Error::StaleSession | Error::Send(SendError::SubrequestLimit))
    )
}
