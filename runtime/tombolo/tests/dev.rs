//! `tombolo dev` ends without a word of complaint, whenever it is asked to; and it alone reads its standard input and writes to its standard output for connectors.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tombolo_harness::{Guarded, Signal, target_folder, wait_for};

/// Longest wait for anything: a start compiles components on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run of `tombolo dev` with a folder and ports of its own.
struct Dev {
    process: Guarded,
    folder: TempDir,
}

impl Dev {
    fn start() -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_tombolo"));
        Self::launch(command, tempfile::tempdir().unwrap(), &[])
    }

    /// Without the demo, and with the other end of its standard input.
    fn start_with_input() -> (Self, File) {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("input");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success(), "{made}");
        // Opened for both, it does not wait for the other end.
        let input = File::options().read(true).write(true).open(&pipe).unwrap();
        // What is guarded has nothing on its standard input, unless it takes something there itself.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$0" "$@" <input"#, env!("CARGO_BIN_EXE_tombolo")]);
        (Self::launch(command, folder, &["--no-demo"]), input)
    }

    fn launch(mut command: Command, folder: TempDir, more: &[&str]) -> Self {
        // Port 0 is free to no one, so that another is taken.
        command.args(["dev", "--port", "0", "--broker-port", "0", "--data-dir"]);
        command.arg(folder.path().join("data")).args(more).current_dir(folder.path());
        command.env("XDG_CACHE_HOME", target_folder().join("test-cache"));
        let process = Guarded::start(&command, &folder.path().join("output"), None).unwrap();
        Self { process, folder }
    }

    /// What it said and logged so far.
    fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("output")).unwrap()
    }

    /// Sends a request to its API, and returns status and body. It has said where that is.
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let output = self.output();
        let url = output.lines().find_map(|line| line.trim().strip_prefix("REST API")).unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        let uri = format!("{}{path}", url.trim());
        let request = ureq::http::Request::builder().method(method).uri(uri);
        let mut response = match body {
            Value::Null => agent.run(request.body(()).unwrap()).unwrap(),
            body => {
                let request = request.header("content-type", "application/json");
                agent.run(request.body(body.to_string()).unwrap()).unwrap()
            }
        };
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap())
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    fn wait_for(&self, condition: impl Fn() -> bool, what: &str) {
        let ended = || self.process.has_ended();
        wait_for(|| condition() || ended(), what, PATIENCE).unwrap();
        assert!(!ended(), "{}", self.output());
    }

    /// Asks it to end, and answers with what it said from then on.
    fn end(self) -> String {
        let before = self.output().len();
        self.process.signal(Signal::Term).unwrap();
        wait_for(|| self.process.has_ended(), "it ends", PATIENCE)
            .unwrap_or_else(|error| panic!("{error}: {}", self.output()));
        self.output().split_off(before)
    }
}

#[test]
fn it_stops_silently_while_the_demo_runs() {
    let dev = Dev::start();
    dev.wait_for(|| dev.output().contains("Try next"), "the demo shows its first rows");
    let said = dev.output();
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "it complains:\n{said}");
    assert_eq!(dev.end(), "");
}

#[test]
fn it_stops_with_one_line_while_it_starts() {
    let dev = Dev::start();
    dev.wait_for(|| dev.data("kafka").is_dir(), "the broker is there");
    let said = dev.end();
    let warnings: Vec<&str> = said.lines().filter(|line| line.contains("WARN")).collect();
    let expected = |line: &&str| line.contains("stopped before the worker had started");
    assert!(warnings.iter().all(expected), "{said}");
}

#[test]
fn it_stops_silently_while_it_creates_the_demo() {
    let dev = Dev::start();
    dev.wait_for(|| dev.output().contains("REST API"), "the worker has started");
    let said = dev.end();
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
}

#[test]
fn lines_of_standard_input_arrive_in_a_topic_and_at_standard_output() {
    let (dev, mut input) = Dev::start_with_input();
    dev.wait_for(|| dev.output().contains("REST API"), "the worker has started");
    let create = |name: &str, config: Value| {
        let body = json!({"name": name, "config": config});
        let (status, answer) = dev.ask("POST", "/connectors", &body);
        assert_eq!(status, 201, "{answer}\n{}", dev.output());
    };
    create("in", json!({"connector.class": "FileStreamSource", "topic": "lines"}));
    input.write_all(b"the first line\nthe second").unwrap();
    let used = (200, json!({"in": {"topics": ["lines"]}}));
    let is_used = || dev.ask("GET", "/connectors/in/topics", &Value::Null) == used;
    dev.wait_for(is_used, "the first line is in the topic");

    create("out", json!({"connector.class": "FileStreamSink", "topics": "lines"}));
    let arrived = |expected: &[&str]| {
        let all = || {
            let output = dev.output();
            let lines: Vec<&str> = output.lines().filter(|line| line.starts_with("the ")).collect();
            lines == expected
        };
        dev.wait_for(all, &format!("{expected:?} are written"));
    };
    arrived(&["the first line"]);
    input.write_all(b" line\nthe third line\n").unwrap();
    arrived(&["the first line", "the second line", "the third line"]);
    assert_eq!(dev.end(), "");
}
