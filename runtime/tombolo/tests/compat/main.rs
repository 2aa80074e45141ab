//! The same requests to a real Kafka Connect and to Tombolo: the answers are the same.
//!
//! Compared are status, `Content-Type`, `Location` and body, with the order of members where Kafka Connect fixes it. What differs
//! knowingly stands in [`KNOWN`] with its reason; a difference that is gone must be taken out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, which end by panicking"
)]

mod answer;
mod peer;
mod steps;

use peer::Peers;
use serde_json::json;
use steps::{Step, ask, wait};

/// Differences that we want, by the request: everything before ` -> ` in a transcript.
const KNOWN: &[(&str, &str)] = &[
    (
        "PUT /connector-plugins/FileStreamSource/config/validate {\"name\":\"wrong\"}",
        "Connect answers 500 here and 400 to the same configuration elsewhere: it is the client's mistake",
    ),
    (
        "GET /connector-plugins/StringConverter/config",
        "Connect requires converter.type, which only the worker can set",
    ),
    (
        "PUT /admin/loggers/org.apache.kafka.connect.runtime.WorkerSinkTask {\"level\":\"\"}",
        "Connect answers 500 here and 404 to every other level that is none: it is the client's mistake",
    ),
];

/// Plays steps on both and fails with every difference that is not known.
fn compare(steps: &[Step]) {
    let peers = Peers::shared();
    let (theirs, ours) = (peers.connect.play(steps), peers.tombolo.play(steps));
    let mut differences = Vec::new();
    for (theirs, ours) in theirs.iter().zip(&ours) {
        let request = theirs.split(" -> ").next().unwrap().trim_end();
        let is_known = KNOWN.iter().any(|(known, _)| *known == request);
        match (is_same(theirs, ours), is_known) {
            (true, true) => differences.push(format!("{request}: is known to differ and does not")),
            (false, false) => differences.push(format!("- {theirs}\n+ {ours}")),
            _ => {}
        }
    }
    assert!(differences.is_empty(), "{}\n{}", differences.join("\n"), peers.tombolo.log_end());
}

/// Kafka Connect does not say that an error of its HTTP server is JSON; it is, and we say so.
fn is_same(theirs: &str, ours: &str) -> bool {
    theirs == ours || theirs.replacen("[] [] {", "[application/json] [] {", 1) == ours
}

fn file_source(more: &[(&str, &str)]) -> serde_json::Value {
    let mut config = json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": "FILES/lines.txt", "topic": "TOPIC",
    });
    for (name, value) in more {
        config[*name] = json!(value);
    }
    config
}

#[test]
fn requests_that_find_nothing_are_answered_alike() {
    compare(&[
        ask("GET", "/connectors/none"),
        ask("GET", "/connectors/none/config"),
        ask("GET", "/connectors/none/tasks"),
        ask("GET", "/connectors/none/status"),
        ask("GET", "/connectors/none/tasks/0/status"),
        ask("GET", "/connectors/none/tasks/abc/status"),
        ask("GET", "/connectors/none/offsets"),
        ask("GET", "/connectors/none/topics"),
        ask("PUT", "/connectors/none/topics/reset"),
        ask("PUT", "/connectors/none/pause"),
        ask("PUT", "/connectors/none/resume"),
        ask("PUT", "/connectors/none/stop"),
        ask("POST", "/connectors/none/restart"),
        ask("POST", "/connectors/none/restart?includeTasks=true"),
        ask("POST", "/connectors/none/tasks/0/restart"),
        ask("DELETE", "/connectors/none"),
        ask("PATCH", "/connectors/none/config").json(json!({"a": "b"})),
        ask("PATCH", "/connectors/none/offsets").json(json!({"offsets": [
            {"partition": {"filename": "x"}, "offset": {"position": 1}}]})),
        ask("DELETE", "/connectors/none/offsets"),
        ask("GET", "/connector-plugins/none/config"),
        ask("GET", "/nothing"),
        ask("GET", "/connectors/none/nothing"),
        ask("GET", "/connectors/a%20b-%3E%C3%A9/status"),
    ]);
}

#[test]
fn wrong_methods_and_media_types_are_answered_alike() {
    compare(&[
        ask("DELETE", "/connectors"),
        ask("PUT", "/connectors").json(json!({})),
        ask("POST", "/connectors/none").json(json!({})),
        ask("GET", "/connectors/none/pause"),
        ask("GET", "/connectors").header("accept", "text/html"),
        ask("GET", "/connectors").header("accept", "*/*"),
        ask("GET", "/connectors").header("authorization", "Basic YTpi"),
        ask("POST", "/connectors").raw("text/plain", "{}"),
        ask("POST", "/connectors").raw("application/x-www-form-urlencoded", "a=b"),
        ask("PUT", "/connectors/none/pause").raw("application/x-www-form-urlencoded", ""),
        ask("PUT", "/connectors/none/pause").raw("application/json", "null"),
        ask("PUT", "/connectors/none/pause").raw("application/json", "\"\""),
        ask("PUT", "/connectors/none/pause").raw("application/json", "{\"a\":1}"),
    ]);
}

#[test]
fn bodies_that_are_not_right_are_answered_alike() {
    compare(&[
        ask("POST", "/connectors").raw("application/json", "{").status_only(),
        ask("POST", "/connectors").raw("application/json", "[]").status_only(),
        ask("POST", "/connectors").raw("application/json", "").status_only(),
        ask("POST", "/connectors").json(json!({"name": "x"})).status_only(),
        ask("POST", "/connectors").json(json!({"name": "x", "what": 1})).status_only(),
        ask("POST", "/connectors")
            .json(json!({"name": "x", "config": {}, "initial_state": "DANCING"}))
            .status_only(),
        ask("POST", "/connectors").json(json!({"name": "wrong", "config": {}})),
        ask("POST", "/connectors").json(json!({"name": "wrong", "config": {"name": "other"}})),
        ask("POST", "/connectors")
            .json(json!({"name": "wrong", "config": {"connector.class": "no.such.Class"}}))
            .status_only(),
        ask("POST", "/connectors").json(json!({"name": "", "config": file_source(&[])})),
        ask("POST", "/connectors")
            .json(json!({"name": "wrong", "config": file_source(&[("tasks.max", "many")])})),
        ask("POST", "/connectors")
            .json(json!({"name": "wrong", "config": file_source(&[("tasks.max", "0")])})),
        ask("PUT", "/connectors/wrong/config").raw("application/json", "{").status_only(),
        ask("PUT", "/connectors/wrong/config").json(json!({"a": {"b": 1}})).status_only(),
    ]);
}

#[test]
fn plugins_and_their_validation_are_answered_alike() {
    let sink = |more: serde_json::Value| {
        let mut config =
            json!({"connector.class": "FileStreamSink", "name": "x", "file": "FILES/out.txt"});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let validate = |class: &str, config| {
        ask("PUT", &format!("/connector-plugins/{class}/config/validate")).json(config)
    };
    compare(&[
        ask("GET", "/connector-plugins/FileStreamSource/config"),
        ask(
            "GET",
            "/connector-plugins/org.apache.kafka.connect.file.FileStreamSinkConnector/config",
        ),
        ask("GET", "/connector-plugins/StringConverter/config"),
        validate("FileStreamSource", file_source(&[("name", "x")])),
        validate("FileStreamSource", file_source(&[("tasks.max", "many")])),
        validate(
            "org.apache.kafka.connect.file.FileStreamSourceConnector",
            file_source(&[("name", "x")]),
        ),
        validate("FileStreamSink", sink(json!({}))),
        validate("FileStreamSink", sink(json!({"topics": "a", "topics.regex": "b"}))),
        validate(
            "FileStreamSink",
            sink(json!({
                "topics": "a", "unknown": "u",
            })),
        ),
        validate(
            "FileStreamSource",
            file_source(&[
                ("name", "x"),
                ("transforms", "hoist,missing"),
                ("transforms.hoist.type", "org.apache.kafka.connect.transforms.HoistField$Value"),
                ("errors.tolerance", "some"),
            ]),
        ),
        validate("Nope", json!({"connector.class": "no.such.Class"})).status_only(),
        validate("FileStreamSink", file_source(&[])),
        validate("FileStreamSource", json!({"name": "wrong"})),
    ]);
}

#[test]
fn the_life_of_a_connector_is_answered_alike() {
    let state =
        |state: &'static str| wait("/connectors/life/status", "/connector/state", json!(state));
    let task =
        |state: &'static str| wait("/connectors/life/status", "/tasks/0/state", json!(state));
    compare(&[
        ask("POST", "/connectors/").json(json!({"name": "life", "config": file_source(&[])})),
        task("RUNNING"),
        state("RUNNING"),
        ask("POST", "/connectors").json(json!({"name": "life", "config": file_source(&[])})),
        ask("GET", "/connectors/life"),
        ask("GET", "/connectors/life/"),
        ask("GET", "/connectors/life/config"),
        ask("GET", "/connectors/life/tasks"),
        ask("GET", "/connectors/life/status"),
        ask("GET", "/connectors/life/tasks/0/status"),
        ask("GET", "/connectors/life/tasks/7/status"),
        wait("/connectors/life/topics", "/life/topics/0", json!("TOPIC")),
        ask("GET", "/connectors/life/topics"),
        ask("PUT", "/connectors/life/topics/reset"),
        wait("/connectors/life/offsets", "/offsets/0/offset/position", json!(8)),
        ask("GET", "/connectors/life/offsets"),
        ask("DELETE", "/connectors/life/offsets"),
        ask("PUT", "/connectors/life/config")
            .json(file_source(&[("tasks.max", "2"), ("note", "é")])),
        task("RUNNING"),
        ask("PUT", "/connectors/life/config").json(json!({
            "connector.class": "FileStreamSource", "tasks.max": 1, "file": "FILES/lines.txt",
            "topic": "TOPIC", "errors.log.enable": true,
        })),
        ask("PATCH", "/connectors/life/config")
            .json(json!({"note": "n", "errors.log.enable": null})),
        task("RUNNING"),
        ask("POST", "/connectors/life/restart"),
        ask("POST", "/connectors/life/restart?includeTasks=false&onlyFailed=false"),
        state("RUNNING"),
        ask("POST", "/connectors/life/restart?onlyFailed=True"),
        ask("POST", "/connectors/life/restart?includeTasks=True&onlyFailed=TRUE"),
        ask("POST", "/connectors/life/tasks/0/restart"),
        ask("POST", "/connectors/life/tasks/9/restart"),
        task("RUNNING"),
        ask("PUT", "/connectors/life/pause"),
        state("PAUSED"),
        task("PAUSED"),
        ask("GET", "/connectors/life/status"),
        ask("PUT", "/connectors/life/resume"),
        state("RUNNING"),
        task("RUNNING"),
        ask("PUT", "/connectors/life/stop"),
        ask("GET", "/connectors/life/tasks"),
        state("STOPPED"),
        wait("/connectors/life/status", "/tasks", json!([])),
        ask("GET", "/connectors/life/status"),
        ask("GET", "/connectors/life"),
        ask("PATCH", "/connectors/life/offsets").json(json!({})),
        ask("PATCH", "/connectors/life/offsets").json(json!({"offsets": [
            {"partition": {"filename": "FILES/lines.txt"}, "offset": {"position": 4}}]})),
        ask("GET", "/connectors/life/offsets"),
        ask("PATCH", "/connectors/life/offsets").json(json!({"offsets": [
            {"partition": {"filename": "FILES/lines.txt"}, "offset": {"position": "x"}}]})),
        ask("DELETE", "/connectors/life/offsets"),
        // For a moment, Connect may answer the offset as null.
        wait("/connectors/life/offsets", "/offsets", json!([])),
        ask("GET", "/connectors/life/offsets"),
        ask("DELETE", "/connectors/life"),
        wait("/connectors", "", json!([])),
        ask("GET", "/connectors/life"),
    ]);
}

#[test]
fn sinks_and_expanded_lists_are_answered_alike() {
    let sink = json!({"connector.class": "FileStreamSink", "topics": "TOPIC-sink", "file": "FILES/out.txt"});
    let task =
        |state: &'static str| wait("/connectors/sink/status", "/tasks/0/state", json!(state));
    compare(&[
        ask("PUT", "/connectors/sink/config").json(sink),
        task("RUNNING"),
        ask("GET", "/connectors/sink/tasks"),
        ask("GET", "/connectors/sink/offsets"),
        ask("POST", "/connectors").json(json!({
            "name": "held", "initial_state": "paused", "config": file_source(&[]),
        })),
        wait("/connectors/held/status", "/connector/state", json!("PAUSED")),
        ask("POST", "/connectors").json(json!({
            "name": "still", "initial_state": "STOPPED", "config": file_source(&[]),
        })),
        wait("/connectors/still/status", "/connector/state", json!("STOPPED")),
        ask("GET", "/connectors/?expand=status&expand=info&expand=status"),
        ask("GET", "/connectors?expand=info"),
        ask("GET", "/connectors?expand=what"),
        ask("PUT", "/connectors/sink/stop"),
        wait("/connectors/sink/status", "/connector/state", json!("STOPPED")),
        ask("PATCH", "/connectors/sink/offsets").json(json!({"offsets": [
            {"partition": {"kafka_topic": "TOPIC-sink"}, "offset": {"kafka_offset": 4}}]})),
        ask("PATCH", "/connectors/sink/offsets").json(json!({"offsets": [
            {"partition": {"kafka_topic": "TOPIC-sink", "kafka_partition": "x"}, "offset": {"kafka_offset": 4}}]})),
        ask("DELETE", "/connectors/sink"),
        ask("DELETE", "/connectors/held"),
        ask("DELETE", "/connectors/still"),
    ]);
}

#[test]
fn the_root_is_answered_alike() {
    compare(&[ask("GET", "/"), ask("GET", "/health")]);
}

#[test]
fn loggers_are_answered_alike() {
    let level = |level: &str| json!({ "level": level });
    const SINK: &str = "/admin/loggers/org.apache.kafka.connect.runtime.WorkerSinkTask";
    compare(&[
        ask("GET", "/admin/loggers").status_only(),
        ask("GET", "/admin/loggers/none"),
        ask("PUT", SINK).json(json!({})),
        ask("PUT", SINK).json(json!({"level": null})),
        ask("PUT", SINK).json(level("LOUD")),
        ask("PUT", SINK).json(level("")),
        ask("PUT", SINK).json(json!([])).status_only(),
        ask("PUT", SINK).raw("application/json", "").status_only(),
        ask("PUT", SINK).json(level("TRACE")),
        ask("GET", SINK),
        ask("PUT", SINK).json(level("trace")),
        ask("PUT", SINK).json(json!({"level": "WARN", "more": 1})),
        ask("GET", SINK),
        ask("PUT", "/admin/loggers/io.example").json(level("DEBUG")),
        ask("GET", "/admin/loggers/io.example/"),
        ask("PUT", "/admin/loggers/io.example?scope=galaxy").json(level("INFO")),
        ask("PUT", "/admin/loggers/io.example?scope=cluster").json(level("LOUD")),
        ask("PUT", "/admin/loggers/io.example?scope=Cluster").json(level("error")),
        wait("/admin/loggers/io.example", "/level", json!("ERROR")),
        // Each changes it on both, whatever it was.
        ask("PUT", "/admin/loggers/root").json(level("ERROR")).status_only(),
        ask("PUT", "/admin/loggers/root").json(level("INFO")).status_only(),
        ask("GET", "/admin/loggers/ROOT"),
        ask("GET", SINK),
        ask("DELETE", SINK),
    ]);
}
