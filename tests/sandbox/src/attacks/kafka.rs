//! Attacks on records, offsets and topics. Not here: what the guest does.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::attack::{Attack, Class::Kafka, Ends, course, sink, source};
use crate::field::{Field, NEIGHBOUR_TOPIC};

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
    writes!("the topic of components' bytes", "{config}-plugins-chunks", "k", "v"),
    writes!("the topic of secrets", "{config}-secrets", "k", "v"),
    course(Kafka, "dead letters in the worker's topics", dead_letters),
    course(Kafka, "offsets in the worker's topics", offsets),
    course(Kafka, "secrets as records", secrets),
    sink(Kafka, "requests about strange partitions", &[], Ends::Harmless(list_is_answered)),
    sink(Kafka, "faults without end", &[], Ends::Failed(&["Tolerance exceeded"])),
    sink(Kafka, "offsets beyond the end", &[], Ends::Harmless(no_offset_is_beyond)),
    sink(Kafka, "offsets of others", &[], Ends::Harmless(list_is_answered)),
];

/// A sink whose bad rows would be records of the worker's own, byte for byte, and a source.
fn dead_letters(field: &Field) -> Result<()> {
    let setting = "errors.deadletterqueue.topic.name";
    for topic in own_topics(field) {
        for (class, records) in [(SINK, "topics"), (SOURCE, "topic")] {
            let settings = json!({
                "connector.class": class,
                records: NEIGHBOUR_TOPIC,
                "errors.tolerance": "all",
                "errors.deadletterqueue.topic.replication.factor": "1",
                setting: topic,
            });
            is_refused(field, &settings, setting, &topic)?;
        }
    }
    Ok(())
}

/// A source that would keep its offsets among the worker's records; the worker's own topic for offsets is where they are kept anyway.
fn offsets(field: &Field) -> Result<()> {
    let setting = "offsets.storage.topic";
    for topic in own_topics(field).iter().filter(|topic| **topic != field.offset_topic()) {
        let settings = json!({"connector.class": SOURCE, "attack": "writes", setting: topic});
        is_refused(field, &settings, setting, topic)?;
    }
    Ok(())
}

fn secrets(field: &Field) -> Result<()> {
    let topic = format!("{}-secrets", field.config_topic());
    let settings = json!({"connector.class": SINK, "topics": topic});
    is_refused(field, &settings, "topics", &topic)
}

const SOURCE: &str = "guest.Attacks0000Source";
const SINK: &str = "guest.Attacks0000Sink";

/// All topics that the worker keeps its own state in.
fn own_topics(field: &Field) -> [String; 6] {
    let config = field.config_topic();
    let beside = ["-plugins", "-plugins-chunks", "-secrets"];
    let [plugins, chunks, secrets] = beside.map(|suffix| format!("{config}{suffix}"));
    [config, field.status_topic(), field.offset_topic(), plugins, chunks, secrets]
}

/// The connector is not created, and the answer names the setting and its value.
fn is_refused(field: &Field, settings: &Value, setting: &str, topic: &str) -> Result<()> {
    let body = json!({"name": "kafka-own-topics", "config": settings});
    let (status, answer) = field.worker.request("POST", "/connectors", Some(&body))?;
    let message = answer.get("message").and_then(Value::as_str).unwrap_or_default();
    let expected = format!("Invalid value {topic} for configuration {setting}: it is");
    ensure!(status == 400 && message.contains(&expected), "{status}: {answer}");
    Ok(())
}

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
