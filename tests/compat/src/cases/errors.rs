//! Records that cannot be processed: tolerated, tried again, or sent to a dead letter queue. Follows `ErrorHandlingIntegrationTest` and the system test of the queue.
//!
//! Not here: what only Tombolo does about them.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::broker::Record;
use crate::case::Case;
use crate::events::rows;
use crate::kit;
use crate::scene::{Scene, changed, config};

/// Records in the topic.
const RECORDS: usize = 200;

/// The exception that JSON's converter throws.
const DATA_EXCEPTION: &str = "org.apache.kafka.connect.errors.DataException";

pub(super) const CASES: &[Case] = &[
    Case::new(
        "errors/a_record_that_stays_bad_goes_to_the_queue_with_its_context",
        "ErrorHandlingIntegrationTest.testSkipRetryAndDLQWithHeaders",
        skip_and_retry,
    ),
    Case::new(
        "errors/records_that_a_sink_reports_go_to_the_queue",
        "ErrorHandlingIntegrationTest.testErrantRecordReporter",
        errant,
    ),
    Case::new(
        "errors/not_tolerated_fail_the_task",
        "connect_test.test_skip_and_log_to_dlq",
        not_tolerated,
    ),
    Case::new(
        "errors/tolerated_are_skipped_and_committed",
        "connect_test.test_skip_and_log_to_dlq",
        tolerated,
    ),
    Case::new(
        "errors/tolerated_go_to_the_queue_as_they_were",
        "connect_test.test_skip_and_log_to_dlq",
        queued,
    ),
    Case::new(
        "errors/without_context_the_queue_gets_no_headers_of_its_own",
        "DeadLetterQueueReporter",
        no_context,
    ),
    Case::new(
        "errors/the_queue_is_made_with_its_replication_factor",
        "DeadLetterQueueReporter.createAndSetup",
        queue_is_made,
    ),
];

fn queue(scene: &Scene<'_>) -> Value {
    json!({
        "errors.log.enable": "true", "errors.log.include.messages": "true",
        "errors.deadletterqueue.topic.name": scene.topic("dead"),
        "errors.deadletterqueue.context.headers.enable": "true",
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.tolerance": "all", "errors.retry.timeout": "1000",
    })
}

fn keyed(scene: &Scene<'_>, count: usize) -> Result<String> {
    let topic = scene.make_topic("t")?;
    let record = |number: usize| Record {
        key: Some(format!("key-{number}")),
        value: Some(format!("value-{number}")),
        ..Record::default()
    };
    scene.broker().produce_all(&topic, &(0..count).map(record).collect::<Vec<_>>())?;
    Ok(topic)
}

fn skip_and_retry(scene: &Scene<'_>) -> Result<()> {
    let topic = keyed(scene, RECORDS)?;
    let connector = scene.connector();
    let faulty = json!({
        "topics": topic, "transforms": "failing_transform",
        "transforms.failing_transform.type": "tombolo.kit.FaultyPassthrough",
    });
    connector.put(&changed(&config(kit::SINK, &faulty), &queue(scene)))?;
    connector.wait_until_running(1)?;
    let events = connector
        .wait_for_events("all but one arrive", |events| rows(events).len() >= RECORDS - 1)?;
    let values: Vec<String> = rows(&events).into_iter().map(|row| row.value).collect();
    ensure!(values.len() == RECORDS - 1, "{} arrived", values.len());
    ensure!(values.contains(&"value-4".to_owned()), "what succeeds when tried again is missing");
    ensure!(!values.contains(&"value-7".to_owned()), "what stays bad arrived");
    let dead = scene.broker().read(&scene.topic("dead"), 1)?;
    ensure!(dead.len() == 1, "{} records are dead", dead.len());
    let record = dead.first().context("there is one")?;
    ensure!(record.value.as_deref() == Some("value-7"), "{record:?}");
    expect_headers(
        record,
        &[
            ("topic", &topic),
            ("partition", "0"),
            ("offset", "7"),
            ("connector.name", connector.name()),
            ("task.id", "0"),
            ("stage", "TRANSFORMATION"),
            ("class.name", "tombolo.kit.FaultyPassthrough"),
            ("exception.class.name", "org.apache.kafka.connect.errors.RetriableException"),
            ("exception.message", "Error when value='value-7'"),
        ],
    )
}

/// The queue's headers of a record, which are in this order, and a trace.
fn expect_headers(record: &Record, expected: &[(&str, &str)]) -> Result<()> {
    let prefix = "__connect.errors.";
    let mut found: Vec<(&str, &str)> = record
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
        .collect();
    let trace = found.pop().context("there are headers")?;
    ensure!(found == expected, "the headers are {found:?}, expected {expected:?}");
    ensure!(trace.0 == "exception.stacktrace" && !trace.1.is_empty(), "the last is {trace:?}");
    Ok(())
}

fn errant(scene: &Scene<'_>) -> Result<()> {
    let topic = keyed(scene, RECORDS)?;
    let connector = scene.connector();
    let sink = config("ErrantRecordSinkConnector", &json!({ "topics": topic }));
    connector.put(&changed(&sink, &queue(scene)))?;
    connector.wait_until_running(1)?;
    connector.wait_for_events("all arrive", |events| rows(events).len() == RECORDS)?;
    let dead = scene.broker().read(&scene.topic("dead"), RECORDS as u64)?;
    let mut keys: Vec<_> = dead.iter().filter_map(|record| record.key.clone()).collect();
    keys.sort();
    keys.dedup();
    ensure!(keys.len() == RECORDS, "{} of {RECORDS} records are dead", keys.len());
    let stages: Vec<_> =
        dead.iter().filter_map(|one| one.header("__connect.errors.stage")).collect();
    ensure!(stages.iter().all(|stage| *stage == "TASK_PUT"), "the stages are {stages:?}");
    connector.wait_for("RUNNING", &["RUNNING"])
}

/// A sink of JSON, and a topic where every third record is none.
fn json_sink(scene: &Scene<'_>, more: &Value) -> Result<(String, Value)> {
    let topic = scene.make_topic("t")?;
    let record = |number: usize| Record {
        key: Some(format!("key-{number}")),
        value: Some(if number % 3 == 1 { "{some".to_owned() } else { number.to_string() }),
        headers: vec![("own".to_owned(), "header".to_owned())],
        ..Record::default()
    };
    scene.broker().produce_all(&topic, &(0..9).map(record).collect::<Vec<_>>())?;
    let json_converter = json!({
        "topics": topic, "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
    });
    Ok((topic, changed(&config(kit::SINK, &json_converter), more)))
}

fn wait_for_end(scene: &Scene<'_>) -> Result<()> {
    scene.connector().wait_for_offsets("all are committed", |offsets| {
        offsets.first().is_some_and(|(_, offset)| offset["kafka_offset"] == 9)
    })
}

fn not_tolerated(scene: &Scene<'_>) -> Result<()> {
    let (_, sink) = json_sink(scene, &json!({"errors.tolerance": "none"}))?;
    let connector = scene.connector();
    connector.put(&sink)?;
    connector.wait_for("RUNNING", &["FAILED"])?;
    let offsets = connector.offsets()?;
    ensure!(offsets.iter().all(|(_, offset)| offset["kafka_offset"] == 1), "{offsets:?}");
    Ok(())
}

fn tolerated(scene: &Scene<'_>) -> Result<()> {
    let (_, sink) = json_sink(scene, &json!({"errors.tolerance": "all"}))?;
    let connector = scene.connector();
    connector.put(&sink)?;
    let events = connector.wait_for_events("six arrive", |events| rows(events).len() >= 6)?;
    let offsets: Vec<i64> = rows(&events).iter().map(|row| row.offset).collect();
    ensure!(offsets == [0, 2, 3, 5, 6, 8], "those at {offsets:?} arrived");
    wait_for_end(scene)
}

fn queued(scene: &Scene<'_>) -> Result<()> {
    let (topic, sink) = json_sink(scene, &queue(scene))?;
    let connector = scene.connector();
    connector.put(&sink)?;
    wait_for_end(scene)?;
    let dead = scene.broker().read(&scene.topic("dead"), 3)?;
    ensure!(dead.len() == 3, "{} records are dead", dead.len());
    for (record, offset) in dead.iter().zip(["1", "4", "7"]) {
        ensure!(record.value.as_deref() == Some("{some"), "{record:?}");
        ensure!(record.key.as_deref() == Some(format!("key-{offset}").as_str()), "{record:?}");
        ensure!(record.header("own") == Some("header"), "{record:?}");
        let expected = [
            ("topic", topic.as_str()),
            ("partition", "0"),
            ("offset", offset),
            ("connector.name", connector.name()),
            ("task.id", "0"),
            ("stage", "VALUE_CONVERTER"),
            ("class.name", "org.apache.kafka.connect.json.JsonConverter"),
            ("exception.class.name", DATA_EXCEPTION),
        ];
        // The message is in the words of a JSON parser.
        let mut comparable = record.clone();
        comparable.headers.retain(|(name, _)| name != "__connect.errors.exception.message");
        expect_headers(&comparable, &expected)?;
        let message = record.header("__connect.errors.exception.message").unwrap_or_default();
        ensure!(!message.is_empty(), "there is no message");
    }
    Ok(())
}

fn no_context(scene: &Scene<'_>) -> Result<()> {
    let more = json!({"errors.deadletterqueue.context.headers.enable": "false"});
    let (_, sink) = json_sink(scene, &changed(&queue(scene), &more))?;
    scene.connector().put(&sink)?;
    wait_for_end(scene)?;
    let dead = scene.broker().read(&scene.topic("dead"), 3)?;
    let headers: Vec<_> = dead.iter().map(|record| record.headers.as_slice()).collect();
    let own = [("own".to_owned(), "header".to_owned())];
    ensure!(headers == [&own; 3], "the headers are {headers:?}");
    Ok(())
}

fn queue_is_made(scene: &Scene<'_>) -> Result<()> {
    // One broker cannot keep three copies.
    let three = json!({"errors.deadletterqueue.topic.replication.factor": "3"});
    let (_, sink) = json_sink(scene, &changed(&queue(scene), &three))?;
    let connector = scene.connector();
    connector.put(&sink)?;
    connector.wait_for("RUNNING", &["FAILED"])?;
    connector.put(&changed(&sink, &queue(scene)))?;
    connector.wait_until_running(1)?;
    scene.broker().expect_topic(&scene.topic("dead"), 1)
}
