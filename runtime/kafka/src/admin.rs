//! Requests about topics, groups and the cluster.
//!
//! Not here: when topics are created, and with which settings.

use std::time::Duration;

use tombolo_model::offset::{PartitionOffset, TopicPartition};

use crate::error::Error;
use crate::settings::ClientSettings;

/// An admin client. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    _private: (),
}

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Number of partitions, -1 for the broker's default.
    pub partitions: i32,
    /// Replication factor, -1 for the broker's default.
    pub replication_factor: i16,
    /// Its settings.
    pub settings: Vec<(String, String)>,
}

/// What is known of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// Number of partitions.
    pub partitions: i32,
}

impl Admin {
    /// Makes an admin client. Does not wait for a broker.
    ///
    /// Every request waits at most `wait` for its answer, also for a broker that is away.
    pub fn new(settings: &ClientSettings, client_id: &str, wait: Duration) -> Result<Admin, Error> {
        let _ = (settings, client_id, wait);
        unimplemented!()
    }

    /// The topic, or none when it does not exist.
    pub async fn topic(&self, name: &str) -> Result<Option<TopicInfo>, Error> {
        let _ = name;
        unimplemented!()
    }

    /// Names of all topics.
    pub async fn topics(&self) -> Result<Vec<String>, Error> {
        unimplemented!()
    }

    /// Creates a topic. Answers false when it existed already.
    pub async fn create_topic(&self, topic: &NewTopic) -> Result<bool, Error> {
        let _ = topic;
        unimplemented!()
    }

    /// Deletes a topic. Answers false when it did not exist.
    pub async fn delete_topic(&self, name: &str) -> Result<bool, Error> {
        let _ = name;
        unimplemented!()
    }

    /// The settings of a topic, by name; secret ones are left out.
    pub async fn topic_settings(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let _ = name;
        unimplemented!()
    }

    /// Changes settings of a topic; none takes a setting back to its default. Others stay.
    pub async fn alter_topic_settings(
        &self,
        name: &str,
        changes: &[(&str, Option<&str>)],
    ) -> Result<(), Error> {
        let _ = (name, changes);
        unimplemented!()
    }

    /// First offsets still there.
    pub async fn beginning_offsets(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<PartitionOffset>, Error> {
        let _ = partitions;
        unimplemented!()
    }

    /// Offsets that the next records will get.
    pub async fn end_offsets(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<PartitionOffset>, Error> {
        let _ = partitions;
        unimplemented!()
    }

    /// Offsets committed by a group, for every partition that has one.
    pub async fn group_offsets(&self, group: &str) -> Result<Vec<PartitionOffset>, Error> {
        let _ = group;
        unimplemented!()
    }

    /// Sets committed offsets of a group without members.
    pub async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &[PartitionOffset],
    ) -> Result<(), Error> {
        let _ = (group, offsets);
        unimplemented!()
    }

    /// Forgets committed offsets of a group without members.
    pub async fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<(), Error> {
        let _ = (group, partitions);
        unimplemented!()
    }

    /// Deletes a group without members. Answers false when it did not exist.
    pub async fn delete_group(&self, group: &str) -> Result<bool, Error> {
        let _ = group;
        unimplemented!()
    }

    /// The id of the cluster.
    pub async fn cluster_id(&self) -> Result<String, Error> {
        unimplemented!()
    }
}
