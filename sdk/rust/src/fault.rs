//! Faults: what a call could not do, told apart by what the worker must do about it.
//!
//! Not here: faults of the sandbox itself, which only the host can make.

use std::fmt::Display;
use std::time::Duration;

use crate::bindings::types::Retry;
pub use crate::bindings::types::{Fault, Problem, RowFault};

/// Result of a plugin's call.
pub type Result<T> = std::result::Result<T, Fault>;

impl Problem {
    /// A problem in one sentence, as Kafka Connect's `DataException` reports a bad record.
    pub fn data(message: impl Display) -> Self {
        Self::of("org.apache.kafka.connect.errors.DataException", message)
    }

    /// A problem of this class: the Java class whose place it takes in statuses and dead letters.
    pub fn of(class: &str, message: impl Display) -> Self {
        Self { message: message.to_string(), class: Some(class.to_owned()), trace: None }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Fault {
    /// The task cannot go on. Takes the place of `ConnectException`.
    pub fn fatal(why: impl Display) -> Self {
        Self::Fatal(Problem::of("org.apache.kafka.connect.errors.ConnectException", why))
    }

    /// The configuration is wrong. Takes the place of `ConfigException`.
    pub fn config(why: impl Display) -> Self {
        Self::Config(Problem::of("org.apache.kafka.common.config.ConfigException", why))
    }

    /// Try the same call again, when the worker sees fit. Takes the place of `RetriableException`.
    pub fn retriable(why: impl Display) -> Self {
        let problem = Problem::of("org.apache.kafka.connect.errors.RetriableException", why);
        Self::Retriable(Retry { problem, after_ms: None })
    }

    /// Try the same call again after this long.
    pub fn retry_after(pause: Duration, why: impl Display) -> Self {
        let after_ms = Some(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        match Self::retriable(why) {
            Self::Retriable(retry) => Self::Retriable(Retry { after_ms, ..retry }),
            other => other,
        }
    }

    /// What went wrong.
    pub fn problem(&self) -> &Problem {
        match self {
            Self::Retriable(retry) => &retry.problem,
            Self::Config(problem) | Self::Fatal(problem) => problem,
        }
    }
}

/// Why a row could not be processed: the row is bad, or the call as a whole cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This row is bad; others may be fine. `errors.tolerance` applies.
    Row(Problem),
    /// The call cannot go on.
    Call(Fault),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Row(problem)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Call(fault)
    }
}

impl From<crate::cbor::Error> for Failure {
    fn from(error: crate::cbor::Error) -> Self {
        Self::Row(error.into())
    }
}

impl From<crate::cbor::Error> for Problem {
    fn from(error: crate::cbor::Error) -> Self {
        Problem::data(error)
    }
}

impl From<crate::cbor::Error> for Fault {
    fn from(error: crate::cbor::Error) -> Self {
        Fault::Fatal(error.into())
    }
}
