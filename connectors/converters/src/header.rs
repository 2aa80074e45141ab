//! `SimpleHeaderConverter`: header text from which a value is inferred, and the text of a value.

use tombolo_sdk::cbor::write;
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault};
use tombolo_sdk::schema::SchemaBuilder;
use tombolo_sdk::values;

use crate::charset::Charset;
use crate::rows::{Format, Read};

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
            Ok(Some(typed)) => {
                typed.append(out);
                Ok((Written::Item, typed.schema()?))
            }
            Ok(None) => Ok((Written::Null, 0)),
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
        values::write(out, value, schema)?;
        Ok(Written::Item)
    }
}
