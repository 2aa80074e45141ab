//! What the stores could not do.
//!
//! Not here: records that a reader skips; those are logged where they are read.

use std::path::PathBuf;
use std::time::Duration;

/// What a store could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings of the internal topics, or a topic itself, are not what the worker needs.
    #[error("{0}")]
    Config(String),
    /// A topic could not be created, opened, written or read.
    #[error("{doing} topic '{topic}'")]
    Topic {
        /// What was being done, as "writing to".
        doing: &'static str,
        /// The topic.
        topic: String,
        /// Why it failed.
        #[source]
        source: tombolo_model::fault::BoxError,
    },
    /// The file of offsets could not be read or written.
    #[error("{doing} file '{}'", path.display())]
    File {
        /// What was being done, as "writing".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: tombolo_model::fault::BoxError,
    },
    /// The broker did not answer in time.
    #[error("{doing} topic '{topic}' did not complete within {} ms", waited.as_millis())]
    Timeout {
        /// What was being done, as "writing to".
        doing: &'static str,
        /// The topic.
        topic: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A value has no stored form; says why, in Kafka Connect's words where it has some.
    #[error("{0}")]
    Format(String),
    /// A stored component is not whole, or not the one its name says.
    #[error("component {digest} cannot be read back: {why}")]
    Component {
        /// Digest of the component.
        digest: String,
        /// What is wrong.
        why: String,
    },
    /// A secret could not be sealed or opened; says which and why, and no value.
    #[error("{0}")]
    Secret(String),
}

/// Result of a store's work.
pub type Result<T> = std::result::Result<T, Error>;
