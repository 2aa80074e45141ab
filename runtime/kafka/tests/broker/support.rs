//! Brokers, topics, and rows as tests write them.
//!
//! Not here: assertions.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tombolo_harness::Kafka;
use tombolo_kafka::{
    Admin, ClientKind, ClientSettings, ConsumedBatch, Consumer, ConsumerEvent, Delivery, NewTopic,
    ProduceRows, ProducerSession, Producers, Stopped, Subscription,
};
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::{Column, Settings};

/// Longest wait for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// A task's usual budget.
pub(crate) const BUDGET: usize = 8 << 20;

/// A broker under test.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) bootstrap: String,
}

impl Broker {
    /// Our own broker, shared by the tests of this process too.
    pub(crate) fn dev() -> Result<Broker> {
        static SHARED: OnceLock<(tombolo_devbroker::Broker, tempfile::TempDir)> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = STARTING.lock();
        if SHARED.get().is_none() {
            let folder = tempfile::tempdir()?;
            let config = tombolo_devbroker::Config::dev(folder.path(), "127.0.0.1:0".parse()?);
            // On a thread of its own, as a test's runtime ends with the test.
            let started = std::thread::spawn(|| -> Result<tombolo_devbroker::Broker> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                Ok(runtime.block_on(tombolo_devbroker::Broker::start(config))?)
            });
            let broker = started.join().map_err(|_| anyhow!("the dev broker panicked"))??;
            drop(SHARED.set((broker, folder)));
        }
        let (broker, _) = SHARED.get().context("a dev broker")?;
        Ok(Broker { bootstrap: broker.address().to_string() })
    }

    /// The Apache Kafka that the tests of this process share.
    pub(crate) fn apache() -> Result<Broker> {
        Ok(Broker { bootstrap: Kafka::shared()?.bootstrap() })
    }

    pub(crate) fn settings(
        &self,
        kind: ClientKind,
        more: &[(&str, &str)],
    ) -> Result<ClientSettings> {
        let own = [("bootstrap.servers", self.bootstrap.as_str())];
        let java: Settings = own.into_iter().chain(more.iter().copied()).collect();
        let (settings, warnings) = ClientSettings::translate(kind, &java)?;
        ensure!(warnings.is_empty(), "{warnings:?}");
        Ok(settings)
    }

    pub(crate) fn admin(&self) -> Result<Admin> {
        Ok(Admin::new(&self.settings(ClientKind::Admin, &[])?, "test-admin", DEADLINE)?)
    }

    /// A topic of one's own, created.
    pub(crate) async fn topic(&self, partitions: i32) -> Result<String> {
        let topic = new_topic(partitions, &[]);
        ensure!(self.admin()?.create_topic(&topic).await?);
        Ok(topic.name)
    }

    pub(crate) fn session(&self, producers: &Producers) -> Result<ProducerSession> {
        let settings = self.settings(ClientKind::Producer, &[])?;
        Ok(producers.session(&settings, BUDGET)?)
    }

    /// Writes rows and waits for them.
    pub(crate) async fn write(&self, rows: &Rows) -> Result<Vec<Delivery>> {
        let mut session = self.session(&Producers::new("test-producer"))?;
        let settled = send_all(&mut session, rows, 0).await?;
        for delivery in &settled {
            delivery.outcome?;
        }
        Ok(settled)
    }

    pub(crate) fn consumer(
        &self,
        group: &str,
        topics: &[&str],
        more: &[(&str, &str)],
    ) -> Result<Consumer> {
        let settings = self.settings(ClientKind::Consumer, more)?;
        let topics = topics.iter().map(|&topic| topic.to_owned()).collect();
        Ok(Consumer::new(&settings, group, "test-consumer", Subscription::Topics(topics))?)
    }
}

/// A name that no other test uses.
pub(crate) fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn new_topic(partitions: i32, settings: &[(&str, &str)]) -> NewTopic {
    let settings = settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    NewTopic {
        name: unique("topic"),
        partitions,
        replication_factor: 1,
        settings: settings.collect(),
    }
}

pub(crate) fn partition(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

pub(crate) fn at(topic: &str, index: i32, offset: i64) -> PartitionOffset {
    PartitionOffset { at: partition(topic, index), offset }
}

/// A header of a test row.
pub(crate) type TestHeader = (&'static str, Option<&'static str>);

/// Rows for one topic.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) topics: Vec<String>,
    pub(crate) partition: Vec<i32>,
    pub(crate) timestamp: Vec<i64>,
    pub(crate) key: Column,
    pub(crate) value: Column,
    header_ends: Vec<u32>,
    header_names: Column,
    header_values: Column,
}

impl Rows {
    pub(crate) fn of(topic: &str) -> Rows {
        Rows { topics: vec![topic.to_owned()], ..Rows::default() }
    }

    /// `count` rows for a partition, with values `v0`, `v1`…
    pub(crate) fn numbered(topic: &str, partition: i32, range: std::ops::Range<usize>) -> Rows {
        let mut rows = Rows::of(topic);
        for number in range {
            rows.push(partition, None, Some(&format!("v{number}")), &[]);
        }
        rows
    }

    pub(crate) fn push(
        &mut self,
        partition: i32,
        key: Option<&str>,
        value: Option<&str>,
        headers: &[TestHeader],
    ) {
        self.partition.push(partition);
        self.key.push_option(key.map(str::as_bytes));
        self.value.push_option(value.map(str::as_bytes));
        for (name, value) in headers {
            self.header_names.push(name.as_bytes());
            self.header_values.push_option(value.map(str::as_bytes));
        }
        self.header_ends.push(self.header_names.rows() as u32);
    }

    pub(crate) fn columns(&self) -> ProduceRows<'_> {
        ProduceRows {
            rows: self.partition.len(),
            topics: &self.topics,
            topic: &[],
            partition: &self.partition,
            timestamp: &self.timestamp,
            key: &self.key,
            value: &self.value,
            header_ends: &self.header_ends,
            header_names: &self.header_names,
            header_values: &self.header_values,
        }
    }
}

/// Sends every row, from number `first` on, and waits for all of them.
pub(crate) async fn send_all(
    session: &mut ProducerSession,
    rows: &Rows,
    first: u64,
) -> Result<Vec<Delivery>> {
    let columns = rows.columns();
    let mut settled = Vec::new();
    let mut row = 0;
    while row < columns.rows {
        let sent = session.send(&columns, row, first + row as u64)?;
        row = sent.next_row;
        if sent.stopped != Stopped::Done {
            session.capacity().await?;
        }
    }
    while settled.len() < columns.rows {
        tokio::time::timeout(DEADLINE, session.deliveries(&mut settled)).await??;
    }
    Ok(settled)
}

/// What a consumer brought, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) value: Option<String>,
}

/// Reads a consumer as a task does: answers rebalances, keeps what comes.
pub(crate) struct Reader {
    pub(crate) consumer: Consumer,
    pub(crate) batch: ConsumedBatch,
    pub(crate) got: Vec<Got>,
    pub(crate) events: Vec<ConsumerEvent>,
}

impl Reader {
    pub(crate) fn new(consumer: Consumer) -> Reader {
        Reader { consumer, batch: ConsumedBatch::default(), got: Vec::new(), events: Vec::new() }
    }

    /// One turn of a task's loop.
    pub(crate) async fn turn(&mut self) -> Result<ConsumerEvent> {
        let wait = Duration::from_millis(100);
        let event = self.consumer.next(&mut self.batch, 500, 1 << 20, wait).await?;
        match &event {
            ConsumerEvent::Records => self.keep(),
            ConsumerEvent::Nothing => {}
            other => self.events.push(other.clone()),
        }
        Ok(event)
    }

    fn keep(&mut self) {
        let batch = &self.batch;
        for (row, value) in batch.value.iter().enumerate() {
            self.got.push(Got {
                partition: batch.partition[row],
                offset: batch.offset[row],
                value: value.map(|value| String::from_utf8_lossy(value).into_owned()),
            });
        }
    }

    /// Turns until `enough` holds.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        enough: impl Fn(&Reader) -> bool,
    ) -> Result<()> {
        let start = std::time::Instant::now();
        while !enough(self) {
            ensure!(
                start.elapsed() < DEADLINE,
                "in vain: {what}; got {} rows, {:?}",
                self.got.len(),
                self.events
            );
            self.turn().await?;
        }
        Ok(())
    }

    /// Turns until so many rows have come.
    pub(crate) async fn rows(&mut self, count: usize) -> Result<()> {
        self.until(&format!("{count} rows"), |reader| reader.got.len() >= count).await
    }

    /// Turns until it has partitions.
    pub(crate) async fn assigned(&mut self) -> Result<Vec<PartitionOffset>> {
        self.until("an assignment", |reader| reader.last_assigned().is_some()).await?;
        Ok(self.last_assigned().unwrap_or_default())
    }

    pub(crate) fn last_assigned(&self) -> Option<Vec<PartitionOffset>> {
        self.events.iter().rev().find_map(|event| match event {
            ConsumerEvent::Assigned(offsets) => Some(offsets.clone()),
            _ => None,
        })
    }

    pub(crate) fn values(&self) -> Vec<String> {
        self.got.iter().filter_map(|got| got.value.clone()).collect()
    }
}

/// Runs a test on a runtime like the worker's.
pub(crate) fn run(test: impl Future<Output = Result<()>>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test).unwrap();
}

/// Tests of these behaviours, each on both brokers.
macro_rules! on_both_brokers {
    ($($behaviour:ident),+ $(,)?) => {
        mod on_apache_kafka {
            $(#[test]
            fn $behaviour() {
                $crate::support::run(async {
                    super::$behaviour($crate::support::Broker::apache()?).await
                });
            })+
        }

        mod on_the_dev_broker {
            $(#[test]
            fn $behaviour() {
                $crate::support::run(async {
                    super::$behaviour($crate::support::Broker::dev()?).await
                });
            })+
        }
    };
}
pub(crate) use on_both_brokers;
