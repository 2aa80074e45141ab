//! What becomes of a call or a row that failed: tried again, skipped, or the end of the task.
//!
//! Not here: which calls there are, and faults of `poll` and `put` as a whole, which no tolerance covers.
//! A dead letter queue would be one more place to report to, in [`ErrorPolicy::report`].

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tombolo_model::batch::TimestampType;
use tombolo_model::fault::Problem;
use tombolo_model::{Fault, FaultKind, Stage, TaskId};

use crate::connector_config::{ErrorsConfig, Tolerance};

/// What a task answers when a bad row is one too many, in Kafka Connect's words.
pub(crate) const TOLERANCE_EXCEEDED: &str = "Tolerance exceeded in error handler";

/// The class that Kafka Connect's own failures have in statuses.
pub(crate) const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";

/// Pause before the first repetition; doubles with each, as in Kafka Connect.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(300);

/// What a task does about failures.
///
/// Follows `RetryWithToleranceOperator` of Kafka Connect.
#[derive(Clone, Debug)]
pub(crate) struct ErrorPolicy {
    pub(crate) task: TaskId,
    pub(crate) config: ErrorsConfig,
    /// Ends every pause.
    pub(crate) stopping: CancellationToken,
}

/// Where in the record's path a row failed, and in which plugin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executing<'a> {
    pub(crate) stage: Stage,
    pub(crate) class: &'a str,
}

/// Which record it was. Prints as in Kafka Connect's log.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'a> {
    /// Read from Kafka.
    Consumed {
        topic: &'a str,
        partition: i32,
        offset: i64,
        timestamp: i64,
        timestamp_type: TimestampType,
    },
    /// Polled from a source. Its content is the plugins' to read, not ours to print.
    Polled { poll: u64, row: u32 },
    /// Handed to the producer, as the task's row of this number.
    Sent { seq: u64 },
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consumed { topic, partition, offset, timestamp, timestamp_type } => {
                write!(f, ", where consumed record is {{topic='{topic}', partition={partition}, ")?;
                write!(f, "offset={offset}")?;
                match timestamp_type {
                    TimestampType::None => write!(f, "}}"),
                    TimestampType::CreateTime => {
                        write!(f, ", timestamp={timestamp}, timestampType=CreateTime}}")
                    }
                    TimestampType::LogAppendTime => {
                        write!(f, ", timestamp={timestamp}, timestampType=LogAppendTime}}")
                    }
                }
            }
            Self::Polled { poll, row } => {
                write!(f, ", where source record is = SourceRecord{{poll={poll}, row={row}}}")
            }
            Self::Sent { seq } => {
                write!(f, ", where source record is = SourceRecord{{number={seq}}}")
            }
        }
    }
}

impl ErrorPolicy {
    /// Whether bad rows are skipped.
    pub(crate) fn skips(&self) -> bool {
        self.config.tolerance == Tolerance::All
    }

    /// Reports a bad row. Answers with the fault that ends the task, unless the row may be skipped.
    pub(crate) fn judge(
        &self,
        at: Executing<'_>,
        record: Record<'_>,
        problem: &Problem,
    ) -> Result<(), Fault> {
        self.report(at, record, problem);
        if self.skips() { Ok(()) } else { Err(exceeded(at.stage, problem)) }
    }

    /// Reports a bad row.
    pub(crate) fn report(&self, at: Executing<'_>, record: Record<'_>, problem: &Problem) {
        if self.config.log {
            let line = self.line(at, record);
            let (connector, task) = (&self.task.connector, self.task.index);
            tracing::error!(%connector, task, stage = %at.stage, error = %problem.message, "{line}");
        }
    }

    /// Kafka Connect's line for a bad row.
    ///
    /// Follows `LogReporter` and `ProcessingContext.toString`.
    fn line(&self, at: Executing<'_>, record: Record<'_>) -> String {
        let record = if self.config.log_messages { record.to_string() } else { String::new() };
        let (stage, class) = (at.stage, at.class);
        format!(
            "Error encountered in task {}. Executing stage '{stage}' with class '{class}'{record}.",
            self.task
        )
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
        match left {
            Some(Duration::ZERO) => false,
            Some(left) => self.policy.pause(wait.min(left)).await,
            None => self.policy.pause(wait).await,
        }
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
fn random() -> u64 {
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
    use tombolo_model::ConnectorName;

    fn policy(tolerance: Tolerance, retry_timeout: Option<Duration>) -> ErrorPolicy {
        ErrorPolicy {
            task: TaskId::new(ConnectorName::new("c"), 0),
            config: ErrorsConfig {
                retry_timeout,
                retry_delay_max: Duration::from_secs(60),
                tolerance,
                log: true,
                log_messages: true,
            },
            stopping: CancellationToken::new(),
        }
    }

    fn problem() -> Problem {
        let class = "org.apache.kafka.connect.errors.DataException";
        Problem {
            message: "no JSON".into(),
            class: Some(class.into()),
            trace: Some("\tat x".into()),
        }
    }

    const AT: Executing<'static> = Executing { stage: Stage::ValueConverter, class: "J" };
    const RECORD: Record<'static> = Record::Consumed {
        topic: "t",
        partition: 0,
        offset: 1,
        timestamp: 5,
        timestamp_type: TimestampType::CreateTime,
    };

    #[test]
    fn a_bad_row_is_skipped_or_ends_the_task_in_kafka_connects_words() {
        assert!(policy(Tolerance::All, None).judge(AT, RECORD, &problem()).is_ok());
        let fault = policy(Tolerance::None, None).judge(AT, RECORD, &problem()).unwrap_err();
        assert_eq!(
            fault.status_trace(),
            "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
             Caused by: org.apache.kafka.connect.errors.DataException: no JSON\n\tat x"
        );
    }

    #[test]
    fn the_log_line_is_kafka_connects() {
        let mut policy = policy(Tolerance::All, None);
        assert_eq!(
            policy.line(AT, RECORD),
            "Error encountered in task c-0. Executing stage 'VALUE_CONVERTER' with class 'J', where consumed record is \
             {topic='t', partition=0, offset=1, timestamp=5, timestampType=CreateTime}."
        );
        policy.config.log_messages = false;
        assert_eq!(
            policy.line(AT, RECORD),
            "Error encountered in task c-0. Executing stage 'VALUE_CONVERTER' with class 'J'."
        );
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
        forever.stopping.cancel();
        assert!(!forever.retries().again(&retriable).await, "a task that stops does not go on");
    }
}
