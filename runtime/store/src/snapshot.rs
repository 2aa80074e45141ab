//! What the records of the config topic add up to.
//!
//! Not here: their formats, and reading them. Follows `ClusterConfigState` and the reader of `KafkaConfigBackingStore`.

use std::collections::BTreeMap;
use std::sync::Arc;

use tombolo_model::status::TargetState;
use tombolo_model::{ConnectorName, Settings};

use crate::config_records::ConfigRecord;

/// All connectors and their tasks, as of a position in the config topic. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ClusterConfigState {
    position: Option<i64>,
    entries: BTreeMap<ConnectorName, Arc<Entry>>,
}

/// What is known under one connector's name, also before its configuration and after its deletion.
#[derive(Clone, Debug, Default)]
struct Entry {
    connector: Option<ConnectorState>,
    target: Option<TargetState>,
    deferred: BTreeMap<u32, Arc<Settings>>,
}

/// A connector that has a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorState {
    /// Its configuration, as submitted.
    pub config: Arc<Settings>,
    /// Offset of the record that holds the configuration.
    pub config_version: i64,
    /// Its tasks, by number.
    pub tasks: TaskSet,
}

/// The tasks of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskSet {
    /// None were ever made.
    Unmade,
    /// The log was compacted between the tasks and their commit: how many there are is known, not what they are.
    Inconsistent {
        /// How many there are.
        count: u32,
    },
    /// They are these.
    Committed {
        /// Configuration of each.
        tasks: Vec<Arc<Settings>>,
        /// Offset of the commit.
        version: i64,
        /// The connector's configuration when they were committed.
        applied: Arc<Settings>,
    },
}

impl ConnectorState {
    /// The tasks to run; none while they are inconsistent.
    pub fn tasks(&self) -> &[Arc<Settings>] {
        match &self.tasks {
            TaskSet::Committed { tasks, .. } => tasks,
            TaskSet::Unmade | TaskSet::Inconsistent { .. } => &[],
        }
    }

    /// Offset of the commit of the tasks, if they are usable.
    pub fn tasks_version(&self) -> Option<i64> {
        match &self.tasks {
            TaskSet::Committed { version, .. } => Some(*version),
            TaskSet::Unmade | TaskSet::Inconsistent { .. } => None,
        }
    }

    /// Whether these task settings differ from the tasks there are, in number, in content, or in the connector's settings around them.
    ///
    /// Follows `AbstractHerder.taskConfigsChanged` of Kafka Connect.
    pub fn has_other_tasks(&self, settings: &[Settings]) -> bool {
        match &self.tasks {
            TaskSet::Committed { tasks, applied, .. } => {
                *applied != self.config
                    || tasks.len() != settings.len()
                    || tasks.iter().zip(settings).any(|(task, settings)| **task != *settings)
            }
            TaskSet::Unmade | TaskSet::Inconsistent { .. } => true,
        }
    }
}

impl ClusterConfigState {
    /// Offset of the next record to read; -1 before any.
    pub fn position(&self) -> i64 {
        self.position.unwrap_or(-1)
    }

    /// All connectors that have a configuration, by name.
    pub fn connectors(&self) -> impl Iterator<Item = (&ConnectorName, &ConnectorState)> {
        self.entries.iter().filter_map(|(name, entry)| Some((name, entry.connector.as_ref()?)))
    }

    /// A connector, if it has a configuration.
    pub fn connector(&self, name: &ConnectorName) -> Option<&ConnectorState> {
        self.entries.get(name)?.connector.as_ref()
    }

    /// What a connector is asked to be.
    pub fn target(&self, name: &ConnectorName) -> TargetState {
        self.entries.get(name).and_then(|entry| entry.target).unwrap_or_default()
    }

    /// Takes in the record at an offset.
    ///
    /// Cost: copies one connector if an older snapshot is still held, and the map of connectors then too.
    pub fn apply(&mut self, offset: i64, record: &ConfigRecord) {
        self.position = Some(offset + 1);
        let name = match record {
            ConfigRecord::Connector(name, _)
            | ConfigRecord::Target(name, _)
            | ConfigRecord::Commit(name, _) => name,
            ConfigRecord::Task(id, _) => &id.connector,
            ConfigRecord::Restart(_) | ConfigRecord::LoggerLevel(_) | ConfigRecord::Other => return,
        };
        let entry = Arc::make_mut(self.entries.entry(name.clone()).or_default());
        match record {
            ConfigRecord::Connector(_, config) => entry.configure(offset, config.clone()),
            ConfigRecord::Target(_, target) => entry.target = *target,
            ConfigRecord::Task(id, settings) => {
                entry.deferred.insert(id.index, Arc::clone(settings));
            }
            ConfigRecord::Commit(_, count) => entry.commit(offset, *count),
            ConfigRecord::Restart(_) | ConfigRecord::LoggerLevel(_) | ConfigRecord::Other => {}
        }
        if entry.is_empty() {
            self.entries.remove(name);
        }
    }

    /// Passes over a record that counts for nothing.
    pub fn skip(&mut self, offset: i64) {
        self.position = Some(offset + 1);
    }
}

impl Entry {
    fn configure(&mut self, version: i64, config: Option<Arc<Settings>>) {
        let Some(config) = config else {
            self.connector = None;
            self.deferred.clear();
            return;
        };
        let tasks = self.connector.take().map_or(TaskSet::Unmade, |connector| connector.tasks);
        self.connector = Some(ConnectorState { config, config_version: version, tasks });
    }

    /// Makes the deferred tasks count, if none of them is missing. More than `count` may be there: a smaller set was committed
    /// later, and compaction has left the rest of the larger one.
    fn commit(&mut self, version: i64, count: u32) {
        let mut deferred = std::mem::take(&mut self.deferred);
        // Without a configuration this is what a deletion has left behind.
        let Some(connector) = &mut self.connector else { return };
        let tasks: Vec<_> = (0..count).map_while(|index| deferred.remove(&index)).collect();
        let is_complete = u32::try_from(tasks.len()) == Ok(count);
        connector.tasks = if is_complete {
            TaskSet::Committed { tasks, version, applied: Arc::clone(&connector.config) }
        } else {
            TaskSet::Inconsistent { count }
        };
    }

    fn is_empty(&self) -> bool {
        self.connector.is_none() && self.target.is_none() && self.deferred.is_empty()
    }
}
