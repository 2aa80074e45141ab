//! Processor time of guests: measured around each turn that a call gets, and held against its deadline.
//!
//! A guest gives up its thread at each tick (`ticker`), so that a turn is short and the deadline is looked at between two. Not here: limits of
//! memory (`limits`).

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tombolo_model::meters::Meters;

/// The call did not end in time.
#[derive(Debug)]
pub(crate) struct DeadlinePassed;

/// Runs a guest's call to its end or its deadline, and adds what it ran to its meters.
///
/// Cost: two readings of the thread's clock for each turn, one for a call that does not wait.
pub(crate) async fn metered<T>(
    meters: &Meters,
    limit: Duration,
    call: impl Future<Output = T>,
) -> Result<T, DeadlinePassed> {
    let now = Instant::now();
    let deadline = now.checked_add(limit).unwrap_or(now);
    let mut call = pin!(call);
    let mut alarm = pin!(tokio::time::sleep_until(deadline.into()));
    poll_fn(|context| {
        if Instant::now() >= deadline {
            return Poll::Ready(Err(DeadlinePassed));
        }
        let before = thread_time();
        let polled = call.as_mut().poll(context);
        meters.ran(thread_time().saturating_sub(before));
        match polled {
            Poll::Ready(answer) => Poll::Ready(Ok(answer)),
            // It waits for the host, or for its next turn.
            Poll::Pending => alarm.as_mut().poll(context).map(|()| Err(DeadlinePassed)),
        }
    })
    .await
}

/// Processor time of this thread so far.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
