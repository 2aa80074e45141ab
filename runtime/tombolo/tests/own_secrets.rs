//! Secrets of the worker's own: set over REST, referred to, changed, deleted, and back after a restart.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

/// Longest wait for anything.
const SOON: Duration = Duration::from_secs(60);

/// Starts a worker with a key beside its files, where no plugin reaches it.
fn worker() -> Worker {
    let settings = |files: &Path| {
        let key = files.parent().unwrap().join("secrets.key");
        std::fs::write(&key, "0123456789abcdef".repeat(4)).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        vec![("secrets.key.file".to_owned(), key.display().to_string())]
    };
    let (program, kafka) = (env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap());
    Worker::start_with(program, kafka, settings, &[]).unwrap()
}

fn set(worker: &Worker, path: &str, value: &[u8]) -> (u16, Value) {
    worker.send("PUT", path, "application/x-www-form-urlencoded", Some(value)).unwrap()
}

/// Without what depends on the time.
fn told(mut secret: Value) -> Value {
    let modified = secret.as_object_mut().unwrap().remove("last_modified");
    assert!(modified.unwrap().as_i64().unwrap() > 1_700_000_000_000);
    secret
}

#[test]
fn a_connector_has_its_secret_and_another_one_after_a_restart() {
    let mut worker = worker();
    let (from, to) = (worker.files().join("from.txt"), worker.files().join("to.txt"));
    let next = worker.files().join("next.txt");
    std::fs::write(&from, "one\n").unwrap();
    std::fs::write(&next, "two\n").unwrap();
    let path = |file: &Path| file.display().to_string();
    let source = json!({
        "connector.class": "FileStreamSource", "file": "${secret:source}", "topic": "own-secrets",
    });
    let refused = worker.create("lines", &source).unwrap_err().to_string();
    assert!(
        refused.contains("There is no secret 'source': PUT /secrets/source sets it"),
        "{refused}"
    );

    let (status, created) = set(&worker, "/secrets/source", path(&from).as_bytes());
    assert_eq!(status, 201);
    let expected = json!({"name": "source", "version": 1, "connectors": [], "restarted": []});
    assert_eq!(told(created), expected);
    worker.create("lines", &source).unwrap();
    let sink = json!({"connector.class": "FileStreamSink", "file": to, "topics": "own-secrets"});
    worker.create("copy", &sink).unwrap();
    let arrives = |worker: &Worker, lines: &[&str]| {
        let arrived = || complete_lines(&to) == lines;
        wait_for(arrived, "the lines arrive", SOON)
            .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
    };
    arrives(&worker, &["one"]);
    let (_, tasks) = worker.request("GET", "/connectors/lines/tasks", None).unwrap();
    assert_eq!(tasks.pointer("/0/config/file").unwrap(), "${secret:source}");

    worker.stop().unwrap();
    worker.start_again().unwrap();
    let (status, changed) = set(&worker, "/secrets/source?restart=true", path(&next).as_bytes());
    assert_eq!(status, 200);
    let expected = json!({
        "name": "source", "version": 2, "connectors": ["lines"], "restarted": ["lines"],
    });
    assert_eq!(told(changed), expected);
    arrives(&worker, &["one", "two"]);

    let (status, kept) = worker.request("DELETE", "/secrets/source", None).unwrap();
    assert_eq!(status, 409);
    assert!(kept.to_string().contains("is referred to by lines"), "{kept}");
    let (status, _) = worker.request("DELETE", "/secrets/source?force=true", None).unwrap();
    assert_eq!(status, 204);
    assert_eq!(worker.request("GET", "/secrets", None).unwrap(), (200, json!([])));
    assert_eq!(worker.request("GET", "/secrets/source", None).unwrap().0, 404);
    worker.request("POST", "/connectors/lines/restart?includeTasks=true", None).unwrap();
    worker.wait_for_state("lines", "FAILED").unwrap();
}

#[test]
fn a_secret_is_text_of_bearable_length() {
    let worker = worker();
    let long = "x".repeat(256 << 10);
    let refused = [
        ("/secrets/a", "abc ".as_bytes(), 400, "at least 4 bytes"),
        ("/secrets/a", &b"\xff\xfe\xfd\xfc"[..], 400, "UTF-8"),
        ("/secrets/a%2Fb", &b"hunter2"[..], 400, "Invalid name of a secret"),
        ("/secrets/a", &b""[..], 400, "at least 4 bytes"),
    ];
    for (path, value, expected, why) in refused {
        let (status, answer) = set(&worker, path, value);
        assert_eq!(status, expected);
        assert!(answer.to_string().contains(why), "{answer}");
    }
    assert_eq!(set(&worker, "/secrets/a", format!("{long}x").as_bytes()).0, 413);
    let form = worker.send("PUT", "/secrets/a", "multipart/form-data", Some(b"hunter2")).unwrap();
    assert_eq!(form.0, 415);
    assert_eq!(worker.request("GET", "/secrets", None).unwrap(), (200, json!([])));
    assert_eq!(set(&worker, "/secrets/a", long.as_bytes()).0, 201);
    let (_, all) = worker.request("GET", "/secrets", None).unwrap();
    let expected = json!({"name": "a", "version": 1, "connectors": []});
    assert_eq!(told(all.pointer("/0").unwrap().clone()), expected);
}

#[test]
fn without_a_key_there_are_no_secrets_and_the_setting_is_named() {
    let program = env!("CARGO_BIN_EXE_tombolo");
    let worker = Worker::start(program, Kafka::shared().unwrap(), &[]).unwrap();
    let requests = [("GET", "/secrets"), ("GET", "/secrets/a"), ("DELETE", "/secrets/a")];
    let asked = requests.map(|(method, path)| worker.request(method, path, None).unwrap());
    for (status, answer) in asked.into_iter().chain([set(&worker, "/secrets/a", b"hunter2")]) {
        assert_eq!(status, 403);
        assert!(answer.to_string().contains("secrets.key.file"), "{answer}");
    }
    let source = json!({"connector.class": "FileStreamSource", "topic": "${secret:a}"});
    let refused = worker.create("lines", &source).unwrap_err().to_string();
    assert!(refused.contains("secrets.key.file"), "{refused}");
}
