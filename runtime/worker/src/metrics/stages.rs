//! Calls into a task's plugins, by stage: how many rows, how long, how often they fail. Ours; Kafka Connect has nothing of the kind.
//!
//! Not here: making the calls.

use std::array;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tombolo_model::metric::{Group, Histogram, Readings, Tags, Value};
use tombolo_model::{Fault, Stage};

use super::measures::Total;

const GROUP: Group = Group { domain: "tombolo", name: "stage" };

/// Upper bounds of times, in seconds: from a call that only crosses the wall to one that comes near the default `sandbox.call.timeout.ms`.
/// Each is a series for each stage of each task, so there are few.
const BOUNDS: [f64; 12] =
    [0.000_02, 0.000_1, 0.000_25, 0.001, 0.002_5, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The stages of one task. Written by the task, a call at a time; read by anyone at any time.
#[derive(Debug)]
pub(crate) struct StageMetrics([Calls; Stage::ALL.len()]);

/// Calls of one stage.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    rows: Total,
    bad_rows: Total,
    failed: Total,
    is_under_way: AtomicBool,
    /// How many took how long; the last took longer than all bounds.
    times: [AtomicU64; BOUNDS.len() + 1],
    /// Of all times, in microseconds.
    sum: AtomicU64,
}

impl Default for StageMetrics {
    fn default() -> Self {
        Self(array::from_fn(|_| Calls::default()))
    }
}

impl StageMetrics {
    /// Calls of this stage.
    pub(crate) fn of(&self, stage: Stage) -> &Calls {
        let Self([first, ..]) = self;
        // Every stage has its place.
        self.0.get(stage as usize).unwrap_or(first)
    }

    /// The stage of a call that has begun and not ended.
    pub(crate) fn under_way(&self) -> Option<Stage> {
        let is_under_way = |stage: &Stage| self.of(*stage).is_under_way.load(Ordering::Relaxed);
        Stage::ALL.into_iter().find(is_under_way)
    }

    pub(crate) fn read(&self, tags: &Tags, readings: &mut Readings) {
        for stage in Stage::ALL {
            let stage_tag = [("stage", stage.name().to_owned())];
            self.of(stage).read(&tags.iter().cloned().chain(stage_tag).collect(), readings);
        }
    }
}

impl Calls {
    /// Makes a call about so many rows.
    pub(crate) async fn time<T>(
        &self,
        rows: u32,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.began();
        let began = Instant::now();
        let answer = call.await;
        self.ended(rows, began.elapsed(), answer.is_ok());
        answer
    }

    /// A call begins.
    pub(crate) fn began(&self) {
        self.is_under_way.store(true, Ordering::Relaxed);
    }

    /// A call about so many rows ended.
    pub(crate) fn ended(&self, rows: u32, took: Duration, succeeded: bool) {
        self.is_under_way.store(false, Ordering::Relaxed);
        self.rows.add(u64::from(rows));
        if !succeeded {
            self.failed.add(1);
        }
        let seconds = took.as_secs_f64();
        let range = BOUNDS.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.times.get(range) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// A row could not be processed.
    pub(crate) fn bad_row(&self) {
        self.bad_rows.add(1);
    }

    /// Shown from the first call or bad row on: most tasks have fewer stages than there are.
    fn read(&self, tags: &Tags, readings: &mut Readings) {
        let counts: Vec<u64> =
            self.times.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let calls: u64 = counts.iter().sum();
        if calls == 0 && self.bad_rows.get() == 0.0 {
            return;
        }
        let mut of = readings.of(GROUP, tags);
        of.counter(
            "bad-records-total",
            "Records that could not be processed at the stage, whatever became of them.",
            self.bad_rows.get(),
        );
        if calls == 0 {
            return;
        }
        let sum = self.sum.load(Ordering::Relaxed) as f64 / 1e6;
        of.counter(
            "records-total",
            "Records that calls of the plugin were about, each as often as it was in one; headers at the header converter.",
            self.rows.get(),
        )
        .counter(
            "failed-calls-total",
            "Calls of the plugin that failed as a whole, those too that were made again.",
            self.failed.get(),
        )
        .add(
            "call-seconds",
            "Time of calls of the plugin, in seconds; a poll may wait for records.",
            Value::Histogram(Histogram { bounds: &BOUNDS, counts, sum }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(metrics: &StageMetrics) -> Vec<(String, String, Value)> {
        let mut readings = Readings::default();
        metrics.read(&[("connector", "c".to_owned())].into(), &mut readings);
        let labels = |tags: &Tags| {
            tags.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
        };
        let told = readings.into_vec().into_iter();
        told.map(|reading| (labels(&reading.tags), reading.name.into_owned(), reading.value))
            .collect()
    }

    #[test]
    fn a_call_counts_in_the_range_of_its_time() {
        let metrics = StageMetrics::default();
        let put = metrics.of(Stage::TaskPut);
        for (micros, succeeded) in [(20, true), (21, true), (100, false), (40_000_000, true)] {
            put.ended(10, Duration::from_micros(micros), succeeded);
        }
        put.bad_row();
        let mut counts = vec![0; BOUNDS.len() + 1];
        (counts[0], counts[1], counts[BOUNDS.len()]) = (1, 2, 1);
        let histogram = Histogram { bounds: &BOUNDS, counts, sum: 40.000_141 };
        let expected = [
            ("bad-records-total", Value::Counter(1.0)),
            ("records-total", Value::Counter(40.0)),
            ("failed-calls-total", Value::Counter(1.0)),
            ("call-seconds", Value::Histogram(histogram)),
        ];
        let expected =
            expected.map(|(name, value)| ("c TASK_PUT".to_owned(), name.to_owned(), value));
        assert_eq!(read(&metrics), expected);
    }

    #[test]
    fn a_stage_without_a_plugin_shows_its_bad_records_alone() {
        let metrics = StageMetrics::default();
        assert_eq!(read(&metrics), []);
        metrics.of(Stage::KafkaProduce).bad_row();
        let expected = ("c KAFKA_PRODUCE".to_owned(), "bad-records-total".to_owned());
        assert_eq!(read(&metrics), [(expected.0, expected.1, Value::Counter(1.0))]);
    }

    #[test]
    fn a_call_is_under_way_until_it_ends() {
        let metrics = StageMetrics::default();
        assert_eq!(metrics.under_way(), None);
        metrics.of(Stage::TaskPut).began();
        assert_eq!(metrics.under_way(), Some(Stage::TaskPut));
        metrics.of(Stage::TaskPut).ended(1, Duration::ZERO, false);
        assert_eq!(metrics.under_way(), None);
    }

    #[test]
    fn every_stage_has_a_place_of_its_own() {
        for (stage, place) in Stage::ALL.into_iter().zip(0..) {
            assert_eq!(stage as usize, place);
        }
    }
}
