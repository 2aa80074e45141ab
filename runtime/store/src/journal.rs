//! A compacted topic as the stores see it: an append, and a reader that is given every record.
//!
//! Not here: how Kafka does it (`topics`), and the formats of records.

use std::sync::Arc;

use async_trait::async_trait;
pub use tombolo_kafka::log::LogRecord;

use crate::error::Result;
use crate::topics::InternalTopic;

/// A record to append: its key, and its value or none to delete the key.
pub type Entry = (Vec<u8>, Option<Vec<u8>>);

/// Is given every record of a journal, in order within a partition; must not block.
pub type Reader = Box<dyn FnMut(LogRecord<'_>) + Send>;

/// Most characters of a key in a log line.
const KEY_SHOWN_MAX: usize = 200;

/// The key of a record that counts for nothing, for the log: on one line, however broken it is.
pub(crate) fn shown_key(record: &LogRecord<'_>) -> String {
    let key = String::from_utf8_lossy(record.key.unwrap_or_default());
    key.chars().take(KEY_SHOWN_MAX).flat_map(char::escape_debug).collect()
}

/// An open compacted topic.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Appends in order, and returns when all of it is durable.
    ///
    /// Errors: `Timeout` or `Topic`; any of the entries may be there all the same.
    async fn append(&self, entries: &[Entry]) -> Result<()>;

    /// Waits until the reader was given everything that was there when this was called.
    async fn read_to_end(&self) -> Result<()>;
}

/// Opens compacted topics.
#[async_trait]
pub trait Journals: Send + Sync + 'static {
    /// Opens a topic, creates it if it is missing, and returns when `reader` was given all of it.
    ///
    /// Errors: `Config` where the topic is not what its store needs, in Kafka Connect's words.
    async fn open(&self, topic: &InternalTopic, reader: Reader) -> Result<Arc<dyn Journal>>;
}
