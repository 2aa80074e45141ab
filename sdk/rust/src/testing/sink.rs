//! Runs a sink task. Not here: sources.

use crate::bindings::sink::{CommitResult, PutResult, Requests};
use crate::columns::Batch;
use crate::fault::{Problem, Result};
use crate::plugin::{Make, Plugin};
use crate::record::Records;
use crate::settings::Settings;
use crate::sink::{AnySink, PartitionOffset, Sink, SinkContext, TopicPartition, sink};
use crate::source_batch::{SourceBatch, SourceRecord};

/// A sink task that runs natively.
pub struct SinkTask {
    sink: Box<dyn AnySink>,
}

/// Records for a sink.
#[derive(Debug, Default)]
pub struct SinkRecords {
    batch: SourceBatch,
    offsets: Vec<i64>,
}

impl SinkRecords {
    /// No records: what a sink gets after an empty poll.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record of a topic, at a partition and an offset. Key and value are null until set on what this returns.
    pub fn record(&mut self, topic: &str, partition: i32, offset: i64) -> SourceRecord<'_> {
        let place = self.batch.partition_bytes(Vec::new());
        self.offsets.push(offset);
        let record = self.batch.record_with(topic, place, |_| {});
        record.kafka_partition(partition)
    }

    /// The columns.
    pub fn into_batch(self) -> Batch {
        let batch = self.batch.finish().records;
        Batch { offset: self.offsets, ..batch }
    }
}

impl SinkTask {
    /// Starts a task with these settings. Errors: as the sink's `start`, and its settings'.
    pub fn start<S: Sink + Plugin>(settings: &Settings) -> Result<Self> {
        let Make::Sink(make) = sink::<S>().make else {
            return Err(Problem::data("not a sink").into());
        };
        Ok(Self { sink: (make.task)(settings)? })
    }

    /// Gives it partitions, with the offsets where reading starts.
    pub fn open(&mut self, partitions: &[(&str, i32, i64)]) -> Result<Option<Requests>> {
        let mut context = SinkContext::default();
        self.sink.open(&offsets(partitions), &mut context)?;
        Ok(context.into_requests())
    }

    /// Hands it records.
    pub fn put(&mut self, records: SinkRecords) -> Result<PutResult> {
        let batch = records.into_batch();
        let mut context = SinkContext::default();
        self.sink.put(Records::new(&batch, None), &mut context)?;
        Ok(context.into_put())
    }

    /// Asks up to where rows are durable, given the next offsets to read.
    pub fn pre_commit(&mut self, next: &[(&str, i32, i64)]) -> Result<CommitResult> {
        let mut context = SinkContext::default();
        let durable = self.sink.pre_commit(&offsets(next), &mut context)?;
        Ok(context.into_commit(durable))
    }

    /// Takes partitions away.
    pub fn close(&mut self, partitions: &[(&str, i32)]) -> Result<()> {
        let partition = |&(topic, partition): &(&str, i32)| TopicPartition {
            topic: topic.to_owned(),
            partition,
        };
        self.sink.close(&partitions.iter().map(partition).collect::<Vec<_>>())
    }

    /// Ends the task.
    pub fn stop(&mut self) {
        self.sink.stop();
    }
}

fn offsets(partitions: &[(&str, i32, i64)]) -> Vec<PartitionOffset> {
    let at = |&(topic, partition, offset): &(&str, i32, i64)| PartitionOffset {
        at: TopicPartition { topic: topic.to_owned(), partition },
        offset,
    };
    partitions.iter().map(at).collect()
}
