//! A task's share of a producer.
//!
//! Not here: bringing deliveries (`line`), sending again after a fatal error (`replace`).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::inbox::Inbox;
use super::line::{Engine, Line, SEQ_BITS, SEQ_MASK, Slot};
use super::rows::{Delivery, DeliveryError, ProduceRows, Sent, Stopped};
use crate::error::Error;
use crate::ffi::{self, Client, Code, Record, Topic, code};

/// A task's share of a producer.
///
/// Rows are acknowledged in order within a partition. When the producer dies of a fatal error, it is replaced, and the rows of this session that
/// were not acknowledged are sent again in order before anything newer; the task does not notice. Such a row may be in Kafka twice.
///
/// A session that is dropped leaves its rows to the producer, for as long as another session keeps that; flush first to be sure of them.
pub struct ProducerSession {
    topics: Topics,
    line: Arc<Line>,
    slot: Slot,
    inbox: Arc<Inbox>,
    /// The highest number sent; restores the upper bits of those that come back.
    seq_last: u64,
    blocked: Blocked,
}

/// Why the last row offered stayed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blocked {
    /// It did not.
    No,
    /// It costs this much.
    Budget(usize),
    /// The client's queue was full.
    Queue,
}

/// Handles of topics, of one client.
#[derive(Default)]
struct Topics {
    generation: u64,
    by_name: HashMap<String, Arc<Topic>>,
}

impl Topics {
    fn get(&mut self, client: &Arc<Client>, name: &str) -> Result<Arc<Topic>, Error> {
        if let Some(topic) = self.by_name.get(name) {
            return Ok(Arc::clone(topic));
        }
        let topic = Arc::new(Topic::new(client, name)?);
        self.by_name.insert(name.to_owned(), Arc::clone(&topic));
        Ok(topic)
    }
}

/// Pause before a queue that was full is tried again; a session rarely sees it, as budgets fit the queue.
const QUEUE_PAUSE: Duration = Duration::from_millis(10);

impl ProducerSession {
    /// A session on this producer, if its budget fits.
    pub(super) fn join(line: &Arc<Line>, budget: usize) -> Option<ProducerSession> {
        let (slot, inbox) = line.join(budget)?;
        Some(ProducerSession {
            topics: Topics::default(),
            line: Arc::clone(line),
            slot,
            inbox,
            seq_last: 0,
            blocked: Blocked::No,
        })
    }

    /// Hands rows over, from `from_row` on, whose number is `first_seq`; numbers go up. Copies rows; does not wait.
    ///
    /// A row that can never be sent (too large, no such partition) is reported by [`ProducerSession::deliveries`], like any other.
    /// Cost: one lookup per change of topic, and librdkafka's own copy.
    pub fn send(
        &mut self,
        rows: &ProduceRows<'_>,
        from_row: usize,
        first_seq: u64,
    ) -> Result<Sent, Error> {
        self.inbox.take_failure()?;
        let line = Arc::clone(&self.line);
        let engine = line.engine();
        let Engine::Running(generation, client) = &*engine else {
            self.blocked = Blocked::No;
            return Ok(Sent { next_row: from_row, stopped: Stopped::QueueFull });
        };
        if self.topics.generation != *generation {
            self.topics = Topics { generation: *generation, by_name: HashMap::new() };
        }
        let (end, bytes) = self.fitting(rows, from_row);
        self.inbox.sending(end - from_row, bytes);
        let (next_row, unsent) = self.produce(client, rows, from_row..end, first_seq);
        self.inbox.not_sent(end - next_row, unsent);
        let stopped = match self.blocked {
            _ if next_row < end => {
                self.blocked = Blocked::Queue;
                Stopped::QueueFull
            }
            Blocked::No | Blocked::Queue => Stopped::Done,
            Blocked::Budget(_) => Stopped::Budget,
        };
        Ok(Sent { next_row, stopped })
    }

    /// The end of the rows that fit the budget now, and what they cost. A row that is larger than the budget passes alone.
    fn fitting(&mut self, rows: &ProduceRows<'_>, from_row: usize) -> (usize, usize) {
        let in_flight = self.inbox.bytes_in_flight();
        let mut bytes = 0;
        for row in from_row..rows.rows {
            let next = rows.cost(row);
            if in_flight + bytes > 0 && in_flight + bytes + next > self.inbox.budget {
                self.blocked = Blocked::Budget(next);
                return (row, bytes);
            }
            bytes += next;
        }
        self.blocked = Blocked::No;
        (rows.rows.max(from_row), bytes)
    }

    /// Sends these rows. Answers the first not sent, and what those not sent cost.
    fn produce(
        &mut self,
        client: &Arc<Client>,
        rows: &ProduceRows<'_>,
        range: Range<usize>,
        first_seq: u64,
    ) -> (usize, usize) {
        let mut keys = rows.key.iter().skip(range.start);
        let mut values = rows.value.iter().skip(range.start);
        let mut current: Option<(u32, Result<Arc<Topic>, Code>)> = None;
        self.seq_last = first_seq.saturating_add(range.len().saturating_sub(1) as u64);
        for (row, seq) in range.clone().zip(first_seq..) {
            let place = rows.topic.get(row).copied().unwrap_or(0);
            if current.as_ref().is_none_or(|(now, _)| *now != place) {
                let name = rows.topics.get(place as usize).map_or("", String::as_str);
                let topic = self.topics.get(client, name).map_err(|_| code::UNKNOWN_TOPIC);
                current = Some((place, topic));
            }
            let record = Record {
                partition: rows.partition.get(row).copied().unwrap_or(ffi::NO_PARTITION),
                timestamp: rows.timestamp.get(row).copied().unwrap_or(-1),
                key: keys.next().flatten(),
                value: values.next().flatten(),
                opaque: (u64::from(self.slot) << SEQ_BITS) | (seq & SEQ_MASK),
            };
            let sent = match &current {
                _ if rows.has_too_many_headers(row, client.record_max()) => {
                    Err(code::RECORD_TOO_LARGE)
                }
                Some((_, Ok(topic))) => topic.produce(&record, rows.headers(row)),
                Some((_, Err(failed))) => Err(*failed),
                None => Err(code::UNKNOWN_TOPIC),
            };
            match sent {
                Ok(()) => {}
                // A dead client refuses rows with the cause of its death.
                Err(failed) if failed == code::QUEUE_FULL || client.fatal_error().is_some() => {
                    if failed != code::QUEUE_FULL {
                        self.line.died();
                    }
                    return (row, (row..range.end).map(|row| rows.cost(row)).sum());
                }
                Err(failed) => {
                    let outcome = Err(DeliveryError::new(failed));
                    let delivery = Delivery { seq: seq & SEQ_MASK, outcome };
                    self.inbox.settle(&mut vec![delivery], rows.cost(row));
                }
            }
        }
        (range.end, 0)
    }

    /// Waits until more can be sent. Safe to cancel.
    ///
    /// Errors: as [`ProducerSession::deliveries`].
    pub async fn capacity(&mut self) -> Result<(), Error> {
        if self.blocked == Blocked::Queue {
            drop(tokio::time::timeout(QUEUE_PAUSE, self.inbox.news.notified()).await);
        }
        loop {
            self.inbox.take_failure()?;
            if self.has_capacity() {
                return Ok(());
            }
            self.inbox.news.notified().await;
        }
    }

    /// Half the budget, so that a full session is not woken for every row that leaves.
    fn has_capacity(&self) -> bool {
        let (in_flight, budget) = (self.inbox.bytes_in_flight(), self.inbox.budget);
        let fits = match self.blocked {
            Blocked::Budget(next) => {
                in_flight == 0 || (in_flight <= budget / 2 && in_flight + next <= budget)
            }
            Blocked::No | Blocked::Queue => in_flight <= budget / 2,
        };
        fits && matches!(&*self.line.engine(), Engine::Running(..))
    }

    /// Waits until at least one row is settled and appends all that are. Waits for ever when none is in flight. Safe to cancel.
    ///
    /// Cost: none per row but its copy; give back the same list, emptied, and nothing is allocated.
    ///
    /// Errors: the broker refuses the credentials; rows in flight may still be settled later.
    pub async fn deliveries(&mut self, out: &mut Vec<Delivery>) -> Result<(), Error> {
        let before = out.len();
        loop {
            self.try_deliveries(out)?;
            if out.len() > before {
                return Ok(());
            }
            self.inbox.news.notified().await;
        }
    }

    /// Appends the rows settled so far, without waiting.
    pub fn try_deliveries(&mut self, out: &mut Vec<Delivery>) -> Result<(), Error> {
        let before = out.len();
        self.inbox.take(out)?;
        for delivery in out.iter_mut().skip(before) {
            delivery.seq = widened(delivery.seq, self.seq_last);
        }
        Ok(())
    }

    /// Makes the producer die. For tests of what follows.
    #[cfg(test)]
    pub(super) fn provoke_fatal_error(&self) {
        if let Engine::Running(_, client) = &*self.line.engine() {
            client.provoke_fatal_error();
        }
    }

    /// Rows sent and not settled.
    pub fn rows_in_flight(&self) -> usize {
        self.inbox.rows_in_flight()
    }

    /// Waits until every row is settled; their deliveries are still to be fetched. Safe to cancel.
    pub async fn flush(&mut self) -> Result<(), Error> {
        while self.inbox.rows_in_flight() > 0 {
            self.inbox.take_failure()?;
            self.inbox.news.notified().await;
        }
        self.inbox.take_failure()
    }
}

impl Drop for ProducerSession {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

/// A number from its lower bits: the highest that is not above `last`.
pub(super) fn widened(low: u64, last: u64) -> u64 {
    let same = (last & !SEQ_MASK) | low;
    if same > last { same.wrapping_sub(SEQ_MASK + 1) } else { same }
}
