//! `StringConverter`: any value as Java's `toString` prints it, and text as it is.
//!
//! Not here: the text of structs, numbers and dates, which is the SDK's.

use tombolo_sdk::cbor::{Cursor, write};
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault};
use tombolo_sdk::java;
use tombolo_sdk::schema::SchemaBuilder;
use tombolo_sdk::settings::{
    ConfigError, Configuration, Definition, Importance, Key, Settings, Width,
};

use crate::charset::Charset;
use crate::role::TYPE;
use crate::rows::{Format, Read};

const ENCODING: Key<String> = Key::new("converter.encoding")
    .doc(
        "Character set of the bytes: UTF-8, ISO-8859-1, US-ASCII, UTF-16, UTF-16BE or UTF-16LE, \
         by any of Java's names for them.",
    )
    .default("UTF-8")
    .importance(Importance::High)
    .check(|name| match Charset::named(name) {
        Some(_) => Ok(()),
        None => Err("Unsupported encoding; supported are UTF-8, ISO-8859-1, US-ASCII, UTF-16, \
                     UTF-16BE and UTF-16LE"
            .to_owned()),
    })
    .shown_alone(Width::Medium, "Encoding");

/// Settings of `StringConverter`.
pub(crate) struct StringSettings {
    charset: Charset,
}

impl Configuration for StringSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&TYPE, &ENCODING];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        TYPE.get(settings)?;
        let name = ENCODING.get(settings)?;
        let unknown = || ConfigError::invalid(ENCODING.name(), &name, "Unsupported encoding");
        Ok(Self { charset: Charset::named(&name).ok_or_else(unknown)? })
    }
}

/// Text.
pub(crate) struct StringFormat {
    charset: Charset,
    schema: SchemaNumber,
    scratch: Vec<u8>,
}

impl Format for StringFormat {
    type Settings = StringSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.storage.StringConverter";
    const DOC: &'static str = "Text: any value as Java prints it, and strings as they are.";

    fn new(settings: StringSettings) -> Result<Self, Fault> {
        let schema = SchemaBuilder::string().optional().define()?;
        Ok(Self { charset: settings.charset, schema, scratch: Vec::new() })
    }

    #[inline]
    fn read(&mut self, bytes: Option<&[u8]>, out: &mut Vec<u8>) -> Read {
        let Some(bytes) = bytes else { return Ok((Written::Null, self.schema)) };
        match std::str::from_utf8(bytes) {
            Ok(text) if self.charset == Charset::Utf8 => write::text(out, text),
            _ => {
                self.scratch.clear();
                self.charset.decode(bytes, &mut self.scratch);
                write::text_head(out, self.scratch.len());
                out.extend_from_slice(&self.scratch);
            }
        }
        Ok((Written::Item, self.schema))
    }

    #[inline]
    fn write(
        &mut self,
        value: Option<&[u8]>,
        schema: SchemaNumber,
        out: &mut Vec<u8>,
    ) -> Result<Written, Failure> {
        let Some(value) = value else { return Ok(Written::Null) };
        if self.charset == Charset::Utf8 {
            match Cursor::new(value).text_bytes()? {
                Some(text) => out.extend_from_slice(text),
                None => java::write_value(out, Some(value), schema)?,
            }
            return Ok(Written::Item);
        }
        self.scratch.clear();
        java::write_value(&mut self.scratch, Some(value), schema)?;
        self.charset.encode(&String::from_utf8_lossy(&self.scratch), out);
        Ok(Written::Item)
    }
}
