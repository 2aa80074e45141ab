//! Runs a source task. Not here: sinks.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::store;
use crate::bindings::source::{Boundary, SourceBatch as WitBatch};
use crate::cbor;
use crate::fault::{Problem, Result};
use crate::plugin::{Make, Plugin};
use crate::record::Records;
use crate::settings::Settings;
use crate::source::{Acknowledged, AnySource, Poll, Source, SourceOffset, source};
use crate::source_batch::SourceBatch;

/// A source task that runs natively.
pub struct SourceTask {
    source: Box<dyn AnySource>,
    polls: u64,
}

/// What a poll brought.
#[derive(Debug)]
pub struct Polled(WitBatch);

impl SourceTask {
    /// Starts a task with these settings. Errors: as the source's `start`, and its settings'.
    pub fn start<S: Source + Plugin>(settings: &Settings) -> Result<Self> {
        let Make::Source(make) = source::<S>().make else {
            return Err(Problem::data("not a source").into());
        };
        Ok(Self { source: (make.task)(settings)?, polls: 0 })
    }

    /// Polls for at most this many rows, without waiting.
    pub fn poll(&mut self, rows_max: usize) -> Result<Polled> {
        self.poll_within(rows_max, usize::MAX, Duration::ZERO)
    }

    /// Polls within these limits.
    pub fn poll_within(
        &mut self,
        rows_max: usize,
        bytes_max: usize,
        wait: Duration,
    ) -> Result<Polled> {
        let mut batch = SourceBatch::new();
        let request = Poll { batch: self.polls, rows_max, bytes_max, wait };
        self.polls += 1;
        self.source.poll(&request, &mut batch)?;
        Ok(Polled(batch.finish()))
    }

    /// Makes all offsets of these rows durable, and tells the source.
    pub fn commit(&mut self, polled: &Polled) -> Result<()> {
        let offsets = polled.last_offsets();
        for offset in &offsets {
            store(offset.partition.clone(), offset.offset.clone());
        }
        self.source.commit(&offsets)
    }

    /// Tells the source that rows are settled.
    pub fn acknowledge(&mut self, rows: &[Acknowledged]) -> Result<()> {
        self.source.acknowledge(rows)
    }

    /// Ends the task.
    pub fn stop(&mut self) {
        self.source.stop();
    }
}

impl Polled {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.records.rows as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records.
    pub fn records(&self) -> Records<'_> {
        Records::new(&self.0.records, None)
    }

    /// The source partition of a row. Errors: it has another shape than the type's.
    pub fn partition<P: DeserializeOwned>(
        &self,
        row: usize,
    ) -> std::result::Result<P, cbor::Error> {
        cbor::from_slice(self.partition_bytes(row))
    }

    /// The offset of a row. Errors: as [`Polled::partition`].
    pub fn offset<O: DeserializeOwned>(&self, row: usize) -> std::result::Result<O, cbor::Error> {
        cbor::from_slice(self.0.offset.get(row).unwrap_or_default())
    }

    /// Where the source wants transactions to end.
    pub fn boundaries(&self) -> &[Boundary] {
        &self.0.boundaries
    }

    fn partition_bytes(&self, row: usize) -> &[u8] {
        let index = self.0.partition.get(row).copied().unwrap_or(0) as usize;
        self.0.partitions.get(index).map_or(&[], Vec::as_slice)
    }

    /// The last offset of each partition.
    fn last_offsets(&self) -> Vec<SourceOffset> {
        let mut offsets: Vec<SourceOffset> = Vec::new();
        for row in 0..self.len() {
            let partition = self.partition_bytes(row).to_vec();
            let offset = self.0.offset.get(row).map(<[u8]>::to_vec);
            offsets.retain(|known| known.partition != partition);
            offsets.push(SourceOffset { partition, offset });
        }
        offsets
    }
}
