//! What becomes of a call or a row that failed: tried again, skipped, or the end of the task.
//!
//! Not here: which calls there are, telling of rows that failed (`error_report`), and faults of `poll` and `put` as a whole, which no tolerance
//! covers.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tombolo_model::fault::Problem;
use tombolo_model::{Fault, FaultKind, Stage};

use crate::connector_config::{ErrorsConfig, Tolerance};
use crate::error_counters::ErrorCounters;
use crate::metrics::StageMetrics;

/// What a task answers when a bad row is one too many, in Kafka Connect's words.
pub(crate) const TOLERANCE_EXCEEDED: &str = "Tolerance exceeded in error handler";

/// The class that Kafka Connect's own failures have in statuses.
pub(crate) const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";

/// Pause before the first repetition; doubles with each, as in Kafka Connect.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(300);

/// What a task does about failures, and where it counts what it does.
///
/// Follows `RetryWithToleranceOperator` of Kafka Connect.
#[derive(Clone, Debug)]
pub(crate) struct ErrorPolicy {
    pub(crate) config: ErrorsConfig,
    /// Ends every pause.
    pub(crate) stopping: CancellationToken,
    pub(crate) counters: Arc<ErrorCounters>,
    pub(crate) stages: Arc<StageMetrics>,
}

impl ErrorPolicy {
    /// Skips what fails, at once and uncounted.
    pub(crate) fn skipping() -> Self {
        let config = ErrorsConfig {
            retry_timeout: Some(Duration::ZERO),
            retry_delay_max: Duration::ZERO,
            tolerance: Tolerance::All,
            poison_rows_max: 0,
            log: false,
            log_messages: false,
        };
        let (counters, stages) = (Arc::default(), Arc::default());
        Self { config, stopping: CancellationToken::new(), counters, stages }
    }

    /// Whether bad rows are skipped.
    pub(crate) fn skips(&self) -> bool {
        self.config.tolerance == Tolerance::All
    }

    /// Starts to count repetitions of one call.
    pub(crate) fn retries(&self) -> Retries<'_> {
        Retries { policy: self, started: Instant::now(), failed: 0 }
    }

    /// Waits, but no longer than the task has to live. Answers whether it goes on.
    pub(crate) async fn pause(&self, wait: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}

/// Repetitions of one call.
pub(crate) struct Retries<'a> {
    policy: &'a ErrorPolicy,
    started: Instant,
    failed: u32,
}

impl Retries<'_> {
    /// Whether the call should be made again after this fault; waits before it says so.
    pub(crate) async fn again(&mut self, fault: &Fault) -> bool {
        let FaultKind::Retriable { after } = fault.kind else { return false };
        self.failed += 1;
        let ErrorsConfig { retry_timeout, retry_delay_max, .. } = self.policy.config;
        let left = retry_timeout.map(|most| most.saturating_sub(self.started.elapsed()));
        let wait = after.unwrap_or_else(|| delay(self.failed, retry_delay_max, random));
        let goes_on = match left {
            Some(Duration::ZERO) => false,
            Some(left) => self.policy.pause(wait.min(left)).await,
            None => self.policy.pause(wait).await,
        };
        if goes_on {
            self.policy.counters.retried();
        }
        goes_on
    }
}

/// The pause after the `failed`-th failure: doubling, then random below the most.
fn delay(failed: u32, most: Duration, random: impl Fn() -> u64) -> Duration {
    let doubled =
        1_u32.checked_shl(failed.saturating_sub(1)).and_then(|n| RETRY_DELAY_MIN.checked_mul(n));
    match doubled {
        Some(wait) if wait <= most => wait,
        _ => {
            let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
            Duration::from_millis(random() % most)
        }
    }
}

/// A number that differs from task to task, so that they do not come back all at once.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// What is wrong with a row about which a call failed as a whole. Without a class of its own, it has that of Kafka Connect's exception of its kind.
pub(crate) fn problem_of(fault: Fault) -> Problem {
    let class = match fault.is_retriable() {
        true => "org.apache.kafka.connect.errors.RetriableException",
        false => "org.apache.kafka.connect.errors.DataException",
    };
    let class = fault.class.unwrap_or_else(|| class.to_owned());
    Problem { message: fault.message, class: Some(class), trace: fault.trace }
}

/// The end of a task by a bad row.
pub(crate) fn exceeded(stage: Stage, problem: &Problem) -> Fault {
    caused_by(stage, TOLERANCE_EXCEEDED, problem)
}

/// A failure in Kafka Connect's words, with what caused it behind it, as a Java stack trace has it.
pub(crate) fn caused_by(stage: Stage, message: &str, cause: &Problem) -> Fault {
    let class = cause.class.as_deref().map(|class| format!("{class}: ")).unwrap_or_default();
    let rest = cause.trace.as_deref().map(|trace| format!("\n{trace}")).unwrap_or_default();
    let mut fault = Fault::fatal(stage, message);
    fault.class = Some(CONNECT_EXCEPTION.to_owned());
    fault.trace = Some(format!("Caused by: {class}{}{rest}", cause.message));
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(tolerance: Tolerance, retry_timeout: Option<Duration>) -> ErrorPolicy {
        ErrorPolicy {
            config: ErrorsConfig {
                retry_timeout,
                retry_delay_max: Duration::from_secs(60),
                tolerance,
                log: true,
                log_messages: true,
                poison_rows_max: 0,
            },
            stopping: CancellationToken::new(),
            counters: Arc::default(),
            stages: Arc::default(),
        }
    }

    #[test]
    fn pauses_double_and_are_random_below_the_most_after_that() {
        let check = |failed: u32, expected: u64| {
            let wait = delay(failed, Duration::from_secs(60), || 123_456_789);
            assert_eq!(wait, Duration::from_millis(expected), "failure {failed}");
        };
        check(1, 300);
        check(2, 600);
        check(8, 38_400);
        check(9, 123_456_789 % 60_000);
        check(40, 123_456_789 % 60_000);
        assert_eq!(delay(1, Duration::ZERO, || 7), Duration::ZERO);
    }

    #[tokio::test]
    async fn only_retriable_faults_within_the_timeout_are_tried_again() {
        let soon = FaultKind::Retriable { after: Some(Duration::ZERO) };
        let retriable = Fault::new(soon, Stage::Transformation, "away");
        let fatal = Fault::fatal(Stage::Transformation, "broken");
        let forever = policy(Tolerance::None, None);
        assert!(forever.retries().again(&retriable).await);
        assert!(!forever.retries().again(&fatal).await);
        let never = policy(Tolerance::None, Some(Duration::ZERO));
        assert!(!never.retries().again(&retriable).await);
        let retries = |policy: &ErrorPolicy| policy.counters.read().retries;
        assert_eq!((retries(&forever), retries(&never)), (1, 0));
        forever.stopping.cancel();
        assert!(!forever.retries().again(&retriable).await, "a task that stops does not go on");
    }
}
