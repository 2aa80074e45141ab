//! A sink that notes its calls and answers them as its test says.
//!
//! Not here: what tests make of the notes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tombolo_harness::wait_until;
use tombolo_model::fault::RowFault;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role::{Original, Result, SinkRequests, SinkTask};
use tombolo_model::{Batch, Settings};

use super::{Fixture, SOON};

/// A call of a sink.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Start,
    Open(Vec<PartitionOffset>),
    Put(Vec<Row>),
    PreCommit(Vec<PartitionOffset>),
    Close(Vec<TopicPartition>),
    Stop,
}

/// A row as a sink sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) topic: String,
    /// Where it was consumed, where that is not `topic`.
    pub(crate) original_topic: Option<String>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) value: Option<String>,
}

/// What a sink answers.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) faults: Vec<RowFault>,
    pub(crate) requests: SinkRequests,
    /// For `pre_commit`: none says that all it was asked about is durable.
    pub(crate) offsets: Option<Vec<PartitionOffset>>,
}

/// A partition.
pub(crate) fn at(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

/// An offset in a partition.
pub(crate) fn offset(topic: &str, partition: i32, offset: i64) -> PartitionOffset {
    PartitionOffset { at: at(topic, partition), offset }
}

/// Values as [`Cluster::produce_numbered`](super::Cluster) makes them.
pub(crate) fn numbered(partition: i32, from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("v{partition}-{n}")).collect()
}

/// Takes everything, and asks for this.
pub(crate) fn asking(requests: SinkRequests) -> Answer {
    Answer { requests, ..Answer::default() }
}

/// Whether a call put no rows.
pub(crate) fn is_empty_put(call: &Call) -> bool {
    matches!(call, Call::Put(rows) if rows.is_empty())
}

/// Waits until a fixture's group has committed this offset.
pub(crate) async fn committed(fixture: &Fixture, topic: &str, partition: i32, offset: i64) {
    let group = fixture.group();
    let is_committed =
        async || fixture.cluster.committed(&group, topic, partition).await == Some(offset);
    let what = format!("{offset} is committed");
    wait_until(is_committed, &what, SOON).await.unwrap();
}

type Respond = dyn FnMut(&Call) -> Result<Answer> + Send;

/// A sink's notes, shared by all its instances.
pub(crate) struct SinkScript {
    calls: Mutex<Vec<Call>>,
    respond: Mutex<Box<Respond>>,
    /// Whether its memory passed the mark; a new start takes it back.
    pub(crate) is_recycling_due: AtomicBool,
}

impl SinkScript {
    /// Makes a sink the fixture's that answers as `respond` says.
    pub(crate) fn install(
        fixture: &mut Fixture,
        topics: &str,
        respond: impl FnMut(&Call) -> Result<Answer> + Send + 'static,
    ) -> Arc<Self> {
        fixture.set(&[("connector.class", "org.acme.SinkConnector"), ("topics", topics)]);
        let script = Arc::new(Self {
            calls: Mutex::default(),
            respond: Mutex::new(Box::new(respond)),
            is_recycling_due: AtomicBool::new(false),
        });
        let shared = Arc::clone(&script);
        fixture.plugins.set_sink(move || Box::new(Noting { script: Arc::clone(&shared) }));
        script
    }

    /// A sink that takes everything.
    pub(crate) fn willing(fixture: &mut Fixture, topics: &str) -> Arc<Self> {
        Self::install(fixture, topics, |_| Ok(Answer::default()))
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// All rows that were put, those of failed calls too.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let of = |call| match call {
            Call::Put(rows) => rows,
            _ => Vec::new(),
        };
        self.calls().into_iter().flat_map(of).collect()
    }

    /// The values that were put, in order.
    pub(crate) fn values(&self) -> Vec<String> {
        self.rows().into_iter().map(|row| row.value.unwrap_or("null".to_owned())).collect()
    }

    /// How many calls are so.
    pub(crate) fn count(&self, is_so: impl Fn(&Call) -> bool) -> usize {
        self.calls().iter().filter(|call| is_so(call)).count()
    }
}

struct Noting {
    script: Arc<SinkScript>,
}

impl Noting {
    fn called(&self, call: Call) -> Result<Answer> {
        let mut respond = self.script.respond.lock().unwrap();
        self.script.calls.lock().unwrap().push(call.clone());
        respond(&call)
    }
}

fn rows(batch: &Batch, original: Option<&Original>) -> Vec<Row> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let original_topic = |row: usize| {
        let original = original?;
        original.topics.get(original.topic[row] as usize).cloned()
    };
    (0..batch.rows as usize)
        .map(|row| Row {
            topic: batch.topic_of(row).unwrap().to_owned(),
            original_topic: original_topic(row),
            partition: batch.partition[row],
            offset: batch.offset[row],
            value: batch.value.bytes.get(row).map(text),
        })
        .collect()
}

#[async_trait]
impl SinkTask for Noting {
    async fn start(&mut self, _: &Settings) -> Result<()> {
        self.script.is_recycling_due.store(false, Ordering::SeqCst);
        self.called(Call::Start).map(drop)
    }

    async fn open(&mut self, partitions: &[PartitionOffset]) -> Result<SinkRequests> {
        self.called(Call::Open(partitions.to_vec())).map(|answer| answer.requests)
    }

    async fn put(
        &mut self,
        records: &mut Batch,
        original: Option<&Original>,
    ) -> Result<(Vec<RowFault>, SinkRequests)> {
        let answer = self.called(Call::Put(rows(records, original)))?;
        Ok((answer.faults, answer.requests))
    }

    async fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
    ) -> Result<(Vec<PartitionOffset>, SinkRequests)> {
        let answer = self.called(Call::PreCommit(offsets.to_vec()))?;
        Ok((answer.offsets.unwrap_or_else(|| offsets.to_vec()), answer.requests))
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.called(Call::Close(partitions.to_vec())).map(drop)
    }

    fn is_recycling_due(&self) -> bool {
        self.script.is_recycling_due.load(Ordering::SeqCst)
    }

    async fn stop(&mut self) -> Result<()> {
        self.called(Call::Stop).map(drop)
    }
}
