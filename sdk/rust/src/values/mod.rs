//! Kafka Connect's `Values`: what a text says without a schema, and the text that says a value. Headers are written so.
//!
//! [`parse`] infers a value and its schema from text as `Values.parseString` does, step by step, its leniencies included; [`write`] is
//! `Values.convertToString`. The time zone is UTC. Not here: Java's `toString` ([`java`](crate::java)).

mod align;
mod data;
mod number;
mod parser;
mod print;
mod temporal;
mod tokens;

pub use print::{write, write_time};

use crate::fault::Result as CallResult;
use crate::schema::SchemaNumber;
use data::{Shape, Value};

/// What a text says: a value, and its shape; a null has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// The value.
    value: Value,
    /// What its schema is.
    shape: Option<Shape>,
}

impl Typed {
    fn new(value: Value, shape: Shape) -> Self {
        Self { value, shape: Some(shape) }
    }

    fn text(text: &str) -> Self {
        Self::new(Value::Text(text.to_owned()), Shape::Text)
    }

    /// Appends the value as CBOR.
    pub fn append(&self, out: &mut Vec<u8>) {
        data::append(out, &self.value, self.shape.as_ref());
    }

    /// Defines its schema, and those it is made of.
    ///
    /// Errors: as [`schema::define`](crate::schema::define).
    pub fn schema(&self) -> CallResult<SchemaNumber> {
        self.shape.as_ref().map_or(Ok(0), Shape::define)
    }
}

/// Why text was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unparsed {
    /// It does not say what it seemed to say, and is taken for a string. Java's `DataException`.
    Data,
    /// It is passed on as bytes. Any other exception in Java.
    Other,
}

/// Infers a value from text; none for null.
///
/// Errors: [`Unparsed::Other`], where Kafka Connect falls back to bytes.
pub fn parse(text: &str) -> Result<Option<Typed>, Unparsed> {
    if text.is_empty() {
        return Ok(Some(Typed::text("")));
    }
    let parsed = parser::Parser::new(text).parse(false)?;
    Ok(parsed.filter(|typed| typed.value != Value::Null))
}
