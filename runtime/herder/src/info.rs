//! What is told about connectors and the worker, as the entities of Kafka Connect's REST API have it.
//!
//! Not here: JSON.

use std::sync::Arc;

use tombolo_model::plugin::PluginKind;
use tombolo_model::status::Status;
use tombolo_model::{ConnectorName, Settings, TaskId};

/// A connector, its configuration and its tasks. Follows `ConnectorInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorInfo {
    /// Its name.
    pub name: ConnectorName,
    /// Its configuration, as submitted.
    pub config: Arc<Settings>,
    /// Its tasks.
    pub tasks: Vec<TaskId>,
    /// Source or sink; none where its plugin is not known here.
    pub kind: Option<PluginKind>,
}

/// What a connector and its tasks are. Follows `ConnectorStateInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorStatus {
    /// Its name.
    pub name: ConnectorName,
    /// The connector itself.
    pub connector: Status,
    /// Its tasks, by number.
    pub tasks: Vec<(u32, Status)>,
    /// Source or sink; none where its plugin is not known here.
    pub kind: Option<PluginKind>,
}

/// What to restart of a connector beside its instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestartFlags {
    /// Only what failed.
    pub only_failed: bool,
    /// The tasks too.
    pub include_tasks: bool,
}

/// Whether the worker answers. Follows `WorkerStatus` (KIP-1017).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is not ready yet.
    Starting,
    /// It answers.
    Healthy,
    /// It was ready once, and does not answer in time.
    Unhealthy,
}
