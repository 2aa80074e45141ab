//! Shares of the processor where guests compete: how many ticks a turn lasts, and how many turns pass between two.
//!
//! The runtime that polls guests gives each a turn after the other, so that it needs no scheduler of its own: a deficit round robin whose round is
//! that queue. A guest of twice the usual weight keeps its thread for two ticks, one of half the weight lets every other turn pass, and so does each of
//! two guests of one connector, whose weight they share. Nothing is lost where nobody competes: turns that are let pass take microseconds then. Not
//! here: budgets, which hold also where nobody competes.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Poll;

use tombolo_model::policy::CPU_WEIGHT;

/// The turns of one store.
#[derive(Debug)]
pub(crate) struct Turns {
    weight: u32,
    /// What is left of the weight of turns so far.
    credit: u32,
}

/// How many of its guests a connector has that want to run now: those that wait for something or are held back do not.
#[derive(Debug, Default)]
pub(crate) struct Competing(AtomicU32);

/// One of them, until it is dropped.
pub(crate) struct Competes<'a>(&'a Competing);

impl Competing {
    pub(crate) fn begin(&self) -> Competes<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Competes(self)
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Competes<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    pub(crate) fn new(weight: u32) -> Self {
        Self { weight: weight.max(1), credit: 0 }
    }

    /// At the end of a turn, where so many guests share the weight: how many of the next to let pass, and how many ticks to run then.
    pub(crate) fn next(&mut self, sharing: u32) -> (u32, u64) {
        let tick = CPU_WEIGHT.saturating_mul(sharing.max(1));
        let rounds = tick.saturating_sub(self.credit).div_ceil(self.weight).max(1);
        let credit = self.credit.saturating_add(rounds.saturating_mul(self.weight));
        self.credit = credit % tick;
        (rounds - 1, u64::from(credit / tick))
    }
}

/// Gives up the thread for one turn, and for so many more; of each it is said that the guest could go on.
pub(crate) async fn let_pass(turns: u32, yielded: Arc<AtomicBool>) {
    let mut left = turns.saturating_add(1);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        yielded.store(true, Ordering::Relaxed);
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks that a guest runs in so many turns of the queue.
    fn ticks(weight: u32, sharing: u32, turns: u32) -> u64 {
        let mut guest = Turns::new(weight);
        let (mut left, mut ran) = (turns, 0);
        loop {
            let (passed, ticks) = guest.next(sharing);
            let Some(rest) = left.checked_sub(passed + 1) else { return ran };
            (left, ran) = (rest, ran + ticks);
        }
    }

    #[test]
    fn ticks_are_proportional_to_weight() {
        for (weight, expected) in [(100, 1_000), (300, 3_000), (250, 2_500), (50, 500), (1, 10)] {
            assert_eq!(ticks(weight, 1, 1_000), expected, "weight {weight}");
        }
        let third = ticks(30, 1, 1_000);
        assert!((290..=300).contains(&third), "{third}");
    }

    #[test]
    fn guests_of_one_connector_share_its_weight() {
        for (weight, sharing, expected) in [(100, 2, 500), (100, 10, 100), (1_000, 10, 1_000)] {
            assert_eq!(ticks(weight, sharing, 1_000), expected, "{weight} for {sharing}");
        }
        let mut guest = Turns::new(250);
        assert_eq!(guest.next(2), (0, 1));
        // Half a tick's weight is left of that, and now it is a whole one's.
        assert_eq!(guest.next(1), (0, 3));
        let competing = Competing::default();
        let (one, two) = (competing.begin(), competing.begin());
        assert_eq!(competing.count(), 2);
        drop((one, two));
        assert_eq!(competing.count(), 0);
    }
}
