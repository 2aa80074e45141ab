//! A connector's life in answers that are held to Kafka Connect's. Not here: requests that find nothing (`rest`).

use serde_json::json;

use super::rest::file_source;
use crate::case::{Case, Settings};
use crate::golden::{Step, ask, hold, wait};
use crate::scene::Scene;

/// A worker that nobody else uses: lists of all connectors are compared.
const EMPTY: Settings = &[("offset.flush.interval.ms", "400")];

pub(super) const CASES: &[Case] = &[
    Case::new("rest/the_life_of_a_source", "connect_rest_test.test_rest_api", |scene| {
        let topic = scene.make_topic("t")?;
        lines(scene)?;
        hold(scene, "life", &life(&topic))
    }),
    Case::new("rest/the_life_of_a_sink", "connect_rest_test.test_rest_api", |scene| {
        scene.fill_topic("t", 2, 3)?;
        hold(scene, "sink", &sink())
    }),
    Case::new("rest/a_connector_with_failed_tasks", "ConnectorsResourceTest", |scene| {
        scene.make_topic("t")?;
        hold(scene, "failed", &failed())
    }),
    Case::new(
        "rest/scalars_in_configurations_become_texts",
        "kafkatest.services.connect",
        |scene| {
            scene.make_topic("t")?;
            lines(scene)?;
            hold(scene, "scalars", &scalars())
        },
    ),
    Case::new("rest/lists_of_all_connectors", "ConnectorsResourceTest", |scene| {
        scene.make_topic("t")?;
        lines(scene)?;
        hold(scene, "lists", &lists())
    })
    .with(EMPTY),
];

fn lines(scene: &Scene<'_>) -> anyhow::Result<()> {
    Ok(std::fs::write(scene.file("lines.txt"), "one\ntwo\n")?)
}

fn state(state: &'static str) -> Step {
    wait("/connectors/NAME/status", "/connector/state", json!(state))
}

fn task(state: &'static str) -> Step {
    wait("/connectors/NAME/status", "/tasks/0/state", json!(state))
}

fn life(topic: &str) -> Vec<Step> {
    [starts(topic), changes(), states(), offsets()].concat()
}

fn starts(topic: &str) -> Vec<Step> {
    vec![
        ask("POST", "/connectors/").json(&json!({"name": "NAME", "config": file_source(&[])})),
        task("RUNNING"),
        state("RUNNING"),
        ask("POST", "/connectors").json(&json!({"name": "NAME", "config": file_source(&[])})),
        ask("GET", "/connectors/NAME"),
        ask("GET", "/connectors/NAME/"),
        ask("HEAD", "/connectors/NAME"),
        ask("GET", "/connectors/NAME/config"),
        ask("GET", "/connectors/NAME/tasks"),
        ask("GET", "/connectors/NAME/status"),
        ask("GET", "/connectors/NAME/tasks/0/status"),
        ask("GET", "/connectors/NAME/tasks/7/status"),
        wait("/connectors/NAME/topics", "/NAME/topics/0", json!(topic)),
        ask("GET", "/connectors/NAME/topics"),
        ask("PUT", "/connectors/NAME/topics/reset"),
        wait("/connectors/NAME/offsets", "/offsets/0/offset/position", json!(8)),
        ask("GET", "/connectors/NAME/offsets"),
        ask("DELETE", "/connectors/NAME/offsets"),
    ]
}

fn changes() -> Vec<Step> {
    vec![
        ask("PUT", "/connectors/NAME/config")
            .json(&file_source(&[("tasks.max", "2"), ("note", "é")])),
        task("RUNNING"),
        ask("PUT", "/connectors/NAME/config").json(&file_source(&[("name", "NAME")])),
        ask("PUT", "/connectors/NAME/config").json(&file_source(&[("name", "other")])),
        ask("PATCH", "/connectors/NAME/config").json(&json!({"note": "n", "tasks.max": null})),
        ask("PATCH", "/connectors/NAME/config").json(&json!({"tasks.max": "zero"})),
        ask("PATCH", "/connectors/NAME/config").json(&json!({"name": "other"})),
        ask("PATCH", "/connectors/NAME/config").json(&json!({"name": null})),
        task("RUNNING"),
        ask("GET", "/connectors/NAME/config"),
        ask("POST", "/connectors/NAME/restart"),
        ask("POST", "/connectors/NAME/restart?includeTasks=false&onlyFailed=false"),
        state("RUNNING"),
        ask("POST", "/connectors/NAME/restart?onlyFailed=True"),
        ask("POST", "/connectors/NAME/restart?includeTasks=True&onlyFailed=TRUE"),
        ask("POST", "/connectors/NAME/restart?includeTasks=true"),
        state("RUNNING"),
        task("RUNNING"),
        ask("POST", "/connectors/NAME/tasks/0/restart"),
        ask("POST", "/connectors/NAME/tasks/9/restart"),
        ask("POST", "/connectors/NAME/tasks/abc/restart"),
        task("RUNNING"),
    ]
}

fn states() -> Vec<Step> {
    vec![
        ask("PUT", "/connectors/NAME/pause"),
        state("PAUSED"),
        task("PAUSED"),
        ask("GET", "/connectors/NAME/status"),
        ask("GET", "/connectors/NAME/tasks/0/status"),
        ask("PATCH", "/connectors/NAME/offsets").json(&json!({"offsets": [
            {"partition": {"filename": "FILES/lines.txt"}, "offset": {"position": 4}}]})),
        ask("PUT", "/connectors/NAME/resume"),
        state("RUNNING"),
        task("RUNNING"),
        ask("PUT", "/connectors/NAME/stop"),
        ask("GET", "/connectors/NAME/tasks"),
        state("STOPPED"),
        wait("/connectors/NAME/status", "/tasks", json!([])),
        ask("GET", "/connectors/NAME/status"),
        ask("GET", "/connectors/NAME"),
        ask("POST", "/connectors/NAME/restart?includeTasks=true"),
        // A task of a stopped connector has no owner: Connect answers 409 to its restart, for ever.
        state("STOPPED"),
    ]
}

fn offsets() -> Vec<Step> {
    let offsets = |partition, offset| {
        ask("PATCH", "/connectors/NAME/offsets")
            .json(&json!({"offsets": [{"partition": partition, "offset": offset}]}))
    };
    let file = || json!({"filename": "FILES/lines.txt"});
    vec![
        ask("PATCH", "/connectors/NAME/offsets").json(&json!({})),
        offsets(file(), json!({"position": 4})),
        ask("GET", "/connectors/NAME/offsets"),
        offsets(file(), json!({"position": "x"})),
        offsets(file(), json!({"position": -1})),
        offsets(file(), json!({"other": 1})),
        offsets(json!({"other": "x"}), json!({"position": 1})),
        offsets(json!({}), json!({"position": 1})),
        offsets(file(), json!(null)),
        wait("/connectors/NAME/offsets", "/offsets", json!([])),
        offsets(file(), json!({"position": 4})),
        ask("DELETE", "/connectors/NAME/offsets"),
        // For a moment, Connect may answer the offset as null.
        wait("/connectors/NAME/offsets", "/offsets", json!([])),
        ask("GET", "/connectors/NAME/offsets"),
        ask("DELETE", "/connectors/NAME"),
        ask("GET", "/connectors/NAME"),
    ]
}

fn sink() -> Vec<Step> {
    let sink =
        json!({"connector.class": "FileStreamSink", "topics": "TOPIC", "file": "FILES/out.txt"});
    let offsets = |partition, offset| {
        ask("PATCH", "/connectors/NAME/offsets")
            .json(&json!({"offsets": [{"partition": partition, "offset": offset}]}))
    };
    let at = |partition| json!({"kafka_topic": "TOPIC", "kafka_partition": partition});
    vec![
        ask("PUT", "/connectors/NAME/config").json(&sink),
        task("RUNNING"),
        ask("GET", "/connectors/NAME"),
        ask("GET", "/connectors/NAME/tasks"),
        ask("GET", "/connectors/NAME/status"),
        wait("/connectors/NAME/offsets", "/offsets/0/offset/kafka_offset", json!(3)),
        wait("/connectors/NAME/offsets", "/offsets/1/offset/kafka_offset", json!(3)),
        ask("GET", "/connectors/NAME/offsets"),
        ask("GET", "/connectors/NAME/topics"),
        ask("PUT", "/connectors/NAME/stop"),
        state("STOPPED"),
        wait("/connectors/NAME/status", "/tasks", json!([])),
        offsets(json!({"kafka_topic": "TOPIC"}), json!({"kafka_offset": 4})),
        offsets(at(json!("x")), json!({"kafka_offset": 4})),
        offsets(at(json!(null)), json!({"kafka_offset": 4})),
        offsets(json!({"kafka_topic": null, "kafka_partition": 0}), json!({"kafka_offset": 4})),
        offsets(at(json!(0)), json!({"offset": 4})),
        offsets(at(json!(0)), json!({"kafka_offset": "x"})),
        offsets(at(json!(0)), json!({"kafka_offset": null})),
        ask("DELETE", "/connectors/NAME"),
    ]
}

fn failed() -> Vec<Step> {
    let source = |more: &[(&str, &str)]| {
        let mut config = json!({
            "connector.class": "MonitorableSource", "tasks.max": "2", "topic": "TOPIC", "throughput": "10",
        });
        for (name, value) in more {
            config[*name] = json!(value);
        }
        config
    };
    vec![
        ask("PUT", "/connectors/NAME/config")
            .json(&source(&[("task-NAME-1.start.inject.error", "true")])),
        task("RUNNING"),
        wait("/connectors/NAME/status", "/tasks/1/state", json!("FAILED")),
        state("RUNNING"),
        ask("GET", "/connectors/NAME/status"),
        ask("GET", "/connectors/NAME/tasks/1/status"),
        ask("POST", "/connectors/NAME/restart?includeTasks=true&onlyFailed=true"),
        wait("/connectors/NAME/status", "/tasks/1/state", json!("FAILED")),
        ask("PUT", "/connectors/NAME/config")
            .json(&source(&[("connector.start.inject.error", "true")])),
        state("FAILED"),
        ask("GET", "/connectors/NAME"),
        ask("POST", "/connectors/NAME/restart?onlyFailed=true"),
        state("FAILED"),
        ask("DELETE", "/connectors/NAME"),
    ]
}

fn scalars() -> Vec<Step> {
    let numbers = json!({
        "connector.class": "FileStreamSource", "tasks.max": 1, "file": "FILES/lines.txt",
        "topic": "TOPIC", "errors.log.enable": true, "a.double": 1.50, "a.long": 123456789012_i64,
        "exponent": 1e3, "negative": -7, "a.text": "1e3",
    });
    vec![
        ask("PUT", "/connectors/NAME/config").json(&numbers),
        ask("GET", "/connectors/NAME/config"),
        ask("PATCH", "/connectors/NAME/config").json(&json!({"a.double": 2, "errors.log.enable": false})),
        ask("PUT", "/connector-plugins/FileStreamSource/config/validate").json(&json!({
            "connector.class": "FileStreamSource", "name": "x", "tasks.max": 2, "file": true, "topic": 7,
        })),
        ask("DELETE", "/connectors/NAME"),
    ]
}

fn lists() -> Vec<Step> {
    let held = |state: &str, name: &str| {
        ask("POST", "/connectors").json(&json!({
            "name": name, "initial_state": state, "config": file_source(&[]),
        }))
    };
    vec![
        ask("GET", "/connectors"),
        ask("GET", "/connectors?expand=status"),
        ask("POST", "/connectors").json(&json!({"name": "NAME", "config": file_source(&[])})),
        state("RUNNING"),
        task("RUNNING"),
        held("paused", "NAME-held"),
        wait("/connectors/NAME-held/status", "/connector/state", json!("PAUSED")),
        held("STOPPED", "NAME-still"),
        wait("/connectors/NAME-still/status", "/connector/state", json!("STOPPED")),
        ask("GET", "/connectors"),
        ask("GET", "/connectors/"),
        ask("GET", "/connectors/?expand=status&expand=info&expand=status"),
        ask("GET", "/connectors?expand=info"),
        ask("GET", "/connectors?expand=status"),
        ask("GET", "/connectors?expand=what"),
        ask("GET", "/connectors?expand=what&expand=status"),
        ask("GET", "/connectors?expand="),
        ask("DELETE", "/connectors/NAME"),
        ask("DELETE", "/connectors/NAME-held"),
        ask("DELETE", "/connectors/NAME-still"),
        wait("/connectors", "", json!([])),
        ask("GET", "/connectors?expand=info"),
    ]
}
