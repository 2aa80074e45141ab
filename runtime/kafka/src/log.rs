//! A compacted topic as a log: read to its end, appended to, followed.
//!
//! Not here: what its records mean.

use crate::admin::NewTopic;
use crate::error::Error;
use crate::producer::Producers;
use crate::settings::ClientSettings;

/// A record of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the epoch, -1 for none.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none deletes the key.
    pub value: Option<&'a [u8]>,
}

/// The clients that all logs of a worker share. Cheap to clone.
#[derive(Clone)]
pub struct LogClients {
    _private: (),
}

impl LogClients {
    /// Makes them. Does not wait for a broker. Must be called within a tokio runtime.
    pub fn new(
        consumer: &ClientSettings,
        producer: &ClientSettings,
        client_id: &str,
        producers: &Producers,
    ) -> Result<LogClients, Error> {
        let _ = (consumer, producer, client_id, producers);
        unimplemented!()
    }
}

/// An open log. Cheap to clone; closes when the last clone goes.
///
/// Follows `KafkaBasedLog` of Kafka.
#[derive(Clone)]
pub struct Log {
    _private: (),
}

impl Log {
    /// Opens a log: creates the topic if it is missing, hands every record to `each`, and returns when `each` has seen the end.
    ///
    /// `each` goes on to get every new record, in order within a partition, from one task at a time; it must not block.
    /// Waits for a broker that is away. Errors: the topic is refused, or authentication.
    pub async fn open(
        clients: &LogClients,
        topic: &NewTopic,
        each: impl FnMut(LogRecord<'_>) + Send + 'static,
    ) -> Result<Log, Error> {
        let _ = (clients, topic, each);
        unimplemented!()
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> i32 {
        unimplemented!()
    }

    /// Appends records, the second part of each is none to delete a key, and returns when all are durable.
    ///
    /// Errors: one or more are not; any may be there.
    pub async fn append(&self, records: &[(&[u8], Option<&[u8]>)]) -> Result<(), Error> {
        let _ = records;
        unimplemented!()
    }

    /// Waits until `each` has seen every record that was in the topic when this was called.
    pub async fn read_to_end(&self) -> Result<(), Error> {
        unimplemented!()
    }
}
