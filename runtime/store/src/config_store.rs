//! The store of configurations: a snapshot that follows the config topic, and writes to it.
//!
//! Not here: who may write. Follows `KafkaConfigBackingStore` of Kafka Connect.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tombolo_model::ConnectorName;

use crate::config_records::{ConfigRecord, ConfigWrite, LoggerLevel, RestartRequest, Skipped};
use crate::error::Result;
use crate::journal::{Journal, Journals, LogRecord, shown_key};
use crate::snapshot::ClusterConfigState;
use crate::topics::InternalTopic;

/// The store of configurations. Cheap to clone.
#[derive(Clone)]
pub struct ConfigStore {
    journal: Arc<dyn Journal>,
    shared: Arc<Shared>,
}

/// What was read since the last look.
#[derive(Clone, Debug)]
pub struct ConfigRead {
    /// All configurations now.
    pub state: Arc<ClusterConfigState>,
    /// Requests to restart, at most one per connector: of several, the one with the highest impact.
    pub restarts: Vec<RestartRequest>,
    /// Levels for loggers, in order; of several for one logger, the last.
    pub logger_levels: Vec<LoggerLevel>,
}

#[derive(Default)]
struct Shared {
    read: Mutex<Read>,
    changed: Notify,
}

#[derive(Default)]
struct Read {
    state: Arc<ClusterConfigState>,
    restarts: BTreeMap<ConnectorName, RestartRequest>,
    logger_levels: Vec<LoggerLevel>,
    is_changed: bool,
    /// Requests to restart and levels from before the start are of no concern.
    is_started: bool,
}

impl ConfigStore {
    /// Opens the topic and reads it to its end.
    ///
    /// Errors: as [`Journals::open`].
    pub async fn open(journals: &dyn Journals, topic: &InternalTopic) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let reader = Arc::clone(&shared);
        let name = topic.name.clone();
        let take = move |record: LogRecord<'_>| reader.take(&name, record);
        let journal = journals.open(topic, Box::new(take)).await?;
        shared.lock().is_started = true;
        Ok(Self { journal, shared })
    }

    /// All configurations as of now.
    pub fn snapshot(&self) -> Arc<ClusterConfigState> {
        Arc::clone(&self.shared.lock().state)
    }

    /// What was read since this was last called, or none if nothing was. For one follower.
    pub fn take_read(&self) -> Option<ConfigRead> {
        let mut read = self.shared.lock();
        if !std::mem::take(&mut read.is_changed) {
            return None;
        }
        let restarts = std::mem::take(&mut read.restarts).into_values().collect();
        let logger_levels = std::mem::take(&mut read.logger_levels);
        Some(ConfigRead { state: Arc::clone(&read.state), restarts, logger_levels })
    }

    /// Waits until [`ConfigStore::take_read`] may have something. For one follower.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// Makes a change, and returns when it is durable and its records were read back.
    pub async fn write(&self, write: &ConfigWrite) -> Result<()> {
        self.journal.append(&write.entries()?).await?;
        self.journal.read_to_end().await
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows `KafkaConfigBackingStore.ConsumeCallback`: what cannot be read is told and skipped.
    fn take(&self, topic: &str, record: LogRecord<'_>) {
        let (partition, offset) = (record.partition, record.offset);
        let key = String::from_utf8_lossy(record.key.unwrap_or_default());
        let parsed = ConfigRecord::read(&key, record.value);
        let mut read = self.lock();
        match parsed {
            Ok(ConfigRecord::Restart(request)) => {
                Arc::make_mut(&mut read.state).skip(record.offset);
                if read.is_started {
                    read.restart(request);
                }
            }
            Ok(ConfigRecord::LoggerLevel(level)) => {
                Arc::make_mut(&mut read.state).skip(record.offset);
                if read.is_started {
                    read.logger_levels.retain(|pending| pending.namespace != level.namespace);
                    read.logger_levels.push(level);
                }
            }
            Ok(parsed) => Arc::make_mut(&mut read.state).apply(record.offset, &parsed),
            Err(Skipped::NotJson) => {
                let key = shown_key(&record);
                tracing::error!(
                    topic,
                    partition,
                    offset,
                    "Failed to convert config data to Kafka Connect format: '{key}'"
                );
                return;
            }
            Err(Skipped::Unexpected(why)) => {
                tracing::error!(
                    topic,
                    partition,
                    offset,
                    "ignoring a record of the config topic: {why}"
                );
                Arc::make_mut(&mut read.state).skip(record.offset);
            }
        }
        read.is_changed = true;
        drop(read);
        self.changed.notify_one();
    }
}

impl Read {
    fn restart(&mut self, request: RestartRequest) {
        let pending = self.restarts.get(&request.connector);
        if pending.is_none_or(|pending| pending.impact() < request.impact()) {
            self.restarts.insert(request.connector.clone(), request);
        }
    }
}
