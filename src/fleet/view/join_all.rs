//! Join all: the outputs of a few futures that run side by side.

use std::future::poll_fn;
use std::task::Poll;

use futures_util::future::maybe_done;

/// The outputs of all `futures`, in their order. They are few, so each is polled whenever one may
/// make progress; that is a tenth of the code of `futures_util`'s, which counts in a Worker.
pub(super) async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.map(maybe_done).map(Box::pin).collect();
    poll_fn(|context| {
        let mut is_pending = false;
        for future in &mut running {
            is_pending |= future.as_mut().poll(context).is_pending();
        }
        if is_pending {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    let outputs = running
        .iter_mut()
        .map(|future| future.as_mut().take_output());
    outputs.flatten().collect()
}
