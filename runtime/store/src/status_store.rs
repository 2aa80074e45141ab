//! The store of statuses: what connectors and tasks are, and which topics they use.
//!
//! Not here: formats. Follows `KafkaStatusBackingStore` of Kafka Connect: writes are eventual, and never hold up who reports a status.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tombolo_model::ConnectorName;
use tombolo_model::status::{State, Status};

use crate::error::Result;
use crate::journal::{Entry, Journal, Journals, LogRecord, shown_key};
use crate::status_records::{StatusKey, StatusRecord, TopicUse, status_value, topic_value};
use crate::topics::InternalTopic;

/// Pause after a failed write, as `retry.backoff.ms` of Kafka's clients.
const RETRY_BACKOFF: Duration = Duration::from_millis(100);

/// The store of statuses. Cheap to clone.
#[derive(Clone)]
pub struct StatusStore {
    shared: Arc<Shared>,
    _writer: Arc<Writer>,
}

/// Everything known about one connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorStatuses {
    /// The connector itself.
    pub connector: Option<Status>,
    /// Its tasks.
    pub tasks: BTreeMap<u32, Status>,
    /// Topics it uses.
    pub topics: BTreeMap<String, TopicUse>,
}

/// Counts topics that are no longer in use: who told of one tells of it anew. Cheap to clone, and to look at.
#[derive(Clone, Debug, Default)]
pub struct TopicsForgotten(Arc<AtomicU64>);

impl TopicsForgotten {
    /// Takes in that there is one more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    /// How many there were so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Default)]
struct Shared {
    topics_forgotten: TopicsForgotten,
    read: Mutex<BTreeMap<ConnectorName, ConnectorStatuses>>,
    pending: Mutex<Pending>,
    submitted: Notify,
    settled: Notify,
}

/// What is still to be written.
#[derive(Default)]
struct Pending {
    /// Of one key only the newest, so that a broker that is away costs no more memory than there are keys.
    values: BTreeMap<StatusKey, Option<Vec<u8>>>,
    /// Whether what was taken out is not known to be durable yet.
    is_writing: bool,
}

impl StatusStore {
    /// Opens the topic, reads it to its end, and starts the task that writes to it.
    ///
    /// Errors: as [`Journals::open`].
    pub async fn open(journals: &dyn Journals, topic: &InternalTopic) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let reader = Arc::clone(&shared);
        let name = topic.name.clone();
        let take = move |record: LogRecord<'_>| reader.take(&name, record);
        let journal = journals.open(topic, Box::new(take)).await?;
        let writer = tokio::spawn(write_pending(Arc::clone(&shared), journal));
        Ok(Self { shared, _writer: Arc::new(Writer(writer.abort_handle())) })
    }

    /// What is known about a connector and its tasks.
    pub fn of(&self, connector: &ConnectorName) -> ConnectorStatuses {
        lock(&self.shared.read).get(connector).cloned().unwrap_or_default()
    }

    /// What is known about all connectors.
    pub fn all(&self) -> BTreeMap<ConnectorName, ConnectorStatuses> {
        lock(&self.shared.read).clone()
    }

    /// Stores a status of a connector or a task soon, unless a newer generation of the group has spoken.
    ///
    /// Follows `putSafe` of Kafka Connect.
    pub fn put(&self, key: StatusKey, status: &Status) {
        let known = self.status(&key);
        let is_stale = known.is_some_and(|known| {
            known.worker_id != status.worker_id && known.generation > status.generation
        });
        match status_value(status) {
            _ if is_stale => {}
            Ok(value) => self.write(key, Some(value)),
            Err(error) => tracing::error!(%error, "a status cannot be stored"),
        }
    }

    /// Notes soon that a connector uses a topic; does nothing if that is known.
    pub fn put_topic(&self, topic: String, connector: ConnectorName, used: &TopicUse) {
        if self.of(&connector).topics.contains_key(&topic) {
            return;
        }
        match topic_value(&topic, &connector, used) {
            Ok(value) => self.write(StatusKey::Topic { topic, connector }, Some(value)),
            Err(error) => tracing::error!(%error, "a topic in use cannot be stored"),
        }
    }

    /// Counts the topics that were taken out of use, as they are read: what is told from then on is not taken for known.
    pub fn topics_forgotten(&self) -> TopicsForgotten {
        self.shared.topics_forgotten.clone()
    }

    /// Deletes what is known under a key soon.
    pub fn delete(&self, key: StatusKey) {
        self.write(key, None);
    }

    /// Waits until everything put so far is durable.
    pub async fn flush(&self) {
        loop {
            let settled = self.shared.settled.notified();
            {
                let pending = lock(&self.shared.pending);
                if pending.values.is_empty() && !pending.is_writing {
                    return;
                }
            }
            settled.await;
        }
    }

    fn status(&self, key: &StatusKey) -> Option<Status> {
        let read = lock(&self.shared.read);
        let statuses = read.get(key.connector())?;
        match key {
            StatusKey::Connector(_) => statuses.connector.clone(),
            StatusKey::Task(id) => statuses.tasks.get(&id.index).cloned(),
            StatusKey::Topic { .. } => None,
        }
    }

    fn write(&self, key: StatusKey, value: Option<Vec<u8>>) {
        lock(&self.shared.pending).values.insert(key, value);
        self.shared.submitted.notify_one();
    }
}

/// Ends the task that writes when the last clone of the store goes.
struct Writer(AbortHandle);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Writes what is pending, and tries again what failed unless something newer is pending by then.
async fn write_pending(shared: Arc<Shared>, journal: Arc<dyn Journal>) {
    loop {
        let batch = lock(&shared.pending).begin();
        if batch.is_empty() {
            shared.settled.notify_waiters();
            shared.submitted.notified().await;
            continue;
        }
        let entries: Vec<Entry> = batch
            .iter()
            .map(|(key, value)| (key.record_key().into_bytes(), value.clone()))
            .collect();
        if let Err(error) = journal.append(&entries).await {
            tracing::warn!(%error, "statuses could not be stored; trying again");
            lock(&shared.pending).give_back(batch);
            tokio::time::sleep(RETRY_BACKOFF).await;
        }
    }
}

impl Pending {
    /// Takes all of it to be written.
    fn begin(&mut self) -> BTreeMap<StatusKey, Option<Vec<u8>>> {
        let batch = std::mem::take(&mut self.values);
        self.is_writing = !batch.is_empty();
        batch
    }

    /// Keeps what could not be written for another try, unless something newer is there.
    fn give_back(&mut self, batch: BTreeMap<StatusKey, Option<Vec<u8>>>) {
        for (key, value) in batch {
            self.values.entry(key).or_insert(value);
        }
    }
}

impl Shared {
    fn take(&self, topic: &str, record: LogRecord<'_>) {
        let key = String::from_utf8_lossy(record.key.unwrap_or_default());
        let Some(parsed) = StatusRecord::read(&key, record.value) else {
            let (partition, offset, key) = (record.partition, record.offset, shown_key(&record));
            tracing::warn!(topic, partition, offset, "ignoring record '{key}' of the status topic");
            return;
        };
        let is_forgotten = matches!(parsed, StatusRecord::Topic(_, None));
        let mut read = lock(&self.read);
        let name = match &parsed {
            StatusRecord::Status(key, _) | StatusRecord::Topic(key, _) => key.connector().clone(),
        };
        let statuses = read.entry(name.clone()).or_default();
        statuses.apply(parsed);
        if *statuses == ConnectorStatuses::default() {
            read.remove(&name);
        }
        if is_forgotten {
            self.topics_forgotten.add();
        }
    }
}

impl ConnectorStatuses {
    fn apply(&mut self, record: StatusRecord) {
        match record {
            StatusRecord::Status(StatusKey::Connector(_), Some(status)) => {
                self.connector = Some(status);
            }
            StatusRecord::Status(StatusKey::Connector(_), None) => {
                self.connector = None;
                self.tasks.clear();
            }
            StatusRecord::Status(StatusKey::Task(id), Some(status)) => {
                let known = self.tasks.get(&id.index);
                // A worker that lost the task may say so after another has started it.
                let is_late = status.state == State::Unassigned
                    && known.is_some_and(|known| {
                        known.state == State::Running
                            && known.generation >= status.generation
                            && known.worker_id != status.worker_id
                    });
                if !is_late {
                    self.tasks.insert(id.index, status);
                }
            }
            StatusRecord::Status(StatusKey::Task(id), None) => {
                self.tasks.remove(&id.index);
            }
            StatusRecord::Topic(StatusKey::Topic { topic, .. }, Some(used)) => {
                self.topics.insert(topic, used);
            }
            StatusRecord::Topic(StatusKey::Topic { topic, .. }, None) => {
                self.topics.remove(&topic);
            }
            StatusRecord::Status(StatusKey::Topic { .. }, _) | StatusRecord::Topic(..) => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
