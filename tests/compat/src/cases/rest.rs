//! Requests whose answers are held to Kafka Connect's, field by field. Not here: connectors' life (`rest_life`), plugins (`rest_plugins`).

use serde_json::{Value, json};

use crate::case::Case;
use crate::golden::{Step, ask, hold, wait};

pub(super) const CASES: &[Case] = &[
    Case::new("rest/the_root_and_the_health", "connect_rest_test.test_rest_api", |scene| {
        hold(
            scene,
            "root",
            &[
                ask("GET", "/"),
                ask("HEAD", "/connectors"),
                ask("GET", "/health"),
                ask("POST", "/").json(&json!({})),
            ],
        )
    }),
    Case::new("rest/what_is_not_there", "ConnectorsResourceTest", |scene| {
        hold(scene, "missing", &missing())
    }),
    Case::new("rest/wrong_methods_and_media_types", "ConnectorsResourceTest", |scene| {
        hold(scene, "methods", &methods())
    }),
    Case::new("rest/wrong_bodies", "ConnectorsResourceTest", |scene| {
        hold(scene, "bodies", &bodies())
    }),
    Case::new("rest/loggers", "connect_distributed_test.test_dynamic_logging", |scene| {
        hold(scene, "loggers", &loggers())
    }),
];

/// A source of the case's file.
pub(super) fn file_source(more: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": "FILES/lines.txt", "topic": "TOPIC",
    });
    for (name, value) in more {
        config[*name] = json!(value);
    }
    config
}

fn missing() -> Vec<Step> {
    vec![
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
        ask("PATCH", "/connectors/none/config").json(&json!({"a": "b"})),
        ask("PATCH", "/connectors/none/offsets").json(&json!({"offsets": [
            {"partition": {"filename": "x"}, "offset": {"position": 1}}]})),
        ask("DELETE", "/connectors/none/offsets"),
        ask("GET", "/connector-plugins/none/config"),
        ask("GET", "/nothing"),
        ask("GET", "/connectors/none/nothing"),
        ask("GET", "/connectors/none/tasks-config"),
        ask("GET", "/connectors/a%20b-%3E%C3%A9/status"),
        ask("GET", "/connectors/a%2Fb/status").status_only(),
        ask("GET", "/connectors//status").status_only(),
        ask("GET", "//connectors").status_only(),
    ]
}

fn methods() -> Vec<Step> {
    vec![
        ask("DELETE", "/connectors"),
        ask("PUT", "/connectors").json(&json!({})),
        ask("POST", "/connectors/none").json(&json!({})),
        ask("GET", "/connectors/none/pause"),
        ask("DELETE", "/connectors/none/status"),
        ask("PATCH", "/connectors/none").json(&json!({})),
        ask("GET", "/connectors").header("accept", "text/html"),
        ask("GET", "/health").header("accept", "application/xml"),
        ask("GET", "/").header("accept", "*/*"),
        ask("GET", "/").header("accept", "text/html, application/json;q=0.5"),
        ask("GET", "/").header("authorization", "Basic YTpi"),
        ask("POST", "/connectors").raw("text/plain", "{}"),
        ask("POST", "/connectors").raw("application/x-www-form-urlencoded", "a=b"),
        ask("PUT", "/connectors/none/config").raw("text/plain", "{}"),
        ask("PUT", "/connectors/none/config")
            .raw("application/json;charset=utf-8", "[]")
            .status_only(),
        ask("PUT", "/connectors/none/pause").raw("application/x-www-form-urlencoded", ""),
        ask("PUT", "/connectors/none/pause").raw("application/json", "null"),
        ask("PUT", "/connectors/none/pause").raw("application/json", "\"\""),
        ask("PUT", "/connectors/none/pause").raw("application/json", "{\"a\":1}"),
    ]
}

fn bodies() -> Vec<Step> {
    let post = |body: &str| ask("POST", "/connectors").raw("application/json", body);
    vec![
        post("{").status_only(),
        post("[]").status_only(),
        post("").status_only(),
        post("null").status_only(),
        post("\"text\"").status_only(),
        post("{\"name\":{},\"config\":{}}").status_only(),
        post("{\"name\":\"x\",\"name\":\"wrong\",\"config\":{}}").status_only(),
        ask("POST", "/connectors").json(&json!({"name": "x"})).status_only(),
        ask("POST", "/connectors").json(&json!({"name": "x", "config": null})).status_only(),
        ask("POST", "/connectors").json(&json!({"name": "x", "what": 1})).status_only(),
        ask("POST", "/connectors")
            .json(&json!({"name": "x", "config": {}, "initial_state": "DANCING"}))
            .status_only(),
        ask("POST", "/connectors").json(&json!({"name": "wrong", "config": {}})),
        ask("POST", "/connectors").json(&json!({"name": "wrong", "config": {"name": "other"}})),
        ask("POST", "/connectors")
            .json(&json!({"name": "wrong", "config": {"connector.class": "no.such.Class"}}))
            .status_only(),
        ask("POST", "/connectors").json(&json!({"name": "", "config": file_source(&[])})),
        ask("POST", "/connectors").json(&json!({"config": file_source(&[])})),
        ask("POST", "/connectors")
            .json(&json!({"name": "wrong", "config": file_source(&[("tasks.max", "many")])})),
        ask("POST", "/connectors")
            .json(&json!({"name": "wrong", "config": file_source(&[("tasks.max", "0")])})),
        ask("POST", "/connectors")
            .json(&json!({"name": "wrong/name", "config": file_source(&[("tasks.max", "0")])})),
        ask("PUT", "/connectors/wrong/config").raw("application/json", "{").status_only(),
        ask("PUT", "/connectors/wrong/config").raw("application/json", "").status_only(),
        ask("PUT", "/connectors/wrong/config").json(&json!({"a": {"b": 1}})).status_only(),
        ask("PUT", "/connectors/wrong/config").json(&json!({"a": ["b"]})).status_only(),
        ask("PUT", "/connectors/wrong/config").json(&json!({"name": "other"})),
        ask("PATCH", "/connectors/wrong/config").raw("application/json", "[]").status_only(),
        ask("PUT", "/connector-plugins/FileStreamSource/config/validate")
            .raw("application/json", "[]")
            .status_only(),
        ask("PATCH", "/connectors/wrong/offsets").raw("application/json", "{").status_only(),
        ask("PATCH", "/connectors/wrong/offsets").raw("application/json", "").status_only(),
        ask("POST", "/connectors/wrong/restart?includeTasks=maybe"),
    ]
}

/// What is asked of loggers.
pub(super) fn loggers() -> Vec<Step> {
    const SINK: &str = "/admin/loggers/org.apache.kafka.connect.runtime.WorkerSinkTask";
    let level = |level: &str| json!({ "level": level });
    vec![
        ask("GET", "/admin/loggers").status_only(),
        ask("GET", "/admin/loggers/no.such.logger"),
        ask("PUT", SINK).json(&json!({})),
        ask("PUT", SINK).json(&json!({"level": null})),
        ask("PUT", SINK).json(&level("LOUD")),
        ask("PUT", SINK).json(&level("")),
        ask("PUT", SINK).json(&json!([])).status_only(),
        ask("PUT", SINK).raw("application/json", "").status_only(),
        ask("PUT", SINK).raw("application/json", "{").status_only(),
        ask("PUT", SINK).json(&level("TRACE")),
        ask("GET", SINK),
        ask("PUT", SINK).json(&level("trace")),
        ask("PUT", SINK).json(&json!({"level": "WARN", "more": 1})),
        ask("GET", SINK),
        ask("PUT", "/admin/loggers/io.example?scope=worker").json(&level("DEBUG")),
        ask("GET", "/admin/loggers/io.example/"),
        ask("PUT", "/admin/loggers/io.example?scope=galaxy").json(&level("INFO")),
        ask("PUT", "/admin/loggers/io.example?scope=cluster").json(&level("LOUD")),
        ask("PUT", "/admin/loggers/io.example?scope=Cluster").json(&level("error")),
        wait("/admin/loggers/io.example", "/level", json!("ERROR")),
        // Each changes it on both, whatever it was.
        ask("PUT", "/admin/loggers/root").json(&level("ERROR")).status_only(),
        ask("PUT", "/admin/loggers/root").json(&level("INFO")).status_only(),
        ask("GET", "/admin/loggers/ROOT"),
        ask("GET", SINK),
        ask("DELETE", SINK),
    ]
}
