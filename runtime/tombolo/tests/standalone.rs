//! A worker that stands alone, beside Kafka Connect's own: each goes on where the other stopped.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, which end by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Guarded, Kafka, Signal, complete_lines, free_port, jars, wait_for};

/// Far longer than anything here takes; Kafka Connect needs six seconds to its first answer.
const DEADLINE: Duration = Duration::from_secs(90);

/// Where workers run one after another.
struct Place {
    folder: tempfile::TempDir,
    port: u16,
}

/// A worker at work.
struct Alone<'a> {
    place: &'a Place,
    process: Guarded,
}

impl Place {
    /// With a worker file that needs no group and no topics.
    fn new(kafka: &Kafka) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let settings = [
            ("bootstrap.servers", kafka.bootstrap()),
            ("listeners", format!("http://127.0.0.1:{port}")),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
            ("value.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
            ("offset.storage.file.filename", file("offsets")),
            ("offset.flush.interval.ms", "200".to_owned()),
            ("plugin.discovery", "service_load".to_owned()),
            ("sandbox.fs.roots", file("")),
        ];
        let lines = settings.iter().map(|(name, value)| format!("{name}={value}\n"));
        std::fs::write(folder.path().join("worker.properties"), lines.collect::<String>()).unwrap();
        Self { folder, port }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let file = self.file(name);
        std::fs::write(&file, content).unwrap();
        file
    }

    fn start(&self, mut command: Command, connectors: &[PathBuf]) -> Alone<'_> {
        command.arg(self.file("worker.properties")).args(connectors);
        let process = Guarded::start(&command, &self.file("log"), None).unwrap();
        Alone { place: self, process }
    }

    /// The last lines of all logs here.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.file("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Alone<'_> {
    fn ask(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(DEADLINE))
            .build()
            .into();
        let url = format!("http://127.0.0.1:{}{path}", self.place.port);
        let request = ureq::http::Request::builder().method(method).uri(url);
        let mut response = match body {
            Value::Null => agent.run(request.body(()).unwrap()).ok()?,
            body => {
                let request = request.header("content-type", "application/json");
                agent.run(request.body(body.to_string()).unwrap()).ok()?
            }
        };
        let body = response.body_mut().read_to_string().ok()?;
        let body = serde_json::from_str(&body).unwrap_or(Value::Null);
        Some((response.status().as_u16(), body))
    }

    fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        wait_for(|| is_so() || self.process.has_ended(), what, DEADLINE)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.place.log()));
        assert!(!self.process.has_ended(), "it has ended: {what}\n{}", self.place.log());
    }

    fn wait_until_healthy(&self) {
        self.wait_until("it is healthy", || {
            matches!(self.ask("GET", "/health", &Value::Null), Some((200, _)))
        });
    }

    /// Waits until the source's offset is stored behind all that was written to its file.
    fn wait_until_stored(&self, source: &Path) {
        let length = std::fs::metadata(source).unwrap().len();
        self.wait_until("the offset is stored", || {
            let offsets = self.ask("GET", "/connectors/source/offsets", &Value::Null);
            offsets.is_some_and(|(_, body)| body["offsets"][0]["offset"]["position"] == length)
        });
    }

    fn stop(self) {
        self.process.signal(Signal::Term).unwrap();
        wait_for(|| self.process.has_ended(), "the worker ends", DEADLINE)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.place.log()));
    }
}

fn theirs() -> Command {
    let mut command = jars::java(&["-Xmx512M"]).unwrap();
    command.arg("org.apache.kafka.connect.cli.ConnectStandalone");
    command
}

fn ours() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tombolo"));
    command.arg("standalone");
    command.env("XDG_CACHE_HOME", tombolo_harness::target_folder().join("test-cache"));
    command
}

/// Reads lines into a topic, and writes them to a file: one connector in each form that both understand.
fn connectors(place: &Place, topic: &str) -> [PathBuf; 2] {
    let source = json!({
        "name": "source",
        "config": {"connector.class": "FileStreamSource", "file": place.file("in"), "topic": topic},
    });
    let sink = format!(
        "name=sink\nconnector.class=FileStreamSink\ntasks.max = 1\nfile={}\ntopics={topic}\n",
        place.file("out").display()
    );
    [place.write("source.json", &source.to_string()), place.write("sink.properties", &sink)]
}

#[test]
fn kafka_connects_standalone_worker_and_ours_take_over_each_others_offsets() {
    let place = Place::new(Kafka::shared().unwrap());
    let files = connectors(&place, "standalone-takeover");
    let mut lines = Vec::new();
    for (round, command) in [theirs(), ours(), theirs(), ours()].into_iter().enumerate() {
        lines.extend((0..3).map(|line| format!("line {line} of round {round}")));
        let input = place.write("in", &(lines.join("\n") + "\n"));
        let worker = place.start(command, &files);
        worker.wait_until_healthy();
        let arrived = || complete_lines(&place.file("out")) == lines;
        worker.wait_until(&format!("the lines of round {round} arrive once"), arrived);
        worker.wait_until_stored(&input);
        worker.stop();
    }
    let known = complete_lines(&place.file("out"));
    assert_eq!(known, lines, "no line comes twice");
}

#[test]
fn a_configuration_is_answered_with_the_tasks_it_has_started() {
    let place = Place::new(Kafka::shared().unwrap());
    place.write("in", "one\n");
    let file = place.write(
        "first.json",
        &json!({
            "name": "first", "connector.class": "FileStreamSource", "tasks.max": 1,
            "file": place.file("in"), "topic": "standalone-answers",
        })
        .to_string(),
    );
    let worker = place.start(ours(), &[file]);
    worker.wait_until_healthy();
    let ask = |method: &str, path: &str, body: Value| {
        let answer = worker.ask(method, path, &body);
        answer.unwrap_or_else(|| panic!("{method} {path} is not answered\n{}", place.log()))
    };
    assert_eq!(ask("GET", "/connectors", Value::Null), (200, json!(["first"])));
    let config = json!({
        "connector.class": "FileStreamSource", "file": place.file("in"), "topic": "standalone-answers",
    });
    let (status, info) = ask("POST", "/connectors", json!({"name": "a", "config": config}));
    assert_eq!((status, &info["tasks"]), (201, &json!([{"connector": "a", "task": 0}])), "{info}");
    let (status, info) = ask("PUT", "/connectors/a/config", config.clone());
    assert_eq!((status, &info["tasks"]), (200, &json!([{"connector": "a", "task": 0}])), "{info}");
    let stopped = json!({"name": "b", "config": config, "initial_state": "STOPPED"});
    let (status, info) = ask("POST", "/connectors", stopped);
    assert_eq!((status, &info["tasks"]), (201, &json!([])), "{info}");
    let refused = ask(
        "PATCH",
        "/connectors/a/offsets",
        json!({"offsets": [
        {"partition": {"filename": place.file("in")}, "offset": {"position": 0}}]}),
    );
    assert_eq!(refused.0, 400, "{refused:?}");
    assert_eq!(ask("PUT", "/connectors/a/stop", Value::Null).0, 204);
    let reset = ask("DELETE", "/connectors/a/offsets", Value::Null);
    assert_eq!(reset.0, 200, "{reset:?}");
    worker.stop();
    // Nothing but offsets is kept.
    let worker = place.start(ours(), &[]);
    worker.wait_until_healthy();
    assert_eq!(worker.ask("GET", "/connectors", &Value::Null), Some((200, json!([]))));
    worker.stop();
}

#[test]
fn files_that_cannot_be_used_end_the_worker_with_kafka_connects_exit_codes() {
    let place = Place::new(Kafka::shared().unwrap());
    let run = |arguments: &[PathBuf]| {
        let mut command = ours();
        let output = command.args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let worker = place.file("worker.properties");
    let check = |arguments: &[PathBuf], code: i32, expected: &str| {
        let (ended, log) = run(arguments);
        assert_eq!(ended, Some(code), "{log}");
        assert!(log.contains(expected), "{log}");
    };
    check(&[], 1, "Usage");
    let empty = place.write("empty.properties", "bootstrap.servers=localhost:1\n");
    check(&[empty], 2, "Missing required configuration \"key.converter\"");
    let text = std::fs::read_to_string(&worker).unwrap();
    let text = text.replace("offset.storage.file.filename", "other");
    let fileless = place.write("fileless.properties", &text);
    check(&[fileless], 2, "Missing required configuration \"offset.storage.file.filename\"");
    let good = connectors(&place, "standalone-codes");
    let nameless = place.write("nameless.json", "{\"topic\": \"t\"}");
    let refusal = "nameless.json: it is missing the mandatory 'name' configuration";
    check(&[worker.clone(), good[0].clone(), nameless], 3, refusal);
    let wrong = place.write("wrong.properties", "name=x\nconnector.class=FileStreamSource\n");
    check(&[worker, wrong], 3, "Missing required configuration \"topic\"");
}
