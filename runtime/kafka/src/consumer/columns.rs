//! Consumed records in columns.
//!
//! Not here: where they come from.

use tombolo_model::Column;
use tombolo_model::batch::TimestampType;

use crate::ffi::Message;

/// Consumed rows in columns. Reused: [`Consumer::next`] clears it and keeps the memory.
///
/// Shape: every list has `rows` entries, except `topics` and `header_ends` (empty when no row has headers). Columns have a row per record, or
/// per header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumedBatch {
    /// Number of rows.
    pub rows: u32,
    /// Names used by `topic`. Grows over the life of a batch that is reused by one consumer; names keep their places.
    pub topics: Vec<String>,
    /// Index into `topics` per row.
    pub topic: Vec<u32>,
    /// Partition per row.
    pub partition: Vec<i32>,
    /// Offset per row.
    pub offset: Vec<i64>,
    /// Milliseconds since the epoch per row, -1 for none.
    pub timestamp: Vec<i64>,
    /// What `timestamp` means.
    pub timestamp_types: Vec<TimestampType>,
    /// Raw keys.
    pub key: Column,
    /// Raw values.
    pub value: Column,
    /// Where each row's headers end; empty when no row has any.
    pub header_ends: Vec<u32>,
    /// Name of each header.
    pub header_names: Column,
    /// Raw value of each header.
    pub header_values: Column,
}

impl ConsumedBatch {
    /// Forgets the rows and keeps the memory, and the places of topics.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.topic.clear();
        self.partition.clear();
        self.offset.clear();
        self.timestamp.clear();
        self.timestamp_types.clear();
        self.key.clear();
        self.value.clear();
        self.header_ends.clear();
        self.header_names.clear();
        self.header_values.clear();
    }

    /// Appends a record, whose topic has this place in `topics`.
    ///
    /// Cost: copies key, value and headers; no allocation once the columns have grown to their usual size.
    pub(crate) fn push(&mut self, message: &Message, topic: u32) {
        let (at, meaning) = message.timestamp();
        self.topic.push(topic);
        self.partition.push(message.partition());
        self.offset.push(message.offset());
        self.timestamp.push(at);
        self.timestamp_types.push(meaning);
        self.key.push_option(message.key());
        self.value.push_option(message.value());
        self.push_headers(message);
        self.rows += 1;
    }

    fn push_headers(&mut self, message: &Message) {
        let (names, values) = (&mut self.header_names, &mut self.header_values);
        message.headers(|name, value| {
            names.push(name);
            values.push_option(value);
        });
        let count = u32::try_from(names.rows()).unwrap_or(u32::MAX);
        if count > 0 {
            // Rows before the first with headers end where they begin.
            self.header_ends.resize(self.rows as usize, 0);
            self.header_ends.push(count);
        }
    }

    /// Bytes of keys, values and headers.
    pub(super) fn bytes(&self) -> usize {
        self.key.data.len()
            + self.value.data.len()
            + self.header_names.data.len()
            + self.header_values.data.len()
    }

    /// The place of a topic in `topics`, which it gets if it has none.
    pub(crate) fn topic_place(&mut self, name: &str) -> u32 {
        let place = self.topics.iter().position(|topic| topic == name).unwrap_or_else(|| {
            self.topics.push(name.to_owned());
            self.topics.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}
