//! Records of the config topic: keys and values, written exactly and read tolerantly as Kafka Connect does.
//!
//! Not here: what they add up to (`snapshot`). Follows `KafkaConfigBackingStore` of Kafka Connect.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;
use tombolo_model::status::TargetState;
use tombolo_model::{ConnectorName, Settings, TaskId};

use crate::error::{Error, Result};
use crate::journal::Entry;
use crate::json::to_vec;

/// A request to restart a connector, perhaps with its tasks, as it travels through the config topic.
///
/// Follows `RestartRequest` of Kafka Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartRequest {
    /// The connector.
    pub connector: ConnectorName,
    /// Whether to restart only what failed.
    pub only_failed: bool,
    /// Whether to restart tasks too.
    pub include_tasks: bool,
}

impl RestartRequest {
    /// How much it restarts; of two requests for one connector the higher stands.
    pub fn impact(&self) -> u8 {
        match (self.only_failed, self.include_tasks) {
            (true, false) => 0,
            (true, true) => 1,
            (false, false) => 2,
            (false, true) => 3,
        }
    }
}

/// A level for a logger, as it travels through the config topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggerLevel {
    /// The logger, as `root` or `org.apache.kafka.connect`.
    pub namespace: String,
    /// The level, as `DEBUG`, in any case; not checked.
    pub level: String,
}

/// A record of the config topic, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigRecord {
    /// The target state of a connector; none was deleted.
    Target(ConnectorName, Option<TargetState>),
    /// The configuration of a connector; none was deleted.
    Connector(ConnectorName, Option<Arc<Settings>>),
    /// The configuration of a task; counts once its commit is read.
    Task(TaskId, Arc<Settings>),
    /// How many of the tasks written before are the connector's tasks now.
    Commit(ConnectorName, u32),
    /// A request to restart.
    Restart(RestartRequest),
    /// The level that a logger gets on every worker.
    LoggerLevel(LoggerLevel),
    /// A record that this worker has no use for.
    Other,
}

/// Why a record counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// Its value is not JSON; the store's position stays before it.
    NotJson,
    /// It is not what its key says; says why.
    Unexpected(String),
}

impl ConfigRecord {
    /// Reads a record.
    pub fn read(key: &str, value: Option<&[u8]>) -> std::result::Result<Self, Skipped> {
        let value = match value.map(serde_json::from_slice::<Json>) {
            None => None,
            Some(Ok(Json::Null)) => None,
            Some(Ok(json)) => Some(json),
            Some(Err(_)) => return Err(Skipped::NotJson),
        };
        let name = |prefix| key.strip_prefix(prefix).map(ConnectorName::new);
        if let Some(name) = name("target-state-") {
            target(name, value)
        } else if let Some(name) = name("connector-") {
            let config = value.map(|value| properties(key, &value)).transpose()?;
            Ok(Self::Connector(name, config.map(Arc::new)))
        } else if let Some(id) = key.strip_prefix("task-") {
            let id = task_id(id).ok_or_else(|| unexpected(key, "has no task id"))?;
            let value = value.ok_or_else(|| unexpected(key, "has no value"))?;
            Ok(Self::Task(id, Arc::new(properties(key, &value)?)))
        } else if let Some(name) = name("commit-") {
            let tasks = value.as_ref().and_then(|value| value.get("tasks")).and_then(Json::as_u64);
            let tasks = tasks.and_then(|tasks| u32::try_from(tasks).ok());
            tasks
                .map(|tasks| Self::Commit(name, tasks))
                .ok_or_else(|| unexpected(key, "has no number of tasks"))
        } else if let Some(connector) = name("restart-connector-") {
            let value = value.ok_or_else(|| unexpected(key, "has no value"))?;
            let flag = |name| value.get(name).and_then(Json::as_bool).unwrap_or_default();
            let (only_failed, include_tasks) = (flag("only-failed"), flag("include-tasks"));
            Ok(Self::Restart(RestartRequest { connector, only_failed, include_tasks }))
        } else if let Some(namespace) = key.strip_prefix("logger-cluster-") {
            let level = value.as_ref().and_then(|value| value.get("level")).and_then(Json::as_str);
            let level = level.ok_or_else(|| unexpected(key, "has no level"))?.to_owned();
            Ok(Self::LoggerLevel(LoggerLevel { namespace: namespace.to_owned(), level }))
        } else if key == "session-key" || key.starts_with("tasks-fencing-") {
            Ok(Self::Other)
        } else {
            Err(unexpected(key, "has an invalid key"))
        }
    }
}

fn target(name: ConnectorName, value: Option<Json>) -> std::result::Result<ConfigRecord, Skipped> {
    let Some(value) = value else { return Ok(ConfigRecord::Target(name, None)) };
    let text = |member| value.get(member).and_then(Json::as_str);
    let state = text("state.v2").or_else(|| text("state")).and_then(TargetState::from_name);
    state.map_or_else(
        || Err(unexpected(name.as_str(), "has no known target state")),
        |state| Ok(ConfigRecord::Target(name.clone(), Some(state))),
    )
}

/// Everything between the first and the last hyphen is the name, as names may have hyphens.
fn task_id(id: &str) -> Option<TaskId> {
    let (name, index) = id.rsplit_once('-')?;
    Some(TaskId::new(ConnectorName::new(name), index.parse().ok()?))
}

fn properties(key: &str, value: &Json) -> std::result::Result<Settings, Skipped> {
    let Some(Json::Object(members)) = value.get("properties") else {
        return Err(unexpected(key, "has no properties"));
    };
    // A null says the same as a missing setting.
    Ok(members.iter().filter_map(|(name, value)| Some((name, text(value)?))).collect())
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn unexpected(key: &str, why: &str) -> Skipped {
    Skipped::Unexpected(format!("record '{}' {why}", key.escape_debug()))
}

/// A change of the config topic that belongs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigWrite {
    /// A connector's configuration; with a target state for one that is created.
    Connector(ConnectorName, Settings, Option<TargetState>),
    /// Deletes a connector. Its offsets stay.
    Remove(ConnectorName),
    /// The configurations of all tasks of a connector.
    Tasks(ConnectorName, Vec<Settings>),
    /// The target state of a connector; to be stopped is to have no tasks, too.
    Target(ConnectorName, TargetState),
    /// A request to restart.
    Restart(RestartRequest),
    /// The level of a logger on every worker.
    LoggerLevel(LoggerLevel),
}

#[derive(Serialize)]
struct Level<'a> {
    level: &'a str,
}

#[derive(Serialize)]
struct Properties<'a> {
    properties: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Commit {
    tasks: usize,
}

#[derive(Serialize)]
struct Target<'a> {
    state: &'a str,
    #[serde(rename = "state.v2")]
    state_v2: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Restart {
    include_tasks: bool,
    only_failed: bool,
}

impl ConfigWrite {
    /// The records to append, in order.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        match self {
            Self::Connector(name, config, initial) => {
                // The target state comes first: a reader that knows the connector must not take it for started.
                let state = initial.map(|state| target_entry(name, state)).transpose()?;
                let config = entry(format!("connector-{name}"), &with_properties(config)?)?;
                Ok(state.into_iter().chain([config]).collect())
            }
            Self::Remove(name) => Ok(vec![
                (format!("connector-{name}").into_bytes(), None),
                (format!("target-state-{name}").into_bytes(), None),
            ]),
            Self::Tasks(name, tasks) => task_entries(name, tasks),
            Self::Target(name, TargetState::Stopped) => {
                let mut entries = task_entries(name, &[])?;
                entries.push(target_entry(name, TargetState::Stopped)?);
                Ok(entries)
            }
            Self::Target(name, state) => Ok(vec![target_entry(name, *state)?]),
            Self::Restart(request) => {
                let RestartRequest { only_failed, include_tasks, .. } = *request;
                let key = format!("restart-connector-{}", request.connector);
                Ok(vec![entry(key, &Restart { include_tasks, only_failed })?])
            }
            Self::LoggerLevel(LoggerLevel { namespace, level }) => {
                Ok(vec![entry(format!("logger-cluster-{namespace}"), &Level { level })?])
            }
        }
    }
}

/// Errors: `Secret`, where something was resolved in the settings: a topic holds references.
fn with_properties(settings: &Settings) -> Result<Properties<'_>> {
    if !settings.is_fit_to_be_shown() {
        return Err(Error::Secret("settings with resolved values are not stored".to_owned()));
    }
    Ok(Properties { properties: settings.iter().collect() })
}

fn task_entries(name: &ConnectorName, tasks: &[Settings]) -> Result<Vec<Entry>> {
    tasks
        .iter()
        .enumerate()
        .map(|(index, task)| entry(format!("task-{name}-{index}"), &with_properties(task)?))
        .chain([entry(format!("commit-{name}"), &Commit { tasks: tasks.len() })])
        .collect()
}

/// `state` is what workers before Kafka 3.5 understand, which know no stopped connectors.
fn target_entry(name: &ConnectorName, state: TargetState) -> Result<Entry> {
    let v1 = if state == TargetState::Stopped { TargetState::Paused } else { state };
    entry(format!("target-state-{name}"), &Target { state: v1.name(), state_v2: state.name() })
}

fn entry(key: String, value: &impl Serialize) -> Result<Entry> {
    Ok((key.into_bytes(), Some(to_vec(value)?)))
}
