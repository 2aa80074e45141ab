//! A row on its way through a chain of transformations: reads what the row has now, and changes it in buffers that are reused from row to row.
//!
//! Not here: the chain (`transformation`), and records as sinks see them (`record`).

use serde::Serialize;

use crate::cbor;
use crate::columns::{Batch, Headers, SchemaNumber, TimestampType, Written};
use crate::fault::Problem;

/// Which part of a record a transformation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The key.
    Key,
    /// The value.
    Value,
}

/// A key or a value that was changed, and the buffer for the next change.
#[derive(Clone, Debug, Default)]
struct Slot {
    changed: bool,
    null: bool,
    schema: SchemaNumber,
    bytes: Vec<u8>,
    spare: Vec<u8>,
}

/// A row in a chain.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    batch: &'a Batch,
    row: usize,
    copy: u32,
    topic: Option<String>,
    partition: Option<i32>,
    timestamp: Option<i64>,
    key: Slot,
    value: Slot,
    headers: Option<Headers>,
}

impl<'a> Row<'a> {
    /// The first row of a batch.
    pub fn new(batch: &'a Batch) -> Self {
        Self {
            batch,
            row: 0,
            copy: 0,
            topic: None,
            partition: None,
            timestamp: None,
            key: Slot::default(),
            value: Slot::default(),
            headers: None,
        }
    }

    /// Goes to a row of the batch, as it is there.
    pub(crate) fn load(&mut self, row: usize) {
        self.row = row;
        self.copy = 0;
        self.topic = None;
        self.partition = None;
        self.timestamp = None;
        self.key.changed = false;
        self.value.changed = false;
        self.headers = None;
    }

    pub(crate) fn set_copy(&mut self, copy: u32) {
        self.copy = copy;
    }

    /// Which copy of a split row the step makes now, from 0.
    pub fn copy(&self) -> u32 {
        self.copy
    }

    /// Its place in the batch.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Its topic.
    #[inline]
    pub fn topic(&self) -> &str {
        self.topic.as_deref().unwrap_or_else(|| self.batch.topic_of(self.row))
    }

    /// Its Kafka partition; -1 where none is chosen.
    #[inline]
    pub fn partition(&self) -> i32 {
        self.partition.unwrap_or_else(|| self.batch.partition_of(self.row))
    }

    /// Its Kafka offset; -1 before it is in Kafka. No transformation's to change.
    #[inline]
    pub fn offset(&self) -> i64 {
        self.batch.offset_of(self.row)
    }

    /// Its timestamp in milliseconds since the epoch.
    #[inline]
    pub fn timestamp(&self) -> Option<i64> {
        self.timestamp
            .map_or_else(|| self.batch.timestamp_of(self.row), |new| Some(new).filter(|&t| t != -1))
    }

    /// What its timestamp means.
    pub fn timestamp_type(&self) -> TimestampType {
        self.batch.timestamp_type_of(self.row)
    }

    /// Its key as CBOR; none for null.
    #[inline]
    pub fn key(&self) -> Option<&[u8]> {
        self.get(Part::Key)
    }

    /// The number of its key's schema, 0 for none.
    #[inline]
    pub fn key_schema(&self) -> SchemaNumber {
        self.schema(Part::Key)
    }

    /// Its value as CBOR; none for null.
    #[inline]
    pub fn value(&self) -> Option<&[u8]> {
        self.get(Part::Value)
    }

    /// The number of its value's schema, 0 for none.
    #[inline]
    pub fn value_schema(&self) -> SchemaNumber {
        self.schema(Part::Value)
    }

    fn slot(&self, part: Part) -> &Slot {
        match part {
            Part::Key => &self.key,
            Part::Value => &self.value,
        }
    }

    fn slot_mut(&mut self, part: Part) -> &mut Slot {
        match part {
            Part::Key => &mut self.key,
            Part::Value => &mut self.value,
        }
    }

    /// Whether a step changed this part.
    pub(crate) fn is_changed(&self, part: Part) -> bool {
        self.slot(part).changed
    }

    /// A part as CBOR; none for null.
    #[inline]
    pub fn get(&self, part: Part) -> Option<&[u8]> {
        let slot = self.slot(part);
        match (slot.changed, part) {
            (true, _) => (!slot.null).then_some(slot.bytes.as_slice()),
            (false, Part::Key) => self.batch.key.bytes.get(self.row),
            (false, Part::Value) => self.batch.value.bytes.get(self.row),
        }
    }

    /// The number of a part's schema, 0 for none.
    #[inline]
    pub fn schema(&self, part: Part) -> SchemaNumber {
        let slot = self.slot(part);
        match (slot.changed, part) {
            (true, _) => slot.schema,
            (false, Part::Key) => self.batch.key.schema(self.row),
            (false, Part::Value) => self.batch.value.schema(self.row),
        }
    }

    /// Replaces a part by what `write` puts into the buffer, answering the schema. The row is readable meanwhile, the old part included; an error
    /// leaves it as it was.
    #[inline]
    pub fn set<E>(
        &mut self,
        part: Part,
        write: impl FnOnce(&Self, &mut Vec<u8>) -> Result<(Written, SchemaNumber), E>,
    ) -> Result<(), E> {
        let mut out = std::mem::take(&mut self.slot_mut(part).spare);
        out.clear();
        let outcome = write(self, &mut out);
        let slot = self.slot_mut(part);
        match outcome {
            Ok((written, schema)) => {
                slot.spare = std::mem::replace(&mut slot.bytes, out);
                slot.changed = true;
                slot.null = written == Written::Null;
                slot.schema = schema;
                Ok(())
            }
            Err(error) => {
                slot.spare = out;
                Err(error)
            }
        }
    }

    /// Replaces a part by a value, without a schema; one that is null to serde becomes null.
    pub fn set_serde<T: Serialize + ?Sized>(
        &mut self,
        part: Part,
        value: &T,
    ) -> Result<(), Problem> {
        self.set(part, |_, out| {
            cbor::write::serde(out, value)?;
            let null = out.as_slice() == [0xf6];
            Ok((if null { Written::Null } else { Written::Item }, 0))
        })
    }

    /// Replaces the topic.
    pub fn set_topic(&mut self, topic: &str) {
        match &mut self.topic {
            Some(old) => topic.clone_into(old),
            None => self.topic = Some(topic.to_owned()),
        }
    }

    /// Replaces the Kafka partition; -1 leaves the choice to the producer.
    pub fn set_partition(&mut self, partition: i32) {
        self.partition = Some(partition);
    }

    /// Replaces the timestamp.
    pub fn set_timestamp(&mut self, millis: Option<i64>) {
        self.timestamp = Some(millis.unwrap_or(-1));
    }

    /// Its headers in order: name, CBOR or none for null, schema.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>, SchemaNumber)> {
        match &self.headers {
            Some(headers) => headers.of(0),
            None => self.batch.headers.of(self.row),
        }
    }

    /// Adds a header: one CBOR item, or null.
    pub fn add_header(&mut self, name: &str, value: Option<&[u8]>, schema: SchemaNumber) {
        let mut changed = Headers::new();
        changed.extend(self.headers());
        changed.push(name, value, schema);
        self.set_headers(changed);
    }

    /// Takes away the headers of this name.
    pub fn remove_headers(&mut self, name: &str) {
        self.retain_headers(|header| header != name);
    }

    /// Takes away the headers whose names are not to be kept.
    pub fn retain_headers(&mut self, keep: impl Fn(&str) -> bool) {
        if self.headers().any(|(name, ..)| !keep(name)) {
            let mut changed = Headers::new();
            changed.extend(self.headers().filter(|(name, ..)| keep(name)));
            self.set_headers(changed);
        }
    }

    /// Replaces the headers by these, whose row is not ended yet.
    pub fn set_headers(&mut self, mut headers: Headers) {
        headers.end_rows(1);
        self.headers = Some(headers);
    }

    pub(crate) fn new_topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    pub(crate) fn new_partition(&self) -> Option<i32> {
        self.partition
    }

    pub(crate) fn new_timestamp(&self) -> Option<i64> {
        self.timestamp
    }

    pub(crate) fn has_new_headers(&self) -> bool {
        self.headers.is_some()
    }
}
