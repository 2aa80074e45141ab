//! The last log lines of one connector are read over the API: its own, its tasks' and its plugins', with where they come from as fields.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, wait_for};

/// Longest wait for a line.
const SOON: Duration = Duration::from_secs(60);

fn lines(worker: &Worker, path: &str) -> Vec<Value> {
    let (status, body) = worker.request("GET", path, None).unwrap();
    assert_eq!(status, 200, "{body}");
    body["lines"].as_array().unwrap().clone()
}

/// The first line of a connector that says this, once it is there.
fn line(worker: &Worker, connector: &str, text: &str) -> Value {
    let path = format!("/connectors/{connector}/logs");
    let find = || {
        let said = |line: &Value| line["message"].as_str().unwrap().contains(text);
        lines(worker, &path).into_iter().find(said)
    };
    wait_for(|| find().is_some(), &format!("{connector} logs {text}"), SOON)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
    find().unwrap()
}

#[test]
fn a_line_says_which_connector_task_stage_and_record_it_is_about() {
    let worker =
        Worker::start(env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap(), &[]).unwrap();
    let (from, to) = (worker.files().join("from.txt"), worker.files().join("to.txt"));
    std::fs::write(&from, "1\nno json\n3\n").unwrap();
    let topic = "logged-lines";
    let source = json!({
        "connector.class": "FileStreamSource",
        "file": from,
        "topic": topic,
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": "1",
    });
    worker.create("source", &source).unwrap();
    let sink = json!({
        "connector.class": "FileStreamSink",
        "file": to,
        "topics": topic,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "errors.tolerance": "all",
        "errors.log.enable": "true",
        "errors.log.include.messages": "true",
        "error.tolerance": "all",
    });
    worker.create("sink", &sink).unwrap();
    let unknown = line(&worker, "sink", "unless the connector reads them: error.tolerance");
    assert_eq!(unknown["level"], "WARN");
    let found = line(&worker, "sink", "Error encountered in task sink-0.");
    assert_eq!(found["level"], "ERROR");
    assert_eq!(found["logger"], "tombolo_worker::error_report");
    let fields = found["fields"].as_object().unwrap();
    for (name, value) in [
        ("task", "0"),
        ("stage", "VALUE_CONVERTER"),
        ("topic", topic),
        ("partition", "0"),
        ("offset", "1"),
    ] {
        assert_eq!(fields[name], value, "{found}");
    }
    let text = format!("stage=VALUE_CONVERTER topic={topic} partition=0 offset=1");
    assert!(worker.log().contains(&text), "{}", worker.log());
    // What a source's task says of its topic has the task only from around it.
    let found = line(&worker, "source", "for the first time. Checking whether topic exists");
    assert_eq!(found["fields"], json!({"topic": topic, "task": "0"}));

    let all = lines(&worker, "/connectors/sink/logs?lines=1000");
    let last = lines(&worker, "/connectors/sink/logs?lines=1");
    assert!(last.len() == 1 && all.contains(&last[0]), "{last:?}");
    for (path, status) in [("sink/logs?lines=0", 400), ("none/logs", 404)] {
        let (found, body) = worker.request("GET", &format!("/connectors/{path}"), None).unwrap();
        assert_eq!(found, status, "{path}: {body}");
    }
    worker.request("DELETE", "/connectors/sink", None).unwrap();
    assert_eq!(worker.request("GET", "/connectors/sink/logs", None).unwrap().0, 404);
}

#[test]
fn a_sources_bad_record_is_printed_where_that_is_asked_for() {
    let worker =
        Worker::start(env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap(), &[]).unwrap();
    let from = worker.files().join("numbers.txt");
    std::fs::write(&from, "1\nno number\n").unwrap();
    let source = json!({
        "connector.class": "FileStreamSource",
        "file": from,
        "topic": "logged-numbers",
        "transforms": "number",
        "transforms.number.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.number.spec": "int32",
        "errors.tolerance": "all",
        "errors.log.enable": "true",
        "errors.log.include.messages": "true",
    });
    worker.create("numbers", &source).unwrap();
    let found = line(&worker, "numbers", "Error encountered in task numbers-0.");
    let message = found["message"].as_str().unwrap();
    let place = json!({ "filename": from });
    for part in [
        format!(", where source record is = SourceRecord{{sourcePartition={place}, "),
        "sourceOffset={\"position\":12}} ConnectRecord{topic='logged-numbers', kafkaPartition=null, ".to_owned(),
        "key=null, value={\"schema\":{\"type\":\"string\",\"optional\":false},\"payload\":\"no number\"}, ".to_owned(),
    ] {
        assert!(message.contains(&part), "{part} is not in {message}");
    }
}

#[test]
fn lines_of_plugins_are_among_them() {
    let worker =
        Worker::start(env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap(), &[]).unwrap();
    let (status, uploaded) = worker.upload(tombolo_guests::ASKS).unwrap();
    assert_eq!(status, 201, "{uploaded}");
    worker.create("asks", &json!({"connector.class": "guest.AsksSource"})).unwrap();
    let is_the_tasks = |line: &Value| {
        line["message"] == "started\\nwith a second line"
            && line["logger"] == "plugin"
            && line["fields"]["task"] == "0"
    };
    let is_there = || lines(&worker, "/connectors/asks/logs").iter().any(is_the_tasks);
    wait_for(is_there, "the plugin's line is there, as one line", SOON)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
    line(&worker, "asks", "on standard output");
}
