//! What metrics are made of: totals, meters, levels, times, outcomes.
//!
//! Each is written by one thread of control, a batch at a time, and read by any other. Not here: their names.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::sampled::{Sampled, Windows};

/// Counts up. Any thread may count.
#[derive(Debug, Default)]
pub(crate) struct Total(AtomicU64);

impl Total {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64
    }
}

/// Counts up, with its rate by the second.
#[derive(Debug)]
pub(crate) struct Meter {
    total: Total,
    recent: Sampled,
}

impl Meter {
    pub(crate) fn new(windows: Windows, now: Instant) -> Self {
        Self { total: Total::default(), recent: Sampled::new(windows, now) }
    }

    pub(crate) fn add(&self, more: u64, now: Instant) {
        self.total.add(more);
        self.recent.record(more, now);
    }

    pub(crate) fn total(&self) -> f64 {
        self.total.get()
    }

    pub(crate) fn rate(&self, now: Instant) -> f64 {
        self.recent.rate(now)
    }
}

/// Goes up and down, with its largest and its mean value.
#[derive(Debug)]
pub(crate) struct Level {
    value: AtomicU64,
    recent: Sampled,
}

impl Level {
    pub(crate) fn new(windows: Windows, now: Instant) -> Self {
        Self { value: AtomicU64::new(0), recent: Sampled::new(windows, now) }
    }

    pub(crate) fn set(&self, value: u64, now: Instant) {
        self.value.store(value, Ordering::Relaxed);
        self.recent.record(value, now);
    }

    pub(crate) fn value(&self) -> f64 {
        self.value.load(Ordering::Relaxed) as f64
    }

    pub(crate) fn max(&self, now: Instant) -> f64 {
        self.recent.max(now)
    }

    pub(crate) fn average(&self, now: Instant) -> f64 {
        self.recent.average(now)
    }
}

/// How long something takes: in microseconds inside, in milliseconds as it is read.
#[derive(Debug)]
pub(crate) struct Times(Sampled);

impl Times {
    pub(crate) fn new(windows: Windows, now: Instant) -> Self {
        Self(Sampled::new(windows, now))
    }

    pub(crate) fn record(&self, took: Duration, now: Instant) {
        self.0.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), now);
    }

    pub(crate) fn max_ms(&self, now: Instant) -> f64 {
        self.0.max(now) / 1_000.0
    }

    pub(crate) fn average_ms(&self, now: Instant) -> f64 {
        self.0.average(now) / 1_000.0
    }
}

/// How often something succeeds.
///
/// Follows `Frequencies.forBooleanValues` of Kafka: a share between 0 and 1, though its names say percentage.
#[derive(Debug)]
pub(crate) struct Outcomes(Sampled);

impl Outcomes {
    pub(crate) fn new(windows: Windows, now: Instant) -> Self {
        Self(Sampled::new(windows, now))
    }

    pub(crate) fn record(&self, succeeded: bool, now: Instant) {
        self.0.record(u64::from(succeeded), now);
    }

    /// The share that succeeded, and the share that failed; both 0 where nothing was tried.
    pub(crate) fn shares(&self, now: Instant) -> (f64, f64) {
        let succeeded = self.0.average(now);
        if succeeded.is_nan() { (0.0, 0.0) } else { (succeeded, 1.0 - succeeded) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows { window: Duration::from_secs(30), count: 2 };

    #[test]
    fn outcomes_are_shares() {
        let now = Instant::now();
        let outcomes = Outcomes::new(WINDOWS, now);
        assert_eq!(outcomes.shares(now), (0.0, 0.0));
        for succeeded in [true, true, true, false] {
            outcomes.record(succeeded, now);
        }
        assert_eq!(outcomes.shares(now), (0.75, 0.25));
    }

    #[test]
    fn times_are_read_in_milliseconds() {
        let now = Instant::now();
        let times = Times::new(WINDOWS, now);
        for micros in [1_500, 500] {
            times.record(Duration::from_micros(micros), now);
        }
        assert_eq!((times.max_ms(now), times.average_ms(now)), (1.5, 1.0));
    }

    #[test]
    fn a_level_keeps_its_latest_value_and_its_largest() {
        let now = Instant::now();
        let level = Level::new(WINDOWS, now);
        for value in [5, 9, 1] {
            level.set(value, now);
        }
        assert_eq!((level.value(), level.max(now), level.average(now)), (1.0, 9.0, 5.0));
    }
}
