//! A compacted topic as a log: read to its end, appended to, followed.
//!
//! The end is found by comparing positions with end offsets, as `KafkaBasedLog` does; waiting for librdkafka to say that a partition ends would
//! cost half a second. Not here: what its records mean.

mod follow;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell, watch};
use tombolo_model::Column;
use tombolo_model::offset::{PartitionOffset, TopicPartition};

use crate::admin::NewTopic;
use crate::error::Error;
use crate::ffi::{self, Client, Offsets, Queue, Role, Topic, topics};
use crate::job::Job;
use crate::outage::Outage;
use crate::patience::insist;
use crate::producer::{Delivery, ProduceRows, ProducerSession, Producers, Stopped};
use crate::settings::ClientSettings;
use follow::{Follower, Progress};

/// A record of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the epoch, -1 for none.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none deletes the key.
    pub value: Option<&'a [u8]>,
}

/// The clients of a worker's logs. Cheap to clone.
#[derive(Clone)]
pub struct LogClients {
    reader: Arc<ClientSettings>,
    writer: Arc<ClientSettings>,
    client_id: String,
    producers: Producers,
    /// Asks where logs end. A reader waits at its broker for news, and the broker answers it nothing else meanwhile.
    asker: Arc<OnceCell<Arc<Client>>>,
}

/// Bytes of a log that may be on their way to Kafka; a larger append goes in parts.
const APPEND_BUDGET: usize = 1 << 20;
/// What a reader asks a broker to wait for news; bounds how late a partition that starts meanwhile is first asked for.
const FETCH_WAIT_MS: &str = "250";
/// How long who asks where logs end believes what it knows of their leaders. librdkafka does not ask anew when a leader of a later epoch refuses
/// it, as every leader does that was away; what it knows counts for 15 minutes otherwise.
const LEADER_AGE_MS: &str = "1000";
/// Bytes fetched ahead of the one who applies records: `each` is fast, and three logs should not cost what a task does.
const FETCH_AHEAD_KBYTES: &str = "2048";

impl LogClients {
    /// Takes what is needed to make them; each log has a reader of its own, so that logs are read at the same time. Makes no connection.
    pub fn new(
        consumer: &ClientSettings,
        producer: &ClientSettings,
        client_id: &str,
        producers: &Producers,
    ) -> LogClients {
        let reader = consumer
            .with("enable.partition.eof", "true")
            .with("fetch.wait.max.ms", FETCH_WAIT_MS)
            .with("queued.max.messages.kbytes", FETCH_AHEAD_KBYTES);
        // Callers wait for each append: nothing is won by waiting for company.
        let writer = producer.with("linger.ms", "0");
        LogClients {
            reader: Arc::new(reader),
            writer: Arc::new(writer),
            client_id: client_id.to_owned(),
            producers: producers.clone(),
            asker: Arc::default(),
        }
    }

    /// Made when it is wanted first: a start needs none.
    async fn asker(&self) -> Result<&Arc<Client>, Error> {
        let own = [("client.id", self.client_id.as_str())];
        let fresh = self.reader.with("metadata.max.age.ms", LEADER_AGE_MS);
        let make = async || Client::new(Role::Reader, fresh.properties_over(&own));
        self.asker.get_or_try_init(make).await
    }
}

/// An open log. Cheap to clone; closes when the last clone goes.
///
/// Follows `KafkaBasedLog` of Kafka.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    clients: LogClients,
    partitions: Vec<TopicPartition>,
    committed_only: bool,
    progress: watch::Receiver<Progress>,
    writer: Mutex<Writer>,
    _follower: Job<()>,
}

/// What appends share.
struct Writer {
    session: ProducerSession,
    next_seq: u64,
    deliveries: Vec<Delivery>,
}

impl Log {
    /// Opens a log: creates the topic if it is missing, hands every record to `each`, and returns when `each` has seen the end.
    ///
    /// `each` goes on to get every new record, in order within a partition, from one task at a time; it must not block.
    /// Waits for a broker that is away, and says so once. Must be called within a tokio runtime.
    ///
    /// Errors: the topic is refused, or authentication.
    pub async fn open(
        clients: &LogClients,
        topic: &NewTopic,
        each: impl FnMut(LogRecord<'_>) + Send + 'static,
    ) -> Result<Log, Error> {
        let own = [("client.id", clients.client_id.as_str())];
        let reader = &clients.reader;
        let client = Client::new(Role::Reader, reader.properties_over(&own))?;
        let session = clients.producers.session(&clients.writer, APPEND_BUDGET)?;
        let committed_only = reader.get("isolation.level") == Some("read_committed");
        let Extent { partitions, begins, ends } =
            insist(&topic.name, None, |wait| locate(&client, topic, committed_only, wait)).await?;
        let queue = Queue::new(&client);
        queue.take_over_main();
        let (sender, progress) = watch::channel(Progress::at(&begins));
        let follower = Follower {
            topic: Topic::new(&client, &topic.name)?,
            queue,
            progress: sender,
            each: Box::new(each),
            outage: Outage::default(),
        };
        let waker = Arc::clone(follower.queue.waker());
        let log = Log {
            inner: Arc::new(Inner {
                clients: clients.clone(),
                partitions,
                committed_only,
                progress,
                writer: Mutex::new(Writer { session, next_seq: 0, deliveries: Vec::new() }),
                _follower: Job::spawn(&waker, follower.run(begins, ends.clone())),
            }),
        };
        log.reached(&ends).await?;
        Ok(log)
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> i32 {
        i32::try_from(self.inner.partitions.len()).unwrap_or(i32::MAX)
    }

    /// Appends records, the second part of each is none to delete a key, and returns when all are durable.
    ///
    /// Appends of one log happen one after another. Safe to cancel: what was handed over is still written.
    ///
    /// Errors: one or more are not there; any may be.
    pub async fn append(&self, records: &[(&[u8], Option<&[u8]>)]) -> Result<(), Error> {
        let (mut key, mut value) = (Column::default(), Column::default());
        for (record_key, record_value) in records {
            key.push(record_key);
            value.push_option(*record_value);
        }
        let Some(at) = self.inner.partitions.first() else { return Ok(()) };
        let topics = [at.topic.as_ref().to_owned()];
        let none = Column::default();
        let rows = ProduceRows {
            rows: records.len(),
            topics: &topics,
            topic: &[],
            partition: &[],
            timestamp: &[],
            key: &key,
            value: &value,
            header_ends: &[],
            header_names: &none,
            header_values: &none,
        };
        self.inner.writer.lock().await.write(&rows).await
    }

    /// Waits until `each` has seen every record that was in the topic when this was called. Waits for a broker that is away.
    ///
    /// Errors: the topic is gone, or authentication.
    pub async fn read_to_end(&self) -> Result<(), Error> {
        let Inner { clients, partitions, committed_only, .. } = &*self.inner;
        let Some(first) = partitions.first() else { return Ok(()) };
        let which = Offsets::End { committed_only: *committed_only };
        let client = clients.asker().await?;
        let ends =
            insist(&first.topic, None, |wait| topics::offsets(client, partitions, which, wait))
                .await?;
        self.reached(&ends).await
    }

    /// Waits until `each` has seen everything before these offsets.
    async fn reached(&self, ends: &[PartitionOffset]) -> Result<(), Error> {
        let mut progress = self.inner.progress.clone();
        let reached = progress.wait_for(|now| now.failure.is_some() || now.has_reached(ends)).await;
        match reached {
            Ok(now) => now.failure.clone().map_or(Ok(()), Err),
            Err(_) => Err(Error::Refused {
                code: "CLOSED".to_owned(),
                reason: "the reader of the log ended".to_owned(),
            }),
        }
    }
}

impl Writer {
    /// Sends rows and waits for all of them.
    async fn write(&mut self, rows: &ProduceRows<'_>) -> Result<(), Error> {
        let first = self.next_seq;
        let mut row = 0;
        let mut failure = None;
        let mut missing = rows.rows;
        while missing > 0 {
            if row < rows.rows {
                let sent = self.session.send(rows, row, first + row as u64)?;
                row = sent.next_row;
                // Numbers are never used twice, also when this append is cancelled.
                self.next_seq = first + row as u64;
                if sent.stopped != Stopped::Done && self.session.rows_in_flight() == 0 {
                    self.session.capacity().await?;
                    continue;
                }
            }
            self.deliveries.clear();
            self.session.deliveries(&mut self.deliveries).await?;
            for delivery in &self.deliveries {
                // Those of an append that was cancelled are nobody's.
                if delivery.seq >= first {
                    missing -= 1;
                    failure = failure.or(delivery.outcome.err());
                }
            }
        }
        failure.map_or(Ok(()), |failed| Err(failed.into()))
    }
}

/// The partitions of a log, where they begin, and where they end.
struct Extent {
    partitions: Vec<TopicPartition>,
    begins: Vec<PartitionOffset>,
    ends: Vec<PartitionOffset>,
}

/// Finds a topic, which is created if it is missing, and its extent.
async fn locate(
    client: &Arc<Client>,
    topic: &NewTopic,
    committed_only: bool,
    wait: Duration,
) -> Result<Extent, Error> {
    // A topic that is new is not known to every broker at once, whichever request asks for it first.
    let unknown = || ffi::error(ffi::code::TIMED_OUT, &topic.name, "");
    let mut found = topics::topic(client, &topic.name, wait).await?;
    if found.is_none() {
        topics::create_topic(client, topic, wait).await?;
        found = topics::topic(client, &topic.name, wait).await?;
    }
    let count = found.ok_or_else(unknown)?.partitions;
    let partitions: Vec<TopicPartition> =
        (0..count).map(|index| TopicPartition::new(topic.name.as_str(), index)).collect();
    let ends = tokio::try_join!(
        topics::offsets(client, &partitions, Offsets::Beginning, wait),
        topics::offsets(client, &partitions, Offsets::End { committed_only }, wait),
    );
    match ends {
        Ok((begins, ends)) => Ok(Extent { partitions, begins, ends }),
        Err(Error::UnknownTopic { .. }) => Err(unknown()),
        Err(err) => Err(err),
    }
}
