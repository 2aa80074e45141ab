//! A consumer of a group: librdkafka's callbacks as one ordered stream of events, records drained into columns.
//!
//! Not here: what is committed, and when.

use std::time::Duration;

use tombolo_model::Column;
use tombolo_model::batch::TimestampType;
use tombolo_model::offset::{PartitionOffset, TopicPartition};

use crate::error::Error;
use crate::settings::ClientSettings;

/// Chooses topics by name.
pub type TopicMatcher = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Which topics to read.
pub enum Subscription {
    /// These.
    Topics(Vec<String>),
    /// Those that match; looked for again every `metadata.max.age.ms`. Kafka's internal topics never match.
    Pattern(TopicMatcher),
}

/// What [`Consumer::next`] brings. Past facts, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerEvent {
    /// The batch holds at least one row.
    Records,
    /// Nothing happened in the time given.
    Nothing,
    /// These partitions were added, to be read from these offsets. Reading begins after [`Consumer::complete_rebalance`].
    Assigned(Vec<PartitionOffset>),
    /// These partitions are to be given back. They are still ours, so commits count, until [`Consumer::complete_rebalance`].
    Revoked(Vec<TopicPartition>),
    /// These partitions are another's already: nothing can be committed.
    Lost(Vec<TopicPartition>),
    /// The answer to the oldest [`Consumer::commit`] not yet answered.
    Committed(Result<(), Error>),
    /// No broker can be reached; the consumer goes on trying. Said once per outage.
    Waiting(String),
}

/// Consumed rows in columns. Reused: [`Consumer::next`] clears it and keeps the memory.
///
/// Shape: every list has `rows` entries, except `topics` and `header_ends` (empty when no row has headers). Columns have a row per record, or
/// per header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumedBatch {
    /// Number of rows.
    pub rows: u32,
    /// Names used by `topic`. Grows over the life of a batch that is reused by one consumer; names keep their places.
    pub topics: Vec<String>,
    /// Index into `topics` per row.
    pub topic: Vec<u32>,
    /// Partition per row.
    pub partition: Vec<i32>,
    /// Offset per row.
    pub offset: Vec<i64>,
    /// Milliseconds since the epoch per row, -1 for none.
    pub timestamp: Vec<i64>,
    /// What `timestamp` means.
    pub timestamp_types: Vec<TimestampType>,
    /// Raw keys.
    pub key: Column,
    /// Raw values.
    pub value: Column,
    /// Where each row's headers end; empty when no row has any.
    pub header_ends: Vec<u32>,
    /// Name of each header.
    pub header_names: Column,
    /// Raw value of each header.
    pub header_values: Column,
}

/// A member of a consumer group.
pub struct Consumer {
    _private: (),
}

impl Consumer {
    /// Makes a consumer and subscribes it. Does not wait for a broker.
    ///
    /// A `group.id` or `client.id` in `settings` wins over the argument. Must be called within a tokio runtime.
    pub fn new(
        settings: &ClientSettings,
        group: &str,
        client_id: &str,
        subscription: Subscription,
    ) -> Result<Consumer, Error> {
        let _ = (settings, group, client_id, subscription);
        unimplemented!()
    }

    /// Waits at most `wait` for something to happen.
    ///
    /// Records come as at most `rows_max` rows and `bytes_max` bytes of keys, values and headers (a single larger record passes alone).
    /// Completes an open rebalance first. Safe to cancel: nothing is lost.
    ///
    /// Errors: authentication, authorization and fatal errors; the task cannot go on. Everything else is waited out.
    pub async fn next(
        &mut self,
        into: &mut ConsumedBatch,
        rows_max: usize,
        bytes_max: usize,
        wait: Duration,
    ) -> Result<ConsumerEvent, Error> {
        let _ = (into, rows_max, bytes_max, wait);
        unimplemented!()
    }

    /// Answers the last [`ConsumerEvent::Assigned`], [`ConsumerEvent::Revoked`] or [`ConsumerEvent::Lost`]. Does nothing when it was answered.
    pub fn complete_rebalance(&mut self) -> Result<(), Error> {
        unimplemented!()
    }

    /// Starts to commit these offsets (the next to read); [`ConsumerEvent::Committed`] answers.
    pub fn commit(&mut self, offsets: &[PartitionOffset]) -> Result<(), Error> {
        let _ = offsets;
        unimplemented!()
    }

    /// Commits these offsets (the next to read) and waits for the answer, at most `wait`.
    pub async fn commit_sync(
        &mut self,
        offsets: &[PartitionOffset],
        wait: Duration,
    ) -> Result<(), Error> {
        let _ = (offsets, wait);
        unimplemented!()
    }

    /// Reads on from these offsets.
    pub fn seek(&mut self, to: &[PartitionOffset]) -> Result<(), Error> {
        let _ = to;
        unimplemented!()
    }

    /// Returns no records of these partitions until they are resumed.
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        let _ = partitions;
        unimplemented!()
    }

    /// Returns records of these partitions again.
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        let _ = partitions;
        unimplemented!()
    }

    /// The partitions that this consumer has.
    pub fn assignment(&self) -> &[TopicPartition] {
        unimplemented!()
    }

    /// Leaves the group. A consumer that is dropped leaves in the background.
    pub async fn close(self) {
        unimplemented!()
    }
}
