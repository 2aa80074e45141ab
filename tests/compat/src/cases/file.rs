//! The file connectors. Follows `FileStreamSourceConnectorIntegrationTest`, `FileStreamSinkConnectorIntegrationTest` and the system tests of the pipe. Not here: transformations.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tombolo_harness::complete_lines;

use crate::case::Case;
use crate::scene::{Scene, changed, config};

const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const TEXT: &str = "org.apache.kafka.connect.storage.StringConverter";

/// Lines of a file, and records of a topic.
const LINES: usize = 5;

macro_rules! source {
    ($test:literal) => {
        concat!("FileStreamSourceConnectorIntegrationTest.", $test)
    };
}

macro_rules! sink {
    ($test:literal) => {
        concat!("FileStreamSinkConnectorIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new("file/lines_become_records", source!("testSimpleSource"), lines),
    Case::new(
        "file/a_source_resumes_where_it_was_stopped",
        source!("testStopResumeSavedOffset"),
        resumes,
    ),
    Case::new("file/a_source_goes_back_to_an_altered_offset", source!("testAlterOffsets"), altered),
    Case::new("file/a_source_begins_anew_after_a_reset", source!("testResetOffsets"), reset),
    Case::new("file/records_become_lines", sink!("testSimpleSink"), records),
    Case::new(
        "file/a_sink_goes_back_to_an_altered_offset",
        sink!("testAlterOffsets"),
        sink_altered,
    ),
    Case::new("file/a_sink_begins_anew_after_a_reset", sink!("testResetOffsets"), sink_reset),
    Case::new(
        "file/two_tasks_write_two_topics_into_one_file",
        sink!("testSinkMultipleTopicsWithMultipleTasks"),
        two_tasks,
    ),
    Case::new(
        "file/a_pipe_of_json_with_schemas",
        "connect_test.test_file_source_and_sink",
        |scene| {
            pipe(scene, &json!({"key.converter": JSON, "value.converter": JSON}), json_with_schema)
        },
    ),
    Case::new(
        "file/a_pipe_of_json_without_schemas",
        "connect_test.test_file_source_and_sink",
        |scene| {
            let converters = json!({
                "key.converter": JSON, "value.converter": JSON,
                "key.converter.schemas.enable": false, "value.converter.schemas.enable": false,
            });
            pipe(scene, &converters, |line| format!("\"{line}\""))
        },
    ),
    Case::new("file/a_pipe_of_text", "connect_test.test_file_source_and_sink", |scene| {
        pipe(scene, &json!({"key.converter": TEXT, "value.converter": TEXT}), str::to_owned)
    }),
    Case::new(
        "file/a_pipe_with_the_worker_s_converters",
        "connect_test.test_file_source_and_sink",
        |scene| pipe(scene, &json!({}), str::to_owned),
    ),
];

fn json_with_schema(line: &str) -> String {
    format!("{{\"schema\":{{\"type\":\"string\",\"optional\":false}},\"payload\":\"{line}\"}}")
}

fn append(file: &Path, lines: impl Iterator<Item = String>) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    let text: String = lines.map(|line| line + "\n").collect();
    Ok(file.write_all(text.as_bytes())?)
}

fn numbered(from: usize, to: usize) -> impl Iterator<Item = String> {
    (from..to).map(|number| format!("Line {number}"))
}

/// A source that has read five lines, and its topic.
fn source(scene: &Scene<'_>) -> Result<String> {
    let topic = scene.make_topic("t")?;
    let file = scene.file("lines.txt");
    append(&file, numbered(0, LINES))?;
    let connector = scene.connector();
    connector.put(&config(SOURCE, &json!({"file": file, "topic": topic})))?;
    connector.wait_until_running(1)?;
    expect_values(scene, &topic, &numbered(0, LINES).collect::<Vec<_>>())?;
    Ok(topic)
}

/// Waits for so many records, and expects these and no others.
fn expect_values(scene: &Scene<'_>, topic: &str, expected: &[String]) -> Result<()> {
    let records = scene.broker().read(topic, expected.len() as u64)?;
    let values: Vec<String> = records.into_iter().filter_map(|record| record.value).collect();
    ensure!(values == expected, "the topic has {values:?}, expected {expected:?}");
    Ok(())
}

/// Waits until the offset is stored: what is stopped before that repeats lines.
fn wait_for_position(scene: &Scene<'_>, position: usize) -> Result<()> {
    scene.connector().wait_for_offsets(&format!("the position is {position}"), |offsets| {
        offsets.first().is_some_and(|(_, offset)| offset["position"] == position)
    })
}

fn lines(scene: &Scene<'_>) -> Result<()> {
    source(scene)?;
    wait_for_position(scene, 35)
}

fn resumes(scene: &Scene<'_>) -> Result<()> {
    let topic = source(scene)?;
    let connector = scene.connector();
    connector.stop_and_wait()?;
    append(&scene.file("lines.txt"), numbered(LINES, 2 * LINES))?;
    connector.resume()?;
    connector.wait_until_running(1)?;
    let all: Vec<String> = numbered(0, 2 * LINES).collect();
    expect_values(scene, &topic, &all)?;
    wait_for_position(scene, 70)?;
    expect_values(scene, &topic, &all)
}

fn altered(scene: &Scene<'_>) -> Result<()> {
    let topic = source(scene)?;
    let connector = scene.connector();
    connector.stop_and_wait()?;
    let offsets = json!({"offsets": [
        {"partition": {"filename": scene.file("lines.txt")}, "offset": {"position": 28}}]});
    connector.ask("PATCH", "/offsets", Some(&offsets))?.expect(200)?;
    connector.resume()?;
    connector.wait_until_running(1)?;
    let all: Vec<String> = numbered(0, LINES).chain(numbered(LINES - 1, LINES)).collect();
    expect_values(scene, &topic, &all)?;
    wait_for_position(scene, 35)
}

fn reset(scene: &Scene<'_>) -> Result<()> {
    let topic = source(scene)?;
    let connector = scene.connector();
    connector.stop_and_wait()?;
    connector.ask("DELETE", "/offsets", None)?.expect(200)?;
    connector.resume()?;
    connector.wait_until_running(1)?;
    let all: Vec<String> = numbered(0, LINES).chain(numbered(0, LINES)).collect();
    expect_values(scene, &topic, &all)?;
    wait_for_position(scene, 35)?;
    expect_values(scene, &topic, &all)
}

fn messages(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| format!("Message {number}")).collect()
}

fn fill(scene: &Scene<'_>, word: &str) -> Result<String> {
    let topic = scene.make_topic(word)?;
    scene.broker().produce_values(&topic, messages(0, LINES).iter().map(String::as_str))?;
    Ok(topic)
}

/// Waits until a file has at least so many lines, and expects these and no others; in any order, if they are sorted.
fn expect_lines(scene: &Scene<'_>, expected: &[String]) -> Result<()> {
    let file = scene.file("out.txt");
    let there = || complete_lines(&file).len() >= expected.len();
    scene.wait("lines arrive", there).with_context(|| format!("{:?}", complete_lines(&file)))?;
    let mut lines = complete_lines(&file);
    if expected.is_sorted() {
        lines.sort();
    }
    ensure!(lines == expected, "the file has {lines:?}, expected {expected:?}");
    Ok(())
}

/// A sink that has written five records and committed them.
fn sink(scene: &Scene<'_>) -> Result<()> {
    let topic = fill(scene, "t")?;
    let connector = scene.connector();
    connector.put(&config(SINK, &json!({"file": scene.file("out.txt"), "topics": topic})))?;
    connector.wait_until_running(1)?;
    expect_lines(scene, &messages(0, LINES))
}

fn records(scene: &Scene<'_>) -> Result<()> {
    sink(scene)?;
    scene.connector().wait_for_offsets("all are committed", |offsets| {
        offsets.first().is_some_and(|(_, offset)| offset["kafka_offset"] == LINES)
    })
}

/// Changes offsets of a stopped sink, in place of `change`, and resumes it.
fn changed_offsets(scene: &Scene<'_>, offsets: Option<&Value>) -> Result<()> {
    let connector = scene.connector();
    connector.stop_and_wait()?;
    super::offsets::change(&connector, scene, offsets)?;
    connector.resume()?;
    connector.wait_until_running(1)
}

fn sink_altered(scene: &Scene<'_>) -> Result<()> {
    sink(scene)?;
    let partition = json!({"kafka_topic": scene.topic("t"), "kafka_partition": 0});
    let offsets = json!({"offsets": [{"partition": partition, "offset": {"kafka_offset": 4}}]});
    changed_offsets(scene, Some(&offsets))?;
    let mut expected = messages(0, LINES);
    expected.extend(messages(LINES - 1, LINES));
    expect_lines(scene, &expected)
}

fn sink_reset(scene: &Scene<'_>) -> Result<()> {
    sink(scene)?;
    changed_offsets(scene, None)?;
    let mut expected = messages(0, LINES);
    expected.extend(messages(0, LINES));
    expect_lines(scene, &expected)
}

fn two_tasks(scene: &Scene<'_>) -> Result<()> {
    let (one, two) = (fill(scene, "t")?, fill(scene, "t2")?);
    let connector = scene.connector();
    connector.put(&config(
        SINK,
        &json!({"file": scene.file("out.txt"), "topics": format!("{one},{two}"), "tasks.max": "2"}),
    ))?;
    connector.wait_until_running(2)?;
    let mut expected = [messages(0, LINES), messages(0, LINES)].concat();
    expected.sort();
    expect_lines(scene, &expected)
}

/// From a file through a topic into a file, and on after a restart of both.
fn pipe(scene: &Scene<'_>, converters: &Value, record: fn(&str) -> String) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let file = scene.file("lines.txt");
    append(&file, numbered(0, 3))?;
    let (from, to) = (scene.connector_named("from"), scene.connector_named("to"));
    from.put(&changed(&config(SOURCE, &json!({"file": file, "topic": topic})), converters))?;
    let out = scene.file("out.txt");
    to.put(&changed(&config(SINK, &json!({"file": out, "topics": topic})), converters))?;
    expect_lines(scene, &numbered(0, 3).collect::<Vec<_>>())?;
    let expected: Vec<String> = numbered(0, 3).map(|line| record(&line)).collect();
    expect_values(scene, &topic, &expected)?;
    from.wait_for_offsets("the position is stored", |offsets| {
        offsets.first().is_some_and(|(_, offset)| offset["position"] == 21)
    })?;
    to.wait_for_offsets("all are committed", |offsets| {
        offsets.first().is_some_and(|(_, offset)| offset["kafka_offset"] == 3)
    })?;
    for connector in [&from, &to] {
        connector.ask("POST", "/restart?includeTasks=true", None)?.expect(202)?;
        connector.wait_until_running(1)?;
    }
    append(&file, numbered(3, 6))?;
    expect_lines(scene, &numbered(0, 6).collect::<Vec<_>>())?;
    let expected: Vec<String> = numbered(0, 6).map(|line| record(&line)).collect();
    expect_values(scene, &topic, &expected)
}
