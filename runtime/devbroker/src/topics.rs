//! The topics and their partitions. Not here: what is in a partition (`log`), and what clients are answered (`api`).
//!
//! A topic is a value that never changes: settings or more partitions make a new one that shares the partitions. So
//! whoever holds a topic needs no lock to look at it.

pub(crate) mod config;
mod name;
mod storage;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use kafka_protocol::ResponseError;
use uuid::Uuid;

use crate::Error;
use crate::clock;
use crate::log::Log;
use config::TopicConfig;
use storage::TopicFile;

/// Most partitions of a topic. Each may hold a file open, and processes have few thousands of those.
pub(crate) const PARTITIONS_MAX: i32 = 10_000;

/// A partition, shared by all versions of its topic.
#[derive(Debug)]
pub(crate) struct Partition(Mutex<Log>);

impl Partition {
    /// Locks the log. Last in the order of locks: take no other while holding it.
    ///
    /// A panic while it was held would leave the log as it was before the write that panicked, so the log is good.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A topic as it is at one moment.
#[derive(Debug)]
pub(crate) struct Topic {
    pub name: String,
    pub id: Uuid,
    pub config: TopicConfig,
    pub partitions: Vec<Arc<Partition>>,
}

impl Topic {
    pub(crate) fn partition(&self, index: i32) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

/// What is to be created.
#[derive(Debug)]
pub(crate) struct NewTopic<'a> {
    pub name: &'a str,
    pub partitions: i32,
    pub config: TopicConfig,
}

/// All topics by name.
#[derive(Debug)]
pub(crate) struct Topics {
    dir: PathBuf,
    by_name: RwLock<BTreeMap<String, Arc<Topic>>>,
}

impl Topics {
    /// Opens all topics below a directory.
    pub(crate) fn open(dir: PathBuf) -> Result<Self, Error> {
        let now_ms = clock::now_ms();
        let mut by_name = BTreeMap::new();
        for (name, file) in storage::load(&dir)? {
            let mut partitions = Vec::new();
            for index in 0..file.partitions {
                let path = partition_dir(&dir, &name, index);
                let log = Log::open(path.clone(), file.config.segment_bytes(), now_ms)
                    .map_err(|source| Error::File { path, source })?;
                partitions.push(Arc::new(Partition(Mutex::new(log))));
            }
            let topic = Topic { name: name.clone(), id: file.id, config: file.config, partitions };
            by_name.insert(name, Arc::new(topic));
        }
        Ok(Self { dir, by_name: RwLock::new(by_name) })
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Topic>>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<Topic>>> {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Topic>> {
        self.read().get(name).cloned()
    }

    pub(crate) fn get_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.read().values().find(|topic| topic.id == id).cloned()
    }

    /// All topics, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        self.read().values().cloned().collect()
    }

    pub(crate) fn partition(&self, name: &str, index: i32) -> Option<Arc<Partition>> {
        self.read().get(name)?.partition(index).cloned()
    }

    /// Says whether a topic could be created.
    pub(crate) fn check(&self, new: &NewTopic<'_>) -> Result<(), ResponseError> {
        if !name::is_valid(new.name) {
            return Err(ResponseError::InvalidTopicException);
        }
        if self.read().contains_key(new.name) {
            return Err(ResponseError::TopicAlreadyExists);
        }
        if !(1..=PARTITIONS_MAX).contains(&new.partitions) {
            return Err(ResponseError::InvalidPartitions);
        }
        Ok(())
    }

    /// Creates a topic.
    pub(crate) fn create(&self, new: NewTopic<'_>) -> Result<Arc<Topic>, ResponseError> {
        self.check(&new)?;
        let mut topics = self.write();
        if topics.contains_key(new.name) {
            return Err(ResponseError::TopicAlreadyExists);
        }
        let topic = Topic {
            name: new.name.to_owned(),
            id: Uuid::new_v4(),
            config: new.config,
            partitions: Vec::new(),
        };
        self.put(&mut topics, topic, new.partitions)
    }

    /// Adds partitions until there are `count`.
    pub(crate) fn grow(&self, name: &str, count: i32) -> Result<Arc<Topic>, ResponseError> {
        let mut topics = self.write();
        let old = topics.get(name).ok_or(ResponseError::UnknownTopicOrPartition)?;
        if count > PARTITIONS_MAX || usize::try_from(count).unwrap_or(0) <= old.partitions.len() {
            return Err(ResponseError::InvalidPartitions);
        }
        let topic = Topic {
            name: old.name.clone(),
            id: old.id,
            config: old.config.clone(),
            partitions: old.partitions.clone(),
        };
        self.put(&mut topics, topic, count)
    }

    /// Replaces a topic's settings.
    pub(crate) fn configure(&self, name: &str, config: TopicConfig) -> Result<(), ResponseError> {
        let mut topics = self.write();
        let old = topics.get(name).ok_or(ResponseError::UnknownTopicOrPartition)?;
        let topic = Topic {
            name: old.name.clone(),
            id: old.id,
            config,
            partitions: old.partitions.clone(),
        };
        let segment_bytes = topic.config.segment_bytes();
        let count = topic.partitions.len() as i32;
        let topic = self.put(&mut topics, topic, count)?;
        for partition in &topic.partitions {
            partition.log().set_segment_bytes(segment_bytes);
        }
        Ok(())
    }

    /// Writes a new version of a topic to disk, then shows it.
    fn put(
        &self,
        topics: &mut BTreeMap<String, Arc<Topic>>,
        mut topic: Topic,
        partitions: i32,
    ) -> Result<Arc<Topic>, ResponseError> {
        let segment_bytes = topic.config.segment_bytes();
        for index in topic.partitions.len() as i32..partitions {
            let dir = partition_dir(&self.dir, &topic.name, index);
            let log = Log::open(dir, segment_bytes, clock::now_ms()).map_err(storage_error)?;
            topic.partitions.push(Arc::new(Partition(Mutex::new(log))));
        }
        let file = TopicFile { id: topic.id, partitions, config: topic.config.clone() };
        storage::save(&self.dir, &topic.name, &file).map_err(storage_error)?;
        let topic = Arc::new(topic);
        topics.insert(topic.name.clone(), topic.clone());
        Ok(topic)
    }

    /// Deletes a topic with all its records.
    pub(crate) fn delete(&self, name: &str) -> Result<(), ResponseError> {
        let mut topics = self.write();
        let topic = topics.get(name).ok_or(ResponseError::UnknownTopicOrPartition)?.clone();
        let moved = storage::set_aside(&self.dir, name).map_err(storage_error)?;
        topics.remove(name);
        for partition in &topic.partitions {
            partition.log().delete();
        }
        drop(topics);
        storage::remove(&moved).map_err(storage_error)
    }
}

fn partition_dir(dir: &Path, topic: &str, index: i32) -> PathBuf {
    dir.join(topic).join(index.to_string())
}

fn storage_error(error: io::Error) -> ResponseError {
    tracing::error!(%error, "cannot use the topics' files");
    ResponseError::KafkaStorageError
}

#[cfg(test)]
mod tests;
