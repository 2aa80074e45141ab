//! Sinks: take records elsewhere, and say up to where they are durable there. Not here: the records (`record`).

use std::time::Duration;

use crate::bindings::sink::{CommitResult, PutResult, RecordFault, Requests};
pub use crate::bindings::sink_connector::Altered;
use crate::bindings::types::RowFault;
pub use crate::bindings::types::{PartitionOffset, TopicPartition};
use crate::columns::narrow;
use crate::connector::{self, Connector};
use crate::fault::{Problem, Result};
use crate::plugin::{Entry, Make, MakeSink, Plugin, PluginKind};
use crate::record::{Record, Records};
use crate::settings::{Configuration, Settings};

/// A sink task. Calls never overlap; after an error of any call but a retriable one, there are no more.
///
/// Follows `org.apache.kafka.connect.sink.SinkTask`. The host calls [`Sink::start`], `open`, then `put` and `pre_commit` in turn, `close`, and `stop`.
pub trait Sink: Plugin {
    /// The connector that makes the task's settings: [`EveryTask`](connector::EveryTask) for most.
    type Connector: Connector<Settings = Self::Settings>;

    /// Starts a task with the settings that the connector made for it.
    fn start(settings: Self::Settings) -> Result<Self>;

    /// Gives it partitions, each with the offset where reading starts; ask for a rewind to start elsewhere.
    fn open(&mut self, partitions: &[PartitionOffset], context: &mut SinkContext) -> Result<()> {
        let _ = (partitions, context);
        Ok(())
    }

    /// Takes records. Also called with none, at least every second, so that a sink can flush by time.
    ///
    /// A retriable error has the host call it again with the same records; bad records go to [`SinkContext::report`].
    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()>;

    /// Given the next offset to read of each partition, says up to where records are durable: fewer partitions or lower offsets are good answers.
    ///
    /// What is provided answers what it was given, for sinks whose records are durable when `put` returns.
    fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
        context: &mut SinkContext,
    ) -> Result<Vec<PartitionOffset>> {
        let _ = context;
        Ok(offsets.to_vec())
    }

    /// Takes partitions away, after a last `pre_commit`.
    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let _ = partitions;
        Ok(())
    }

    /// Ends the task.
    fn stop(&mut self) {}

    /// Checks offsets that a user wants to set, or sets them elsewhere. False leaves it to the host, which sets its own after any answer but an error.
    fn alter_offsets(settings: &Self::Settings, offsets: &[Altered]) -> Result<bool> {
        let _ = (settings, offsets);
        Ok(false)
    }
}

/// What a sink asks of the host, beside doing its work. Of a call that fails nothing is asked.
///
/// Follows `SinkTaskContext` and `ErrantRecordReporter` of Kafka Connect.
#[derive(Debug, Default)]
pub struct SinkContext {
    faults: Vec<RowFault>,
    requests: Option<Requests>,
}

impl SinkContext {
    fn requests(&mut self) -> &mut Requests {
        self.requests.get_or_insert_with(|| Requests {
            rewind: Vec::new(),
            pause: Vec::new(),
            resume: Vec::new(),
            commit: false,
            timeout_ms: None,
            faults: Vec::new(),
        })
    }

    /// Reports a bad record of this `put`: it goes where `errors.tolerance` says. The other records are taken as good.
    pub fn report(&mut self, record: &Record<'_>, problem: Problem) {
        self.faults.push(RowFault { row: narrow(record.row()), problem });
    }

    /// Reports a record of an earlier `put` that turned out bad. The host reads it again for the dead letter queue.
    pub fn report_late(&mut self, at: PartitionOffset, problem: Problem) {
        self.requests().faults.push(RecordFault { at, problem });
    }

    /// Asks to read on from these offsets.
    pub fn rewind(&mut self, offsets: impl IntoIterator<Item = PartitionOffset>) {
        self.requests().rewind.extend(offsets);
    }

    /// Asks for no records of these partitions until they are resumed.
    pub fn pause(&mut self, partitions: impl IntoIterator<Item = TopicPartition>) {
        self.requests().pause.extend(partitions);
    }

    /// Asks for records of these partitions again.
    pub fn resume(&mut self, partitions: impl IntoIterator<Item = TopicPartition>) {
        self.requests().resume.extend(partitions);
    }

    /// Asks for a commit soon.
    pub fn request_commit(&mut self) {
        self.requests().commit = true;
    }

    /// Asks for the next `put` after this long, also when it has no records. A retriable error says by itself when to try again.
    pub fn timeout(&mut self, pause: Duration) {
        self.requests().timeout_ms = Some(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    }

    pub(crate) fn into_put(mut self) -> PutResult {
        self.faults.sort_by_key(|fault| fault.row);
        self.faults.dedup_by_key(|fault| fault.row);
        PutResult { faults: self.faults, requests: self.requests }
    }

    pub(crate) fn into_commit(self, offsets: Vec<PartitionOffset>) -> CommitResult {
        CommitResult { offsets, requests: self.requests }
    }

    pub(crate) fn into_requests(self) -> Option<Requests> {
        self.requests
    }
}

/// A sink whose type is forgotten.
pub(crate) trait AnySink {
    fn open(&mut self, partitions: &[PartitionOffset], context: &mut SinkContext) -> Result<()>;
    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()>;
    fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
        context: &mut SinkContext,
    ) -> Result<Vec<PartitionOffset>>;
    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()>;
    fn stop(&mut self);
}

impl<S: Sink> AnySink for S {
    fn open(&mut self, partitions: &[PartitionOffset], context: &mut SinkContext) -> Result<()> {
        Sink::open(self, partitions, context)
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        Sink::put(self, records, context)
    }

    fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
        context: &mut SinkContext,
    ) -> Result<Vec<PartitionOffset>> {
        Sink::pre_commit(self, offsets, context)
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        Sink::close(self, partitions)
    }

    fn stop(&mut self) {
        Sink::stop(self);
    }
}

/// The catalogue's entry of a sink. For [`export!`](crate::export).
pub fn sink<S: Sink>() -> Entry {
    let make = MakeSink {
        task: |settings: &Settings| Ok(Box::new(S::start(S::Settings::read(settings)?)?)),
        connector: connector::start::<S::Connector>,
        alter: |settings, offsets| S::alter_offsets(&S::Settings::read(settings)?, offsets),
    };
    Entry::of::<S>(PluginKind::Sink, Make::Sink(make))
}
