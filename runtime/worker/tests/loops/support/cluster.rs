//! The broker that all tests share, and what tests do with it themselves.
//!
//! Not here: starting it (the harness does).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tombolo_harness::{Kafka, wait_until};
use tombolo_kafka::{
    Admin, ClientKind, ClientSettings, ConsumedBatch, Consumer, ConsumerEvent, NewTopic,
    ProduceRows, Producers, Subscription,
};
use tombolo_model::offset::TopicPartition;
use tombolo_model::{Column, Settings};

use super::SOON;

/// A broker that creates no topics by itself, so that a topic which is not there blocks its rows and no others.
pub(crate) struct Cluster {
    kafka: Kafka,
    number: AtomicU32,
}

/// A record as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) timestamp: i64,
    pub(crate) headers: Vec<(String, Option<String>)>,
}

impl Read {
    /// The value of a header; none where it is not there, or null.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).and_then(|(_, value)| value.as_deref())
    }
}

impl Cluster {
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| {
            let kafka = Kafka::builder()
                .setting("auto.create.topics.enable", "false")
                .setting("group.initial.rebalance.delay.ms", "0")
                .start();
            Self { kafka: kafka.unwrap(), number: AtomicU32::new(0) }
        })
    }

    /// Settings of any client, in Java's terms.
    pub(crate) fn client(&self) -> Settings {
        [("bootstrap.servers", self.kafka.bootstrap())].into_iter().collect()
    }

    fn settings(&self, kind: ClientKind) -> ClientSettings {
        ClientSettings::translate(kind, &self.client()).unwrap().0
    }

    /// A number that nothing else in this process has.
    pub(crate) fn next_number(&self) -> u32 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn admin(&self) -> Admin {
        Admin::new(&self.settings(ClientKind::Admin), "test-admin", SOON).unwrap()
    }

    pub(crate) async fn create_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]).await;
    }

    pub(crate) async fn create_topic_with(
        &self,
        name: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let topic = NewTopic {
            name: name.to_owned(),
            partitions,
            replication_factor: 1,
            settings: settings.iter().map(owned).collect(),
        };
        assert!(self.admin().create_topic(&topic).await.unwrap(), "{name} exists");
        self.ends(name, partitions).await;
    }

    /// The end of each partition of a topic; waits until all have leaders.
    async fn ends(&self, topic: &str, partitions: i32) -> Vec<i64> {
        let all: Vec<TopicPartition> =
            (0..partitions).map(|partition| TopicPartition::new(topic, partition)).collect();
        let look = async || {
            let ends = self.admin().end_offsets(&all).await.ok()?;
            Some(ends.into_iter().map(|end| end.offset).collect())
        };
        let mut ends: Option<Vec<i64>> = None;
        let known = async || {
            ends = look().await;
            ends.is_some()
        };
        wait_until(known, "every partition has a leader", SOON).await.unwrap();
        ends.unwrap()
    }

    /// Makes a topic with a name of its own.
    pub(crate) async fn new_topic(&self, name: &str, partitions: i32) -> String {
        let name = format!("{name}-{}", self.next_number());
        self.create_topic(&name, partitions).await;
        name
    }

    /// Writes values to a partition; none is a tombstone. Keys are the values' places.
    pub(crate) async fn produce(&self, topic: &str, partition: i32, values: &[Option<&str>]) {
        let (mut keys, mut column) = (Column::default(), Column::default());
        for (row, value) in values.iter().enumerate() {
            keys.push(row.to_string().as_bytes());
            column.push_option(value.map(str::as_bytes));
        }
        let none = Column::default();
        self.produce_rows(&ProduceRows {
            rows: values.len(),
            topics: &[topic.to_owned()],
            topic: &[],
            partition: &vec![partition; values.len()],
            timestamp: &[],
            key: &keys,
            value: &column,
            header_ends: &[],
            header_names: &none,
            header_values: &none,
        })
        .await;
    }

    /// Writes rows.
    pub(crate) async fn produce_rows(&self, rows: &ProduceRows<'_>) {
        let producers = Producers::new("test-producer");
        let settings = self.settings(ClientKind::Producer);
        let mut session = producers.session(&settings, 16 << 20).unwrap();
        let sent = session.send(rows, 0, 0).unwrap();
        assert_eq!(sent.next_row, rows.rows);
        let mut deliveries = Vec::new();
        while deliveries.len() < rows.rows {
            session.deliveries(&mut deliveries).await.unwrap();
        }
        assert!(deliveries.iter().all(|delivery| delivery.outcome.is_ok()), "{deliveries:?}");
    }

    /// Writes `count` values `<name>-0`, `<name>-1` … to a partition.
    pub(crate) async fn produce_numbered(&self, topic: &str, partition: i32, count: usize) {
        let values: Vec<String> = (0..count).map(|n| format!("v{partition}-{n}")).collect();
        let values: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
        self.produce(topic, partition, &values).await;
    }

    /// Every record of a topic, by partition and offset.
    pub(crate) async fn read(&self, topic: &str) -> Vec<Read> {
        let partitions = self.admin().topic(topic).await.unwrap().unwrap().partitions;
        let wanted: i64 = self.ends(topic, partitions).await.iter().sum();
        let group = format!("test-reader-{}", self.next_number());
        let settings = self.settings(ClientKind::Consumer);
        let subscription = Subscription::Topics(vec![topic.to_owned()]);
        let mut consumer = Consumer::new(&settings, &group, "test-reader", subscription).unwrap();
        let (mut batch, mut out) = (ConsumedBatch::default(), Vec::new());
        let text = |row: Option<&[u8]>| row.map(|row| String::from_utf8_lossy(row).into_owned());
        while (out.len() as i64) < wanted {
            let event = consumer.next(&mut batch, 1000, 1 << 20, Duration::from_secs(1)).await;
            if event.unwrap() != ConsumerEvent::Records {
                continue;
            }
            for row in 0..batch.rows as usize {
                out.push(Read {
                    partition: batch.partition[row],
                    offset: batch.offset[row],
                    key: text(batch.key.get(row)),
                    value: text(batch.value.get(row)),
                    timestamp: batch.timestamp[row],
                    headers: headers(&batch, row),
                });
            }
        }
        consumer.close().await;
        out.sort();
        out
    }

    /// The values of a topic, by partition and offset.
    pub(crate) async fn values(&self, topic: &str) -> Vec<String> {
        self.read(topic).await.into_iter().filter_map(|read| read.value).collect()
    }

    /// What a group has committed.
    pub(crate) async fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let offsets = self.admin().group_offsets(group).await.unwrap();
        let at = TopicPartition::new(topic, partition);
        offsets.into_iter().find(|offset| offset.at == at).map(|offset| offset.offset)
    }
}

/// The headers of a consumed row.
fn headers(batch: &ConsumedBatch, row: usize) -> Vec<(String, Option<String>)> {
    let end = |row: usize| batch.header_ends.get(row).map_or(0, |&end| end as usize);
    let start = row.checked_sub(1).map_or(0, end);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (start..end(row))
        .map(|header| {
            let name = text(batch.header_names.get(header).unwrap());
            (name, batch.header_values.get(header).map(text))
        })
        .collect()
}
