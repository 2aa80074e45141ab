//! What goes wrong in a plugin or a stage, told apart by what the framework must do.
//!
//! Not here: the errors of each crate.

use std::fmt;
use std::time::Duration;

/// An error of any kind, for the operator's log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Something a plugin or a stage could not do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What the framework must do.
    pub kind: FaultKind,
    /// Where in the record's path.
    pub stage: Stage,
    /// What went wrong; safe to show to the connector's owner.
    pub message: String,
    /// The plugin's own name for the error, as a Java exception's class.
    pub class: Option<String>,
    /// More lines for the status, as a Java stack trace.
    pub trace: Option<String>,
    /// For the operator's log only.
    pub source: Option<BoxError>,
}

/// What the framework must do about a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Try the same call again after a pause (Kafka's `RetriableException`).
    Retriable {
        /// How long to wait, where the plugin said so.
        after: Option<Duration>,
    },
    /// This record is bad; others may be fine (`DataException`). `errors.tolerance` applies.
    Record,
    /// The configuration is wrong; do not restart until it changes (`ConfigException`).
    Config,
    /// The task cannot go on (`ConnectException`).
    Fatal,
    /// The plugin broke its contract; its instance is gone. Produced only by the host.
    Plugin(Breach),
}

/// How a plugin broke its contract. Never produced by guest code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// It trapped: unreachable code, an out-of-bounds access, a stack overflow.
    Trap,
    /// A call did not return in time.
    Deadline,
    /// It asked for more memory than it may have.
    Memory,
    /// It returned what cannot be true, or too much.
    Lie,
    /// It asked too much of the host in one call.
    HostCalls,
    /// It ended the program.
    Exit,
}

impl Breach {
    /// All breaches, in the order of their definition.
    pub const ALL: [Self; 6] =
        [Self::Trap, Self::Deadline, Self::Memory, Self::Lie, Self::HostCalls, Self::Exit];

    /// The name in answers and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Lie => "lie",
            Self::HostCalls => "host-calls",
            Self::Exit => "exit",
        }
    }
}

/// Where in a record's path something happens.
///
/// Follows `Stage` of Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A connector's or a task's start, stop or settings; not a stage in Kafka Connect.
    Lifecycle,
    /// Asking a source for rows.
    TaskPoll,
    /// Giving rows to a sink.
    TaskPut,
    /// A transformation or its predicate.
    Transformation,
    /// The key converter.
    KeyConverter,
    /// The value converter.
    ValueConverter,
    /// The header converter.
    HeaderConverter,
    /// Writing to Kafka.
    KafkaProduce,
    /// Reading from Kafka.
    KafkaConsume,
}

impl Stage {
    /// All stages, in the order of their definition.
    pub const ALL: [Self; 9] = [
        Self::Lifecycle,
        Self::TaskPoll,
        Self::TaskPut,
        Self::Transformation,
        Self::KeyConverter,
        Self::ValueConverter,
        Self::HeaderConverter,
        Self::KafkaProduce,
        Self::KafkaConsume,
    ];

    /// The name in logs and in dead letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lifecycle => "LIFECYCLE",
            Self::TaskPoll => "TASK_POLL",
            Self::TaskPut => "TASK_PUT",
            Self::Transformation => "TRANSFORMATION",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::KafkaProduce => "KAFKA_PRODUCE",
            Self::KafkaConsume => "KAFKA_CONSUME",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Fault {
    /// A fault of this kind at this stage.
    pub fn new(kind: FaultKind, stage: Stage, message: impl Into<String>) -> Self {
        Self { kind, stage, message: message.into(), class: None, trace: None, source: None }
    }

    /// The task cannot go on.
    pub fn fatal(stage: Stage, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Fatal, stage, message)
    }

    /// The configuration is wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Config, Stage::Lifecycle, message)
    }

    /// Try again.
    pub fn retriable(stage: Stage, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Retriable { after: None }, stage, message)
    }

    /// The plugin broke its contract.
    pub fn breach(breach: Breach, stage: Stage, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Plugin(breach), stage, message)
    }

    /// With what caused it, for the operator's log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// At this stage instead.
    #[must_use]
    pub fn at(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// Whether the same call may be tried again.
    pub fn is_retriable(&self) -> bool {
        matches!(self.kind, FaultKind::Retriable { .. })
    }

    /// The text for a status: the message in its first line, the plugin's trace after it.
    pub fn status_trace(&self) -> String {
        let class = self.class.as_deref().map(|class| format!("{class}: ")).unwrap_or_default();
        match &self.trace {
            Some(trace) => format!("{class}{}\n{trace}", self.message),
            None => format!("{class}{}", self.message),
        }
    }
}

/// What went wrong with one row, for people: fills dead letters and statuses as a Java exception does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What went wrong.
    pub message: String,
    /// The plugin's own name for the error, as a Java exception's class.
    pub class: Option<String>,
    /// More lines, as a Java stack trace.
    pub trace: Option<String>,
}

/// One row that could not be processed; the others could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// Its number in the batch given to the call.
    pub row: u32,
    /// What went wrong.
    pub problem: Problem,
}
