//! Tells of records that could not be processed: counts them, logs them, and sends them to the dead letter queue.
//!
//! Not here: whether they are skipped (`tolerance`), and writing dead letters (`dead_letter`).

use std::fmt;
use std::time::Duration;

use tombolo_kafka::ConsumedBatch;
use tombolo_model::batch::TimestampType;
use tombolo_model::fault::Problem;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::{Fault, Secrets, Stage, TaskId};

use crate::dead_letter::{DeadLetters, Letter, Reason};
use crate::tolerance::{ErrorPolicy, exceeded};

/// The class that Kafka Connect names for records that a sink refused.
pub(crate) const SINK_TASK: &str = "org.apache.kafka.connect.sink.SinkTask";

/// Where in the record's path a record failed, and in which plugin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executing<'a> {
    pub(crate) stage: Stage,
    pub(crate) class: &'a str,
}

/// Which record it was. Prints as in Kafka Connect's log.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'a> {
    /// A row as it was consumed.
    Consumed { batch: &'a ConsumedBatch, row: usize },
    /// A record that a sink found bad after its `put`. All that is known of it is where it stands.
    Late(&'a PartitionOffset),
    /// Polled from a source: its content is the plugins' to read, so there is a letter only where something wants one.
    Polled(Option<&'a Letter>),
    /// Handed to the producer, as the task's row of this number.
    Sent { seq: u64 },
}

impl Record<'_> {
    /// Topic, partition and offset, as far as they are known.
    fn position(&self) -> (Option<&str>, Option<i32>, Option<i64>) {
        match *self {
            Self::Consumed { batch, row } => {
                let topic =
                    batch.topic.get(row).and_then(|&index| batch.topics.get(index as usize));
                let partition = batch.partition.get(row).copied();
                (topic.map(String::as_str), partition, batch.offset.get(row).copied())
            }
            Self::Late(PartitionOffset { at, offset }) => {
                (Some(&at.topic), Some(at.partition), Some(*offset))
            }
            Self::Polled(_) | Self::Sent { .. } => (None, None, None),
        }
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let consumed = ", where consumed record is ";
        let (topic, partition, offset) = self.position();
        let (topic, partition) = (topic.unwrap_or_default(), partition.unwrap_or(-1));
        let offset = offset.unwrap_or(-1);
        match *self {
            Self::Consumed { batch, row } => {
                write!(f, "{consumed}{{topic='{topic}', partition={partition}, offset={offset}")?;
                let timestamp = batch.timestamp.get(row).copied().unwrap_or(-1);
                let meaning = match batch.timestamp_types.get(row) {
                    None | Some(TimestampType::None) => return write!(f, "}}"),
                    Some(TimestampType::CreateTime) => "CreateTime",
                    Some(TimestampType::LogAppendTime) => "LogAppendTime",
                };
                write!(f, ", timestamp={timestamp}, timestampType={meaning}}}")
            }
            Self::Late(_) => {
                write!(f, "{consumed}{{topic='{topic}', partition={partition}, offset={offset}}}")
            }
            Self::Polled(Some(letter)) => write!(f, ", where source record is = {letter}"),
            Self::Polled(None) => Ok(()),
            Self::Sent { seq } => {
                write!(f, ", where source record is = SourceRecord{{number={seq}}}")
            }
        }
    }
}

/// Tells of a task's bad records.
///
/// Follows `ErrorReporter` and `WorkerErrantRecordReporter` of Kafka Connect.
pub(crate) struct ErrorReports {
    task: TaskId,
    policy: ErrorPolicy,
    dead_letters: Option<DeadLetters>,
    secrets: Secrets,
}

impl ErrorReports {
    /// Tells of records of this task.
    pub(crate) fn new(
        task: TaskId,
        policy: ErrorPolicy,
        dead_letters: Option<DeadLetters>,
    ) -> Self {
        Self { task, policy, dead_letters, secrets: Secrets::default() }
    }

    /// Tells nothing of these values: logs and dead letters say what a plugin said.
    pub(crate) fn hiding(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Whether bad records are skipped.
    pub(crate) fn skips(&self) -> bool {
        self.policy.skips()
    }

    /// Tells of a bad record. Answers with the fault that ends the task, unless the record may be skipped.
    pub(crate) fn judge(
        &mut self,
        at: Executing<'_>,
        record: Record<'_>,
        problem: &Problem,
    ) -> Result<(), Fault> {
        self.tell(at, record, problem);
        if self.skips() { Ok(()) } else { Err(exceeded(at.stage, problem)) }
    }

    /// Tells of a bad record. Where there is a dead letter queue, [`ErrorReports::hand_over`] must follow, and [`ErrorReports::make_room`] before
    /// the next one.
    pub(crate) fn tell(&mut self, at: Executing<'_>, record: Record<'_>, problem: &Problem) {
        let problem = &*self.secrets.hide_in_problem(problem);
        let counters = &self.policy.counters;
        match at.stage {
            Stage::TaskPut | Stage::KafkaProduce => counters.refused(self.skips()),
            _ => counters.not_processed(self.skips()),
        }
        self.policy.stages.of(at.stage).bad_row();
        if self.policy.config.log {
            let (line, error) = (self.line(at, record), stack_trace(problem));
            let line = self.secrets.hide(&line);
            let (connector, task) = (&self.task.connector, self.task.index);
            let (topic, partition, offset) = record.position();
            tracing::error!(%connector, task, stage = %at.stage, topic, partition, offset, %error, "{line}");
            counters.logged();
        }
        let Some(dead_letters) = &mut self.dead_letters else { return };
        let letter = match record {
            Record::Consumed { batch, row } => Letter::of_consumed(batch, row),
            Record::Polled(letter) => letter.cloned(),
            Record::Late(_) | Record::Sent { .. } => None,
        };
        match letter {
            Some(letter) => dead_letters.write(letter, &Reason { task: &self.task, at, problem }),
            None => dead_letters.has_nothing_to_write(),
        }
    }

    /// Whether bad records go to a dead letter queue.
    pub(crate) fn has_dead_letters(&self) -> bool {
        self.dead_letters.is_some()
    }

    /// Whether bad records are printed in the log.
    pub(crate) fn prints_records(&self) -> bool {
        self.policy.config.log && self.policy.config.log_messages
    }

    /// As [`DeadLetters::hand_over`].
    pub(crate) async fn hand_over(&mut self) -> Result<(), Fault> {
        match &mut self.dead_letters {
            Some(dead_letters) => dead_letters.hand_over().await,
            None => Ok(()),
        }
    }

    /// As [`DeadLetters::make_room`].
    pub(crate) async fn make_room(&mut self) -> Result<(), Fault> {
        match &mut self.dead_letters {
            Some(dead_letters) => dead_letters.make_room().await,
            None => Ok(()),
        }
    }

    /// As [`DeadLetters::are_written`].
    pub(crate) async fn are_written(&mut self, wait: Duration) -> Result<bool, Fault> {
        match &mut self.dead_letters {
            Some(dead_letters) => dead_letters.are_written(wait).await,
            None => Ok(true),
        }
    }

    /// As [`DeadLetters::take_deliveries`].
    pub(crate) fn take_deliveries(&mut self) -> Result<(), Fault> {
        self.dead_letters.as_mut().map_or(Ok(()), DeadLetters::take_deliveries)
    }

    /// As [`DeadLetters::first_open`].
    pub(crate) fn first_open(&self, at: &TopicPartition) -> Option<i64> {
        self.dead_letters.as_ref()?.first_open(at)
    }

    /// Kafka Connect's line for a bad record.
    ///
    /// Follows `LogReporter` of Kafka Connect.
    fn line(&self, Executing { stage, class }: Executing<'_>, record: Record<'_>) -> String {
        let shows_record = self.policy.config.log_messages;
        let record = if shows_record { record.to_string() } else { String::new() };
        let task = &self.task;
        format!(
            "Error encountered in task {task}. Executing stage '{stage}' with class '{class}'{record}."
        )
    }
}

/// A problem as Java prints an exception.
pub(crate) fn stack_trace(problem: &Problem) -> String {
    let class = problem.class.as_deref().map(|class| format!("{class}: ")).unwrap_or_default();
    let trace = problem.trace.as_deref().map(|trace| format!("\n{trace}")).unwrap_or_default();
    format!("{class}{}{trace}", problem.message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;
    use tombolo_model::ConnectorName;
    use tombolo_model::offset::TopicPartition;

    use super::*;
    use crate::connector_config::{ErrorsConfig, Tolerance};
    use crate::error_counters::{ErrorCounters, ErrorCounts};

    fn reports(tolerance: Tolerance, log: bool) -> ErrorReports {
        let task = TaskId::new(ConnectorName::new("c"), 0);
        let policy = ErrorPolicy {
            config: ErrorsConfig {
                retry_timeout: None,
                retry_delay_max: std::time::Duration::ZERO,
                tolerance,
                log,
                log_messages: true,
                poison_rows_max: 0,
            },
            stopping: CancellationToken::new(),
            counters: Arc::new(ErrorCounters::default()),
            stages: Arc::default(),
        };
        ErrorReports::new(task, policy, None)
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

    fn consumed() -> ConsumedBatch {
        ConsumedBatch {
            rows: 1,
            topics: vec!["t".into()],
            topic: vec![0],
            partition: vec![0],
            offset: vec![1],
            timestamp: vec![5],
            timestamp_types: vec![TimestampType::CreateTime],
            ..ConsumedBatch::default()
        }
    }

    #[test]
    fn a_bad_record_is_skipped_or_ends_the_task_in_kafka_connects_words() {
        let batch = consumed();
        let record = Record::Consumed { batch: &batch, row: 0 };
        assert!(reports(Tolerance::All, true).judge(AT, record, &problem()).is_ok());
        let mut strict = reports(Tolerance::None, true);
        let fault = strict.judge(AT, record, &problem()).unwrap_err();
        assert_eq!(
            fault.status_trace(),
            "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
             Caused by: org.apache.kafka.connect.errors.DataException: no JSON\n\tat x"
        );
    }

    #[test]
    fn the_log_line_is_kafka_connects() {
        let mut reports = reports(Tolerance::All, true);
        let mut batch = consumed();
        let begin =
            "Error encountered in task c-0. Executing stage 'VALUE_CONVERTER' with class 'J'";
        let check = |reports: &ErrorReports, record: Record<'_>, end: &str| {
            assert_eq!(reports.line(AT, record), format!("{begin}{end}"));
        };
        check(
            &reports,
            Record::Consumed { batch: &batch, row: 0 },
            ", where consumed record is {topic='t', partition=0, offset=1, timestamp=5, timestampType=CreateTime}.",
        );
        batch.timestamp_types = vec![TimestampType::None];
        check(
            &reports,
            Record::Consumed { batch: &batch, row: 0 },
            ", where consumed record is {topic='t', partition=0, offset=1}.",
        );
        let late = PartitionOffset { at: TopicPartition::new("t", 3), offset: 7 };
        check(
            &reports,
            Record::Late(&late),
            ", where consumed record is {topic='t', partition=3, offset=7}.",
        );
        reports.policy.config.log_messages = false;
        check(&reports, Record::Late(&late), ".");
    }

    #[test]
    fn failures_are_counted_by_where_they_come_from_and_logged_only_where_that_is_wanted() {
        let late = PartitionOffset { at: TopicPartition::new("t", 3), offset: 7 };
        let check = |tolerance, log, stage, expected: ErrorCounts| {
            let mut reports = reports(tolerance, log);
            let at = Executing { stage, class: "J" };
            reports.tell(at, Record::Late(&late), &problem());
            let counts = reports.policy.counters.read();
            assert_eq!(
                ErrorCounts { last_error_ms: 0, ..counts },
                expected,
                "{tolerance:?} {stage}"
            );
        };
        let one = ErrorCounts { record_failures: 1, ..ErrorCounts::default() };
        let error = ErrorCounts { record_errors: 1, ..one };
        let skipped = ErrorCounts { records_skipped: 1, ..error };
        check(Tolerance::All, false, Stage::KeyConverter, skipped);
        check(Tolerance::None, false, Stage::Transformation, error);
        check(Tolerance::All, false, Stage::TaskPut, one);
        check(Tolerance::None, false, Stage::TaskPut, error);
        check(Tolerance::All, true, Stage::TaskPut, ErrorCounts { errors_logged: 1, ..one });
    }
}
