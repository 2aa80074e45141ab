//! A connector's budget of processor time: a bucket that fills with time at the connector's rate, up to its burst, and is emptied by what its guests ran.
//!
//! Not here: holding calls back, and who keeps it (`accounts`).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tombolo_model::policy::CpuLimits;

use crate::ticker::TICK;

/// Processor time that a connector may use.
pub(crate) struct CpuBudget(Mutex<Bucket>);

struct Bucket {
    /// Thousandths of a core: microseconds of processor time in a millisecond.
    millicores: i64,
    /// In nanoseconds of processor time.
    burst: i64,
    /// In nanoseconds of processor time; below zero for what was run on credit, at most one turn of each task.
    left: i64,
    filled: Instant,
}

impl CpuBudget {
    pub(crate) fn new(limits: &CpuLimits, max_millicores: u32, now: Instant) -> Self {
        let burst = nanos(limits.burst);
        let millicores = i64::from(max_millicores.max(1));
        Self(Mutex::new(Bucket { millicores, burst, left: burst, filled: now }))
    }

    pub(crate) fn change(&self, limits: &CpuLimits, max_millicores: u32, now: Instant) {
        self.with(now, |bucket| {
            bucket.millicores = i64::from(max_millicores.max(1));
            bucket.burst = nanos(limits.burst);
            bucket.left = bucket.left.min(bucket.burst);
        });
    }

    fn with<T>(&self, now: Instant, work: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = nanos(now.saturating_duration_since(bucket.filled));
        let due = passed.saturating_mul(bucket.millicores) / 1_000;
        if due > 0 {
            bucket.left = bucket.left.saturating_add(due).min(bucket.burst);
            bucket.filled = now;
        }
        work(&mut bucket)
    }

    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.with(now, |bucket| bucket.left >= bucket.burst)
    }

    /// Takes out what a guest ran.
    pub(crate) fn spend(&self, cpu: Duration, now: Instant) {
        self.with(now, |bucket| bucket.left = bucket.left.saturating_sub(nanos(cpu)));
    }

    /// How long to wait until there is enough for a turn; none where there is some.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        self.with(now, |bucket| {
            if bucket.left > 0 {
                return None;
            }
            let enough = nanos(TICK).min(bucket.burst);
            let missing = enough.saturating_sub(bucket.left).saturating_mul(1_000);
            let wait = u64::try_from(missing / bucket.millicores).unwrap_or_default();
            Some(Duration::from_nanos(wait))
        })
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_millicores: Option<u32>, burst: u64) -> CpuLimits {
        CpuLimits { max_millicores, burst: Duration::from_millis(burst), weight: 100 }
    }

    #[test]
    fn a_bucket_fills_at_its_rate_up_to_its_burst_and_may_owe_a_turn() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let ms = Duration::from_millis;
        let budget = CpuBudget::new(&limits(Some(200), 100), 200, start);
        assert_eq!(budget.wait(start), None);
        budget.spend(ms(103), start);
        // 3 ms of debt and a tick of 2 ms, at a fifth of a core.
        assert_eq!(budget.wait(start), Some(ms(25)));
        assert_eq!(budget.wait(at(10)), Some(ms(15)));
        assert_eq!(budget.wait(at(25)), None);
        budget.spend(ms(2), at(25));
        assert_eq!(budget.wait(at(25)), Some(ms(10)));
        budget.spend(ms(100), at(10_000));
        assert_eq!(budget.wait(at(10_000)), Some(ms(10)), "never above the burst");
    }
}
