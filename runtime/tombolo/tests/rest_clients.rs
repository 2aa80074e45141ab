//! Clients of Kafka Connect's API work as they are: requests as kcctl sends them, and a Python client from its registry.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, target_folder};

fn worker() -> Worker {
    Worker::start(env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap(), &[]).unwrap()
}

fn sink(worker: &Worker, file: &str) -> Value {
    json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": 1,
        "topics": "rest-clients",
        "file": worker.files().join(file),
    })
}

#[test]
fn requests_as_kcctl_sends_them_work() {
    let worker = worker();
    let get = |path: &str| worker.request("GET", path, None).unwrap();
    let (status, info) = get("/");
    assert_eq!(status, 200);
    assert!(info["version"].as_str().is_some_and(|version| version.starts_with("4.")), "{info}");
    assert!(info["kafka_cluster_id"].is_string(), "{info}");

    // It lists and creates with a slash at the end.
    assert_eq!(get("/connectors/"), (200, json!([])));
    let body = json!({"name": "k", "config": sink(&worker, "k.txt")});
    let (status, created) = worker.request("POST", "/connectors/", Some(&body)).unwrap();
    assert_eq!(status, 201, "{created}");
    assert_eq!(created["name"], "k");
    assert_eq!(created["type"], "sink");
    assert_eq!(created["config"]["tasks.max"], "1");
    let (status, again) = worker.request("POST", "/connectors/", Some(&body)).unwrap();
    assert_eq!(
        (status, again),
        (409, json!({"error_code": 409, "message": "Connector k already exists"}))
    );

    let running = worker.wait_for_state("k", "RUNNING").unwrap();
    assert_eq!(running["connector"]["worker_id"], worker.id());
    assert!(running["connector"].as_object().unwrap().values().all(Value::is_string), "{running}");
    let (status, all) = get("/connectors?expand=status&expand=info&expand=status");
    assert_eq!(status, 200);
    assert_eq!(all["k"]["status"], running);
    assert_eq!(all["k"]["info"]["tasks"], json!([{"connector": "k", "task": 0}]));
    assert_eq!(get("/connectors/k/tasks/0/status").1["state"], "RUNNING");
    assert_eq!(get("/connectors/k/tasks").1[0]["id"], json!({"connector": "k", "task": 0}));

    let put = |path: &str| worker.request("PUT", path, None).unwrap().0;
    let restart = "/connectors/k/restart?includeTasks=True&onlyFailed=false";
    assert_eq!(worker.request("POST", restart, None).unwrap().0, 202);
    worker.wait_for_state("k", "RUNNING").unwrap();
    assert_eq!(worker.request("POST", "/connectors/k/restart", None).unwrap().0, 204);
    assert_eq!(put("/connectors/k/pause"), 202);
    worker.wait_for_state("k", "PAUSED").unwrap();
    assert_eq!(put("/connectors/k/resume"), 202);
    worker.wait_for_state("k", "RUNNING").unwrap();
    assert_eq!(put("/connectors/k/stop"), 204);
    assert_eq!(worker.request("DELETE", "/connectors/k", None).unwrap(), (204, Value::Null));
    let (status, gone) = get("/connectors/k");
    assert_eq!(status, 404);
    assert_eq!(gone, json!({"error_code": 404, "message": "Connector k not found"}));
}

/// A client of the API, as its registry has it.
const CLIENT: &str = "kafka-connect-py==1.0.0";

/// The client's command, installed once below the target folder.
fn python_client() -> PathBuf {
    let folder = target_folder().join("python-client");
    let command = folder.join("bin/kc");
    if !command.exists() {
        let run = |command: &mut Command| {
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", CLIENT]));
    }
    command
}

/// Prints how many errors a configuration of a sink has, by the client's library.
const VALIDATE: &str = "import json, sys, kafka_connect
client = kafka_connect.KafkaConnect(url=sys.argv[1])
answer = client.validate_connector_config('FileStreamSinkConnector', json.loads(sys.argv[2]))
print(answer['error_count'])";

#[test]
fn a_python_client_works() {
    let worker = worker();
    let client = python_client();
    let kc = |arguments: &[&str]| -> String {
        let output =
            Command::new(&client).args(["--url", &worker.url()]).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kc {arguments:?}: {text}{errors}");
        text
    };
    let config = sink(&worker, "py.txt").to_string();
    let create = json!({"name": "py", "config": sink(&worker, "py.txt")}).to_string();
    assert!(kc(&["info"]).contains("kafka_cluster_id"));
    assert!(kc(&["list-plugins"]).contains("FileStreamSourceConnector"));
    // Its command sends the configuration as a text within a text, which Kafka Connect refuses too; its library does not.
    let validated = Command::new(client.with_file_name("python"))
        .args(["-c", VALIDATE, &worker.url(), &config])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&validated.stderr);
    // The name is missing.
    assert_eq!(String::from_utf8_lossy(&validated.stdout).trim(), "1", "{errors}");
    assert!(kc(&["create", "--config-data", &create]).contains("\"py\""));
    worker.wait_for_state("py", "RUNNING").unwrap();
    assert!(kc(&["list"]).contains("py"));
    assert!(kc(&["list", "--expand=status"]).contains("RUNNING"));
    assert!(kc(&["status", "py"]).contains("RUNNING"));
    assert!(kc(&["task-status", "py", "0"]).contains("RUNNING"));
    assert!(kc(&["list-tasks", "py"]).contains("py.txt"));
    assert!(kc(&["config", "py"]).contains("py.txt"));
    kc(&["update", "py", "--config-data", &config]);
    kc(&["pause", "py"]);
    worker.wait_for_state("py", "PAUSED").unwrap();
    kc(&["resume", "py"]);
    worker.wait_for_state("py", "RUNNING").unwrap();
    kc(&["restart", "py", "--include-tasks"]);
    worker.wait_for_state("py", "RUNNING").unwrap();
    kc(&["restart-task", "py", "0"]);
    kc(&["list-topics", "py"]);
    kc(&["delete", "py"]);
    assert!(!kc(&["list"]).contains("py"));
}
