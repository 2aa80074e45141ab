//! Why a text is no JSON. Not here: CBOR's errors.

use crate::fault::{Failure, Problem};

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub why: Why,
    /// The byte at which it shows, from 0.
    pub at: usize,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It ends inside a value.
    EndOfInput,
    /// A byte that cannot stand here.
    Unexpected(u8),
    /// A string that is not UTF-8.
    Utf8,
    /// A backslash that begins nothing known.
    Escape,
    /// A control character in a string.
    Control(u8),
    /// A number that is none.
    Number,
    /// Values nested deeper than [`DEPTH_MAX`](super::DEPTH_MAX).
    Depth,
}

impl Error {
    #[cold]
    pub(super) fn new(why: Why, at: usize) -> Self {
        Self { why, at }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { why, at } = self;
        match why {
            Why::EndOfInput => write!(f, "JSON ends too early, at byte {at}"),
            Why::Unexpected(byte) => {
                write!(f, "unexpected {:?} in JSON at byte {at}", char::from(*byte))
            }
            Why::Utf8 => write!(f, "JSON string that is not UTF-8 at byte {at}"),
            Why::Escape => write!(f, "unknown escape in a JSON string at byte {at}"),
            Why::Control(byte) => {
                write!(f, "control character {byte} in a JSON string at byte {at}")
            }
            Why::Number => write!(f, "malformed number in JSON at byte {at}"),
            Why::Depth => write!(f, "JSON nested deeper than {} at byte {at}", super::DEPTH_MAX),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::data(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Row(error.into())
    }
}
