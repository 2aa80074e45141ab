//! Producers shared by tasks with equal settings; each task has a session with a budget of its own.
//!
//! Not here: what is sent again after a task restarts, and topics.

use tombolo_model::Column;

use crate::error::Error;
use crate::settings::ClientSettings;

/// The producers of this process.
#[derive(Clone)]
pub struct Producers {
    _private: (),
}

impl Producers {
    /// None yet. Client ids are `<client_id>-<number>`.
    pub fn new(client_id: &str) -> Producers {
        let _ = client_id;
        unimplemented!()
    }

    /// A session on a producer with these settings, with at most `budget` bytes in flight.
    ///
    /// Sessions share a producer as long as their budgets fit its queue together, so that a session that cannot send stops alone.
    /// Must be called within a tokio runtime.
    pub fn session(
        &self,
        settings: &ClientSettings,
        budget: usize,
    ) -> Result<ProducerSession, Error> {
        let _ = (settings, budget);
        unimplemented!()
    }
}

/// Rows to send, in columns, as converters leave them.
///
/// Shape: as `model::Batch`: a list is empty or has `rows` entries; no partition is -1, no timestamp is -1 (now).
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("error {code}")]
pub struct DeliveryError {
    code: i32,
}

impl DeliveryError {
    /// Whether Kafka's clients would retry it (`RetriableException`).
    pub fn is_retriable(self) -> bool {
        false
    }
}

/// A task's share of a producer.
///
/// Rows are acknowledged in order within a partition. When the producer dies of a fatal error, it is replaced, and the rows of this session that
/// were not acknowledged are sent again in order before anything newer; the task does not notice. Such a row may be in Kafka twice.
pub struct ProducerSession {
    _private: (),
}

impl ProducerSession {
    /// Hands rows over, from `from_row` on, whose number is `first_seq`. Copies them; does not wait.
    ///
    /// A row that can never be sent (too large, no such partition) is reported by [`ProducerSession::deliveries`], like any other.
    pub fn send(
        &mut self,
        rows: &ProduceRows<'_>,
        from_row: usize,
        first_seq: u64,
    ) -> Result<Sent, Error> {
        let _ = (rows, from_row, first_seq);
        unimplemented!()
    }

    /// Waits until more can be sent. Safe to cancel.
    pub async fn capacity(&mut self) -> Result<(), Error> {
        unimplemented!()
    }

    /// Waits until at least one row is settled and appends all that are. Waits for ever when none is in flight. Safe to cancel.
    ///
    /// Errors: the producer cannot go on (authentication, authorization).
    pub async fn deliveries(&mut self, out: &mut Vec<Delivery>) -> Result<(), Error> {
        let _ = out;
        unimplemented!()
    }

    /// Appends the rows settled so far, without waiting.
    pub fn try_deliveries(&mut self, out: &mut Vec<Delivery>) -> Result<(), Error> {
        let _ = out;
        unimplemented!()
    }

    /// Rows sent and not settled.
    pub fn rows_in_flight(&self) -> usize {
        unimplemented!()
    }

    /// Waits until every row is settled; their deliveries are still to be fetched. Safe to cancel.
    pub async fn flush(&mut self) -> Result<(), Error> {
        unimplemented!()
    }
}
