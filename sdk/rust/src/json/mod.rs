//! JSON, as Kafka Connect's `JsonConverter` reads and writes it: to CBOR and from CBOR in one pass each, without a tree, and the reader and the
//! writer underneath.
//!
//! Follows Jackson with the features that `JsonConverter` switches on: leading zeros are read, a byte order mark is skipped. Not here: schemas in JSON.

mod digits;
mod error;
mod from_cbor;
mod number;
mod reader;
mod scan;
mod shape;
mod to_cbor;
mod write;

pub use error::{Error, Why};
pub use from_cbor::{Decimals, from_cbor, from_cbor_cursor};
pub use number::Number;
pub use reader::{Reader, Text, Token};
pub use to_cbor::{Numbers, Transcoder};
pub use write::{double, float, key, string};

/// Deepest nesting that is read or written, as the profile of `wit/cbor.md` sets it.
pub const DEPTH_MAX: usize = crate::cbor::DEPTH_MAX;

#[cfg(test)]
mod tests;
