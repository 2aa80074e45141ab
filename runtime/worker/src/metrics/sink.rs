//! What a sink task does, as Kafka Connect's `sink-task-metrics`.
//!
//! Not here: what every task has (`task`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tombolo_model::metric::{Group, Readings, Tags};

use super::measures::{Level, Meter, Times};
use super::sampled::Windows;

const GROUP: Group = Group { domain: "kafka.connect", name: "sink-task-metrics" };

/// What a sink task does. Its loop records, a batch at a time.
///
/// Follows `SinkTaskMetricsGroup` of Kafka Connect.
#[derive(Debug)]
pub(crate) struct SinkMetrics {
    read: Meter,
    sent: Meter,
    put_time: Times,
    partitions: AtomicU64,
    commit_number: AtomicU64,
    commits: Meter,
    late_commits: Meter,
    active: Level,
}

impl SinkMetrics {
    pub(crate) fn new(windows: Windows, now: Instant) -> Self {
        Self {
            read: Meter::new(windows, now),
            sent: Meter::new(windows, now),
            put_time: Times::new(windows, now),
            partitions: AtomicU64::new(0),
            commit_number: AtomicU64::new(0),
            commits: Meter::new(windows, now),
            late_commits: Meter::new(windows, now),
            active: Level::new(windows, now),
        }
    }

    /// Rows were consumed.
    pub(crate) fn read_rows(&self, rows: u32, now: Instant) {
        self.read.add(u64::from(rows), now);
    }

    /// The sink took rows.
    pub(crate) fn put(&self, rows: u32, took: Duration, now: Instant) {
        self.sent.add(u64::from(rows), now);
        self.put_time.record(took, now);
    }

    /// The task has this many partitions.
    pub(crate) fn has_partitions(&self, count: usize) {
        self.partitions.store(count as u64, Ordering::Relaxed);
    }

    /// This many rows were given to the sink and are not committed.
    pub(crate) fn has_active(&self, rows: u64, now: Instant) {
        self.active.set(rows, now);
    }

    /// Another commit begins.
    pub(crate) fn commit_began(&self) {
        self.commit_number.fetch_add(1, Ordering::Relaxed);
    }

    /// A commit succeeded.
    pub(crate) fn committed(&self, now: Instant) {
        self.commits.add(1, now);
    }

    /// Kafka answered a commit that was given up before.
    pub(crate) fn answered_late(&self, now: Instant) {
        self.late_commits.add(1, now);
    }

    pub(crate) fn read(&self, tags: &Tags, now: Instant, readings: &mut Readings) {
        let gauge = |value: &AtomicU64| value.load(Ordering::Relaxed) as f64;
        readings
            .of(GROUP, tags)
            .gauge(
                "sink-record-read-rate",
                "Records consumed by the task, each second, before transformations.",
                self.read.rate(now),
            )
            .counter(
                "sink-record-read-total",
                "Records consumed by the task, before transformations.",
                self.read.total(),
            )
            .gauge(
                "sink-record-send-rate",
                "Records that the sink took, each second, without those that transformations dropped.",
                self.sent.rate(now),
            )
            .counter(
                "sink-record-send-total",
                "Records that the sink took, without those that transformations dropped.",
                self.sent.total(),
            )
            .gauge("partition-count", "Partitions of the task.", gauge(&self.partitions))
            .gauge("offset-commit-seq-no", "Number of the last commit.", gauge(&self.commit_number))
            .gauge(
                "offset-commit-completion-rate",
                "Commits that succeeded, each second.",
                self.commits.rate(now),
            )
            .counter(
                "offset-commit-completion-total",
                "Commits that succeeded.",
                self.commits.total(),
            )
            .gauge(
                "offset-commit-skip-rate",
                "Commits that were answered too late, each second.",
                self.late_commits.rate(now),
            )
            .counter(
                "offset-commit-skip-total",
                "Commits that were answered too late.",
                self.late_commits.total(),
            )
            .gauge("put-batch-max-time-ms", "Longest time of a put.", self.put_time.max_ms(now))
            .gauge("put-batch-avg-time-ms", "Mean time of a put.", self.put_time.average_ms(now))
            .gauge(
                "sink-record-active-count",
                "Records that were given to the sink and are not committed yet.",
                self.active.value(),
            )
            .gauge(
                "sink-record-active-count-max",
                "Most records that were given to the sink and not committed.",
                self.active.max(now),
            )
            .gauge(
                "sink-record-active-count-avg",
                "Mean number of records that were given to the sink and not committed.",
                self.active.average(now),
            );
    }
}
