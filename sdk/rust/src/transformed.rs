//! The columns that a chain of transformations answers: only those that a row changed. Not here: the chain.

use crate::bindings::transformation::{NewTopics, StepFault, Transformed};
use crate::columns::{Batch, Headers, SchemaNumber, Values, narrow};
use crate::row::{Part, Row};

/// Rows that came out of a chain, in the making.
///
/// A column begins with the first row that changes it: the rows before it are copied from the input then.
pub(crate) struct Output<'b> {
    batch: &'b Batch,
    origin: Vec<u32>,
    topic: Option<NewTopics>,
    partition: Option<Vec<i32>>,
    timestamp: Option<Vec<i64>>,
    key: Option<Values>,
    value: Option<Values>,
    headers: Option<Headers>,
}

impl<'b> Output<'b> {
    pub(crate) fn new(batch: &'b Batch) -> Self {
        Self {
            batch,
            origin: Vec::with_capacity(batch.rows as usize),
            topic: None,
            partition: None,
            timestamp: None,
            key: None,
            value: None,
            headers: None,
        }
    }

    /// Number of rows so far.
    pub(crate) fn rows(&self) -> usize {
        self.origin.len()
    }

    /// Appends a row.
    pub(crate) fn emit(&mut self, row: &Row<'_>) {
        self.emit_part(Part::Key, row);
        self.emit_part(Part::Value, row);
        if self.topic.is_some() || row.new_topic().is_some() {
            self.emit_topic(row.topic());
        }
        let batch = self.batch;
        emit_number(
            &mut self.partition,
            &self.origin,
            row.new_partition(),
            |row| batch.partition_of(row),
            row.row(),
        );
        emit_number(
            &mut self.timestamp,
            &self.origin,
            row.new_timestamp(),
            |row| batch.timestamp_of(row).unwrap_or(-1),
            row.row(),
        );
        if self.headers.is_some() || row.has_new_headers() {
            self.emit_headers(row);
        }
        self.origin.push(narrow(row.row()));
    }

    #[inline]
    fn emit_part(&mut self, part: Part, row: &Row<'_>) {
        let (column, input) = match part {
            Part::Key => (&mut self.key, &self.batch.key),
            Part::Value => (&mut self.value, &self.batch.value),
        };
        if column.is_none() && row.is_changed(part) {
            *column = Some(begun(input, &self.origin, self.batch.rows));
        }
        if let Some(column) = column {
            column.push(row.get(part), row.schema(part));
        }
    }

    fn emit_topic(&mut self, topic: &str) {
        let (batch, origin) = (self.batch, &self.origin);
        let new = self.topic.get_or_insert_with(|| NewTopics {
            topics: batch.topics.clone(),
            topic: origin
                .iter()
                .map(|&row| batch.topic.get(row as usize).copied().unwrap_or(0))
                .collect(),
        });
        let last = new.topic.last().copied().unwrap_or(0);
        let index = if new.topics.get(last as usize).is_some_and(|known| known == topic) {
            last
        } else {
            let known = new.topics.iter().position(|known| known == topic);
            narrow(known.unwrap_or_else(|| {
                new.topics.push(topic.to_owned());
                new.topics.len() - 1
            }))
        };
        new.topic.push(index);
    }

    fn emit_headers(&mut self, row: &Row<'_>) {
        let (batch, origin) = (self.batch, &self.origin);
        let headers = self.headers.get_or_insert_with(|| {
            let mut headers = Headers::new();
            for &row in origin {
                push_headers(&mut headers, batch.headers.of(row as usize));
            }
            headers
        });
        push_headers(headers, row.headers());
    }

    /// Takes back the rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        if rows == self.origin.len() {
            return;
        }
        self.origin.truncate(rows);
        for values in [&mut self.key, &mut self.value].into_iter().flatten() {
            values.truncate(rows);
        }
        if let Some(new) = &mut self.topic {
            new.topic.truncate(rows);
        }
        if let Some(partition) = &mut self.partition {
            partition.truncate(rows);
        }
        if let Some(timestamp) = &mut self.timestamp {
            timestamp.truncate(rows);
        }
        if let Some(headers) = &mut self.headers {
            headers.truncate(rows);
        }
    }

    pub(crate) fn finish(self, faults: Vec<StepFault>) -> Transformed {
        Transformed {
            origin: self.origin,
            topic: self.topic,
            partition: self.partition,
            timestamp: self.timestamp,
            key: self.key,
            value: self.value,
            headers: self.headers,
            faults,
        }
    }
}

/// The input's rows so far, with room for the rest.
fn begun(input: &Values, origin: &[u32], rows: u32) -> Values {
    let mut values = Values::new();
    values.bytes.ends.reserve(rows as usize);
    // A changed row is mostly about as long as it was.
    values.bytes.data.reserve(input.bytes.data.len() + 32 * rows as usize);
    for &row in origin {
        values.push(input.bytes.get(row as usize), input.schema(row as usize));
    }
    values
}

#[inline]
fn emit_number<T: Copy>(
    column: &mut Option<Vec<T>>,
    origin: &[u32],
    new: Option<T>,
    input: impl Fn(usize) -> T,
    row: usize,
) {
    if column.is_none() && new.is_some() {
        *column = Some(origin.iter().map(|&row| input(row as usize)).collect());
    }
    if let Some(column) = column {
        column.push(new.unwrap_or_else(|| input(row)));
    }
}

fn push_headers<'h>(
    headers: &mut Headers,
    row: impl Iterator<Item = (&'h str, Option<&'h [u8]>, SchemaNumber)>,
) {
    for (name, value, schema) in row {
        headers.push(name, value, schema);
    }
    let rows = headers.ends.len() + 1;
    headers.end_rows(rows);
}
