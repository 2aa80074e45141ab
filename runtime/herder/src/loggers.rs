//! Levels of the worker's log, as they are asked for by the names of Kafka Connect's loggers.
//!
//! Not here: what the names stand for, and the log itself (the program implements [`Loggers`]).

use std::collections::BTreeMap;

use tombolo_store::{ConfigWrite, LoggerLevel as LevelWrite};

use crate::error::Error;
use crate::handle::HerderHandle;

/// How much a logger tells. Names are those of Log4j.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// What ends the worker.
    Fatal,
    /// What failed.
    Error,
    /// What may be wrong.
    Warn,
    /// What happens.
    Info,
    /// Why it happens.
    Debug,
    /// Every step.
    Trace,
    /// Everything.
    All,
}

impl Level {
    /// All levels, from quiet to loud.
    pub const EVERY: [Self; 8] = [
        Self::Off,
        Self::Fatal,
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
        Self::All,
    ];

    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Fatal => "FATAL",
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
            Self::All => "ALL",
        }
    }

    /// The level of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }
}

/// The level of a logger. Follows `LoggerLevel` of Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggerLevel {
    /// The level.
    pub level: Level,
    /// When it was last changed over the API, in milliseconds since 1970.
    pub last_modified: Option<i64>,
}

/// The loggers of this worker. Follows `Loggers` of Kafka Connect.
pub trait Loggers: Send + Sync + 'static {
    /// All loggers that are known, by name.
    fn all(&self) -> BTreeMap<String, LoggerLevel>;

    /// A logger.
    fn find(&self, name: &str) -> Option<LoggerLevel>;

    /// Whether a logger can be set.
    ///
    /// Errors: `BadRequest` where its name is too long, or no more are kept.
    fn check(&self, name: &str) -> Result<(), Error>;

    /// Sets a logger and those below it. Answers the names of those whose level changed, sorted.
    ///
    /// Errors: as [`Loggers::check`].
    fn set(&self, name: &str, level: Level) -> Result<Vec<String>, Error>;
}

impl HerderHandle {
    /// The loggers of this worker.
    pub fn loggers(&self) -> &dyn Loggers {
        &*self.shared.loggers
    }

    /// Has every worker of the cluster set a logger. Returns when it is written and read back.
    ///
    /// Errors: `BadRequest` where this one could not.
    pub async fn set_cluster_level(&self, name: &str, level: Level) -> Result<(), Error> {
        self.loggers().check(name)?;
        let write = LevelWrite { namespace: name.to_owned(), level: level.name().to_owned() };
        let written = self.shared.stores.config.write(&ConfigWrite::LoggerLevel(write)).await;
        written.map_err(|error| Error::failed("Error writing logger level to Kafka", &error))
    }
}

/// Sets a logger as another worker, or this one, wrote it. Follows `AbstractHerder.setWorkerLoggerLevel`.
pub(crate) fn set_as_written(loggers: &dyn Loggers, written: &LevelWrite) {
    let LevelWrite { namespace, level } = written;
    let Some(level) = Level::from_name(level) else {
        tracing::warn!("Ignoring request to set invalid level '{level}' for namespace {namespace}");
        return;
    };
    if let Err(error) = loggers.set(namespace, level) {
        tracing::warn!(%error, "Ignoring request to set a level");
    }
}
