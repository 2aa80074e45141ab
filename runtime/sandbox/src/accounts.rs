//! What each connector may use in sum: accounts that its tasks share and that outlive them.
//!
//! Not here: processor time (`cpu`) and memory (`limits`) themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tombolo_model::ConnectorName;
use tombolo_model::policy::Limits;

use crate::cpu::{Competing, CpuBudget};
use crate::limits::MemoryTotal;

/// The accounts of all connectors.
#[derive(Default)]
pub(crate) struct Accounts(Mutex<HashMap<ConnectorName, Account>>);

/// What one connector may use.
#[derive(Clone, Default)]
pub(crate) struct Account {
    /// Its processor time; none where that has no limit.
    pub(crate) cpu: Option<Arc<CpuBudget>>,
    /// Its plugins that want to run, which share its weight.
    pub(crate) competing: Arc<Competing>,
    /// Its memory.
    pub(crate) memory: Arc<MemoryTotal>,
}

impl Accounts {
    /// The account of a connector, with these limits from now on. A task that starts anew does not fill it.
    pub(crate) fn of(&self, connector: &ConnectorName, limits: &Limits) -> Account {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, account| account.is_needed(now));
        let account = all.entry(connector.clone()).or_default();
        account.change(limits, now);
        account.clone()
    }
}

impl Account {
    /// One that nobody uses and that is full is as good as new.
    fn is_needed(&self, now: Instant) -> bool {
        let owes = self.cpu.as_ref().is_some_and(|budget| !budget.is_full(now));
        owes || Arc::strong_count(&self.memory) > 1
    }

    fn change(&mut self, limits: &Limits, now: Instant) {
        self.memory.limit(limits.memory_total_max);
        let Some(max) = limits.cpu.max_millicores else {
            self.cpu = None;
            return;
        };
        let new = || Arc::new(CpuBudget::new(&limits.cpu, max, now));
        self.cpu.get_or_insert_with(new).change(&limits.cpu, max, now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tombolo_model::policy::CpuLimits;

    use super::*;

    #[test]
    fn a_connector_s_account_outlives_its_tasks_until_it_is_full_again() {
        let accounts = Accounts::default();
        let (a, b) = (ConnectorName::new("a"), ConnectorName::new("b"));
        let limits = |max_millicores| Limits {
            cpu: CpuLimits { max_millicores, ..CpuLimits::default() },
            ..Limits::default()
        };
        let of = |name| accounts.of(name, &limits(Some(1))).cpu.unwrap();
        let known = || accounts.0.lock().unwrap().len();
        of(&a).spend(Duration::from_secs(1_000), Instant::now());
        assert!(of(&a).wait(Instant::now()).is_some(), "what was spent is spent");
        let used = accounts.of(&b, &limits(Some(1)));
        let _account = of(&a);
        assert_eq!(known(), 2);
        drop(used);
        assert!(of(&a).wait(Instant::now()).is_some());
        assert_eq!(known(), 1, "a full one that nobody uses is forgotten, one that owes is not");
        assert!(accounts.of(&a, &limits(None)).cpu.is_none());
    }
}
