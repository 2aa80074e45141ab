//! `JsonConverter`: JSON with its schema beside it, without one, or with one from the settings.
//!
//! Not here: JSON itself, which the SDK reads and writes.

mod base64;
mod envelope;
mod number;
mod plan;
mod read;
mod read_collection;
mod refused;
mod repeated;
mod schema_read;
mod schema_write;
mod settings;
mod write;

use std::collections::HashMap;
use std::rc::Rc;

use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::json::Reader;

use self::envelope::{EnvelopeReader, check_syntax, root_ends};
use self::plan::{Plan, Plans};
use self::read::{Node, PayloadReader};
use self::refused::{Refused, not_json};
use self::settings::JsonSettings;
use self::write::PayloadWriter;
use crate::rows::{Format, Read};

/// What Connect says of bytes that are no JSON.
const UNREADABLE: &str =
    "Converting byte[] to Kafka Connect data failed due to serialization error: ";

/// JSON.
pub(crate) struct JsonFormat {
    mode: Mode,
    plans: Plans,
    reader: PayloadReader,
    writer: PayloadWriter,
    /// What an envelope begins with, up to its payload, by schema.
    prefixes: HashMap<SchemaNumber, Box<[u8]>>,
}

/// Where schemas come from.
enum Mode {
    /// There are none.
    Plain,
    /// They stand beside the payload.
    Envelope(EnvelopeReader),
    /// All rows have this one when read; it stands beside the payload when written.
    Content(Rc<Plan>),
}

impl Format for JsonFormat {
    type Settings = JsonSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.json.JsonConverter";
    const DOC: &'static str = "JSON, with or without a schema beside the value.";

    fn new(settings: JsonSettings) -> Result<Self, Fault> {
        let JsonSettings { decimals, null_to_default, .. } = settings;
        let mut format = Self {
            mode: Mode::Plain,
            plans: Plans::default(),
            reader: PayloadReader::new(null_to_default),
            writer: PayloadWriter { decimals, null_to_default },
            prefixes: HashMap::new(),
        };
        let content = match settings.schema_content {
            Some(content) => format.content(content.as_bytes())?,
            None => None,
        };
        format.mode = match (settings.schemas, content) {
            (false, _) => Mode::Plain,
            (true, Some(plan)) => Mode::Content(plan),
            (true, None) => Mode::Envelope(EnvelopeReader::new(settings.cache_size)),
        };
        Ok(format)
    }

    #[inline]
    fn read(&mut self, bytes: Option<&[u8]>, out: &mut Vec<u8>) -> Read {
        let Some(json) = bytes else { return Ok((Written::Null, 0)) };
        self.read_json(json, out).map_err(|refused| unread(refused, json))
    }

    #[inline]
    fn write(
        &mut self,
        value: Option<&[u8]>,
        schema: SchemaNumber,
        out: &mut Vec<u8>,
    ) -> Result<Written, Failure> {
        if schema == 0 && value.is_none() {
            return Ok(Written::Null);
        }
        let written = self.write_json(value, schema, out);
        written.map_err(|refused| match refused {
            Refused::Data(problem) => Failure::Row(problem),
            Refused::Call(fault) => Failure::Call(fault),
            Refused::Syntax(error) => Failure::Row(error.into()),
        })?;
        Ok(Written::Item)
    }
}

impl JsonFormat {
    /// The schema from the settings; none when it is `null`.
    fn content(&mut self, json: &[u8]) -> Result<Option<Rc<Plan>>, Fault> {
        let outer = "Failed to parse schema in converter config due to serialization error: ";
        check_syntax(json).map_err(|error| Fault::Config(not_json(outer, &error)))?;
        let mut reader =
            schema_read::SchemaReader { plans: &mut self.plans, payloads: &mut self.reader };
        let number = reader.read(json.trim_ascii()).map_err(|refused| match refused {
            Refused::Data(problem) => Fault::Config(problem),
            Refused::Syntax(error) => Fault::Config(not_json(outer, &error)),
            Refused::Call(fault) => fault,
        })?;
        self.plans.get(number)
    }

    #[inline]
    fn read_json(
        &mut self,
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(Written, SchemaNumber), Refused> {
        if let Mode::Envelope(envelopes) = &mut self.mode {
            return envelopes.read(json, &mut self.reader, &mut self.plans, out);
        }
        let plan = match &self.mode {
            Mode::Content(plan) => Some(Rc::clone(plan)),
            _ => None,
        };
        let number = plan.as_ref().map_or(0, |plan| plan.number);
        let mut reader = Reader::new(json);
        let first = reader.peek();
        let written = match (first, &plan) {
            (Some(_), plan) => {
                let before = reader.clone();
                let written = self.reader.payload(plan.as_deref(), &mut reader, out)?;
                if !matches!(first, Some(b'{' | b'[' | b'"')) {
                    root_ends(&before, &reader, json)?;
                }
                written
            }
            (None, Some(plan)) => self.reader.node(plan, Node::Missing, &mut reader, out)?,
            (None, None) => Written::Null,
        };
        Ok((written, number))
    }

    #[inline]
    fn write_json(
        &mut self,
        value: Option<&[u8]>,
        schema: SchemaNumber,
        out: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        let plan = self.plans.get(schema)?;
        if let Mode::Plain = self.mode {
            return self.writer.write(plan.as_deref(), value, out);
        }
        match self.prefixes.get(&schema) {
            Some(prefix) => out.extend_from_slice(prefix),
            None => self.prefix(schema, out)?,
        }
        self.writer.write(plan.as_deref(), value, out)?;
        out.push(b'}');
        Ok(())
    }

    /// Appends what an envelope with this schema begins with.
    #[cold]
    fn prefix(&mut self, schema: SchemaNumber, out: &mut Vec<u8>) -> Result<(), Refused> {
        let start = out.len();
        out.extend_from_slice(br#"{"schema":"#);
        schema_write::write(out, schema, &mut self.plans, &self.writer)?;
        out.extend_from_slice(br#","payload":"#);
        self.prefixes.insert(schema, out.get(start..).unwrap_or_default().into());
        Ok(())
    }
}

/// Why a row was not read. Jackson reads all of a text before anything of it is converted, so that broken JSON is always what is reported.
#[cold]
fn unread(refused: Refused, json: &[u8]) -> Failure {
    let problem: Problem = match refused {
        Refused::Call(fault) => return Failure::Call(fault),
        Refused::Syntax(error) => not_json(UNREADABLE, &error),
        Refused::Data(problem) => match check_syntax(json) {
            Ok(()) => problem,
            Err(error) => not_json(UNREADABLE, &error),
        },
    };
    Failure::Row(problem)
}

#[cfg(test)]
mod tests;
