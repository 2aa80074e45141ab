//! Creates the topics a source writes to, from the first of the connector's groups that holds them.
//!
//! Not here: reading the groups (`connector_config::topic_creation`). Follows `TopicCreation` of Kafka Connect.

use std::collections::HashSet;

use tombolo_kafka::{Admin, Error, NewTopic};
use tombolo_model::{Batch, Fault, Stage};

use crate::connector_config::TopicCreationGroup;
use crate::tolerance::CONNECT_EXCEPTION;
use crate::used_topics::first_rows;

/// Topics of a source task, created before its first record to them.
pub(crate) struct TopicCreation {
    admin: Admin,
    groups: Vec<TopicCreationGroup>,
    /// Topics that exist.
    known: HashSet<String>,
}

impl TopicCreation {
    /// Creates topics by these groups, of which the last holds every topic.
    pub(crate) fn new(admin: Admin, groups: Vec<TopicCreationGroup>) -> Self {
        Self { admin, groups, known: HashSet::new() }
    }

    /// Topics of these rows that are not known to exist, each once.
    ///
    /// Cost: a look-up per name in `topics`; a walk over the rows only where one of them is new.
    pub(crate) fn missing(&self, batch: &Batch) -> Vec<String> {
        let is_new = |name: &String| !self.known.contains(name);
        if !batch.topics.iter().any(is_new) {
            return Vec::new();
        }
        let used = batch.topics.iter().zip(first_rows(batch)).filter(|(_, row)| row.is_some());
        used.map(|(name, _)| name).filter(|name| is_new(name)).cloned().collect()
    }

    /// Makes sure that a topic exists: describes it, and creates it if it is not there.
    ///
    /// Errors: `Retriable` where Kafka does not answer, else `Fatal` in Kafka Connect's words.
    pub(crate) async fn ensure(&mut self, topic: &str) -> Result<(), Fault> {
        tracing::info!(
            topic,
            "The task will send records to topic '{topic}' for the first time. Checking whether topic exists"
        );
        if self.admin.topic(topic).await.map_err(|error| describing(topic, error))?.is_none()
            && let Some(group) = self.groups.iter().find(|group| group.holds(topic))
        {
            let new = new_topic(topic, group);
            let created =
                self.admin.create_topic(&new).await.map_err(|error| creating(&new, error))?;
            let how = if created { "Created" } else { "Found existing" };
            tracing::info!(topic, group = group.name, "{how} topic '{topic}'");
        }
        self.known.insert(topic.to_owned());
        Ok(())
    }
}

fn new_topic(topic: &str, group: &TopicCreationGroup) -> NewTopic {
    NewTopic {
        name: topic.to_owned(),
        partitions: group.partitions,
        replication_factor: group.replication_factor,
        settings: group.settings.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
    }
}

fn describing(topic: &str, error: Error) -> Fault {
    fault(error, |error| format!("Error while attempting to describe topic {topic}: {error}"))
}

fn creating(topic: &NewTopic, error: Error) -> Fault {
    fault(error, |error| {
        format!(
            "Task failed to create new topic (name={}, numPartitions={}, replicationFactor={}): {error}. \
             Ensure that the task is authorized to create topics or that the topic exists and restart the task",
            topic.name, topic.partitions, topic.replication_factor
        )
    })
}

fn fault(error: Error, message: impl FnOnce(&Error) -> String) -> Fault {
    let message = message(&error);
    let mut fault = if error.is_retriable() {
        Fault::retriable(Stage::KafkaProduce, message)
    } else {
        Fault::fatal(Stage::KafkaProduce, message)
    };
    fault.class = Some(CONNECT_EXCEPTION.to_owned());
    fault.with_source(error)
}
