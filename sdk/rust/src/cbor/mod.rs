//! Connect data as CBOR, in the profile of `wit/cbor.md`: a cursor, a writer, serde on top, and a check. None of them builds a tree.
//!
//! Not here: JSON (`json`), and schemas, which travel beside the value.

mod check;
mod cursor;
mod de;
mod decimal;
mod error;
mod ser;
pub mod write;

pub use check::check;
pub use cursor::{Cursor, Head, Major, Token};
pub use de::{Deserializer, from_slice};
pub use decimal::{Decimal, Unscaled};
pub use error::{Error, Why};
pub use ser::{Serializer, to_vec};

/// Deepest nesting of a value, as the profile sets it: far above real data, and safe on a guest's stack.
pub const DEPTH_MAX: usize = 512;

/// Tag of a decimal fraction (RFC 8949, 3.4.4).
pub const TAG_DECIMAL: u64 = 4;
/// Tag of a number of days since the epoch (RFC 8943).
pub const TAG_DATE: u64 = 100;
/// Tag of an extended time (RFC 9581): a timestamp.
pub const TAG_TIMESTAMP: u64 = 1001;
/// Tag of a duration (RFC 9581), by our convention a time of day.
pub const TAG_TIME: u64 = 1002;
/// Tags of a positive and a negative bignum, inside a decimal only.
pub(crate) const TAG_BIGNUM: u64 = 2;
pub(crate) const TAG_NEGATIVE_BIGNUM: u64 = 3;

#[cfg(test)]
mod tests;
