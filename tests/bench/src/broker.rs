//! The benchmark's own clients of the broker: fills topics, asks how long they are, reads them.
//!
//! Not here: the broker (`harness`), and what is measured.

use std::time::Duration;

use anyhow::{Context, Result};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::{Message, Offset};

use crate::records::Record;

/// Longest time for one answer of a busy broker.
pub const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A watcher of topics.
pub struct Broker {
    bootstrap: String,
    watcher: BaseConsumer,
}

impl Broker {
    /// Clients of the broker at this address.
    pub fn new(bootstrap: &str) -> Result<Self> {
        let mut config = client(bootstrap);
        // Only for a group that never joins: librdkafka wants one.
        config.set("group.id", "bench-watcher").set("allow.auto.create.topics", "true");
        Ok(Self { bootstrap: bootstrap.to_owned(), watcher: config.create()? })
    }

    /// Its address.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Makes a topic of one partition, as the broker does for who asks about one.
    pub fn create(&self, topic: &str) -> Result<()> {
        let leads = || {
            let metadata = self.watcher.fetch_metadata(Some(topic), ANSWER_MAX).ok()?;
            let topic = metadata.topics().first()?;
            topic.partitions().first().filter(|one| one.leader() >= 0).map(drop)
        };
        tombolo_harness::wait_for_some(leads, "a topic has a leader", ANSWER_MAX)
    }

    /// Records in a topic of one partition.
    pub fn length(&self, topic: &str) -> Result<u64> {
        let (_, end) = self.watcher.fetch_watermarks(topic, 0, ANSWER_MAX)?;
        Ok(u64::try_from(end)?)
    }

    /// Writes records 0 to `count` as JSON, and returns what it cost to hand them over.
    pub fn fill(&self, topic: &str, count: u64) -> Result<()> {
        self.create(topic)?;
        let producer = self.producer()?;
        for id in 0..count {
            send(&producer, topic, Record::new(id).json().as_bytes())?;
        }
        Ok(producer.flush(ANSWER_MAX)?)
    }

    /// A producer with the guarantees that a worker's has.
    pub fn producer(&self) -> Result<BaseProducer> {
        let mut config = client(&self.bootstrap);
        config.set("enable.idempotence", "true").set("linger.ms", "5");
        Ok(config.create()?)
    }

    /// Gives the values of a topic of one partition, from its start, until `each` has had `count` of them.
    pub fn read(
        &self,
        topic: &str,
        count: u64,
        mut each: impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let consumer: BaseConsumer = client(&self.bootstrap)
            .set("group.id", "bench-reader")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(topic, 0, Offset::Beginning)?;
        consumer.assign(&partitions)?;
        for number in 0..count {
            let message =
                consumer.poll(ANSWER_MAX).context("the topic is shorter than expected")??;
            each(number, message.payload().context("a record has no value")?)?;
        }
        Ok(())
    }
}

/// Sends a record, and waits while the queue is full.
pub fn send(producer: &BaseProducer, topic: &str, value: &[u8]) -> Result<()> {
    let mut record = BaseRecord::<(), [u8]>::to(topic).partition(0).payload(value);
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                record = back;
                producer.poll(Duration::from_millis(100));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

/// Settings of a client of the broker at this address.
pub fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}
