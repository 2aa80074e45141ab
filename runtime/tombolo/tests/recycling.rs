//! Plugins that leak are started anew again and again while records flow: nothing is lost, and nothing is there twice.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for, wait_for_some};

/// Numbers a second.
const RATE: usize = 10_000;
/// Memory of each plugin: six calls of a leaking one pass the mark.
const MEMORY_MAX: &str = "33554432";
/// How long after its start a plugin leaks: later than the ten seconds within which the mark may not be passed twice.
const LEAKS_AFTER: Duration = Duration::from_secs(11);
/// How often each plugin is started: three times anew.
const STARTS: usize = 4;
/// Longest wait for those starts, on a busy machine.
const STARTED: Duration = Duration::from_secs(300);
/// Longest wait for rows, or for a state.
const ARRIVAL: Duration = Duration::from_secs(120);

fn worker() -> Worker {
    let kafka = Kafka::shared().unwrap();
    let settings = [("offset.flush.interval.ms", "500")];
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &settings).unwrap();
    let (status, uploaded) = worker.upload(tombolo_guests::PIPE).unwrap();
    assert_eq!(status, 201, "{uploaded}");
    worker
}

/// How a plugin leaks, and where it notes its starts.
fn leak(worker: &Worker, name: &str, after: Duration) -> Value {
    json!({
        "sandbox.memory.max": MEMORY_MAX,
        "sandbox.restart.max": "0",
        "leaks.after.ms": after.as_millis().to_string(),
        "starts": worker.files().join(format!("{name}-starts.txt")),
    })
}

/// Creates a source of numbers, with these settings beside its own.
fn create_source(worker: &Worker, name: &str, topic: &str, more: &Value) {
    let mut config = json!({
        "connector.class": "test.pipe.NumbersSource",
        "topic": topic, "records": i64::MAX, "rate": RATE,
        "topic.creation.default.partitions": 2,
        "topic.creation.default.replication.factor": 1,
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    worker.create(name, &config).unwrap();
}

/// Creates a sink that buffers lines, with these settings beside its own.
fn create_sink(worker: &Worker, name: &str, topic: &str, more: &Value) {
    let mut config = json!({
        "connector.class": "test.pipe.LinesSink",
        "topics": topic, "file": worker.files().join("lines.txt"), "buffers": true,
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    worker.create(name, &config).unwrap();
}

/// Has a connector stopped, and waits until it is and its tasks are gone.
fn stop(worker: &Worker, name: &str) {
    let stopped = worker.request("PUT", &format!("/connectors/{name}/stop"), None).unwrap();
    assert_eq!(stopped.0, 204, "{stopped:?}");
    let is_stopped = || {
        let status = status(worker, name);
        status["connector"]["state"] == "STOPPED" && status["tasks"] == json!([])
    };
    wait_for(is_stopped, &format!("{name} is stopped"), ARRIVAL).unwrap();
}

fn status(worker: &Worker, name: &str) -> Value {
    worker.request("GET", &format!("/connectors/{name}/status"), None).unwrap().1
}

/// The offsets of a stopped connector.
fn offsets(worker: &Worker, name: &str) -> Vec<Value> {
    let (status, answer) =
        worker.request("GET", &format!("/connectors/{name}/offsets"), None).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["offsets"].as_array().unwrap().iter().map(|of| of["offset"].clone()).collect()
}

/// The numbers of a partition, in the order of the file.
fn numbers(file: &Path, partition: &str) -> Vec<usize> {
    let lines = complete_lines(file);
    let lines = lines.iter().filter_map(|line| line.split_once(' '));
    lines.filter(|(of, _)| *of == partition).map(|(_, number)| number.parse().unwrap()).collect()
}

#[test]
fn leaking_plugins_are_started_anew_under_load_and_nothing_is_lost_or_doubled() {
    let worker = worker();
    let topic = "recycling-numbers";
    create_source(&worker, "numbers", topic, &leak(&worker, "numbers", LEAKS_AFTER));
    create_sink(&worker, "lines", topic, &leak(&worker, "lines", LEAKS_AFTER));
    let starts = |of: &str| complete_lines(&worker.files().join(format!("{of}-starts.txt"))).len();
    let enough = || starts("numbers") >= STARTS && starts("lines") >= STARTS;
    wait_for(enough, "both have been started anew", STARTED).unwrap_or_else(|error| {
        let started = (starts("numbers"), starts("lines"));
        panic!("{error}: {started:?}\n{}", worker.log())
    });

    stop(&worker, "numbers");
    let next = offsets(&worker, "numbers")[0]["next"].as_u64().unwrap();
    let records = usize::try_from(next).unwrap();
    let file = worker.files().join("lines.txt");
    let written = || complete_lines(&file).len();
    wait_for(|| written() >= records, "every record arrives", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}: {} of {records}\n{}", written(), worker.log()));
    stop(&worker, "lines");

    println!(
        "{records} records; the source was started {} times, the sink {} times",
        starts("numbers"),
        starts("lines")
    );
    let consumed: u64 =
        offsets(&worker, "lines").iter().map(|of| of["kafka_offset"].as_u64().unwrap()).sum();
    assert_eq!(consumed, next, "each record is in Kafka once");
    let [even, odd] = ["0", "1"].map(|partition| numbers(&file, partition));
    for numbers in [&even, &odd] {
        assert!(numbers.is_sorted(), "rows of a partition are out of order");
    }
    let distinct: HashSet<usize> = even.iter().chain(&odd).copied().collect();
    assert_eq!((distinct.len(), even.len() + odd.len()), (records, records), "distinct, written");
    let log = worker.log();
    assert!(!log.contains("rows were committed"), "the source ended too early:\n{log}");
    for connector in ["numbers", "lines"] {
        let passed = log.lines().filter(|line| {
            line.contains("memory passed its mark")
                && line.contains(&format!("connector={connector} task=0"))
        });
        assert!(passed.count() >= STARTS - 1, "the log tells of {connector}:\n{log}");
    }
}

#[test]
fn passing_the_mark_again_within_ten_seconds_is_a_memory_breach() {
    let worker = worker();
    let topic = "recycling-breach";
    create_source(&worker, "numbers", topic, &json!({}));
    create_source(&worker, "source", "recycling-source", &leak(&worker, "source", Duration::ZERO));
    create_sink(&worker, "sink", topic, &leak(&worker, "sink", Duration::ZERO));
    for name in ["source", "sink"] {
        let failed = || {
            let task = status(&worker, name)["tasks"][0].clone();
            (task["state"] == "FAILED").then(|| task["trace"].as_str().unwrap().to_owned())
        };
        let trace = wait_for_some(failed, &format!("{name} fails"), ARRIVAL)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", status(&worker, name), worker.log()));
        for named in ["again within 10 s", "sandbox.memory.max", MEMORY_MAX] {
            assert!(trace.contains(named), "{named} is not in {trace}");
        }
    }
}
