//! What was recorded in the latest windows of time, as Kafka's sampled statistics have it.
//!
//! Not here: what is recorded.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The windows that statistics look back over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Setting `metrics.sample.window.ms`: how long one window is.
    pub window: Duration,
    /// Setting `metrics.num.samples`: how many windows count.
    pub count: usize,
}

/// Values of the latest windows: their sum, their count and their maximum.
///
/// One thread of control records; any other reads meanwhile, without a lock. A reading that meets the change of a window may miss that window.
///
/// Follows `SampledStat` of Kafka, with `Avg`, `Max`, `Rate` and `Frequencies` over the same samples.
#[derive(Debug)]
pub(crate) struct Sampled {
    windows: Windows,
    /// Times are milliseconds since then.
    origin: Instant,
    /// One more than windows count: the oldest may still overlap the time looked back over.
    samples: Box<[Sample]>,
    current: AtomicUsize,
}

#[derive(Debug, Default)]
struct Sample {
    started: AtomicU64,
    last: AtomicU64,
    count: AtomicU64,
    sum: AtomicU64,
    max: AtomicU64,
}

/// What the windows hold.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    count: u64,
    sum: u64,
    max: u64,
    /// When the oldest of them began.
    since: Option<u64>,
}

impl Sampled {
    /// Nothing was recorded yet.
    pub(crate) fn new(windows: Windows, now: Instant) -> Self {
        let samples = (0..=windows.count).map(|_| Sample::default()).collect();
        Self { windows, origin: now, samples, current: AtomicUsize::new(0) }
    }

    /// Takes in a value.
    pub(crate) fn record(&self, value: u64, now: Instant) {
        let (now, window) = (self.milliseconds(now), milliseconds(self.windows.window));
        let current = self.current.load(Ordering::Relaxed);
        let Some(mut sample) = self.samples.get(current) else { return };
        let is_over = now.saturating_sub(get(&sample.started)) >= window;
        if get(&sample.count) > 0 && is_over {
            let next = (current + 1) % self.samples.len();
            self.current.store(next, Ordering::Relaxed);
            sample = self.samples.get(next).unwrap_or(sample);
            set(&sample.count, 0);
        }
        if get(&sample.count) == 0 {
            set(&sample.started, now);
            set(&sample.sum, 0);
            set(&sample.max, 0);
        }
        set(&sample.last, now);
        set(&sample.sum, get(&sample.sum).saturating_add(value));
        set(&sample.max, get(&sample.max).max(value));
        set(&sample.count, get(&sample.count) + 1);
    }

    /// The mean of the values; `NaN` where there are none.
    pub(crate) fn average(&self, now: Instant) -> f64 {
        let held = self.held(now);
        match held.count {
            0 => f64::NAN,
            count => held.sum as f64 / count as f64,
        }
    }

    /// The largest value; `NaN` where there is none.
    pub(crate) fn max(&self, now: Instant) -> f64 {
        let held = self.held(now);
        if held.count == 0 { f64::NAN } else { held.max as f64 }
    }

    /// The sum of the values for each second.
    ///
    /// Follows `Rate.windowSize` of Kafka: all windows but the current one count as complete, so that a first value is not a peak.
    pub(crate) fn rate(&self, now: Instant) -> f64 {
        let (held, window) = (self.held(now), milliseconds(self.windows.window).max(1));
        let now = self.milliseconds(now);
        let passed = now.saturating_sub(held.since.unwrap_or(now));
        let missing = (self.windows.count as u64).saturating_sub(1 + passed / window);
        let passed = (passed + missing * window).max(1);
        held.sum as f64 * 1_000.0 / passed as f64
    }

    fn held(&self, now: Instant) -> Held {
        let now = self.milliseconds(now);
        let age_max = milliseconds(self.windows.window) * self.windows.count as u64;
        let mut held = Held::default();
        for sample in &self.samples {
            let (count, started) = (get(&sample.count), get(&sample.started));
            if count == 0 || now.saturating_sub(get(&sample.last)) >= age_max {
                continue;
            }
            held.count += count;
            held.sum = held.sum.saturating_add(get(&sample.sum));
            held.max = held.max.max(get(&sample.max));
            held.since = Some(held.since.map_or(started, |since| since.min(started)));
        }
        held
    }

    fn milliseconds(&self, now: Instant) -> u64 {
        milliseconds(now.saturating_duration_since(self.origin))
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn get(field: &AtomicU64) -> u64 {
    field.load(Ordering::Relaxed)
}

fn set(field: &AtomicU64, value: u64) {
    field.store(value, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows { window: Duration::from_secs(30), count: 2 };

    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }

    #[test]
    fn averages_and_maxima_look_back_over_the_windows() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let sampled = Sampled::new(WINDOWS, start);
        assert!(sampled.average(at(1)).is_nan() && sampled.max(at(1)).is_nan());
        sampled.record(10, at(1));
        sampled.record(20, at(29));
        sampled.record(3, at(31));
        check(sampled.average(at(32)), 11.0);
        check(sampled.max(at(32)), 20.0);
        check(sampled.max(at(88)), 20.0);
        check(sampled.max(at(89)), 3.0);
        check(sampled.average(at(89)), 3.0);
        assert!(sampled.max(at(91)).is_nan(), "everything is too old");
    }

    #[test]
    fn a_rate_counts_all_windows_but_the_current_as_complete() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let sampled = Sampled::new(WINDOWS, start);
        check(sampled.rate(at(5)), 0.0);
        sampled.record(60, at(5));
        check(sampled.rate(at(5)), 2.0);
        check(sampled.rate(at(35)), 2.0);
        sampled.record(60, at(35));
        check(sampled.rate(at(45)), 3.0);
        check(sampled.rate(at(66)), 60.0 / 31.0);
        check(sampled.rate(at(100)), 0.0);
    }

    #[test]
    fn windows_are_used_again() {
        let start = Instant::now();
        let sampled = Sampled::new(WINDOWS, start);
        for second in 0..1_000 {
            sampled.record(second, start + Duration::from_secs(second));
        }
        let now = start + Duration::from_secs(999);
        check(sampled.max(now), 999.0);
        let rate = sampled.rate(now);
        assert!(rate > 900.0 && rate < 1_000.0, "{rate}");
    }
}
