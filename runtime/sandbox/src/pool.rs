//! Whether there is room for another sandbox: the kernel bounds how many mappings a process has, and refuses memory to everybody beyond.
//!
//! A sandbox takes a handful: its stack, its memories, its tables. At 80 % of the bound no more are let in, so that those that are there go on.
//! Not here: the pool's own bounds (`engine`).

use std::sync::{Mutex, PoisonError};

/// Share of the kernel's bound at which sandboxes are refused, in percent: the rest is for those that run, and for everything else of the process.
const FULL_PERCENT: u64 = 80;

/// Most mappings of one sandbox: what it has with all memories and tables that a component may have.
const MAPPINGS_MAX: u64 = 450;

/// Sandboxes that are let in at least between two counts: together they take less than the fifth that is left of Linux's default bound of 65,530.
const UNCOUNTED_MIN: u32 = 25;

/// The mappings of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mappings {
    pub(crate) count: u64,
    /// Most that the kernel allows: `vm.max_map_count`.
    pub(crate) max: u64,
}

impl Mappings {
    /// Counts them; none where there is no `/proc`, as outside Linux.
    ///
    /// Cost: a microsecond for each.
    pub(crate) fn read() -> Option<Self> {
        let maps = std::fs::read("/proc/self/maps").ok()?;
        let max = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
        let count = maps.iter().filter(|byte| **byte == b'\n').count() as u64;
        Some(Self { count, max: max.trim().parse().ok()? })
    }

    fn is_full(self) -> bool {
        self.count.saturating_mul(100) >= self.max.saturating_mul(FULL_PERCENT)
    }

    /// Sandboxes that surely have room: each count takes as long as a few of them take to start.
    fn uncounted(self) -> u32 {
        let full = self.max.saturating_mul(FULL_PERCENT) / 100;
        let sure = full.saturating_sub(self.count) / MAPPINGS_MAX;
        u32::try_from(sure).unwrap_or(u32::MAX).max(UNCOUNTED_MIN)
    }
}

/// There is no room for another sandbox.
#[derive(Debug, thiserror::Error)]
#[error(
    "the worker has no room for another sandbox: it has {} mappings of memory, {FULL_PERCENT} % or more of the {} that the kernel allows (vm.max_map_count)",
    .0.count,
    .0.max
)]
pub(crate) struct Full(Mappings);

/// Lets sandboxes in.
pub(crate) struct Pool {
    count: fn() -> Option<Mappings>,
    /// How many may come in before mappings are counted again.
    uncounted: Mutex<u32>,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self::counting(Mappings::read)
    }

    fn counting(count: fn() -> Option<Mappings>) -> Self {
        Self { count, uncounted: Mutex::new(0) }
    }

    /// Lets one in, if there is room.
    pub(crate) fn admit(&self) -> Result<(), Full> {
        let mut uncounted = self.uncounted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = uncounted.checked_sub(1) {
            *uncounted = left;
            return Ok(());
        }
        match (self.count)() {
            Some(mappings) if mappings.is_full() => Err(Full(mappings)),
            mappings => {
                *uncounted = mappings.map_or(UNCOUNTED_MIN, Mappings::uncounted) - 1;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    static COUNT: AtomicU64 = AtomicU64::new(0);

    #[test]
    fn at_four_fifths_of_the_kernels_bound_no_sandbox_is_let_in_until_there_is_room() {
        let count = || Some(Mappings { count: COUNT.load(Ordering::Relaxed), max: 1_000 });
        let pool = Pool::counting(count);
        COUNT.store(799, Ordering::Relaxed);
        pool.admit().unwrap();
        COUNT.store(800, Ordering::Relaxed);
        for _ in 1..UNCOUNTED_MIN {
            pool.admit().unwrap();
        }
        let refused = pool.admit().unwrap_err().to_string();
        assert_eq!(
            refused,
            "the worker has no room for another sandbox: it has 800 mappings of memory, 80 % or more of the 1000 that the kernel allows (vm.max_map_count)"
        );
        assert!(pool.admit().is_err());
        COUNT.store(500, Ordering::Relaxed);
        pool.admit().unwrap();
    }

    #[test]
    fn the_more_room_there_is_the_more_are_let_in_between_two_counts() {
        let after = |count| Mappings { count, max: 65_530 }.uncounted();
        assert_eq!([after(0), after(16_000), after(50_000), after(65_530)], [116, 80, 25, 25]);
    }

    #[test]
    fn this_process_has_some_mappings_and_may_have_more() {
        let Some(Mappings { count, max }) = Mappings::read() else { return };
        assert!(count > 10 && count < max, "{count} of {max}");
    }
}
