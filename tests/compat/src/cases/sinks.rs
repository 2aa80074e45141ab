//! What sinks are given: partitions, records, commits. Follows `SinkConnectorsIntegrationTest` and `ExampleConnectIntegrationTest`. Not here: faults (`errors`).

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::broker::Record;
use crate::case::Case;
use crate::connector::Connector;
use crate::events::{Event, count, held, rows, times};
use crate::kit;
use crate::scene::{Scene, config, errors_of, fill};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "sinks/eager_assignment_takes_all_partitions_away_and_gives_them_back",
        "SinkConnectorsIntegrationTest.testEagerConsumerPartitionAssignment",
        |scene| assignment(scene, "org.apache.kafka.clients.consumer.RoundRobinAssignor", true),
    ),
    Case::new(
        "sinks/cooperative_assignment_touches_only_what_changes",
        "SinkConnectorsIntegrationTest.testCooperativeConsumerPartitionAssignment",
        |scene| {
            assignment(scene, "org.apache.kafka.clients.consumer.CooperativeStickyAssignor", false)
        },
    ),
    Case::new(
        "sinks/each_task_gets_a_partition_and_all_records_arrive",
        "ExampleConnectIntegrationTest.testSinkConnector",
        example,
    ),
    Case::new(
        "sinks/a_pattern_names_topics_that_come_later",
        "SinkConnectorConfig.topics.regex",
        pattern,
    ),
    Case::new(
        "sinks/a_last_commit_comes_before_partitions_are_closed",
        "WorkerSinkTask.closeAllPartitions",
        last_commit,
    ),
    Case::new(
        "sinks/a_pause_keeps_the_partitions",
        "connect_distributed_test.test_pause_and_resume_sink",
        pause,
    ),
    Case::new(
        "sinks/a_put_that_fails_fails_the_task_and_commits_nothing",
        "connect_distributed_test.test_restart_failed_task",
        failing_put,
    ),
];

fn values(events: &[Event]) -> BTreeSet<String> {
    rows(events).into_iter().map(|row| row.value).collect()
}

/// Waits until exactly these values have arrived, none twice.
fn wait_for_values(connector: &Connector<'_>, expected: &BTreeSet<String>) -> Result<Vec<Event>> {
    let events = connector
        .wait_for_events(&format!("{expected:?} arrive"), |events| values(events) == *expected)?;
    let got = rows(&events).len();
    ensure!(got == expected.len(), "{got} records arrived, some of them twice");
    Ok(events)
}

/// How often a partition was opened, closed and asked about by a commit before a close.
fn history(events: &[Event], topic: &str) -> (usize, usize) {
    let partition = format!("{topic}-0");
    (times(events, "open", &partition), times(events, "close", &partition))
}

/// Topics come and go beside each other; with an eager assignor all partitions are closed and opened each time.
fn assignment(scene: &Scene<'_>, assignor: &str, is_eager: bool) -> Result<()> {
    let topics = ["topic1", "topic2", "topic3"].map(|word| scene.topic(word));
    let connector = scene.connector();
    let sink = json!({
        "topics": topics.join(","),
        "consumer.override.partition.assignment.strategy": assignor,
        // New and lost topics are noticed soon; a commit for a lost one fails soon.
        "consumer.override.metadata.max.age.ms": "1000",
        "consumer.override.default.api.timeout.ms": "5000",
    });
    connector.put(&config(kit::SINK, &sink))?;
    connector.wait_until_running(1)?;
    let task = connector.task(0);
    ensure!(held(&connector.events(), &task).is_empty(), "no topic is there yet");

    let mut expected = BTreeSet::new();
    for (number, topic) in topics.iter().enumerate() {
        scene.broker().create(topic, 1)?;
        // Every topic that is there gets a record, so that all of them are seen to be read.
        for (other, topic) in topics.iter().enumerate().take(number + 1) {
            let value = format!("{other}-{number}");
            scene.broker().produce_values(topic, [value.as_str()])?;
            expected.insert(value);
        }
        let events = wait_for_values(&connector, &expected)?;
        for (other, topic) in topics.iter().enumerate().take(number + 1) {
            let rebalances = number - other;
            let expected = if is_eager { (rebalances + 1, rebalances) } else { (1, 0) };
            let found = history(&events, topic);
            ensure!(found == expected, "{topic} was opened and closed {found:?}, not {expected:?}");
        }
    }
    scene.broker().delete(&topics[0])?;
    let kept: Vec<String> = topics.iter().skip(1).map(|topic| format!("{topic}-0")).collect();
    connector.wait_for_events("the deleted topic is closed", |events| {
        history(events, &topics[0]).1 > 0 && held(events, &task) == kept
    })?;
    for topic in topics.iter().skip(1) {
        scene.broker().produce_values(topic, [topic.as_str()])?;
        expected.insert(topic.clone());
    }
    let events = wait_for_values(&connector, &expected)?;
    let opened = if is_eager { [(3, 3), (3, 2), (2, 1)] } else { [(1, 1), (1, 0), (1, 0)] };
    for (topic, expected) in topics.iter().zip(opened) {
        let found = history(&events, topic);
        ensure!(found == expected, "{topic} was opened and closed {found:?}, not {expected:?}");
    }
    Ok(())
}

fn example(scene: &Scene<'_>) -> Result<()> {
    const TASKS: usize = 3;
    const RECORDS: usize = 2_000;
    let topic = scene.make_topic_of("t", TASKS)?;
    let connector = scene.connector();
    let mut sink = config(kit::SINK, &json!({"topics": topic, "tasks.max": TASKS.to_string()}));
    // The name is missing.
    let (count, _) = errors_of(&scene.validate(kit::SINK, &sink)?);
    ensure!(count == 1, "validation without a name found {count} errors");
    sink["name"] = json!(connector.name());
    let (count, errors) = errors_of(&scene.validate(kit::SINK, &sink)?);
    ensure!(count == 0, "validation found {errors:?}");
    connector.put(&sink)?;
    connector.wait_for_events("each task has a partition", |events| {
        (0..TASKS).all(|task| held(events, &connector.task(task)).len() == 1)
    })?;
    let records: Vec<Record> = (0..RECORDS)
        .map(|number| Record {
            partition: i32::try_from(number % TASKS).unwrap_or_default(),
            key: Some("key".to_owned()),
            value: Some(format!("simple-message-value-{number}")),
            headers: Vec::new(),
        })
        .collect();
    scene.broker().produce_all(&topic, &records)?;
    let events = connector.wait_for_events("all arrive", |events| rows(events).len() >= RECORDS)?;
    ensure!(values(&events).len() == RECORDS, "some arrived twice");
    connector.wait_for_offsets("all are committed", |offsets| {
        offsets.iter().filter_map(|(_, offset)| offset["kafka_offset"].as_u64()).sum::<u64>()
            == RECORDS as u64
    })
}

fn pattern(scene: &Scene<'_>) -> Result<()> {
    let first = scene.fill_topic("p1", 1, 3)?;
    let connector = scene.connector();
    let sink = json!({
        "topics.regex": format!("{}-p[0-9]", scene.name()),
        "consumer.override.metadata.max.age.ms": "1000",
    });
    connector.put(&config(kit::SINK, &sink))?;
    connector.wait_for_topics(&[&first])?;
    let second = scene.fill_topic("p2", 1, 3)?;
    scene.fill_topic("q1", 1, 3)?;
    connector.wait_for_topics(&[&first, &second])?;
    let task: Vec<Value> = connector.task_configs()?;
    let pattern = &task.first().map(|task| task["config"]["topics.regex"].clone());
    ensure!(pattern.as_ref().is_some_and(Value::is_string), "its task's pattern is {pattern:?}");
    Ok(())
}

fn last_commit(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.fill_topic("t", 1, 5)?;
    let connector = scene.connector();
    connector.put(&config(kit::SINK, &json!({ "topics": topic })))?;
    connector.wait_for_events("all arrive", |events| rows(events).len() == 5)?;
    connector.stop_and_wait()?;
    let events = connector.wait_for_events("the task has stopped", |events| {
        count(events, "stop").contains_key(&connector.task(0))
    })?;
    let last: Vec<(&str, &[String])> = events
        .iter()
        .filter(|event| event.who == connector.task(0))
        .map(|event| (event.what.as_str(), event.details.as_slice()))
        .rev()
        .take(3)
        .collect();
    let (committed, closed) = ([format!("{topic}-0=5")], [format!("{topic}-0")]);
    let expected: [(&str, &[String]); 3] =
        [("stop", &[]), ("close", &closed), ("commit", &committed)];
    ensure!(last == expected, "it ends with {last:?}, from the last");
    Ok(())
}

fn pause(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.fill_topic("t", 1, 5)?;
    let connector = scene.connector();
    connector.put(&config(kit::SINK, &json!({ "topics": topic })))?;
    connector.wait_for_events("all arrive", |events| rows(events).len() == 5)?;
    connector.pause()?;
    connector.wait_for("PAUSED", &["PAUSED"])?;
    fill(scene.broker(), &topic, 1, 5)?;
    // A second sink gets them meanwhile: time enough for the first.
    let other = scene.connector_named("other");
    other.put(&config(kit::SINK, &json!({ "topics": topic })))?;
    other.wait_for_events("all arrive elsewhere", |events| rows(events).len() == 10)?;
    let got = rows(&connector.events()).len();
    ensure!(got == 5, "{got} records arrived in a paused sink");
    connector.resume()?;
    let events =
        connector.wait_for_events("the others arrive", |events| rows(events).len() >= 10)?;
    ensure!(rows(&events).len() == 10, "some arrived twice");
    let found = history(&events, &topic);
    ensure!(found == (1, 0), "a pause opened and closed {found:?}");
    ensure!(count(&events, "start")[&connector.task(0)] == 1, "a pause restarts no task");
    Ok(())
}

fn failing_put(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.fill_topic("t", 1, 5)?;
    let connector = scene.connector();
    let fails = json!({"topics": topic, "task.put.inject.error": "true"});
    connector.put(&config(kit::SINK, &fails))?;
    connector.wait_for("RUNNING", &["FAILED"])?;
    let offsets = connector.offsets()?;
    ensure!(offsets.is_empty(), "it committed {offsets:?}");
    connector.ask("POST", "/tasks/0/restart", None)?.expect(204)?;
    connector.wait_for_events("the task starts again", |events| {
        count(events, "start").get(&connector.task(0)) == Some(&2)
    })?;
    connector.wait_for("RUNNING", &["FAILED"])?;
    connector.put(&config(kit::SINK, &json!({ "topics": topic })))?;
    connector.wait_for_events("all arrive", |events| rows(events).len() == 5).map(drop)
}
