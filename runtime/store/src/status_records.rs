//! Records of the status topic: keys and values, written exactly and read tolerantly as Kafka Connect does.
//!
//! Not here: what they add up to. Follows `KafkaStatusBackingStore` of Kafka Connect.

use serde::Serialize;
use serde_json::Value as Json;
use tombolo_model::status::{State, Status};
use tombolo_model::{ConnectorName, TaskId};

use crate::error::Result;
use crate::json::to_vec;

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusKey {
    /// A connector.
    Connector(ConnectorName),
    /// A task.
    Task(TaskId),
    /// A topic that a connector uses.
    Topic {
        /// The topic.
        topic: String,
        /// The connector.
        connector: ConnectorName,
    },
}

/// That a connector uses a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicUse {
    /// The task that used it first.
    pub task: u32,
    /// When, in milliseconds since the epoch.
    pub discovered: i64,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusRecord {
    /// A status, or none for one that was deleted.
    Status(StatusKey, Option<Status>),
    /// A topic in use, or none for one that was forgotten.
    Topic(StatusKey, Option<TopicUse>),
}

impl StatusKey {
    /// The key of its record.
    pub fn record_key(&self) -> String {
        match self {
            Self::Connector(name) => format!("status-connector-{name}"),
            Self::Task(id) => format!("status-task-{id}"),
            Self::Topic { topic, connector } => {
                format!("status-topic-{topic}:connector-{connector}")
            }
        }
    }

    /// The connector it belongs to.
    pub fn connector(&self) -> &ConnectorName {
        match self {
            Self::Connector(name) => name,
            Self::Task(id) => &id.connector,
            Self::Topic { connector, .. } => connector,
        }
    }

    fn read(key: &str) -> Option<Self> {
        if let Some(name) = key.strip_prefix("status-connector-") {
            return Some(Self::Connector(ConnectorName::new(name)));
        }
        if let Some(id) = key.strip_prefix("status-task-") {
            let (name, index) = id.rsplit_once('-')?;
            return Some(Self::Task(TaskId::new(ConnectorName::new(name), index.parse().ok()?)));
        }
        // The first colon divides: a topic's name has none.
        let (topic, connector) = key.strip_prefix("status-topic-")?.split_once(':')?;
        let connector = ConnectorName::new(connector.strip_prefix("connector-")?);
        Some(Self::Topic { topic: topic.to_owned(), connector })
    }
}

#[derive(Serialize)]
struct StatusValue<'a> {
    state: &'a str,
    trace: Option<&'a str>,
    worker_id: &'a str,
    generation: i32,
    version: Option<&'a str>,
}

#[derive(Serialize)]
struct TopicValue<'a> {
    topic: TopicFields<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TopicFields<'a> {
    name: &'a str,
    connector: &'a str,
    task: u32,
    discover_timestamp: i64,
}

/// The value of a status record.
pub fn status_value(status: &Status) -> Result<Vec<u8>> {
    to_vec(&StatusValue {
        state: status.state.name(),
        trace: status.trace.as_deref(),
        worker_id: &status.worker_id,
        generation: status.generation,
        version: status.version.as_deref(),
    })
}

/// The value of a record about a topic in use.
pub fn topic_value(topic: &str, connector: &ConnectorName, used: &TopicUse) -> Result<Vec<u8>> {
    to_vec(&TopicValue {
        topic: TopicFields {
            name: topic,
            connector: connector.as_str(),
            task: used.task,
            discover_timestamp: used.discovered,
        },
    })
}

impl StatusRecord {
    /// Reads a record; none where it is not what its key says.
    pub fn read(key: &str, value: Option<&[u8]>) -> Option<Self> {
        let key = StatusKey::read(key)?;
        let value = value.map(serde_json::from_slice::<Json>).transpose().ok()?;
        let value = value.filter(|value| !value.is_null());
        if let StatusKey::Topic { .. } = key {
            return Some(Self::Topic(key, value.map(|value| topic(&value)).transpose()?));
        }
        Some(Self::Status(key, value.map(|value| status(&value)).transpose()?))
    }
}

/// Swaps "nothing there" and "not readable", which `?` tells apart.
trait Transpose<T> {
    fn transpose(self) -> Option<Option<T>>;
}

impl<T> Transpose<T> for Option<Option<T>> {
    fn transpose(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(None) => None,
            Some(Some(value)) => Some(Some(value)),
        }
    }
}

fn status(value: &Json) -> Option<Status> {
    let text = |member: &str| value.get(member).and_then(Json::as_str).map(str::to_owned);
    let generation = value.get("generation").and_then(Json::as_i64)?;
    Some(Status {
        state: State::from_name(value.get("state")?.as_str()?)?,
        trace: text("trace"),
        worker_id: text("worker_id")?,
        generation: i32::try_from(generation).ok()?,
        version: text("version"),
    })
}

fn topic(value: &Json) -> Option<TopicUse> {
    let fields = value.get("topic")?;
    Some(TopicUse {
        task: u32::try_from(fields.get("task")?.as_u64()?).ok()?,
        discovered: fields.get("discoverTimestamp")?.as_i64()?,
    })
}
