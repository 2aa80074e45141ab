//! Runs a plugin natively, with a host of its own per thread: for an author's tests.
//!
//! ```
//! # use tombolo_sdk::{connector::OneTask, fault::Result, plugin::Plugin, source::{Poll, Source}, source_batch::SourceBatch};
//! # struct Once;
//! # impl Plugin for Once {
//! #     type Settings = ();
//! #     const CLASS: &'static str = "Once";
//! #     const VERSION: &'static str = "1";
//! #     const DOC: &'static str = "";
//! # }
//! # impl Source for Once {
//! #     type Connector = OneTask<()>;
//! #     fn start(_: ()) -> Result<Self> { Ok(Self) }
//! #     fn poll(&mut self, _: &Poll, batch: &mut SourceBatch) -> Result<()> {
//! #         let partition = batch.partition(&[("p", 1)].into_iter().collect::<std::collections::BTreeMap<_, _>>())?;
//! #         batch.record("t", partition, &[("o", 2)].into_iter().collect::<std::collections::BTreeMap<_, _>>())?.value("v")?;
//! #         Ok(())
//! #     }
//! # }
//! use tombolo_sdk::testing::SourceTask;
//!
//! let mut task = SourceTask::start::<Once>(&[].into())?;
//! let polled = task.poll(10)?;
//! assert_eq!(polled.records().get(0).unwrap().value::<&str>().unwrap(), "v");
//! task.commit(&polled)?;
//! # tombolo_sdk::fault::Result::Ok(())
//! ```
//!
//! Not here: the sandbox's limits; try a component in `tombolo dev` for these.

pub(crate) mod fake;
pub(crate) mod http;
mod sink;
mod source;
mod transformation;

use serde::Serialize;

pub use http::answer_http;
pub use sink::{SinkRecords, SinkTask};
pub use source::{Polled, SourceTask};
pub use transformation::Chain;

use crate::bindings::log::Level;
use crate::bindings::types::SourceOffset;
use crate::cbor;
use crate::export;
use crate::fault::Result;
use crate::schema;

/// Forgets all that this thread's host knows: schemas, offsets, meters, lines, who answers requests.
pub fn reset() {
    fake::with(|host| *host = fake::Host::default());
    http::forget();
    schema::forget();
    export::forget();
}

/// The log so far.
pub fn logged() -> Vec<(Level, String)> {
    fake::with(|host| host.lines.clone())
}

/// What a counter counted.
pub fn counter(name: &str) -> u64 {
    fake::with(|host| host.counters.get(name).copied().unwrap_or(0))
}

/// What a gauge was set to last.
pub fn gauge(name: &str) -> Option<f64> {
    fake::with(|host| host.gauges.get(name).copied())
}

/// Sets the committed offset of a source partition.
pub fn set_committed_offset<P: Serialize, O: Serialize>(partition: &P, offset: &O) -> Result<()> {
    let (partition, offset) = (cbor::to_vec(partition)?, cbor::to_vec(offset)?);
    store(partition, Some(offset));
    Ok(())
}

fn store(partition: Vec<u8>, offset: Option<Vec<u8>>) {
    fake::with(|host| {
        host.offsets.retain(|(known, _)| *known != partition);
        host.offsets.extend(offset.map(|offset| (partition, offset)));
    });
}

/// An offset that a user wants to set, for `alter_offsets`; none forgets it.
pub fn source_offset<P: Serialize, O: Serialize>(
    partition: &P,
    offset: Option<&O>,
) -> Result<SourceOffset> {
    let offset = offset.map(cbor::to_vec).transpose()?;
    Ok(SourceOffset { partition: cbor::to_vec(partition)?, offset })
}
