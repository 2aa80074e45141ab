//! Why a value could not be read or written. Not here: what the worker does about it (`fault`).

use std::fmt::Display;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub why: Why,
    /// The byte at which it shows.
    pub at: usize,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The bytes end inside an item.
    Truncated,
    /// An item has a form that the profile refuses.
    Refused(&'static str),
    /// Another type was expected than the one found.
    Type {
        /// What the reader asked for.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// What serde reports: a field that is missing, a number that does not fit.
    Shape(String),
}

impl Error {
    /// An error at this byte.
    #[cold]
    pub fn new(why: Why, at: usize) -> Self {
        Self { why, at }
    }

    #[cold]
    pub(crate) fn refused(what: &'static str, at: usize) -> Self {
        Self { why: Why::Refused(what), at }
    }

    #[cold]
    pub(crate) fn shape(message: impl Display) -> Self {
        Self { why: Why::Shape(message.to_string()), at: 0 }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.why {
            Why::Truncated => write!(f, "value ends too early, at byte {}", self.at),
            Why::Refused(what) => write!(f, "{what} at byte {}", self.at),
            Why::Type { expected, found } => {
                write!(f, "expected {expected} but found {found} at byte {}", self.at)
            }
            Why::Shape(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::shape(message)
    }
}

impl serde::ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::shape(message)
    }
}
