//! `{"schema":…,"payload":…}` around a value.
//!
//! Rows of one topic nearly always have the same schema in the same words: what stood before the last row's payload is compared as bytes first, and only
//! read when it differs. Not here: what schema and payload say.

use std::collections::HashMap;
use std::rc::Rc;

use tombolo_sdk::columns::Written;
use tombolo_sdk::json::{Error, Reader, Token};
use tombolo_sdk::schema::SchemaNumber;

use super::plan::{Plan, Plans};
use super::read::PayloadReader;
use super::refused::Refused;
use super::schema_read::SchemaReader;

/// What Connect says of a value without an envelope.
const NO_ENVELOPE: &str = "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.";

/// Reads envelopes.
pub(super) struct EnvelopeReader {
    /// What stood before the payload of the last row, and its schema.
    prefix: Vec<u8>,
    plan: Option<Rc<Plan>>,
    /// Schemas by their text.
    known: HashMap<Box<[u8]>, Option<Rc<Plan>>>,
    /// `schemas.cache.size`: texts that are kept.
    known_max: usize,
}

/// Where schema and payload stand in an envelope.
struct Parts<'a> {
    schema: &'a [u8],
    payload: &'a [u8],
    /// Where the payload begins, when nothing but the end follows it.
    payload_start: Option<usize>,
}

impl EnvelopeReader {
    pub(super) fn new(known_max: usize) -> Self {
        Self { prefix: Vec::new(), plan: None, known: HashMap::new(), known_max }
    }

    /// Appends the payload of an envelope and gives its schema.
    pub(super) fn read(
        &mut self,
        json: &[u8],
        payloads: &mut PayloadReader,
        plans: &mut Plans,
        out: &mut Vec<u8>,
    ) -> Result<(Written, SchemaNumber), Refused> {
        let start = out.len();
        let known = json.strip_prefix(self.prefix.as_slice()).filter(|_| !self.prefix.is_empty());
        if let Some(rest) = known {
            let mut reader = Reader::new(rest);
            let written = payloads.payload(self.plan.as_deref(), &mut reader, out)?;
            if reader.member(false)?.is_none() {
                return Ok((written, self.number()));
            }
            out.truncate(start);
        }
        let parts = parts(json)?;
        self.plan = self.plan_of(parts.schema, payloads, plans)?;
        self.prefix.clear();
        if let Some(payload) = parts.payload_start {
            self.prefix.extend_from_slice(json.get(..payload).unwrap_or_default());
        }
        let mut reader = Reader::new(parts.payload);
        let written = payloads.payload(self.plan.as_deref(), &mut reader, out)?;
        Ok((written, self.number()))
    }

    fn number(&self) -> SchemaNumber {
        self.plan.as_ref().map_or(0, |plan| plan.number)
    }

    fn plan_of(
        &mut self,
        schema: &[u8],
        payloads: &mut PayloadReader,
        plans: &mut Plans,
    ) -> Result<Option<Rc<Plan>>, Refused> {
        if let Some(plan) = self.known.get(schema) {
            return Ok(plan.clone());
        }
        let number = SchemaReader { plans, payloads }.read(schema)?;
        let plan = plans.get(number)?;
        if self.known.len() >= self.known_max {
            self.known.clear();
        }
        self.known.insert(schema.into(), plan.clone());
        Ok(plan)
    }
}

/// Finds schema and payload: two members, in any order, of which the last of each name counts.
fn parts(json: &[u8]) -> Result<Parts<'_>, Refused> {
    let no_envelope = || Refused::data(NO_ENVELOPE);
    let mut reader = Reader::new(json);
    match reader.peek() {
        Some(b'{') => drop(reader.token()?),
        Some(_) => return Err(no_envelope()),
        // Nothing at all is no syntax error for Jackson.
        None => return Err(no_envelope()),
    }
    let (mut schema, mut payload, mut payload_start) = (None, None, None);
    let mut members = 0;
    let mut other = false;
    while let Some(name) = reader.member(members == 0)? {
        members += 1;
        reader.peek();
        let start = reader.position();
        let value = reader.skip()?;
        if name.is("schema") {
            schema = Some(value);
        } else if name.is("payload") {
            payload = Some(value);
            payload_start = Some(start);
        } else {
            other = true;
        }
        if members > 1 && !name.is("payload") {
            payload_start = None;
        }
    }
    match (schema, payload, other) {
        (Some(schema), Some(payload), false) => {
            let payload_start = payload_start.filter(|_| members == 2);
            Ok(Parts { schema, payload, payload_start })
        }
        _ => Err(no_envelope()),
    }
}

/// Whether this is one JSON value, as far as Jackson looks: what follows it does not matter, except directly behind a number or a word.
///
/// Errors: what is wrong and where.
pub(super) fn check_syntax(json: &[u8]) -> Result<(), Error> {
    let mut reader = Reader::new(json);
    if reader.peek().is_none() {
        return Ok(());
    }
    let start = reader.clone();
    reader.skip()?;
    root_ends(&start, &reader, json)
}

/// Holds a number or a word at the top to a blank or the end behind it.
pub(super) fn root_ends(before: &Reader<'_>, after: &Reader<'_>, json: &[u8]) -> Result<(), Error> {
    let token = before.clone().token()?;
    let next = json.get(after.position()).copied();
    let (number, word) =
        (matches!(token, Token::Number(_)), matches!(token, Token::Boolean(_) | Token::Null));
    let joined = match next {
        Some(byte) if number => !byte.is_ascii_whitespace(),
        Some(byte) if word => byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$',
        _ => false,
    };
    match next {
        Some(byte) if joined => {
            Err(Error { why: tombolo_sdk::json::Why::Unexpected(byte), at: after.position() })
        }
        _ => Ok(()),
    }
}
