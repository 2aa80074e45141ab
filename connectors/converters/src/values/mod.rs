//! Kafka Connect's `Values`: what header text says, and the text that says it.
//!
//! [`parse`] infers a value and its schema from text as `Values.parseString` does, step by step, its leniencies included; [`print`](print::write) is
//! `Values.convertToString`. The time zone is UTC. Not here: the header converter itself.

mod align;
mod data;
mod number;
mod parser;
pub(crate) mod print;
mod temporal;
mod tokens;

pub(crate) use data::{Shape, Value, append};

/// What text says: a value, and its shape; a null has none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Typed {
    /// The value.
    pub(crate) value: Value,
    /// What its schema is.
    pub(crate) shape: Option<Shape>,
}

impl Typed {
    fn new(value: Value, shape: Shape) -> Self {
        Self { value, shape: Some(shape) }
    }

    fn text(text: &str) -> Self {
        Self::new(Value::Text(text.to_owned()), Shape::Text)
    }
}

/// Why text was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unparsed {
    /// It does not say what it seemed to say, and is taken for a string. Java's `DataException`.
    Data,
    /// The header is passed on as bytes. Any other exception in Java.
    Other,
}

/// Infers a value from text; none for null.
///
/// Errors: [`Unparsed::Other`], where Kafka Connect falls back to bytes.
pub(crate) fn parse(text: &str) -> Result<Option<Typed>, Unparsed> {
    if text.is_empty() {
        return Ok(Some(Typed::text("")));
    }
    parser::Parser::new(text).parse(false)
}

#[cfg(test)]
mod tests;
