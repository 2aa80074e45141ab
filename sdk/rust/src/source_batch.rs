//! A builder for the records of a poll: each record is appended to columns as it is made. Not here: sources.

use serde::Serialize;

use crate::bindings::source;
use crate::bindings::source::{Boundary, BoundaryKind};
use crate::cbor::{self, Error, write};
use crate::columns::{Batch, Column, SchemaNumber, Values, narrow};

/// CBOR's null, which no row is: a null row is null in its column.
const NULL: &[u8] = &[0xf6];

/// Records in the making.
///
/// Cost: no allocation per record; columns that no record sets cost nothing.
#[derive(Debug, Default)]
pub struct SourceBatch {
    records: Batch,
    partitions: Vec<Vec<u8>>,
    partition: Vec<u32>,
    offset: Column,
    boundaries: Vec<Boundary>,
    /// The topic of the last record: few batches have more than one.
    topic: u32,
}

/// A source partition of this batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition(u32);

impl SourceBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.rows as usize
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.records.rows == 0
    }

    /// Bytes in the columns so far: what `Poll::bytes_max` limits.
    pub fn byte_count(&self) -> usize {
        let batch = &self.records;
        let headers = batch.headers.names.data.len() + batch.headers.values.bytes.data.len();
        let data = batch.key.bytes.data.len() + batch.value.bytes.data.len() + headers;
        data + self.offset.data.len() + 16 * self.len()
    }

    /// Room for this many records with about this many bytes of values.
    pub fn reserve(&mut self, rows: usize, bytes: usize) {
        self.offset.ends.reserve(rows);
        self.records.value.bytes.ends.reserve(rows);
        self.records.value.bytes.data.reserve(bytes);
    }

    /// Names a source partition: a struct or a map.
    pub fn partition<P: Serialize>(&mut self, partition: &P) -> Result<Partition, Error> {
        Ok(self.partition_bytes(cbor::to_vec(partition)?))
    }

    /// Names a source partition by its CBOR map.
    pub fn partition_bytes(&mut self, partition: Vec<u8>) -> Partition {
        let known = self.partitions.iter().position(|known| *known == partition);
        let place = known.unwrap_or_else(|| {
            self.partitions.push(partition);
            self.partitions.len() - 1
        });
        Partition(narrow(place))
    }

    /// Appends a record to a topic. `offset`, a struct or a map, is where to resume after it.
    ///
    /// Key and value are null until set on what this returns.
    pub fn record<O: Serialize>(
        &mut self,
        topic: &str,
        partition: Partition,
        offset: &O,
    ) -> Result<SourceRecord<'_>, Error> {
        write::serde(&mut self.offset.data, offset)?;
        Ok(self.row(topic, partition))
    }

    /// Appends a record whose offset `write` puts into the buffer: one CBOR map.
    #[inline]
    pub fn record_with(
        &mut self,
        topic: &str,
        partition: Partition,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> SourceRecord<'_> {
        write(&mut self.offset.data);
        self.row(topic, partition)
    }

    #[inline]
    fn row(&mut self, topic: &str, partition: Partition) -> SourceRecord<'_> {
        self.offset.end_row();
        let row = self.len();
        let topic = self.topic_index(topic);
        sparse(&mut self.records.topic, row, topic, 0);
        sparse(&mut self.partition, row, partition.0, 0);
        self.records.rows += 1;
        SourceRecord { batch: &mut self.records, row }
    }

    #[inline]
    fn topic_index(&mut self, topic: &str) -> u32 {
        let topics = &mut self.records.topics;
        if topics.get(self.topic as usize).is_some_and(|last| last == topic) {
            return self.topic;
        }
        let known = topics.iter().position(|known| known == topic);
        let place = known.unwrap_or_else(|| {
            topics.push(topic.to_owned());
            topics.len() - 1
        });
        self.topic = narrow(place);
        self.topic
    }

    /// Ends the transaction of the records so far, if the source defines transactions.
    pub fn end_transaction(&mut self) {
        self.boundary(BoundaryKind::Commit);
    }

    /// Throws away the transaction of the records so far.
    pub fn abort_transaction(&mut self) {
        self.boundary(BoundaryKind::Abort);
    }

    fn boundary(&mut self, kind: BoundaryKind) {
        self.boundaries.push(Boundary { after_rows: self.records.rows, kind });
    }

    /// The batch as the contract has it.
    pub(crate) fn finish(mut self) -> source::SourceBatch {
        let rows = self.len();
        complete(&mut self.records.topic, rows, 0);
        complete(&mut self.partition, rows, 0);
        complete(&mut self.records.partition, rows, -1);
        complete(&mut self.records.timestamp, rows, -1);
        for values in [&mut self.records.key, &mut self.records.value] {
            if values.bytes.rows() > 0 {
                values.fill_to(rows);
            }
        }
        if !self.records.headers.ends.is_empty() || self.records.headers.names.rows() > 0 {
            self.records.headers.end_rows(rows);
        }
        source::SourceBatch {
            records: self.records,
            partitions: self.partitions,
            partition: self.partition,
            offset: self.offset,
            boundaries: self.boundaries,
        }
    }
}

/// Appends an entry to a list that stays empty as long as all entries are the default.
#[inline]
fn sparse<T: Copy + PartialEq>(list: &mut Vec<T>, row: usize, value: T, default: T) {
    if value != default || !list.is_empty() {
        list.resize(row, default);
        list.push(value);
    }
}

fn complete<T: Clone>(list: &mut Vec<T>, rows: usize, default: T) {
    if !list.is_empty() {
        list.resize(rows, default);
    }
}

/// A record in the making: sets what it has beside its topic and offset. Each part at most once.
#[derive(Debug)]
pub struct SourceRecord<'a> {
    batch: &'a mut Batch,
    row: usize,
}

impl SourceRecord<'_> {
    /// Sets the key, without a schema.
    pub fn key<T: Serialize + ?Sized>(self, key: &T) -> Result<Self, Error> {
        self.key_as(key, 0)
    }

    /// Sets the key, of this schema.
    pub fn key_as<T: Serialize + ?Sized>(
        self,
        key: &T,
        schema: SchemaNumber,
    ) -> Result<Self, Error> {
        put(&mut self.batch.key, self.row, schema, |out| write::serde(out, key))?;
        Ok(self)
    }

    /// Sets the value, without a schema.
    pub fn value<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, Error> {
        self.value_as(value, 0)
    }

    /// Sets the value, of this schema: a struct has the schema's fields in its order.
    pub fn value_as<T: Serialize + ?Sized>(
        self,
        value: &T,
        schema: SchemaNumber,
    ) -> Result<Self, Error> {
        put(&mut self.batch.value, self.row, schema, |out| write::serde(out, value))?;
        Ok(self)
    }

    /// Sets the value to one CBOR item that `write` puts into the buffer.
    #[inline]
    pub fn value_with(self, schema: SchemaNumber, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let values = &mut self.batch.value;
        if values.bytes.rows() < self.row {
            values.fill_to(self.row);
        }
        write(&mut values.bytes.data);
        values.end_row(schema);
        self
    }

    /// Adds a header, without a schema.
    pub fn header<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Result<Self, Error> {
        self.header_as(name, value, 0)
    }

    /// Adds a header, of this schema.
    pub fn header_as<T: Serialize + ?Sized>(
        self,
        name: &str,
        value: &T,
        schema: SchemaNumber,
    ) -> Result<Self, Error> {
        let headers = &mut self.batch.headers;
        headers.end_rows(self.row);
        let place = headers.names.rows();
        headers.names.push(name.as_bytes());
        put(&mut headers.values, place, schema, |out| write::serde(out, value))?;
        Ok(self)
    }

    /// Sets the timestamp, in milliseconds since the epoch.
    pub fn timestamp(self, millis: i64) -> Self {
        sparse(&mut self.batch.timestamp, self.row, millis, -1);
        self
    }

    /// Chooses the Kafka partition.
    pub fn kafka_partition(self, partition: i32) -> Self {
        sparse(&mut self.batch.partition, self.row, partition, -1);
        self
    }
}

/// Appends row `row`; the rows before it that have nothing are null.
fn put(
    values: &mut Values,
    row: usize,
    schema: SchemaNumber,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    values.fill_to(row);
    let start = values.bytes.data.len();
    write(&mut values.bytes.data)?;
    if values.bytes.data.get(start..) == Some(NULL) {
        values.bytes.data.truncate(start);
        values.push(None, schema);
    } else {
        values.end_row(schema);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
