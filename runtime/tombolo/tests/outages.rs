//! Kafka goes away and comes back: a worker at work loses nothing and goes on by itself, and one that starts meanwhile says that it waits.
//!
//! Not here: workers that are killed (`delivery`), and what is answered during an outage (`tests/compat`).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod pipe;

use std::time::Duration;

use serde_json::json;
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

use crate::pipe::Pipe;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tombolo");

/// Records in all.
const RECORDS: usize = 60_000;
/// Records a second: the source is at work before the outage, all through it and after it.
const RATE: usize = 5_000;
/// Records that have arrived when Kafka is killed.
const BEFORE: usize = 10_000;
/// Longest wait for rows, or for a word in the log: after an outage, both sides of a group have to give each other up first.
const ARRIVAL: Duration = Duration::from_secs(180);

/// A Kafka that a test may kill.
fn kafka() -> Kafka {
    Kafka::builder().heap("-Xmx384M").start().unwrap()
}

#[test]
fn nothing_is_lost_while_kafka_is_killed_and_comes_back() {
    let mut kafka = kafka();
    let settings = [("offset.flush.interval.ms", "500")];
    let worker = Worker::start(PROGRAM, &kafka, &settings).unwrap();
    let pipe = Pipe::start(&worker, "outages-numbers", RECORDS, RATE).unwrap();

    pipe.wait_for_rows(&worker, BEFORE, ARRIVAL).unwrap();
    kafka.kill().unwrap();
    let says = || worker.log().contains("no broker can be reached; records wait");
    wait_for(says, "the worker says that records wait", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
    assert!(pipe.rows() < RECORDS, "the outage came too late to lose anything");
    kafka.start_again().unwrap();

    let repeats = pipe.wait_for_all(&worker, ARRIVAL).unwrap();
    println!("{RECORDS} records, an outage, {repeats} repeats");
    worker.wait_for_state("numbers", "RUNNING").unwrap();
    worker.wait_for_state("lines", "RUNNING").unwrap();
    assert!(!worker.has_ended(), "{}", worker.log());
}

#[test]
fn a_worker_that_starts_without_kafka_says_so_and_goes_on_when_it_is_there() {
    let mut kafka = kafka();
    kafka.kill().unwrap();
    let worker = Worker::launch_at(PROGRAM, kafka.bootstrap(), |_| Vec::new(), &[]).unwrap();
    let says = || worker.log().contains("no broker answers yet; still trying");
    wait_for(|| says() || worker.has_ended(), "the worker says that it waits", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
    assert!(!worker.has_ended(), "{}", worker.log());
    for path in ["/health", "/connectors"] {
        let (status, answer) = worker.request("GET", path, None).unwrap();
        let message = json!("Worker is still starting up.");
        assert_eq!((status, &answer["message"]), (503, &message), "{path}: {answer}");
    }

    kafka.start_again().unwrap();
    worker.wait_until_healthy().unwrap();
    assert_eq!(worker.request("GET", "/connectors", None).unwrap(), (200, json!([])));
    let (from, to) = (worker.files().join("from.txt"), worker.files().join("to.txt"));
    std::fs::write(&from, "one\ntwo\n").unwrap();
    let topic = "outages-lines";
    let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": topic});
    let sink = json!({"connector.class": "FileStreamSink", "file": to, "topics": topic});
    worker.create("from", &source).unwrap();
    worker.create("to", &sink).unwrap();
    wait_for(|| complete_lines(&to) == ["one", "two"], "the lines arrive", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}: {:?}\n{}", complete_lines(&to), worker.log()));
}
