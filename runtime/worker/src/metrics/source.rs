//! What a source task does, as Kafka Connect's `source-task-metrics`.
//!
//! Not here: what every task has (`task`).

use std::time::Duration;

use tokio::time::Instant;
use tombolo_model::metric::{Group, Readings, Tags};

use super::measures::{Level, Meter, Times};
use super::sampled::Windows;

const GROUP: Group = Group { domain: "kafka.connect", name: "source-task-metrics" };

/// What a source task does. Its loop records, a batch at a time.
///
/// Follows `SourceTaskMetricsGroup` of Kafka Connect; but records count as written, and as no longer active, when Kafka has acknowledged them, not
/// when they were given to the producer.
#[derive(Debug)]
pub(crate) struct SourceMetrics {
    polled: Meter,
    poll_time: Times,
    written: Meter,
    active: Level,
}

impl SourceMetrics {
    pub(crate) fn new(windows: Windows, now: Instant) -> Self {
        Self {
            polled: Meter::new(windows, now),
            poll_time: Times::new(windows, now),
            written: Meter::new(windows, now),
            active: Level::new(windows, now),
        }
    }

    /// A poll brought rows, with which there are this many active ones.
    pub(crate) fn polled(&self, rows: u32, took: Duration, active: u64, now: Instant) {
        self.polled.add(u64::from(rows), now);
        self.poll_time.record(took, now);
        self.active.set(active, now);
    }

    /// Kafka has acknowledged rows, and this many are active still.
    pub(crate) fn written(&self, rows: u64, active: u64, now: Instant) {
        self.written.add(rows, now);
        self.active.set(active, now);
    }

    pub(crate) fn read(&self, tags: &Tags, now: Instant, readings: &mut Readings) {
        readings
            .of(GROUP, tags)
            .gauge(
                "source-record-poll-rate",
                "Records polled by the task, each second, before transformations.",
                self.polled.rate(now),
            )
            .counter(
                "source-record-poll-total",
                "Records polled by the task, before transformations.",
                self.polled.total(),
            )
            .gauge(
                "source-record-write-rate",
                "Records that Kafka acknowledged to the task, each second, without those that transformations dropped.",
                self.written.rate(now),
            )
            .counter(
                "source-record-write-total",
                "Records that Kafka acknowledged to the task, without those that transformations dropped.",
                self.written.total(),
            )
            .gauge(
                "poll-batch-max-time-ms",
                "Longest time of a poll that brought records.",
                self.poll_time.max_ms(now),
            )
            .gauge(
                "poll-batch-avg-time-ms",
                "Mean time of polls that brought records.",
                self.poll_time.average_ms(now),
            )
            .gauge(
                "source-record-active-count",
                "Records that were polled and that Kafka has not acknowledged yet.",
                self.active.value(),
            )
            .gauge(
                "source-record-active-count-max",
                "Most records that were polled and not acknowledged.",
                self.active.max(now),
            )
            .gauge(
                "source-record-active-count-avg",
                "Mean number of records that were polled and not acknowledged.",
                self.active.average(now),
            );
    }
}
