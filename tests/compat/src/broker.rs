//! The suite's own clients of a broker: makes topics, fills them, reads them, asks about groups. Not here: the broker (`harness`).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rdkafka::Offset;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;
use tombolo_harness::wait_for;

/// Settings of the suite's broker, beyond the usual: topics are made by who means to.
pub const SETTINGS: [(&str, &str); 1] = [("auto.create.topics.enable", "false")];

/// Longest time for one answer of a busy broker.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A record of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its key, none for null.
    pub key: Option<String>,
    /// Its value, none for null.
    pub value: Option<String>,
    /// Its headers; a null reads as an empty text.
    pub headers: Vec<(String, String)>,
}

impl Record {
    /// The last header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rev().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A topic, as the broker describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// How many partitions it has.
    pub partitions: usize,
    /// How many replicas its first partition has.
    pub replicas: usize,
}

/// Clients of one cluster.
pub struct Broker {
    bootstrap: String,
    runtime: tokio::runtime::Runtime,
    admin: AdminClient<DefaultClientContext>,
    watcher: BaseConsumer,
    producer: BaseProducer,
}

impl Broker {
    /// Clients of the cluster at this address.
    pub fn new(bootstrap: &str) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let producer = config.clone().set("linger.ms", "0").create()?;
        // Only for a group that never joins: librdkafka wants one.
        let watcher = config.clone().set("group.id", "compat-watcher").create()?;
        let admin = config.create()?;
        Ok(Self { bootstrap: bootstrap.to_owned(), runtime, admin, watcher, producer })
    }

    /// Its address.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Makes a topic with this many partitions, and waits until they have leaders.
    pub fn create(&self, name: &str, partitions: usize) -> Result<()> {
        self.create_with(name, partitions, &[])
    }

    /// The same, with settings of the topic.
    pub fn create_with(
        &self,
        name: &str,
        partitions: usize,
        settings: &[(&str, &str)],
    ) -> Result<()> {
        let count = i32::try_from(partitions)?;
        let mut topic = NewTopic::new(name, count, TopicReplication::Fixed(1));
        for (name, value) in settings {
            topic = topic.set(name, value);
        }
        let made = self.runtime.block_on(self.admin.create_topics([&topic], &options()))?;
        for one in made {
            one.map_err(|(name, code)| anyhow::anyhow!("creating {name}: {code}"))?;
        }
        let leads =
            || self.topic(name).ok().flatten().is_some_and(|at| at.partitions == partitions);
        wait_for(leads, "a topic has leaders", ANSWER_MAX)
    }

    /// Deletes a topic.
    pub fn delete(&self, name: &str) -> Result<()> {
        let done = self.runtime.block_on(self.admin.delete_topics(&[name], &options()))?;
        for one in done {
            one.map_err(|(name, code)| anyhow::anyhow!("deleting {name}: {code}"))?;
        }
        Ok(())
    }

    /// A topic, if it is there and all of its partitions have leaders.
    pub fn topic(&self, name: &str) -> Result<Option<Topic>> {
        // All topics: asking for one by name may make it.
        let metadata = self.watcher.fetch_metadata(None, ANSWER_MAX)?;
        let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
            return Ok(None);
        };
        let partitions = topic.partitions();
        let leads = !partitions.is_empty() && partitions.iter().all(|one| one.leader() >= 0);
        let replicas = partitions.first().map_or(0, |one| one.replicas().len());
        Ok(leads.then_some(Topic { partitions: partitions.len(), replicas }))
    }

    /// A setting of a topic.
    pub fn setting(&self, topic: &str, name: &str) -> Result<Option<String>> {
        let asked = [ResourceSpecifier::Topic(topic)];
        let found = self.runtime.block_on(self.admin.describe_configs(&asked, &options()))?;
        let resource = found.into_iter().next().context("one resource was asked for")?;
        let resource = resource.map_err(|code| anyhow::anyhow!("settings of {topic}: {code}"))?;
        let entry = resource.entries.into_iter().find(|entry| entry.name == name);
        Ok(entry.and_then(|entry| entry.value))
    }

    /// Writes a record.
    pub fn produce(&self, topic: &str, record: &Record) -> Result<()> {
        self.produce_all(topic, std::slice::from_ref(record))
    }

    /// Writes records, and waits until the broker has them.
    pub fn produce_all(&self, topic: &str, records: &[Record]) -> Result<()> {
        for record in records {
            let mut message = BaseRecord::<str, str>::to(topic).partition(record.partition);
            if let Some(key) = &record.key {
                message = message.key(key);
            }
            if let Some(value) = &record.value {
                message = message.payload(value);
            }
            if !record.headers.is_empty() {
                let add = |headers: OwnedHeaders, (name, value): &(String, String)| {
                    headers.insert(Header { key: name, value: Some(value) })
                };
                message = message.headers(record.headers.iter().fold(OwnedHeaders::new(), add));
            }
            self.producer.send(message).map_err(|(error, _)| error)?;
            self.producer.poll(Duration::ZERO);
        }
        Ok(self.producer.flush(ANSWER_MAX)?)
    }

    /// Writes values, without keys, to partition 0.
    pub fn produce_values<'v>(
        &self,
        topic: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<()> {
        let record = |value: &str| Record { value: Some(value.to_owned()), ..Record::default() };
        let records: Vec<Record> = values.into_iter().map(record).collect();
        self.produce_all(topic, &records)
    }

    /// How many records a topic has, all partitions together. None where it is not there.
    pub fn length(&self, topic: &str) -> Result<u64> {
        let Some(Topic { partitions, .. }) = self.topic(topic)? else { return Ok(0) };
        let mut length = 0;
        for partition in 0..i32::try_from(partitions)? {
            let (low, high) = self.watcher.fetch_watermarks(topic, partition, ANSWER_MAX)?;
            length += u64::try_from(high - low)?;
        }
        Ok(length)
    }

    /// The offset of what comes next into a partition.
    pub fn end(&self, topic: &str, partition: i32) -> Result<i64> {
        Ok(self.watcher.fetch_watermarks(topic, partition, ANSWER_MAX)?.1)
    }

    /// Waits until a topic has at least this many records, and reads all that it has then.
    pub fn read(&self, topic: &str, at_least: u64) -> Result<Vec<Record>> {
        let has = || self.length(topic).is_ok_and(|length| length >= at_least);
        wait_for(has, &format!("{topic} has {at_least} records"), ANSWER_MAX)
            .with_context(|| format!("it has {:?}", self.length(topic)))?;
        self.read_now(topic)
    }

    /// Reads all that a topic has now, partition by partition.
    pub fn read_now(&self, topic: &str) -> Result<Vec<Record>> {
        let Some(Topic { partitions, .. }) = self.topic(topic)? else { return Ok(Vec::new()) };
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .set("group.id", "compat-reader")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut ends = BTreeMap::new();
        let mut from = TopicPartitionList::new();
        for partition in 0..i32::try_from(partitions)? {
            let (low, high) = self.watcher.fetch_watermarks(topic, partition, ANSWER_MAX)?;
            from.add_partition_offset(topic, partition, Offset::Offset(low))?;
            if high > low {
                ends.insert(partition, high);
            }
        }
        consumer.assign(&from)?;
        let mut found: BTreeMap<i32, Vec<Record>> = BTreeMap::new();
        while !ends.is_empty() {
            let message = consumer.poll(ANSWER_MAX).context("the topic ends early")??;
            let partition = message.partition();
            let Some(end) = ends.get(&partition).copied() else { continue };
            if message.offset() < end {
                found.entry(partition).or_default().push(record(&message));
            }
            if message.offset() + 1 >= end {
                ends.remove(&partition);
            }
        }
        Ok(found.into_values().flatten().collect())
    }

    /// Names of all groups.
    pub fn groups(&self) -> Result<Vec<String>> {
        let groups = self.watcher.fetch_group_list(None, ANSWER_MAX)?;
        Ok(groups.groups().iter().map(|group| group.name().to_owned()).collect())
    }

    /// Errors: the topic is not there, or has other numbers than these.
    pub fn expect_topic(&self, name: &str, partitions: usize) -> Result<()> {
        let is_there = || matches!(self.topic(name), Ok(Some(_)));
        wait_for(is_there, &format!("topic {name} is there"), ANSWER_MAX)?;
        let Some(topic) = self.topic(name)? else { bail!("topic {name} is gone again") };
        ensure!(topic.partitions == partitions, "{name} has {} partitions", topic.partitions);
        Ok(())
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(ANSWER_MAX)).request_timeout(Some(ANSWER_MAX))
}

fn record(message: &impl Message) -> Record {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().map(|headers| {
        let each = headers.iter();
        each.map(|one| (one.key.to_owned(), one.value.map(text).unwrap_or_default())).collect()
    });
    Record {
        partition: message.partition(),
        key: message.key().map(text),
        value: message.payload().map(text),
        headers: headers.unwrap_or_default(),
    }
}
