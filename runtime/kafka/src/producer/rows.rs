//! What goes into a producer and what comes out.
//!
//! Not here: how.

use std::fmt;
use std::ops::Range;

use tombolo_model::Column;

use crate::error::Error;
use crate::ffi::{self, Code, Headers};

/// Rows to send, in columns, as converters leave them.
///
/// Shape: as `model::Batch`: a list is empty or has `rows` entries; no partition is -1, no timestamp is -1 (now), and 0 is written as 1.
#[derive(Clone, Copy, Debug)]
pub struct ProduceRows<'a> {
    /// Number of rows.
    pub rows: usize,
    /// Names used by `topic`.
    pub topics: &'a [String],
    /// Index into `topics` per row.
    pub topic: &'a [u32],
    /// Partition per row, -1 for Kafka's default partitioner.
    pub partition: &'a [i32],
    /// Milliseconds since the epoch per row, -1 for now.
    pub timestamp: &'a [i64],
    /// Raw keys.
    pub key: &'a Column,
    /// Raw values.
    pub value: &'a Column,
    /// Where each row's headers end; empty when no row has any.
    pub header_ends: &'a [u32],
    /// Name of each header.
    pub header_names: &'a Column,
    /// Raw value of each header.
    pub header_values: &'a Column,
}

/// How far [`ProducerSession::send`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The first row not sent; `rows` when all were.
    pub next_row: usize,
    /// Why it stopped there.
    pub stopped: Stopped,
}

/// Why sending stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Every row was sent.
    Done,
    /// As many bytes as the budget allows are in flight. Wait for [`ProducerSession::capacity`].
    Budget,
    /// The producer takes nothing now: its queue is full or it is being replaced. Wait for [`ProducerSession::capacity`].
    QueueFull,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number, as given to [`ProducerSession::send`].
    pub seq: u64,
    /// Partition and offset, or why it was not written.
    pub outcome: Result<(i32, i64), DeliveryError>,
}

/// Why a row was not written. It will not be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeliveryError {
    code: Code,
}

impl DeliveryError {
    pub(super) fn new(code: Code) -> Self {
        Self { code }
    }

    /// Whether Kafka's clients would retry it (`RetriableException`).
    pub fn is_retriable(self) -> bool {
        ffi::is_retriable(self.code)
    }

    /// Whether the record is larger than client or topic allow.
    pub fn is_too_large(self) -> bool {
        ffi::code::TOO_LARGE.contains(&self.code)
    }

    /// Kafka's name of the error, as `MSG_SIZE_TOO_LARGE`.
    pub fn name(self) -> String {
        ffi::name(self.code)
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ffi::text(self.code))
    }
}

impl fmt::Debug for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl std::error::Error for DeliveryError {}

impl From<DeliveryError> for Error {
    fn from(failed: DeliveryError) -> Error {
        ffi::error(failed.code, "", "")
    }
}

/// What librdkafka keeps for a record beyond its bytes, about; counts against a budget, so that tiny records are bounded too.
const RECORD_OVERHEAD: usize = 256;

/// What librdkafka keeps for a header beyond its bytes, about: each is an allocation of its own.
const HEADER_OVERHEAD: usize = 64;

/// Least that a header takes of a record beyond its bytes: the lengths of name and value.
const HEADER_LENGTHS_MIN: usize = 2;

/// What a record with so many bytes of key and value, so many headers and so many bytes of these costs a budget.
pub(super) fn cost(bytes: usize, (headers, header_bytes): (usize, usize)) -> usize {
    bytes + RECORD_OVERHEAD + headers * HEADER_OVERHEAD + header_bytes
}

impl ProduceRows<'_> {
    /// Where the headers of a row stand.
    fn header_range(&self, row: usize) -> Range<usize> {
        let Some(&end) = self.header_ends.get(row) else { return 0..0 };
        let start = row.checked_sub(1).and_then(|row| self.header_ends.get(row));
        start.map_or(0, |&start| start as usize)..end as usize
    }

    /// Bytes of key and value of a row.
    fn bytes(&self, row: usize) -> usize {
        let one = row..row + 1;
        bytes_between(self.key, one.clone()) + bytes_between(self.value, one)
    }

    /// How many headers a row has, and their bytes.
    fn header_size(&self, row: usize) -> (usize, usize) {
        let headers = self.header_range(row);
        let names = bytes_between(self.header_names, headers.clone());
        (headers.len(), names + bytes_between(self.header_values, headers))
    }

    /// What a row costs a budget.
    pub(super) fn cost(&self, row: usize) -> usize {
        cost(self.bytes(row), self.header_size(row))
    }

    /// Whether a row's headers alone are more than a record may have. Many small ones are better not copied, only to be refused: each takes some
    /// fifty bytes.
    pub(super) fn has_too_many_headers(&self, row: usize, record_max: usize) -> bool {
        let (count, bytes) = self.header_size(row);
        count * HEADER_LENGTHS_MIN + bytes > record_max
    }

    /// The headers of a row, copied; none when it has none.
    pub(super) fn headers(&self, row: usize) -> Option<Headers> {
        let range = self.header_range(row);
        if range.is_empty() {
            return None;
        }
        let mut headers = Headers::with_capacity(range.len());
        for header in range {
            let name = self.header_names.get(header).unwrap_or_default();
            headers.push(name, self.header_values.get(header));
        }
        Some(headers)
    }
}

/// Bytes of these rows of a column.
fn bytes_between(column: &Column, rows: Range<usize>) -> usize {
    let end_of = |count: usize| {
        let last = count.checked_sub(1).and_then(|row| column.ends.get(row));
        last.map_or(0, |&end| end as usize)
    };
    if rows.is_empty() { 0 } else { end_of(rows.end).saturating_sub(end_of(rows.start)) }
}
