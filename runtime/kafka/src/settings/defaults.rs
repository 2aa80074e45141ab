//! What a client has when nothing is said: Kafka Connect's own choices first, then those of Java's clients where librdkafka's differ.
//!
//! Not here: the settings of a configuration.

use std::collections::BTreeMap;

use super::{ClientKind, Translation};

/// Every client. Reconnects as Java's clients do.
const COMMON: &[(&str, &str)] = &[
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    ("socket.connection.setup.timeout.ms", "10000"),
    ("connections.max.idle.ms", "540000"),
];

const CONSUMER: &[(&str, &str)] = &[
    // Kafka Connect's.
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "earliest"),
    // Java's.
    ("allow.auto.create.topics", "true"),
    ("check.crcs", "true"),
    ("isolation.level", "read_uncommitted"),
    ("partition.assignment.strategy", "range"),
    // Ours: a consumer fetches 16 MiB ahead, and not more than 20,000 records of a partition, as each costs librdkafka some 300 bytes beyond its
    // own; it looks for room every 10 ms, or a fast task would wait for records.
    ("queued.max.messages.kbytes", "16384"),
    ("queued.min.messages", "20000"),
    ("fetch.queue.backoff.ms", "10"),
];

const PRODUCER: &[(&str, &str)] = &[
    // Kafka Connect's: written by all replicas, tried for ever.
    ("acks", "all"),
    ("message.timeout.ms", "0"),
    // The issue with Kafka Connect's `false` is that a retry may write twice.
    ("enable.idempotence", "true"),
    ("max.in.flight.requests.per.connection", "5"),
    // Java's: keys go to the partitions where Java's clients put them.
    ("partitioner", "murmur2_random"),
    ("message.max.bytes", "1048576"),
    // Ours: 32 MiB of records in the queue, as `buffer.memory`; how many, each task's budget says.
    ("queue.buffering.max.kbytes", "32768"),
    ("queue.buffering.max.messages", "0"),
    // A topic that is not there yet is waited for, half an hour where Java with Connect's `max.block.ms` waits for ever. More than 2,147,483 ms
    // would overflow in librdkafka 2.12, and come to no time at all.
    ("topic.metadata.propagation.max.ms", "2000000"),
];

/// The defaults of a kind of client.
pub(super) fn properties(kind: ClientKind) -> BTreeMap<String, String> {
    let own = match kind {
        ClientKind::Consumer => CONSUMER,
        ClientKind::Producer => PRODUCER,
        ClientKind::Admin => &[],
    };
    COMMON.iter().chain(own).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Defaults that depend on what was said.
pub(super) fn complete(to: &mut Translation<'_>) {
    match to.kind {
        ClientKind::Producer => complete_producer(to),
        ClientKind::Consumer => complete_consumer(to),
        ClientKind::Admin => {}
    }
}

/// Java's producer gives idempotence up when other settings forbid it and nobody asked for it; order then needs one request at a time.
fn complete_producer(to: &mut Translation<'_>) {
    let forbidden =
        to.properties.get("acks").is_some_and(|acks| !matches!(acks.as_str(), "all" | "-1"))
            || to.properties.get("retries").is_some_and(|retries| retries == "0")
            || (to.java.contains("max.in.flight.requests.per.connection")
                && to.number("max.in.flight.requests.per.connection").is_some_and(|most| most > 5));
    if forbidden && !to.java.contains("enable.idempotence") {
        to.set("enable.idempotence", "false");
    }
    let idempotent = to.properties.get("enable.idempotence").is_some_and(|value| value == "true");
    if !idempotent && !to.java.contains("max.in.flight.requests.per.connection") {
        to.set("max.in.flight.requests.per.connection", "1");
    }
}

/// Room for the largest answer that the fetch settings allow: librdkafka refuses settings that contradict each other.
fn complete_consumer(to: &mut Translation<'_>) {
    if let Some(fetch) = to.number("fetch.max.bytes") {
        if fetch < MESSAGE_MAX_BYTES {
            to.set("message.max.bytes", fetch.max(1000).to_string());
        }
        to.set(
            "receive.message.max.bytes",
            (fetch + ANSWER_OVERHEAD).max(RECEIVE_MAX_BYTES).to_string(),
        );
    }
    let new_protocol = to.properties.get("group.protocol").is_some_and(|value| value == "consumer");
    if new_protocol {
        // The broker assigns, and librdkafka refuses to be told.
        to.properties.remove("partition.assignment.strategy");
    }
}

/// librdkafka's default of `message.max.bytes`, which `fetch.max.bytes` may not be below.
const MESSAGE_MAX_BYTES: i64 = 1_000_000;
/// librdkafka's default of `receive.message.max.bytes`.
const RECEIVE_MAX_BYTES: i64 = 100_000_000;
/// What librdkafka wants `receive.message.max.bytes` to be above `fetch.max.bytes`.
const ANSWER_OVERHEAD: i64 = 512;

impl Translation<'_> {
    /// A property as a number.
    fn number(&self, property: &str) -> Option<i64> {
        self.properties.get(property)?.parse().ok()
    }
}
