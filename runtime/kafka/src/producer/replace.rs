//! A new client for a producer that died of a fatal error.
//!
//! librdkafka hands every unsent record back when it drops it, so nothing is kept twice while all is well: what comes back with a dead client's
//! error is sent again by the new one, in the order of the sessions' numbers, before anything newer. Not here: noticing the death (`line`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::line::{Engine, Line, SEQ_MASK, new_client};
use super::rows::{Delivery, DeliveryError, cost};
use crate::ffi::{self, Client, Code, Delivered, Event, Headers, Queue, Record, Topic, code};

/// A record that a dead client gave back.
struct Unsent {
    topic: String,
    partition: i32,
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Option<Headers>,
    header_size: (usize, usize),
    opaque: u64,
}

/// What records come back with because their client died, besides the cause of its death.
const DIED_WITH_THE_CLIENT: [Code; 3] = [code::FATAL, code::PURGE_QUEUE, code::PURGE_INFLIGHT];

impl Unsent {
    fn of(row: &Delivered<'_>) -> Unsent {
        let record = row.record();
        Unsent {
            topic: row.topic(),
            partition: record.partition,
            timestamp: record.timestamp,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: row.headers(),
            header_size: row.header_size(),
            opaque: record.opaque,
        }
    }

    fn bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len)
    }
}

/// Pause between two looks for returning records.
const RETURN_PAUSE: Duration = Duration::from_millis(5);
/// Pause after a new client could not be made.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Line {
    /// Replaces the client, and sends again what it did not write. Sessions are held off meanwhile.
    pub(super) async fn replace(&self, queue: Queue, first: Option<Event>) -> Queue {
        let generation = self.stop_sending();
        let dead = Arc::clone(queue.client());
        let (cause, reason) = dead.fatal_error().unwrap_or((code::FATAL, String::new()));
        let client = self.client_id.as_str();
        tracing::warn!(client, cause = ffi::name(cause), reason, "a producer died; it is replaced");
        let unsent = self.returned(&queue, first, cause).await;
        let client = self.new_client().await;
        self.send_again(&client, unsent);
        let queue = Queue::main(&client);
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(queue.waker());
        *self.engine_mut() = Engine::Running(generation, client);
        self.tell_all(|inbox| inbox.news.notify_one());
        queue
    }

    /// Holds off all sessions. Nothing reaches the dead client afterwards.
    fn stop_sending(&self) -> u64 {
        let mut engine = self.engine_mut();
        let (Engine::Running(generation, _) | Engine::Replacing(generation)) = &*engine;
        let generation = generation + 1;
        *engine = Engine::Replacing(generation);
        generation
    }

    /// Everything that the dead client had not written. What failed for another reason goes to its session.
    async fn returned(&self, queue: &Queue, first: Option<Event>, cause: Code) -> Vec<Unsent> {
        let dead = queue.client();
        dead.purge();
        let (mut unsent, mut settled, mut next) = (Vec::new(), Vec::new(), first);
        loop {
            while let Some(event) = next.take().or_else(|| queue.poll()) {
                self.distribute(&event, &mut settled, |row| {
                    let again = row.code() == cause || DIED_WITH_THE_CLIENT.contains(&row.code());
                    if again {
                        unsent.push(Unsent::of(row));
                    }
                    again
                });
            }
            if dead.records_held() == 0 {
                unsent.sort_unstable_by_key(|row| row.opaque);
                return unsent;
            }
            tokio::time::sleep(RETURN_PAUSE).await;
        }
    }

    async fn new_client(&self) -> Arc<Client> {
        loop {
            match new_client(&self.settings, &self.client_id) {
                Ok(client) => return client,
                Err(err) => {
                    tracing::warn!(client = self.client_id, error = %err, "trying again");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    fn send_again(&self, client: &Arc<Client>, unsent: Vec<Unsent>) {
        let mut topics: HashMap<String, Topic> = HashMap::new();
        for row in unsent {
            let bytes = cost(row.bytes(), row.header_size);
            let topic = match topics.entry(row.topic) {
                Entry::Occupied(topic) => Ok(topic.into_mut()),
                Entry::Vacant(place) => {
                    Topic::new(client, place.key()).map(|topic| place.insert(topic))
                }
            };
            let record = Record {
                partition: row.partition,
                timestamp: row.timestamp,
                key: row.key.as_deref(),
                value: row.value.as_deref(),
                opaque: row.opaque,
            };
            let sent = topic
                .map_err(|_| code::UNKNOWN_TOPIC)
                .and_then(|topic| topic.produce(&record, row.headers));
            if let Err(failed) = sent {
                let outcome = Err(DeliveryError::new(failed));
                let delivery = Delivery { seq: row.opaque & SEQ_MASK, outcome };
                self.settle_one(row.opaque, delivery, bytes);
            }
        }
    }
}
