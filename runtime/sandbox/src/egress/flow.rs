//! How fast a connector's bytes go over its connections: what moves them, with TLS above all, is not in its bill of processor time.
//!
//! Not here: counting them (`model::meters`).

use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// Most bytes that one connector receives in a second, and as many that it sends. With TLS they take about a tenth of a processor.
pub(crate) const BYTES_PER_SECOND: u64 = 64 << 20;

/// What may go through at once, in time that it takes at this rate.
const BURST: Duration = Duration::from_millis(100);

/// One direction of all connections of a connector.
#[derive(Debug)]
pub(super) struct Flow(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    per_second: u64,
    /// When all of it is paid off that has gone through; in the past where there is room.
    paid_at: Instant,
}

impl Flow {
    pub(super) fn new(per_second: u64) -> Arc<Self> {
        let now = Instant::now();
        let paid_at = now.checked_sub(BURST).unwrap_or(now);
        Arc::new(Self(Mutex::new(Bucket { per_second, paid_at })))
    }

    /// When bytes may go through again; none where they may now.
    fn next(&self, now: Instant) -> Option<Instant> {
        let bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (bucket.paid_at > now).then_some(bucket.paid_at)
    }

    /// Bytes went through.
    fn went(&self, bytes: u64, now: Instant) {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let took = Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / bucket.per_second);
        let begin = bucket.paid_at.max(now.checked_sub(BURST).unwrap_or(now));
        bucket.paid_at = begin + took;
    }
}

/// One direction of one connection.
#[derive(Debug)]
pub(super) struct Valve {
    flow: Arc<Flow>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Valve {
    pub(super) fn new(flow: &Arc<Flow>) -> Self {
        Self { flow: Arc::clone(flow), wait: None }
    }

    /// Ready once bytes may go through.
    pub(super) fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(wait) = &mut self.wait {
                match wait.as_mut().poll(context) {
                    Poll::Ready(()) => self.wait = None,
                    Poll::Pending => return Poll::Pending,
                }
            }
            match self.flow.next(Instant::now()) {
                None => return Poll::Ready(()),
                Some(next) => self.wait = Some(Box::pin(tokio::time::sleep_until(next.into()))),
            }
        }
    }

    /// So many bytes went through.
    pub(super) fn went(&self, bytes: u64) {
        if bytes > 0 {
            self.flow.went(bytes, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_the_rate_wait_and_what_was_not_used_lasts_for_a_moment() {
        let flow = Flow::new(1_000);
        let start = flow.0.lock().unwrap().paid_at + BURST;
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(flow.next(start), None);
        flow.went(500, start);
        // A tenth of a second's worth was there.
        assert_eq!(flow.next(start), Some(after(400)));
        flow.went(100, after(100));
        assert_eq!(flow.next(after(499)), Some(after(500)));
        assert_eq!(flow.next(after(500)), None);
        flow.went(1_000, after(60_000));
        assert_eq!(flow.next(after(60_000)), Some(after(60_900)));
    }
}
