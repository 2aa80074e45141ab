//! `ByteArrayConverter`: bytes as they are.

use tombolo_sdk::cbor::{Cursor, Token, write};
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::java;
use tombolo_sdk::schema::{self, SchemaBuilder, SchemaType};

use crate::role::NoSettings;
use crate::rows::{Format, Read};

/// Bytes.
pub(crate) struct BytesFormat {
    schema: SchemaNumber,
}

impl Format for BytesFormat {
    type Settings = NoSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.converters.ByteArrayConverter";
    const DOC: &'static str = "Bytes as they are; other values are refused.";

    fn new(_settings: NoSettings) -> Result<Self, Fault> {
        Ok(Self { schema: SchemaBuilder::bytes().optional().define()? })
    }

    #[inline]
    fn read(&mut self, bytes: Option<&[u8]>, out: &mut Vec<u8>) -> Read {
        let Some(bytes) = bytes else { return Ok((Written::Null, self.schema)) };
        write::bytes(out, bytes);
        Ok((Written::Item, self.schema))
    }

    fn write(
        &mut self,
        value: Option<&[u8]>,
        schema: SchemaNumber,
        out: &mut Vec<u8>,
    ) -> Result<Written, Failure> {
        if schema != self.schema
            && let Some(schema) = schema::get(schema)
            && schema.type_ != SchemaType::Bytes
        {
            let found = java::type_name(schema.type_);
            return Err(Problem::data(format!(
                "Invalid schema type for ByteArrayConverter: {found}"
            ))
            .into());
        }
        let Some(value) = value else { return Ok(Written::Null) };
        match Cursor::new(value).token()? {
            Token::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                Ok(Written::Item)
            }
            other => {
                let found = java::class_name(&other, None);
                Err(Problem::data(format!(
                    "ByteArrayConverter is not compatible with objects of type class {found}"
                ))
                .into())
            }
        }
    }
}
