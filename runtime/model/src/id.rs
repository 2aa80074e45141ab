//! Names of connectors, tasks and workers.
//!
//! Not here: what is known about them.

use std::fmt;
use std::sync::Arc;

/// Name of a connector, unique in a cluster.
///
/// Shape: not empty, no control characters; checked where a configuration is validated.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectorName(Arc<str>);

impl ConnectorName {
    /// Takes the name as it is.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A task of a connector. Prints as `name-0`.
///
/// Follows `ConnectorTaskId` of Kafka Connect.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TaskId {
    /// The connector it belongs to.
    pub connector: ConnectorName,
    /// Its number, from 0.
    pub index: u32,
}

impl TaskId {
    /// Task `index` of `connector`.
    pub fn new(connector: ConnectorName, index: u32) -> Self {
        Self { connector, index }
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.index)
    }
}

/// A worker, as every status shows it.
///
/// Shape: the advertised `host:port` of its REST listener.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WorkerId(Arc<str>);

impl WorkerId {
    /// Takes `host:port`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// `host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
