//! Where a session's settled rows wait for it, and what it has in flight.
//!
//! Not here: who puts them there (`line`).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::rows::Delivery;
use crate::error::Error;

/// A session, as its producer sees it.
#[derive(Default)]
pub(super) struct Inbox {
    /// Most bytes in flight.
    pub(super) budget: usize,
    settled: Mutex<Settled>,
    bytes_in_flight: AtomicUsize,
    rows_in_flight: AtomicUsize,
    /// The session is gone; what is still in flight is nobody's.
    closed: AtomicBool,
    /// Something was settled, or the producer takes rows again.
    pub(super) news: Notify,
}

/// What a session was not told yet.
#[derive(Default)]
struct Settled {
    /// With the lower bits of their numbers only.
    deliveries: Vec<Delivery>,
    failure: Option<Error>,
}

impl Inbox {
    pub(super) fn new(budget: usize) -> Inbox {
        Inbox { budget, ..Inbox::default() }
    }

    fn settled(&self) -> MutexGuard<'_, Settled> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts rows that are being sent.
    pub(super) fn sending(&self, rows: usize, bytes: usize) {
        self.rows_in_flight.fetch_add(rows, Ordering::AcqRel);
        self.bytes_in_flight.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Takes back what was counted and not sent.
    pub(super) fn not_sent(&self, rows: usize, bytes: usize) {
        self.rows_in_flight.fetch_sub(rows, Ordering::AcqRel);
        self.bytes_in_flight.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Adds settled rows, of which the list is emptied, with the bytes they cost.
    pub(super) fn settle(&self, deliveries: &mut Vec<Delivery>, bytes: usize) {
        let rows = deliveries.len();
        if self.closed.load(Ordering::Acquire) {
            deliveries.clear();
        } else {
            self.settled().deliveries.append(deliveries);
        }
        self.not_sent(rows, bytes);
        self.news.notify_one();
    }

    /// The session cannot go on.
    pub(super) fn fail(&self, failure: Error) {
        self.settled().failure.get_or_insert(failure);
        self.news.notify_one();
    }

    /// Moves settled rows to `out`, when there are any.
    pub(super) fn take(&self, out: &mut Vec<Delivery>) -> Result<(), Error> {
        let mut settled = self.settled();
        if let Some(failure) = settled.failure.take() {
            return Err(failure);
        }
        if out.is_empty() {
            std::mem::swap(out, &mut settled.deliveries);
        } else {
            out.append(&mut settled.deliveries);
        }
        Ok(())
    }

    /// Why the session cannot go on, once.
    pub(super) fn take_failure(&self) -> Result<(), Error> {
        self.settled().failure.take().map_or(Ok(()), Err)
    }

    pub(super) fn bytes_in_flight(&self) -> usize {
        self.bytes_in_flight.load(Ordering::Acquire)
    }

    pub(super) fn rows_in_flight(&self) -> usize {
        self.rows_in_flight.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether nothing refers to it any more.
    pub(super) fn is_over(&self) -> bool {
        self.closed.load(Ordering::Acquire) && self.rows_in_flight() == 0
    }
}
