//! What connectors and tasks are asked to be, and what they are.
//!
//! Not here: where it is stored.

/// What a connector is asked to be.
///
/// Follows `TargetState` of Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TargetState {
    /// Runs.
    #[default]
    Started,
    /// Keeps its tasks, which wait.
    Paused,
    /// Has no tasks.
    Stopped,
}

impl TargetState {
    /// The name in the config topic.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }

    /// The state of this name in the config topic.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Started, Self::Paused, Self::Stopped].into_iter().find(|state| state.name() == name)
    }
}

/// What a connector or a task is.
///
/// Follows `AbstractStatus.State` of Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Not placed on a worker.
    Unassigned,
    /// At work.
    Running,
    /// Waiting until it is resumed.
    Paused,
    /// Stopped; connectors only.
    Stopped,
    /// Ended by a fault.
    Failed,
    /// Deleted; never shown.
    Destroyed,
    /// Being restarted.
    Restarting,
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Unassigned,
        Self::Running,
        Self::Paused,
        Self::Stopped,
        Self::Failed,
        Self::Destroyed,
        Self::Restarting,
    ];

    /// The name in answers and in the status topic.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Destroyed => "DESTROYED",
            Self::Restarting => "RESTARTING",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// State of a connector or a task, as one worker reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state.
    pub state: State,
    /// Why it failed, or what holds it up for now; the first line is the message.
    pub trace: Option<String>,
    /// The worker that reports it, as `host:port`.
    pub worker_id: String,
    /// Generation of the group in which it was reported.
    pub generation: i32,
    /// Version of the plugin.
    pub version: Option<String>,
}
