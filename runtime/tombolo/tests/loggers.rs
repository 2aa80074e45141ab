//! Levels of the log are changed over the API: on this worker at once, on every worker that runs through the config topic.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, wait_for};

/// Far longer than a record takes through the config topic.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where the worker says that it sets a level.
const CLI: &str = "org.apache.kafka.connect.cli";

fn set(worker: &Worker, logger: &str, level: &str) -> (u16, Value) {
    let path = format!("/admin/loggers/{logger}");
    worker.request("PUT", &path, Some(&json!({ "level": level }))).unwrap()
}

fn level(worker: &Worker, logger: &str) -> Option<String> {
    let (_, found) = worker.request("GET", &format!("/admin/loggers/{logger}"), None).unwrap();
    found.get("level").and_then(Value::as_str).map(str::to_owned)
}

fn line(logger: &str) -> String {
    format!("Setting level of namespace {logger} ")
}

#[test]
fn what_is_logged_follows_the_levels_that_are_set() {
    let kafka = Kafka::shared().unwrap();
    let mut worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &[]).unwrap();
    let (status, all) = worker.request("GET", "/admin/loggers", None).unwrap();
    assert_eq!(status, 200);
    let names: Vec<&String> = all.as_object().unwrap().keys().collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(all.get(CLI), Some(&json!({"level": "INFO", "last_modified": null})));

    assert_eq!(set(&worker, CLI, "WARN"), (200, json!([CLI])));
    assert_eq!(set(&worker, "io.quiet", "DEBUG"), (200, json!(["io.quiet"])));
    assert_eq!(set(&worker, CLI, "INFO"), (200, json!([CLI])));
    assert_eq!(set(&worker, "io.loud", "DEBUG").0, 200);
    // What was asked for before it was answered is written before the next answer.
    assert!(worker.log().contains(&line("io.loud")), "{}", worker.log());
    assert!(!worker.log().contains(&line("io.quiet")), "{}", worker.log());

    let long = "x".repeat(2_000);
    for path in [long.clone(), format!("{long}?scope=cluster")] {
        let (status, refused) = set(&worker, &path, "INFO");
        let message = "The name of the logger has 2000 bytes: expected at most 1024";
        assert_eq!((status, &refused["message"]), (400, &json!(message)));
    }
    assert_eq!(set(&worker, "io.far?scope=cluster", "TRACE"), (204, Value::Null));
    let is_set = || level(&worker, "io.far").as_deref() == Some("TRACE");
    wait_for(is_set, "the level comes through the config topic", DEADLINE).unwrap();
    worker.stop().unwrap();
    worker.start_again().unwrap();
    assert_eq!(level(&worker, "io.far"), None, "a worker that starts later has its own levels");
}
