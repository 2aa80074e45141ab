//! What a worker tells the herder.
//!
//! Not here: what the herder does about it.

use tombolo_model::status::Status;
use tombolo_model::{ConnectorName, TaskId};

/// Something that happened to a connector or a task. Events of one connector arrive in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerEvent {
    /// A connector's instance is something else now.
    ConnectorStatus {
        /// The connector.
        name: ConnectorName,
        /// What it is; the herder stamps worker and generation.
        status: Status,
    },
    /// A task is something else now.
    TaskStatus {
        /// The task.
        task: TaskId,
        /// What it is; the herder stamps worker and generation.
        status: Status,
    },
    /// A connector wants to be asked for its task settings again.
    TaskReconfigurationRequested {
        /// The connector.
        name: ConnectorName,
    },
    /// A task reads or writes a topic for the first time since it started.
    TopicUsed {
        /// The task.
        task: TaskId,
        /// The topic.
        topic: String,
    },
}
