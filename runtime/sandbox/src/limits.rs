//! What one store may use: bytes, in sum over its memories and tables and what the host keeps for it; and all stores of one connector together.
//!
//! Not here: who keeps a connector's sum (`accounts`), the defaults (`model::policy`), and the pool, which limits the process as a whole (`engine`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tombolo_model::meters::Meters;
use wasmtime::ResourceLimiter;

/// Bytes of a table's element in the host.
const TABLE_ELEMENT_BYTES: u64 = 8;

/// A sum of bytes under a limit.
#[derive(Debug)]
pub(crate) struct Budget {
    used: u64,
    max: u64,
    /// The last refusal of this call.
    refused: Option<Refused>,
    /// What the last growth added, to be taken back if the growth fails after all.
    growth: u64,
    /// What was held and is no more, to be taken off.
    given_back: Arc<AtomicU64>,
    /// Shows what is used, until the store ends.
    meters: Arc<Meters>,
    /// The connector's.
    total: Arc<MemoryTotal>,
}

/// How many bytes there would have been, and above which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The store's own.
    Own { wanted: u64, max: u64 },
    /// That of all stores of the connector.
    Total { wanted: u64, max: u64 },
}

/// Bytes of all stores of one connector.
#[derive(Debug)]
pub(crate) struct MemoryTotal {
    used: AtomicU64,
    max: AtomicU64,
}

impl Default for MemoryTotal {
    fn default() -> Self {
        Self { used: AtomicU64::new(0), max: AtomicU64::new(u64::MAX) }
    }
}

impl MemoryTotal {
    /// Limits it from now on; what is used already stays.
    pub(crate) fn limit(&self, max: Option<u64>) {
        self.max.store(max.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn add(&self, bytes: u64) -> Result<(), Refused> {
        let max = self.max.load(Ordering::Relaxed);
        let add = |used: u64| used.checked_add(bytes).filter(|wanted| *wanted <= max);
        let added = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        let refused = |used: u64| Refused::Total { wanted: used.saturating_add(bytes), max };
        added.map(drop).map_err(refused)
    }

    fn take_off(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes that the host keeps for a store until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: u64,
    given_back: Arc<AtomicU64>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.given_back.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

impl Budget {
    pub(crate) fn new(max: u64, meters: Arc<Meters>, total: Arc<MemoryTotal>) -> Self {
        Self { used: 0, max, refused: None, growth: 0, given_back: Arc::default(), meters, total }
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.saturating_sub(self.given_back.load(Ordering::Relaxed))
    }

    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    /// A call begins: what an earlier one was refused, and could do without, does not explain how this one ends.
    pub(crate) fn begin_call(&mut self) {
        self.refused = None;
    }

    /// What was refused since did not matter: room was made for it.
    pub(crate) fn forget_refusals_since(&mut self, refused: Option<Refused>) {
        self.refused = refused;
    }

    /// The last refusal of this call, if there was one.
    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused
    }

    /// Adds bytes; false, and nothing added, where that is over the limit.
    pub(crate) fn charge(&mut self, bytes: u64) -> bool {
        let given_back = self.given_back.swap(0, Ordering::Relaxed).min(self.used);
        self.take_off(given_back);
        let (wanted, max) = (self.used.saturating_add(bytes), self.max);
        let added =
            if wanted > max { Err(Refused::Own { wanted, max }) } else { self.total.add(bytes) };
        if let Err(refused) = added {
            self.refused = Some(refused);
            return false;
        }
        self.used = wanted;
        self.meters.memory_grew(bytes);
        true
    }

    fn take_off(&mut self, bytes: u64) {
        self.used -= bytes;
        self.total.take_off(bytes);
        self.meters.memory_shrank(bytes);
    }

    /// Adds bytes until what is returned is dropped; none, and nothing added, where that is over the limit.
    pub(crate) fn hold(&mut self, bytes: u64) -> Option<Held> {
        if !self.charge(bytes) {
            return None;
        }
        Some(Held { bytes, given_back: Arc::clone(&self.given_back) })
    }

    fn grow(&mut self, bytes: u64) -> bool {
        let may = self.charge(bytes);
        self.growth = if may { bytes } else { 0 };
        may
    }

    fn take_back(&mut self) {
        let growth = std::mem::take(&mut self.growth);
        self.take_off(growth);
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.take_off(self.used);
    }
}

/// Memories and tables count as they grow; none shrinks before its store ends.
impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let within_its_own = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(within_its_own && self.grow(desired.saturating_sub(current) as u64))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let within_its_own = maximum.is_none_or(|maximum| desired <= maximum);
        let bytes = (desired.saturating_sub(current) as u64).saturating_mul(TABLE_ELEMENT_BYTES);
        Ok(within_its_own && self.grow(bytes))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_tables_and_host_bytes_add_up() {
        let mut budget = Budget::new(1_000, Arc::default(), Arc::default());
        assert!(budget.memory_growing(0, 400, None).unwrap());
        assert!(budget.memory_growing(0, 400, None).unwrap(), "a second memory");
        assert!(budget.table_growing(0, 10, None).unwrap());
        assert!(budget.charge(100));
        assert_eq!((budget.used(), budget.refused()), (980, None));
        assert!(!budget.memory_growing(400, 421, None).unwrap());
        let refused = Refused::Own { wanted: 1_001, max: 1_000 };
        assert_eq!((budget.used(), budget.refused()), (980, Some(refused)));
        assert!(budget.charge(20));
        budget.begin_call();
        assert_eq!((budget.used(), budget.refused()), (1_000, None));
    }

    #[test]
    fn stores_of_one_connector_add_up_and_what_ends_is_taken_off() {
        let total = Arc::new(MemoryTotal::default());
        total.limit(Some(1_500));
        let store = || Budget::new(1_000, Arc::default(), Arc::clone(&total));
        let (mut first, mut second) = (store(), store());
        assert!(first.charge(1_000) && second.charge(500));
        assert!(!second.charge(1));
        assert_eq!(second.refused(), Some(Refused::Total { wanted: 1_501, max: 1_500 }));
        drop(first);
        assert!(second.memory_growing(0, 400, None).unwrap());
        second.memory_grow_failed(wasmtime::Error::msg("no room in the pool")).unwrap();
        assert!(store().charge(1_000));
        drop(second);
        assert_eq!(total.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_is_held_counts_until_it_is_dropped() {
        let mut budget = Budget::new(1_000, Arc::default(), Arc::default());
        let held = budget.hold(900).unwrap();
        assert_eq!(budget.used(), 900);
        assert!(budget.hold(200).is_none());
        assert_eq!(budget.used(), 900, "what was refused is not given back");
        drop(held);
        assert_eq!(budget.used(), 0);
        let _held = budget.hold(1_000).unwrap();
        assert!(!budget.charge(1));
    }

    #[test]
    fn a_growth_that_fails_after_all_does_not_count() {
        let mut budget = Budget::new(1_000, Arc::default(), Arc::default());
        assert!(budget.memory_growing(0, 400, None).unwrap());
        assert!(budget.memory_growing(400, 600, None).unwrap());
        budget.memory_grow_failed(wasmtime::Error::msg("no room in the pool")).unwrap();
        assert_eq!(budget.used(), 400);
        assert!(!budget.memory_growing(400, 1_600, None).unwrap());
        budget.memory_grow_failed(wasmtime::Error::msg("refused")).unwrap();
        assert_eq!(budget.used(), 400);
    }

    #[test]
    fn growth_beyond_a_memorys_own_maximum_is_no_breach_of_ours() {
        let mut budget = Budget::new(1_000, Arc::default(), Arc::default());
        assert!(!budget.memory_growing(0, 500, Some(400)).unwrap());
        assert_eq!((budget.used(), budget.refused()), (0, None));
    }
}
