//! Journals in memory, for tests: they behave as Kafka's do, and outlive the stores opened on them.
//!
//! Not here: durability.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::journal::{Entry, Journal, Journals, LogRecord, Reader};
use crate::topics::InternalTopic;

/// Topics in memory. Cheap to clone; clones share the topics, as workers share a broker.
#[derive(Clone, Default)]
pub struct MemoryJournals {
    topics: Arc<Mutex<BTreeMap<String, Arc<Mutex<Topic>>>>>,
}

#[derive(Default)]
struct Topic {
    records: Vec<Entry>,
    readers: Vec<Reader>,
    is_away: bool,
}

impl MemoryJournals {
    /// Writes a record as some other worker would.
    pub fn write(&self, topic: &str, key: &str, value: Option<&str>) {
        let topic = self.topic(topic);
        let entry = (key.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()));
        lock(&topic).append(entry);
    }

    /// Every record of a topic, in order, as text.
    pub fn records(&self, topic: &str) -> Vec<(String, Option<String>)> {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        let topic = self.topic(topic);
        let topic = lock(&topic);
        topic.records.iter().map(|(key, value)| (text(key), value.as_ref().map(text))).collect()
    }

    /// Makes a topic refuse appends from now on, or take them again.
    pub fn set_away(&self, topic: &str, is_away: bool) {
        lock(&self.topic(topic)).is_away = is_away;
    }

    fn topic(&self, name: &str) -> Arc<Mutex<Topic>> {
        Arc::clone(lock(&self.topics).entry(name.to_owned()).or_default())
    }
}

impl Topic {
    fn append(&mut self, entry: Entry) {
        self.records.push(entry);
        let last = self.records.len() - 1;
        for reader in &mut self.readers {
            give(reader, &self.records, last);
        }
    }
}

fn give(reader: &mut Reader, records: &[Entry], index: usize) {
    let Some((key, value)) = records.get(index) else { return };
    reader(LogRecord {
        partition: 0,
        offset: i64::try_from(index).unwrap_or(i64::MAX),
        timestamp: -1,
        key: Some(key),
        value: value.as_deref(),
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct MemoryJournal {
    name: String,
    topic: Arc<Mutex<Topic>>,
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        let mut topic = lock(&self.topic);
        if topic.is_away {
            return Err(Error::Topic {
                doing: "writing to",
                topic: self.name.clone(),
                source: "the broker is away".into(),
            });
        }
        for entry in entries {
            topic.append(entry.clone());
        }
        Ok(())
    }

    async fn read_to_end(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Journals for MemoryJournals {
    async fn open(&self, topic: &InternalTopic, mut reader: Reader) -> Result<Arc<dyn Journal>> {
        let name = topic.name.clone();
        let topic = self.topic(&name);
        {
            let mut topic = lock(&topic);
            for index in 0..topic.records.len() {
                give(&mut reader, &topic.records, index);
            }
            topic.readers.push(reader);
        }
        Ok(Arc::new(MemoryJournal { name, topic }))
    }
}
