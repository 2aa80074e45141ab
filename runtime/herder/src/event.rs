//! What happens to the herder, and what it wants done about it.
//!
//! Not here: the deciding between them (`step`).

use std::collections::BTreeMap;
use std::sync::Arc;

use tombolo_model::status::{Status, TargetState};
use tombolo_model::{ConnectorName, Fault, Settings, TaskId};
use tombolo_store::flat::FlatMap;
use tombolo_store::snapshot::ConnectorState;
use tombolo_store::status_records::StatusKey;
use tombolo_store::status_store::ConnectorStatuses;
use tombolo_store::{ClusterConfigState, ConfigWrite, RestartRequest};

use crate::assignment::Assignment;
use crate::error::Error;
use crate::restart_plan::RestartPlan;

/// A configuration as submitted. A null says the same as a setting left out; in a patch it takes one out.
pub type SubmittedConfig = BTreeMap<String, Option<String>>;

/// Number of a request, to answer it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// Configurations were read, and requests to restart, each with the connector's statuses as of then.
    ConfigRead {
        /// All configurations.
        state: Arc<ClusterConfigState>,
        /// The requests.
        restarts: Vec<(RestartRequest, ConnectorStatuses)>,
    },
    /// Someone asks for something.
    Requested(RequestId, Request),
    /// The configuration of a request was checked.
    Validated(RequestId, Result<(), Error>),
    /// A write to the config topic ended. If it succeeded, its records were read before.
    Written(Result<(), tombolo_store::Error>),
    /// A connector's instance was asked for task settings.
    TaskSettingsMade {
        /// The connector.
        connector: ConnectorName,
        /// The instance.
        epoch: u64,
        /// What it said.
        outcome: Result<Vec<Settings>, Box<Fault>>,
    },
    /// A worker runs what it was assigned at this revision.
    Settled {
        /// The connector.
        connector: ConnectorName,
        /// The revision.
        revision: u64,
    },
    /// A connector says what it is.
    ConnectorReported(ConnectorName, Status),
    /// A task says what it is.
    TaskReported(TaskId, Status),
    /// A connector wants to be asked for its task settings again.
    TaskReconfigurationRequested(ConnectorName),
    /// An alteration of offsets ended.
    OffsetsAltered(RequestId, Result<OffsetsAltered, Error>),
    /// Time passed, perhaps up to [`crate::step::Herder::wake_at`].
    TimePassed,
    /// The worker is going to stop.
    Stopping,
}

/// Something asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// A new connector.
    CreateConnector {
        /// Its name.
        name: ConnectorName,
        /// Its configuration, with its name.
        config: SubmittedConfig,
        /// What it shall be from the start.
        initial: Option<TargetState>,
    },
    /// A configuration for a connector, new or not.
    PutConnectorConfig {
        /// Its name.
        name: ConnectorName,
        /// Its configuration, with its name.
        config: SubmittedConfig,
    },
    /// Changes of some settings; none removes a setting.
    PatchConnectorConfig {
        /// The connector.
        name: ConnectorName,
        /// The changes.
        patch: SubmittedConfig,
    },
    /// Deletes a connector.
    DeleteConnector(ConnectorName),
    /// Pauses, resumes or stops a connector.
    SetTargetState(ConnectorName, TargetState),
    /// Restarts a connector's instance.
    RestartConnector(ConnectorName),
    /// Restarts a connector's instance and tasks, with the statuses known now.
    RestartConnectorAndTasks(RestartRequest, ConnectorStatuses),
    /// Restarts a task.
    RestartTask(TaskId),
    /// Alters or resets offsets of a stopped connector.
    AlterOffsets(ConnectorName, OffsetChange),
}

/// A change of a connector's offsets.
#[derive(Clone, Debug, PartialEq)]
pub enum OffsetChange {
    /// Sets those of some partitions; none forgets one.
    Alter(Vec<(Option<FlatMap>, Option<FlatMap>)>),
    /// Forgets all.
    Reset,
}

/// What came of an alteration of offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetsAltered {
    /// Whether the connector took part; else only what the framework keeps was altered.
    pub by_connector: bool,
}

/// What a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done, or will be.
    Done,
    /// A configuration was written.
    Written {
        /// Whether the connector is new.
        is_created: bool,
        /// The connector as it was read back: a new one has no tasks yet.
        connector: Box<ConnectorState>,
    },
    /// Instances are going to be restarted.
    Restarting(RestartPlan),
    /// Offsets were altered.
    OffsetsAltered(OffsetsAltered),
}

/// Something to do.
#[derive(Debug)]
pub enum Effect {
    /// Check the configuration of a request.
    Validate(RequestId, SubmittedConfig),
    /// Write to the config topic. One at a time.
    Write(ConfigWrite),
    /// Have the worker run this of a connector.
    Assign(ConnectorName, Assignment),
    /// Store a status.
    PutStatus(StatusKey, Status),
    /// Delete the statuses of a connector and all its tasks, these among them.
    DeleteStatuses(ConnectorName, Vec<u32>),
    /// Delete the statuses of tasks from this number on, these among them.
    DeleteTaskStatuses(ConnectorName, u32, Vec<u32>),
    /// Alter offsets.
    AlterOffsets(RequestId, ConnectorName, OffsetChange),
    /// Note what is being done for a request, in Kafka Connect's words where it has some.
    Enter(RequestId, String),
    /// Answer a request.
    Answer(RequestId, Result<Answer, Error>),
}
