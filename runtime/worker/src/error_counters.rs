//! How often records of a task failed, were tried again, skipped, logged and written to a dead letter queue.
//!
//! Not here: what is done about a failure (`tolerance`, `error_report`), and who shows the numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Counts of one task, from its start on. Written by the task, read by anyone at any time.
///
/// Follows `ErrorHandlingMetrics` of Kafka Connect, the group `task-error-metrics`.
#[derive(Debug, Default)]
pub struct ErrorCounters {
    record_failures: AtomicU64,
    record_errors: AtomicU64,
    records_skipped: AtomicU64,
    retries: AtomicU64,
    errors_logged: AtomicU64,
    dead_letter_requests: AtomicU64,
    dead_letter_failures: AtomicU64,
    last_error_ms: AtomicU64,
}

/// What the counters say at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorCounts {
    /// `total-record-failures`: failed operations, also those that succeeded when they were tried again.
    pub record_failures: u64,
    /// `total-record-errors`: records that a converter or transformation could not process, and those that ended the task.
    pub record_errors: u64,
    /// `total-records-skipped`: records that were skipped, of those that a converter or transformation could not process.
    pub records_skipped: u64,
    /// `total-retries`: operations that were tried again.
    pub retries: u64,
    /// `total-errors-logged`: failures that were logged because of `errors.log.enable`.
    pub errors_logged: u64,
    /// `deadletterqueue-produce-requests`: records that were to be written to the dead letter queue.
    pub dead_letter_requests: u64,
    /// `deadletterqueue-produce-failures`: those of them that could not be written.
    pub dead_letter_failures: u64,
    /// `last-error-timestamp`: when a record failed last, in milliseconds since the epoch; 0 for never.
    pub last_error_ms: u64,
}

impl ErrorCounters {
    /// What they say now.
    pub fn read(&self) -> ErrorCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ErrorCounts {
            record_failures: read(&self.record_failures),
            record_errors: read(&self.record_errors),
            records_skipped: read(&self.records_skipped),
            retries: read(&self.retries),
            errors_logged: read(&self.errors_logged),
            dead_letter_requests: read(&self.dead_letter_requests),
            dead_letter_failures: read(&self.dead_letter_failures),
            last_error_ms: read(&self.last_error_ms),
        }
    }

    /// An operation failed and is tried again.
    pub(crate) fn retried(&self) {
        add(&self.record_failures);
        add(&self.retries);
    }

    /// A converter or transformation could not process a record.
    ///
    /// Follows `RetryWithToleranceOperator.execute`.
    pub(crate) fn not_processed(&self, is_skipped: bool) {
        self.failed();
        add(&self.record_errors);
        if is_skipped {
            add(&self.records_skipped);
        }
    }

    /// A sink refused a record, or Kafka did.
    ///
    /// Follows `RetryWithToleranceOperator.executeFailed`.
    pub(crate) fn refused(&self, is_tolerated: bool) {
        self.failed();
        if !is_tolerated {
            add(&self.record_errors);
        }
    }

    fn failed(&self) {
        add(&self.record_failures);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.last_error_ms.store(now, Ordering::Relaxed);
    }

    /// A record is to be written to the dead letter queue.
    pub(crate) fn dead_letter_requested(&self) {
        add(&self.dead_letter_requests);
    }

    /// A record could not be written to the dead letter queue.
    pub(crate) fn dead_letter_failed(&self) {
        add(&self.dead_letter_failures);
    }

    /// A failure was logged.
    pub(crate) fn logged(&self) {
        add(&self.errors_logged);
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_kafka_connects_error_handler() {
        let counters = ErrorCounters::default();
        assert_eq!(counters.read(), ErrorCounts::default());
        counters.retried();
        counters.not_processed(true);
        counters.not_processed(false);
        counters.refused(true);
        counters.refused(false);
        counters.logged();
        counters.dead_letter_requested();
        counters.dead_letter_requested();
        counters.dead_letter_failed();
        let mut counts = counters.read();
        assert!(counts.last_error_ms > 1_700_000_000_000, "{counts:?}");
        counts.last_error_ms = 0;
        let expected = ErrorCounts {
            record_failures: 5,
            record_errors: 3,
            records_skipped: 1,
            retries: 1,
            errors_logged: 1,
            dead_letter_requests: 2,
            dead_letter_failures: 1,
            last_error_ms: 0,
        };
        assert_eq!(counts, expected);
    }
}
