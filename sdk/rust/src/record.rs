//! Records as a sink, a transformation's predicate or a test sees them: views into the columns of a batch. Not here: making records.

use std::rc::Rc;

use serde::Deserialize;

use crate::bindings::sink::Original;
use crate::bindings::types::{PartitionOffset, TopicPartition};
use crate::cbor;
use crate::columns::{Batch, SchemaNumber, TimestampType};
use crate::fault::Problem;
use crate::java;
use crate::schema::{self, Schema};

/// CBOR's null, which a null row reads as.
const NULL: &[u8] = &[0xf6];

/// The records of a call, in order. Iterating over it borrows from the batch and allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    batch: &'a Batch,
    original: Option<&'a Original>,
}

impl<'a> Records<'a> {
    /// The records of this batch.
    pub fn new(batch: &'a Batch, original: Option<&'a Original>) -> Self {
        Self { batch, original }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.batch.rows as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.batch.rows == 0
    }

    /// The record at this place.
    pub fn get(&self, row: usize) -> Option<Record<'a>> {
        let there = row < self.len();
        there.then_some(Record { batch: self.batch, row, original: self.original })
    }

    /// The columns, for those who want them.
    pub fn batch(&self) -> &'a Batch {
        self.batch
    }

    /// The records one by one.
    pub fn iter(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let Self { batch, original } = *self;
        (0..self.len()).map(move |row| Record { batch, row, original })
    }
}

impl<'a> IntoIterator for Records<'a> {
    type Item = Record<'a>;
    type IntoIter = Box<dyn Iterator<Item = Record<'a>> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    batch: &'a Batch,
    row: usize,
    original: Option<&'a Original>,
}

impl<'a> Record<'a> {
    /// Its place in the batch.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Its topic, as transformations left it.
    pub fn topic(&self) -> &'a str {
        self.batch.topic_of(self.row)
    }

    /// Its Kafka partition, as transformations left it; -1 where none is chosen.
    pub fn partition(&self) -> i32 {
        self.batch.partition_of(self.row)
    }

    /// Its Kafka offset; -1 before it is in Kafka.
    pub fn offset(&self) -> i64 {
        self.batch.offset_of(self.row)
    }

    /// Where it was read: topic, partition and offset as consumed, by which a sink keeps its books.
    pub fn origin(&self) -> PartitionOffset {
        let row = self.row;
        let (topic, partition, offset) = match self.original {
            None => (self.topic(), self.partition(), self.offset()),
            Some(original) => {
                let index = original.topic.get(row).copied().unwrap_or(0) as usize;
                let topic = original.topics.get(index).map_or(self.topic(), String::as_str);
                let partition = original.partition.get(row).copied();
                let offset = original.offset.get(row).copied();
                let partition = partition.unwrap_or(self.partition());
                (topic, partition, offset.unwrap_or(self.offset()))
            }
        };
        PartitionOffset { at: TopicPartition { topic: topic.to_owned(), partition }, offset }
    }

    /// Its timestamp in milliseconds since the epoch.
    pub fn timestamp(&self) -> Option<i64> {
        self.batch.timestamp_of(self.row)
    }

    /// What its timestamp means.
    pub fn timestamp_type(&self) -> TimestampType {
        self.batch.timestamp_type_of(self.row)
    }

    /// Its key, by serde; null reads as none of an `Option`.
    ///
    /// Errors: a key of another shape than the type's.
    pub fn key<T: Deserialize<'a>>(&self) -> Result<T, Problem> {
        read(self.key_bytes(), "key")
    }

    /// Its value, by serde; null reads as none of an `Option`. Errors: as [`Record::key`].
    pub fn value<T: Deserialize<'a>>(&self) -> Result<T, Problem> {
        read(self.value_bytes(), "value")
    }

    /// The last header of this name, by serde; none when there is none. Errors: as [`Record::key`].
    pub fn header<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let header = self.headers().filter(|(header, ..)| *header == name).last();
        header.map(|(_, value, _)| read(value, "header")).transpose()
    }

    /// Its headers in order: name, CBOR or none for null, schema.
    pub fn headers(
        &self,
    ) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>, SchemaNumber)> + use<'a> {
        self.batch.headers.of(self.row)
    }

    /// Its key as CBOR; none for null.
    pub fn key_bytes(&self) -> Option<&'a [u8]> {
        self.batch.key.bytes.get(self.row)
    }

    /// Its value as CBOR; none for null.
    pub fn value_bytes(&self) -> Option<&'a [u8]> {
        self.batch.value.bytes.get(self.row)
    }

    /// The number of its value's schema, 0 for none.
    pub fn value_schema_number(&self) -> SchemaNumber {
        self.batch.value.schema(self.row)
    }

    /// The number of its key's schema, 0 for none.
    pub fn key_schema_number(&self) -> SchemaNumber {
        self.batch.key.schema(self.row)
    }

    /// The schema of its key.
    pub fn key_schema(&self) -> Option<Rc<Schema>> {
        schema::get(self.batch.key.schema(self.row))
    }

    /// The schema of its value.
    pub fn value_schema(&self) -> Option<Rc<Schema>> {
        schema::get(self.batch.value.schema(self.row))
    }

    /// Appends its value as Java's `toString` prints it.
    pub fn write_value_text(&self, out: &mut Vec<u8>) -> Result<(), Problem> {
        Ok(java::write_value(out, self.value_bytes(), self.value_schema_number())?)
    }
}

fn read<'a, T: Deserialize<'a>>(bytes: Option<&'a [u8]>, what: &str) -> Result<T, Problem> {
    let read = cbor::from_slice(bytes.unwrap_or(NULL));
    read.map_err(|error| Problem::data(format_args!("the {what} cannot be read: {error}")))
}
