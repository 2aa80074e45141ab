//! Shares of the processor where guests compete: how many ticks a turn lasts, and how many turns pass between two.
//!
//! The runtime that polls guests gives each a turn after the other, so that it needs no scheduler of its own: a deficit round robin whose round is
//! that queue. A guest of twice the usual weight keeps its thread for two ticks, one of half the weight lets every other turn pass. Nothing is lost
//! where nobody competes: turns that are let pass take microseconds then. Not here: budgets, which hold also where nobody competes.

use std::future::poll_fn;
use std::task::Poll;

use tombolo_model::policy::CPU_WEIGHT;

/// The turns of one store.
#[derive(Debug)]
pub(crate) struct Turns {
    weight: u32,
    /// What is left of the weight of turns so far, below [`CPU_WEIGHT`].
    credit: u32,
}

impl Turns {
    pub(crate) fn new(weight: u32) -> Self {
        Self { weight: weight.max(1), credit: 0 }
    }

    /// At the end of a turn: how many of the next to let pass, and how many ticks to run then.
    pub(crate) fn next(&mut self) -> (u32, u64) {
        let rounds = (CPU_WEIGHT - self.credit).div_ceil(self.weight).max(1);
        let credit = self.credit.saturating_add(rounds.saturating_mul(self.weight));
        self.credit = credit % CPU_WEIGHT;
        (rounds - 1, u64::from(credit / CPU_WEIGHT))
    }
}

/// Gives up the thread for one turn, and for so many more.
pub(crate) async fn let_pass(turns: u32) {
    let mut left = turns.saturating_add(1);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks that a guest runs in so many turns of the queue.
    fn ticks(weight: u32, turns: u32) -> u64 {
        let mut guest = Turns::new(weight);
        let (mut left, mut ran) = (turns, 0);
        loop {
            let (passed, ticks) = guest.next();
            let Some(rest) = left.checked_sub(passed + 1) else { return ran };
            (left, ran) = (rest, ran + ticks);
        }
    }

    #[test]
    fn ticks_are_proportional_to_weight() {
        for (weight, expected) in [(100, 1_000), (300, 3_000), (250, 2_500), (50, 500), (1, 10)] {
            assert_eq!(ticks(weight, 1_000), expected, "weight {weight}");
        }
        let third = ticks(30, 1_000);
        assert!((290..=300).contains(&third), "{third}");
    }
}
