//! Columns: the shape in which rows cross the sandbox's wall, as the contract's types with methods.
//!
//! Authors of sources and sinks need none of this; converters and transformations work on it. Not here: the bytes of a value (`cbor`).

pub use crate::bindings::types::{
    Batch, Column, Columns, ConnectData, Headers, TimestampType, TopicColumn, Values,
};
use crate::bindings::types::{Problem, RowFault};

/// Number of a schema within one task; 0 means "no schema".
pub type SchemaNumber = u32;

/// A length or an index as the contract counts it. Batches are limited far below 4 GiB by the host.
pub(crate) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Column {
    /// A column without rows.
    pub const fn new() -> Self {
        Self { ends: Vec::new(), nulls: Vec::new(), data: Vec::new() }
    }

    /// Room for this many rows and bytes.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self { ends: Vec::with_capacity(rows), nulls: Vec::new(), data: Vec::with_capacity(bytes) }
    }

    /// Number of rows; 0 also for a column that is null throughout.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Appends a row.
    pub fn push(&mut self, row: &[u8]) {
        self.data.extend_from_slice(row);
        self.end_row();
    }

    /// Appends a null row.
    pub fn push_null(&mut self) {
        self.nulls.push(narrow(self.ends.len()));
        self.end_row();
    }

    /// Appends a row, or a null one.
    pub fn push_option(&mut self, row: Option<&[u8]>) {
        match row {
            Some(row) => self.push(row),
            None => self.push_null(),
        }
    }

    /// Ends the row whose bytes were appended to `data`.
    pub fn end_row(&mut self) {
        self.ends.push(narrow(self.data.len()));
    }

    /// Appends null rows until there are `rows`.
    pub fn fill_to(&mut self, rows: usize) {
        while self.ends.len() < rows {
            self.push_null();
        }
    }

    /// Takes back the rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.data.truncate(self.ends.last().map_or(0, |&end| end as usize));
        self.nulls.truncate(self.nulls.partition_point(|&null| (null as usize) < rows));
    }

    /// The bytes of a row; none when it is null, or not there.
    ///
    /// Cost: constant, and a binary search in `nulls` for an empty row.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        let end = *self.ends.get(row)? as usize;
        let start = match row.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        let bytes = self.data.get(start..end)?;
        let null = bytes.is_empty() && self.nulls.binary_search(&narrow(row)).is_ok();
        (!null).then_some(bytes)
    }

    /// All rows that were sent, null ones as none.
    pub fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut start = 0_usize;
        let mut nulls = self.nulls.iter().copied().peekable();
        self.ends.iter().enumerate().map(move |(row, &end)| {
            let bytes = self.data.get(start..end as usize).unwrap_or_default();
            start = end as usize;
            if nulls.next_if(|&null| null as usize == row).is_some() { None } else { Some(bytes) }
        })
    }

    /// The first `rows` rows; those that were not sent are null.
    pub fn rows_to(&self, rows: usize) -> impl Iterator<Item = Option<&[u8]>> {
        self.iter().chain(std::iter::repeat(None)).take(rows)
    }
}

impl Default for Column {
    fn default() -> Self {
        Self::new()
    }
}

impl Values {
    /// Values without rows.
    pub const fn new() -> Self {
        Self { bytes: Column::new(), schemas: Vec::new() }
    }

    /// The schema of a row, 0 for none.
    pub fn schema(&self, row: usize) -> SchemaNumber {
        self.schemas.get(row).copied().unwrap_or(0)
    }

    /// Appends a row whose bytes are in place, with its schema. A list of schemas stays empty as long as all are 0.
    pub(crate) fn end_row(&mut self, schema: SchemaNumber) {
        self.bytes.end_row();
        self.note_schema(schema);
    }

    /// Appends a row with its schema.
    pub fn push(&mut self, row: Option<&[u8]>, schema: SchemaNumber) {
        self.bytes.push_option(row);
        self.note_schema(schema);
    }

    /// Sets the schema of the last row.
    fn note_schema(&mut self, schema: SchemaNumber) {
        if schema != 0 || !self.schemas.is_empty() {
            self.schemas.resize(self.bytes.ends.len().saturating_sub(1), 0);
            self.schemas.push(schema);
        }
    }

    /// Takes back the rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.bytes.truncate(rows);
        self.schemas.truncate(rows);
    }

    /// Appends null rows without schema until there are `rows`.
    pub(crate) fn fill_to(&mut self, rows: usize) {
        self.bytes.fill_to(rows);
        if !self.schemas.is_empty() {
            self.schemas.resize(rows, 0);
        }
    }
}

impl Default for Values {
    fn default() -> Self {
        Self::new()
    }
}

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self { ends: Vec::new(), names: Column::new(), values: Values::new() }
    }

    /// Where the headers of a row stand in `names` and `values`.
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        let end = self.ends.get(row).map_or(0, |&end| end as usize);
        let start =
            row.checked_sub(1).and_then(|row| self.ends.get(row)).map_or(0, |&end| end as usize);
        start.min(end)..end
    }

    /// Name, value and schema of the header at this place.
    pub fn at(&self, place: usize) -> (&str, Option<&[u8]>, SchemaNumber) {
        let name = self.names.get(place).unwrap_or_default();
        let name = std::str::from_utf8(name).unwrap_or_default();
        (name, self.values.bytes.get(place), self.values.schema(place))
    }

    /// The headers of a row, in order: name, value, schema.
    pub fn of(&self, row: usize) -> impl Iterator<Item = (&str, Option<&[u8]>, SchemaNumber)> {
        self.range(row).map(|place| self.at(place))
    }

    /// Appends a header to the row that is not ended yet.
    pub fn push(&mut self, name: &str, value: Option<&[u8]>, schema: SchemaNumber) {
        self.names.push(name.as_bytes());
        self.values.push(value, schema);
    }

    /// Appends headers to the row that is not ended yet: name, value, schema.
    pub fn extend<'h>(
        &mut self,
        headers: impl Iterator<Item = (&'h str, Option<&'h [u8]>, SchemaNumber)>,
    ) {
        for (name, value, schema) in headers {
            self.push(name, value, schema);
        }
    }

    /// Takes back the headers of the rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        let count = self.ends.last().map_or(0, |&end| end as usize);
        self.names.truncate(count);
        self.values.truncate(count);
    }

    /// Ends rows until there are `rows`.
    pub(crate) fn end_rows(&mut self, rows: usize) {
        self.ends.resize(rows, narrow(self.names.rows()));
    }
}

impl Default for Headers {
    fn default() -> Self {
        Self::new()
    }
}

impl TopicColumn {
    /// The topic of a row; empty when there is none.
    pub fn of(&self, row: usize) -> &str {
        topic(&self.topics, &self.topic, row)
    }
}

fn topic<'a>(names: &'a [String], index: &[u32], row: usize) -> &'a str {
    let index = index.get(row).copied().unwrap_or(0) as usize;
    names.get(index).map_or("", String::as_str)
}

impl Batch {
    /// No rows.
    pub const fn new() -> Self {
        Self {
            rows: 0,
            topics: Vec::new(),
            topic: Vec::new(),
            partition: Vec::new(),
            offset: Vec::new(),
            timestamp: Vec::new(),
            timestamp_types: Vec::new(),
            key: Values::new(),
            value: Values::new(),
            headers: Headers::new(),
        }
    }

    /// The topic of a row; empty when there is none.
    pub fn topic_of(&self, row: usize) -> &str {
        topic(&self.topics, &self.topic, row)
    }

    /// The Kafka partition of a row, -1 where it is not chosen.
    pub fn partition_of(&self, row: usize) -> i32 {
        self.partition.get(row).copied().unwrap_or(-1)
    }

    /// The Kafka offset of a row, -1 where it is not in Kafka yet.
    pub fn offset_of(&self, row: usize) -> i64 {
        self.offset.get(row).copied().unwrap_or(-1)
    }

    /// The timestamp of a row in milliseconds since the epoch.
    pub fn timestamp_of(&self, row: usize) -> Option<i64> {
        self.timestamp.get(row).copied().filter(|&timestamp| timestamp != -1)
    }

    /// What a row's timestamp means.
    pub fn timestamp_type_of(&self, row: usize) -> TimestampType {
        self.timestamp_types.get(row).copied().unwrap_or(TimestampType::None)
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl ConnectData {
    /// Room for as many rows and about as many bytes as this column has.
    pub fn for_input(input: &Column) -> Self {
        let bytes = Column::with_capacity(input.rows(), input.data.len());
        Self { values: Values { bytes, schemas: Vec::new() }, faults: Vec::new() }
    }

    /// Appends a row that `write` puts into the buffer, answering its schema; none is a null of that schema. A failed row is null, with its problem.
    pub fn row(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(Written, SchemaNumber), Problem>,
    ) {
        let start = self.values.bytes.data.len();
        match write(&mut self.values.bytes.data) {
            Ok((Written::Item, schema)) => self.values.end_row(schema),
            Ok((Written::Null, schema)) => {
                self.values.bytes.data.truncate(start);
                self.values.push(None, schema);
            }
            Err(problem) => {
                self.values.bytes.data.truncate(start);
                let row = narrow(self.values.bytes.rows());
                self.faults.push(RowFault { row, problem });
                self.values.push(None, 0);
            }
        }
    }
}

/// What was written for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// One item.
    Item,
    /// Nothing that counts: the row is null.
    Null,
}

/// A column of bytes in the making, with the rows that failed.
///
/// What a converter answers towards Kafka.
#[derive(Clone, Debug, Default)]
pub struct BytesRows {
    /// The rows.
    pub bytes: Column,
    /// What the converter adds to the records' headers, if anything.
    pub headers: Option<Headers>,
    /// Rows that failed, null in `bytes`.
    pub faults: Vec<RowFault>,
}

impl BytesRows {
    /// Room for as many rows and twice as many bytes as these values have.
    pub fn for_input(input: &Values) -> Self {
        let bytes = Column::with_capacity(input.bytes.rows(), 2 * input.bytes.data.len());
        Self { bytes, ..Self::default() }
    }

    /// Appends a row that `write` puts into the buffer. A failed row is null, with its problem.
    pub fn row(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<Written, Problem>) {
        let start = self.bytes.data.len();
        let outcome = write(&mut self.bytes.data);
        if let Ok(Written::Item) = outcome {
            return self.bytes.end_row();
        }
        self.bytes.data.truncate(start);
        if let Err(problem) = outcome {
            self.faults.push(RowFault { row: narrow(self.bytes.rows()), problem });
        }
        self.bytes.push_null();
    }
}
