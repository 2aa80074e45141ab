//! A source that counts: each of its partitions brings `<partition>-0`, `<partition>-1` … from its stored offset on.
//!
//! Not here: what a test makes it do beyond that (`CountingScript`).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tombolo_model::offset::{SourcePartition, SourcePosition};
use tombolo_model::role::{
    Acknowledged, OffsetReader, PollRequest, Result, SourceBatch, SourceTask,
};
use tombolo_model::{Batch, Column, Fault, Settings, Values};

use super::Fixture;
use super::values::{number, padded_offset, partition};

/// What a counting source does, and what it was asked. Shared by all instances of a test.
pub(crate) struct CountingScript {
    /// Names of its source partitions, each with the topic it goes to.
    pub(crate) partitions: Vec<(&'static str, String)>,
    /// Rows that each partition has.
    pub(crate) limit: AtomicU64,
    /// Rows of each partition in one poll.
    pub(crate) rows_per_poll: u64,
    pub(crate) wants_acknowledgements: bool,
    /// Faults of the next polls.
    pub(crate) faults: Mutex<Vec<Fault>>,
    /// The next poll never ends.
    pub(crate) hangs: AtomicBool,
    /// Whether its memory passed the mark; a new start takes it back.
    pub(crate) is_recycling_due: AtomicBool,
    /// The timestamp of every row.
    pub(crate) timestamp: i64,
    /// Value of every row in place of its name.
    pub(crate) value: Option<Vec<u8>>,
    /// Bytes that each offset has beside its number.
    pub(crate) offset_padding: usize,
    pub(crate) calls: Mutex<Vec<Call>>,
}

/// A call of a source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Start,
    /// A poll that brought rows: its number, and how many.
    Polled(u64, u32),
    Commit(Vec<(String, u64)>),
    Acknowledge(Vec<Acknowledged>),
    /// A poll that never ends.
    Hang,
    Stop,
    /// The instance is gone.
    Dropped,
}

impl CountingScript {
    pub(crate) fn new(partitions: &[(&'static str, &str)], limit: u64) -> Self {
        let partitions = partitions.iter().map(|(name, topic)| (*name, (*topic).to_owned()));
        Self {
            partitions: partitions.collect(),
            limit: AtomicU64::new(limit),
            rows_per_poll: 10,
            wants_acknowledgements: false,
            faults: Mutex::default(),
            hangs: AtomicBool::new(false),
            is_recycling_due: AtomicBool::new(false),
            timestamp: -1,
            value: None,
            offset_padding: 0,
            calls: Mutex::default(),
        }
    }

    /// Makes it the fixture's source.
    pub(crate) fn install(self, fixture: &mut Fixture) -> Arc<Self> {
        fixture.set(&[("connector.class", "org.acme.SourceConnector")]);
        let script = Arc::new(self);
        let shared = Arc::clone(&script);
        fixture.plugins.set_source(move |offsets| {
            let next = vec![0; shared.partitions.len()];
            Box::new(Counting { script: Arc::clone(&shared), offsets, next })
        });
        script
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn called(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }

    /// The newest offset of a partition that the source was told is durable.
    pub(crate) fn told(&self, name: &str) -> Option<u64> {
        let calls = self.calls.lock().unwrap();
        calls.iter().rev().find_map(|call| match call {
            Call::Commit(offsets) => {
                offsets.iter().find(|(partition, _)| partition == name).map(|(_, n)| *n)
            }
            _ => None,
        })
    }

    /// The rows that were acknowledged.
    pub(crate) fn acknowledged(&self) -> Vec<Acknowledged> {
        let of = |call| match call {
            Call::Acknowledge(rows) => rows,
            _ => Vec::new(),
        };
        self.calls().into_iter().flat_map(of).collect()
    }
}

struct Counting {
    script: Arc<CountingScript>,
    offsets: Arc<dyn OffsetReader>,
    /// The next number of each partition. An offset is the number behind its row.
    next: Vec<u64>,
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.script.called(Call::Dropped);
    }
}

impl Counting {
    fn batch(&mut self) -> SourceBatch {
        let (mut batch, mut at, mut offsets) = (Batch::default(), Vec::new(), Column::default());
        let mut values = Column::default();
        let limit = self.script.limit.load(Ordering::SeqCst);
        for _ in 0..self.script.rows_per_poll {
            for (place, next) in (0_u32..).zip(&mut self.next) {
                if *next == limit {
                    continue;
                }
                let name = format!("{}-{next}", self.script.partitions[place as usize].0);
                values.push(self.script.value.as_deref().unwrap_or(name.as_bytes()));
                *next += 1;
                offsets.push(&padded_offset(*next, self.script.offset_padding).0);
                at.push(place);
            }
        }
        batch.rows = u32::try_from(at.len()).unwrap();
        batch.topics = self.script.partitions.iter().map(|(_, topic)| topic.clone()).collect();
        batch.topic = at.clone();
        batch.timestamp = vec![self.script.timestamp; at.len()];
        batch.value = Values { bytes: values, schemas: Vec::new() };
        SourceBatch {
            records: batch,
            partitions: self.partitions(),
            partition: at,
            offset: offsets,
            boundaries: Vec::new(),
        }
    }

    fn partitions(&self) -> Vec<SourcePartition> {
        self.script.partitions.iter().map(|(name, _)| partition(name)).collect()
    }
}

#[async_trait]
impl SourceTask for Counting {
    async fn start(&mut self, _: &Settings) -> Result<()> {
        let stored = self.offsets.read(&self.partitions()).await?;
        self.next = stored.iter().map(|offset| offset.as_ref().map_or(0, number)).collect();
        self.script.is_recycling_due.store(false, Ordering::SeqCst);
        self.script.called(Call::Start);
        Ok(())
    }

    async fn poll(&mut self, request: PollRequest) -> Result<SourceBatch> {
        if self.script.hangs.load(Ordering::SeqCst) {
            self.script.called(Call::Hang);
            std::future::pending::<()>().await;
        }
        if let Some(fault) = self.script.faults.lock().unwrap().pop() {
            return Err(fault);
        }
        let batch = self.batch();
        if batch.records.is_empty() {
            tokio::time::sleep(request.wait.min(Duration::from_millis(20))).await;
        } else {
            self.script.called(Call::Polled(request.batch, batch.records.rows));
        }
        Ok(batch)
    }

    async fn commit(&mut self, offsets: &[SourcePosition]) -> Result<()> {
        let named = |position: &SourcePosition| {
            let name = String::from_utf8_lossy(&position.partition.0[4..]).into_owned();
            (name, number(position.offset.as_ref().unwrap()))
        };
        self.script.called(Call::Commit(offsets.iter().map(named).collect()));
        Ok(())
    }

    fn wants_acknowledgements(&self) -> bool {
        self.script.wants_acknowledgements
    }

    async fn acknowledge(&mut self, rows: &[Acknowledged]) -> Result<()> {
        self.script.called(Call::Acknowledge(rows.to_vec()));
        Ok(())
    }

    fn is_recycling_due(&self) -> bool {
        self.script.is_recycling_due.load(Ordering::SeqCst)
    }

    async fn stop(&mut self) -> Result<()> {
        self.script.called(Call::Stop);
        Ok(())
    }
}
