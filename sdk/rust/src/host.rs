//! What a plugin may ask of the host: log lines, meters, committed offsets, time to wait.
//!
//! In a component these are the host's functions; natively they are those of [`testing`](crate::testing). Not here: schemas (`schema`).

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::log::Level;
use crate::bindings::schemas::Refusal;
use crate::bindings::types::Schema;
use crate::cbor;
use crate::columns::SchemaNumber;
use crate::fault::Result;

#[cfg(target_family = "wasm")]
use crate::bindings as imports;
#[cfg(not(target_family = "wasm"))]
use crate::testing::fake as imports;

/// Writes a line to the connector's log.
pub fn log(level: Level, message: &str) {
    imports::log::log(level, message);
}

/// Writes a line of level `debug`.
pub fn debug(message: impl std::fmt::Display) {
    log(Level::Debug, &message.to_string());
}

/// Writes a line of level `info`.
pub fn info(message: impl std::fmt::Display) {
    log(Level::Info, &message.to_string());
}

/// Writes a line of level `warn`.
pub fn warn(message: impl std::fmt::Display) {
    log(Level::Warn, &message.to_string());
}

/// Writes a line of level `error`.
pub fn error(message: impl std::fmt::Display) {
    log(Level::Error, &message.to_string());
}

/// Adds to a counter of the task.
pub fn count(name: &str, by: u64) {
    imports::metrics::count(name, by);
}

/// Sets a gauge of the task.
pub fn gauge(name: &str, value: f64) {
    imports::metrics::gauge(name, value);
}

/// The last committed offset of a source partition; none when there is none, or not one of this type.
///
/// Errors: a partition or an offset of another shape than the type's.
pub fn committed_offset<P: Serialize, O: DeserializeOwned>(partition: &P) -> Result<Option<O>> {
    let partition = cbor::to_vec(partition)?;
    let mut found = committed_offsets(&[partition]).into_iter().flatten();
    Ok(found.next().map(|offset| cbor::from_slice(&offset)).transpose()?)
}

/// The last committed offsets of source partitions, all CBOR maps, in the same order.
pub fn committed_offsets(partitions: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    imports::offsets::read(partitions)
}

/// Waits. For sources that have nothing to give, and at most as long as they were allowed to.
pub fn wait(time: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a plugin that has nothing to do waits here, and the host suspends it"
    )]
    std::thread::sleep(time);
}

pub(crate) fn define_schema(schema: &Schema) -> std::result::Result<SchemaNumber, Refusal> {
    imports::schemas::define(schema)
}

pub(crate) fn lookup_schema(number: SchemaNumber) -> Option<Schema> {
    imports::schemas::lookup(number)
}
