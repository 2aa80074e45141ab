//! Attacks on records, offsets and topics. Not here: what the guest does.

use anyhow::{Result, ensure};

use crate::attack::{Attack, Class::Kafka, Ends, sink, source};
use crate::field::Field;

/// What a task is told that writes where the worker keeps its own state.
const OWN: &[&str] = &["internal"];

/// A connector that nobody created.
const FORGED: &str = r#"{"properties":{"connector.class":"guest.Attacks0000Source","tasks.max":"1","name":"forged"}}"#;

/// A record to a topic that is not the connector's.
macro_rules! writes {
    ($name:literal, $topic:literal, $key:literal, $value:expr) => {
        source(
            Kafka,
            $name,
            &[("attack", "writes"), ("topic", $topic), ("key", $key), ("value", $value)],
            Ends::Failed(OWN),
        )
    };
}

pub(super) const ATTACKS: &[Attack] = &[
    source(
        Kafka,
        "timestamps",
        &[("topic", "attacked")],
        Ends::Failed(&["Invalid record timestamp"]),
    ),
    source(Kafka, "500 topics", &[], Ends::Failed(&["wrote to 500 topics"])),
    source(Kafka, "names that are none", &[], Ends::Failed(&["opic"])),
    source(
        Kafka,
        "a key of 16 MiB",
        &[("topic", "attacked"), ("sandbox.call.timeout.ms", "20000")],
        Ends::Failed(&["Message size too large"]),
    ),
    source(Kafka, "offsets that go back", &[("topic", "attacked")], Ends::Failed(&["went back"])),
    source(Kafka, "nulls", &[("topic", "attacked")], Ends::Failed(&["wrote 25000 nulls"])),
    source(
        Kafka,
        "a million headers",
        &[("topic", "attacked"), ("sandbox.call.timeout.ms", "20000")],
        Ends::Failed(&["Message size too large"]),
    ),
    writes!("the topic of configurations", "{config}", "connector-forged", FORGED),
    writes!("the topic of statuses", "{status}", "status-connector-neighbour-sink", "{}"),
    writes!("the topic of offsets", "{offset}", r#"["neighbour-source",{}]"#, "{}"),
    writes!("the topic of components", "{config}-plugins", "k", "v"),
    sink(Kafka, "requests about strange partitions", &[], Ends::Harmless(list_is_answered)),
    sink(Kafka, "faults without end", &[], Ends::Failed(&["Tolerance exceeded"])),
    sink(Kafka, "offsets beyond the end", &[], Ends::Harmless(no_offset_is_beyond)),
    sink(Kafka, "offsets of others", &[], Ends::Harmless(list_is_answered)),
];

fn list_is_answered(field: &Field) -> Result<()> {
    let (status, answer) = field.worker.request("GET", "/connectors", None)?;
    ensure!(status == 200, "{status}: {answer}");
    Ok(())
}

fn no_offset_is_beyond(field: &Field) -> Result<()> {
    let path = "/connectors/kafka-offsets-beyond-the-end/offsets";
    let (status, answer) = field.worker.request("GET", path, None)?;
    ensure!(status == 200, "{status}: {answer}");
    ensure!(!answer.to_string().contains("9223372036854775807"), "{answer}");
    Ok(())
}
