//! Sources: bring records from elsewhere, and say for each where to resume after it. Not here: the batch they fill (`source_batch`).

use std::time::Duration;

use serde::de::DeserializeOwned;

pub use crate::bindings::source_acknowledgement::Acknowledged;
pub use crate::bindings::types::SourceOffset;
use crate::cbor;
use crate::connector::{self, Connector, Support};
use crate::fault::Result;
use crate::plugin::{Entry, Make, MakeSource, Plugin, PluginKind};
use crate::settings::{Configuration, Settings};
use crate::source_batch::SourceBatch;

/// A source task. Calls never overlap; after an error of any call but a retriable one, there are no more.
///
/// Follows `org.apache.kafka.connect.source.SourceTask`. The host calls [`Source::start`], then `poll`, `acknowledge` and `commit` in turn, then `stop`.
pub trait Source: Plugin {
    /// The connector that makes the task's settings: [`OneTask`](crate::connector::OneTask) for most.
    type Connector: Connector<Settings = Self::Settings>;

    /// Starts a task with the settings that the connector made for it.
    ///
    /// Where to resume, [`host::committed_offset`](crate::host::committed_offset) says.
    fn start(settings: Self::Settings) -> Result<Self>;

    /// Adds records to the batch; waits for some at most about `request.wait`. None is a good answer.
    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()>;

    /// These offsets are durable now, and the records before them in Kafka.
    fn commit(&mut self, offsets: &[SourceOffset]) -> Result<()> {
        let _ = offsets;
        Ok(())
    }

    /// These rows are settled. Only called in a component that exports `source_acknowledgement`.
    fn acknowledge(&mut self, rows: &[Acknowledged]) -> Result<()> {
        let _ = rows;
        Ok(())
    }

    /// Ends the task.
    fn stop(&mut self) {}

    /// Whether the source supports exactly-once with these settings.
    fn exactly_once_support(settings: &Self::Settings) -> Support {
        let _ = settings;
        Support::Unknown
    }

    /// Whether the source says where transactions end, by [`SourceBatch::end_transaction`].
    fn can_define_transaction_boundaries(settings: &Self::Settings) -> bool {
        let _ = settings;
        false
    }

    /// Checks offsets that a user wants to set, or sets them elsewhere. False leaves it to the host, which sets its own after any answer but an error.
    fn alter_offsets(settings: &Self::Settings, offsets: &[SourceOffset]) -> Result<bool> {
        let _ = (settings, offsets);
        Ok(false)
    }
}

/// What a poll may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Counts up by one per call; [`Acknowledged`] names it.
    pub batch: u64,
    /// Most records.
    pub rows_max: usize,
    /// Most bytes; a single larger record still passes alone.
    pub bytes_max: usize,
    /// How long to wait for records.
    pub wait: Duration,
}

impl SourceOffset {
    /// The source partition. Errors: it has another shape than the type's.
    pub fn partition<P: DeserializeOwned>(&self) -> std::result::Result<P, cbor::Error> {
        cbor::from_slice(&self.partition)
    }

    /// The offset; none means "forget it". Errors: as [`SourceOffset::partition`].
    pub fn offset<O: DeserializeOwned>(&self) -> std::result::Result<Option<O>, cbor::Error> {
        self.offset.as_deref().map(cbor::from_slice).transpose()
    }
}

/// A source whose type is forgotten.
pub(crate) trait AnySource {
    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()>;
    fn commit(&mut self, offsets: &[SourceOffset]) -> Result<()>;
    fn acknowledge(&mut self, rows: &[Acknowledged]) -> Result<()>;
    fn stop(&mut self);
}

impl<S: Source> AnySource for S {
    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        Source::poll(self, request, batch)
    }

    fn commit(&mut self, offsets: &[SourceOffset]) -> Result<()> {
        Source::commit(self, offsets)
    }

    fn acknowledge(&mut self, rows: &[Acknowledged]) -> Result<()> {
        Source::acknowledge(self, rows)
    }

    fn stop(&mut self) {
        Source::stop(self);
    }
}

/// The catalogue's entry of a source. For [`export!`](crate::export).
pub fn source<S: Source>() -> Entry {
    let make = MakeSource {
        task: |settings: &Settings| Ok(Box::new(S::start(S::Settings::read(settings)?)?)),
        connector: connector::start::<S::Connector>,
        support: |settings| Ok(S::exactly_once_support(&S::Settings::read(settings)?)),
        boundaries: |settings| {
            Ok(S::can_define_transaction_boundaries(&S::Settings::read(settings)?))
        },
        alter: |settings, offsets| S::alter_offsets(&S::Settings::read(settings)?, offsets),
    };
    Entry::of::<S>(PluginKind::Source, Make::Source(make))
}
