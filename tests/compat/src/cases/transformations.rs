//! Transformations and predicates on the way. Follows `TransformationIntegrationTest` and the system test of transformations. Not here: each transformation's own rules.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::broker::Record;
use crate::case::Case;
use crate::events::rows;
use crate::kit;
use crate::scene::{Scene, config, errors_of};

/// Records in each topic.
const RECORDS: usize = 300;

macro_rules! from {
    ($test:literal) => {
        concat!("TransformationIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new(
        "transformations/a_filter_by_topic_drops_what_it_matches",
        from!("testFilterOnTopicNameWithSinkConnector"),
        by_topic,
    ),
    Case::new(
        "transformations/a_filter_drops_tombstones",
        from!("testFilterOnTombstonesWithSinkConnector"),
        tombstones,
    ),
    Case::new(
        "transformations/a_negated_filter_keeps_what_has_a_header",
        from!("testFilterOnHasHeaderKeyWithSourceConnectorAndTopicCreation"),
        by_header,
    ),
    Case::new(
        "transformations/a_line_is_hoisted_and_gets_a_topic",
        "connect_distributed_test.test_transformations",
        hoisted,
    ),
];

fn records(count: usize, is_tombstone: impl Fn(usize) -> bool) -> Vec<Record> {
    let record = |number: usize| Record {
        partition: i32::try_from(number % 3).unwrap_or_default(),
        key: Some("key".to_owned()),
        value: (!is_tombstone(number)).then(|| format!("simple-message-value-{number}")),
        headers: Vec::new(),
    };
    (0..count).map(record).collect()
}

/// Waits until so many rows of a topic have arrived and everything is committed, and expects no others.
fn expect_rows(scene: &Scene<'_>, topic: &str, count: usize, committed: usize) -> Result<()> {
    let connector = scene.connector();
    connector.wait_for_events("rows arrive", |events| rows(events).len() >= count)?;
    connector.wait_for_offsets("all are committed", |offsets| {
        offsets.iter().filter_map(|(_, offset)| offset["kafka_offset"].as_u64()).sum::<u64>()
            == committed as u64
    })?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows(&connector.events()) {
        *counts.entry(row.topic).or_default() += 1;
    }
    ensure!(counts == BTreeMap::from([(topic.to_owned(), count)]), "it got {counts:?}");
    Ok(())
}

fn by_topic(scene: &Scene<'_>) -> Result<()> {
    let (busy, idle) = (scene.make_topic_of("foo", 3)?, scene.make_topic_of("bar", 3)?);
    let connector = scene.connector();
    connector.put(&config(
        kit::SINK,
        &json!({
            "topics": format!("{busy},{idle}"),
            "transforms": "filter", "transforms.filter.type": "Filter",
            "transforms.filter.predicate": "barPredicate",
            "predicates": "barPredicate", "predicates.barPredicate.type": "TopicNameMatches",
            "predicates.barPredicate.pattern": ".*-bar",
        }),
    ))?;
    connector.wait_until_running(1)?;
    scene.broker().produce_all(&idle, &records(RECORDS, |_| false))?;
    scene.broker().produce_all(&busy, &records(RECORDS, |_| false))?;
    expect_rows(scene, &busy, RECORDS, 2 * RECORDS)
}

fn tombstones(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic_of("foo", 3)?;
    let connector = scene.connector();
    connector.put(&config(
        kit::SINK,
        &json!({
            "topics": topic,
            "transforms": "filter", "transforms.filter.type": "Filter",
            "transforms.filter.predicate": "tombstone",
            "predicates": "tombstone", "predicates.tombstone.type": "RecordIsTombstone",
        }),
    ))?;
    connector.wait_until_running(1)?;
    scene.broker().produce_all(&topic, &records(RECORDS, |number| number % 2 == 1))?;
    expect_rows(scene, &topic, RECORDS / 2, RECORDS)
}

fn by_header(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.topic("t");
    let connector = scene.connector();
    let source = config(
        kit::SOURCE,
        &json!({
            "name": connector.name(), "topic": topic, "throughput": "500", "max.messages": "200",
            "transforms": "filter", "transforms.filter.type": "Filter",
            "transforms.filter.predicate": "headerPredicate", "transforms.filter.negate": "true",
            "predicates": "headerPredicate", "predicates.headerPredicate.type": "HasHeaderKey",
            "predicates.headerPredicate.name": "header-8",
            "topic.creation.default.replication.factor": "-1",
            "topic.creation.default.partitions": "3",
        }),
    );
    let (count, errors) = errors_of(&scene.validate(kit::SOURCE, &source)?);
    ensure!(count == 0, "validation found {errors:?}");
    connector.put(&source)?;
    connector.wait_until_running(1)?;
    connector.wait_for_events("the source is at its end", |events| {
        events.iter().any(|event| event.what == "end")
    })?;
    let records = scene.broker().read(&topic, 1)?;
    let kept: Vec<_> = records.iter().map(|record| record.header("header-8")).collect();
    ensure!(kept == [Some("8")], "the records' headers are {kept:?}");
    scene.broker().expect_topic(&topic, 3)
}

fn hoisted(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let file = scene.file("lines.txt");
    std::fs::write(&file, "foo\nbar\nbaz\n")?;
    let connector = scene.connector();
    connector.put(&config(
        "org.apache.kafka.connect.file.FileStreamSourceConnector",
        &json!({
            "file": file, "topic": topic,
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": true,
            "transforms": "hoistToStruct,insertTimestampField",
            "transforms.hoistToStruct.type": "org.apache.kafka.connect.transforms.HoistField$Value",
            "transforms.hoistToStruct.field": "content",
            "transforms.insertTimestampField.type": "org.apache.kafka.connect.transforms.InsertField$Value",
            "transforms.insertTimestampField.timestamp.field": "ts",
            "topic.creation.default.replication.factor": 1, "topic.creation.default.partitions": 1,
        }),
    ))?;
    let records = scene.broker().read(&topic, 3)?;
    for (record, line) in records.iter().zip(["foo", "bar", "baz"]) {
        let value: Value = serde_json::from_str(record.value.as_deref().unwrap_or_default())?;
        let mut payload = value["payload"].clone();
        let time = payload["ts"].as_i64().unwrap_or_default();
        ensure!(time > 0, "the time is {}", payload["ts"]);
        payload["ts"] = json!(0);
        ensure!(payload == json!({"content": line, "ts": 0}), "the payload is {payload}");
        let schema = json!({"type": "struct", "optional": false, "fields": [
            {"type": "string", "optional": false, "field": "content"},
            {"type": "int64", "optional": true, "name": "org.apache.kafka.connect.data.Timestamp", "version": 1, "field": "ts"},
        ]});
        ensure!(value["schema"] == schema, "the schema is {}", value["schema"]);
    }
    Ok(())
}
