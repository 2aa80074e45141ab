//! `SimpleHeaderConverter`: header text from which a value is inferred, and the text of a value.

use tombolo_sdk::cbor::write;
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault};
use tombolo_sdk::schema::SchemaBuilder;

use crate::charset::Charset;
use crate::rows::{Format, Read};
use crate::values::{self, Value};

/// Text that says a value.
#[derive(Default)]
pub(crate) struct SimpleFormat {
    text: Vec<u8>,
}

impl Format for SimpleFormat {
    type Settings = ();
    const CLASS: &'static str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
    const DOC: &'static str = "Text from which numbers, times, lists and maps are inferred.";

    fn new((): ()) -> Result<Self, Fault> {
        Ok(Self::default())
    }

    fn read(&mut self, bytes: Option<&[u8]>, out: &mut Vec<u8>) -> Read {
        let Some(bytes) = bytes else { return Ok((Written::Null, 0)) };
        self.text.clear();
        Charset::Utf8.decode(bytes, &mut self.text);
        let text = std::str::from_utf8(&self.text).unwrap_or_default();
        match values::parse(text) {
            Ok(Some(typed)) if typed.value != Value::Null => {
                let schema = typed.shape.as_ref().map_or(Ok(0), values::Shape::define)?;
                values::append(out, &typed.value, typed.shape.as_ref());
                Ok((Written::Item, schema))
            }
            Ok(_) => Ok((Written::Null, 0)),
            Err(_) => {
                write::bytes(out, bytes);
                Ok((Written::Item, SchemaBuilder::bytes().define()?))
            }
        }
    }

    fn write(
        &mut self,
        value: Option<&[u8]>,
        schema: SchemaNumber,
        out: &mut Vec<u8>,
    ) -> Result<Written, Failure> {
        let Some(value) = value else { return Ok(Written::Null) };
        values::print::write(out, value, schema)?;
        Ok(Written::Item)
    }
}
