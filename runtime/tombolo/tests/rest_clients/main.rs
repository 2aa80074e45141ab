//! Clients of Kafka Connect's API work as they are: requests as kcctl sends them, and clients of Python, Java and Go from their registries.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::fs::File;
use std::path::{Path, PathBuf};
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

/// Runs a command, which must succeed, and answers what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    text
}

/// A folder below the target folder, filled once: what is installed there, in a folder named after what it was installed from.
fn installed(name: &str, from: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let folder = target_folder().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let complete = folder.join("complete");
    if std::fs::read_to_string(&complete).is_ok_and(|whole| whole == from) {
        return folder;
    }
    install(&folder);
    std::fs::write(complete, from).unwrap();
    folder
}

/// The client's command, installed once below the target folder.
fn python_client() -> PathBuf {
    let folder = installed("python-client", CLIENT, |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", CLIENT]));
    });
    folder.join("bin/kc")
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
    let kc = |arguments: &[&str]| {
        run(Command::new(&client).args(["--url", &worker.url()]).args(arguments))
    };
    let config = sink(&worker, "py.txt").to_string();
    let create = json!({"name": "py", "config": sink(&worker, "py.txt")}).to_string();
    assert!(kc(&["info"]).contains("kafka_cluster_id"));
    assert!(kc(&["list-plugins"]).contains("FileStreamSourceConnector"));
    // Its command sends the configuration as a text within a text, which Kafka Connect refuses too; its library does not.
    let mut python = Command::new(client.with_file_name("python"));
    let errors = run(python.args(["-c", VALIDATE, &worker.url(), &config]));
    // The name is missing.
    assert_eq!(errors.trim(), "1");
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

/// Where the rounds of the other clients are written.
fn sources(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rest_clients").join(language)
}

/// What a round needs: the worker's address, a file to read, a topic.
fn arguments(worker: &Worker, topic: &str) -> [String; 3] {
    let file = worker.files().join("lines.txt");
    std::fs::write(&file, "one\ntwo\n").unwrap();
    [worker.url(), file.display().to_string(), topic.to_owned()]
}

#[test]
fn a_java_client_works() {
    let worker = worker();
    let pom = sources("java").join("pom.xml");
    let jars = installed("java-client", &std::fs::read_to_string(&pom).unwrap(), |folder| {
        let mut maven = Command::new("mvn");
        maven.args(["--quiet", "--batch-mode", "--file"]).arg(&pom);
        maven.arg("org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies");
        run(maven.arg(format!("-DoutputDirectory={}", folder.display())));
    });
    let mut java = Command::new("java");
    java.arg("-cp").arg(jars.join("*")).arg(sources("java").join("Round.java"));
    let told = run(java.args(arguments(&worker, "rest-clients-java")));
    assert!(told.ends_with("done\n"), "{told}");
}

#[test]
fn a_go_client_works() {
    let worker = worker();
    let mut go = Command::new("go");
    go.arg("run").arg(".").args(arguments(&worker, "rest-clients-go"));
    let told = run(go.current_dir(sources("go")));
    assert!(told.ends_with("done\n"), "{told}");
}
