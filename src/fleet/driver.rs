//! Keeps the calls of sweeps in flight and feeds them the answers.

use std::collections::VecDeque;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::failure::Cause;
use super::sweep::{Call, Outcome, Sweep};
use super::target::Target;
use crate::aws::budget::Budget;
use crate::aws::platform::Platform;

/// Calls in flight at once: as many connections of a Worker may wait for headers.
pub const CONCURRENCY: usize = 6;

/// What a step of a sweep came to.
enum Step {
    Prepared(Result<(), Cause>),
    Answered(Outcome),
}

/// Sweeps `targets` side by side, with all calls inside `budget`. When the budget's time is up, the
/// calls that are left fail without being made, so it always ends. The sweeps come back in the
/// order of the targets.
pub async fn drive<P: Platform>(targets: &[&Target<P>], budget: &Budget) -> Vec<Sweep> {
    let mut sweeps: Vec<Sweep> = targets.iter().map(|target| target.sweep()).collect();
    let mut unprepared: VecDeque<usize> = (0..targets.len()).collect();
    let mut prepared: VecDeque<usize> = VecDeque::new();
    let mut in_flight = FuturesUnordered::new();
    loop {
        while in_flight.len() < CONCURRENCY {
            let Some((index, call)) = next(&mut unprepared, &mut prepared, &mut sweeps) else {
                break;
            };
            if let Some(target) = targets.get(index) {
                in_flight.push(step(index, target, call, budget));
            }
        }
        let Some((index, step)) = in_flight.next().await else {
            return sweeps;
        };
        match (step, sweeps.get_mut(index)) {
            (Step::Prepared(Ok(())), _) => prepared.push_back(index),
            (Step::Prepared(Err(cause)), Some(sweep)) => sweep.abandon(cause),
            (Step::Answered(outcome), Some(sweep)) => sweep.take(outcome),
            (_, None) => {}
        }
    }
}

/// The next step of any sweep: targets that are not prepared first, then the others in turn.
fn next(
    unprepared: &mut VecDeque<usize>,
    prepared: &mut VecDeque<usize>,
    sweeps: &mut [Sweep],
) -> Option<(usize, Option<Call>)> {
    if let Some(index) = unprepared.pop_front() {
        return Some((index, None));
    }
    for _ in 0..prepared.len() {
        let index = prepared.pop_front()?;
        prepared.push_back(index);
        if let Some(call) = sweeps.get_mut(index).and_then(Sweep::next_call) {
            return Some((index, Some(call)));
        }
    }
    None
}

async fn step<P: Platform>(
    index: usize,
    target: &Target<P>,
    call: Option<Call>,
    budget: &Budget,
) -> (usize, Step) {
    let client = target.ecs();
    let outcome = match call {
        None => return (index, Step::Prepared(target.prepare(budget).await)),
        Some(Call::ListClusters(call)) => {
            let answer = client.call(&call, budget).await;
            Outcome::ListClusters(call, answer)
        }
        Some(Call::DescribeClusters(call)) => {
            let answer = client.call(&call, budget).await;
            Outcome::DescribeClusters(call, answer)
        }
        Some(Call::ListServices(call)) => {
            let answer = client.call(&call, budget).await;
            Outcome::ListServices(call, answer)
        }
        Some(Call::DescribeServices(call)) => {
            let answer = client.call(&call, budget).await;
            Outcome::DescribeServices(call, answer)
        }
    };
    (index, Step::Answered(outcome))
}
