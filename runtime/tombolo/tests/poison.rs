//! One record that makes a sink crash goes to the dead letter queue, and all others arrive.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

/// Longest wait for rows to arrive: a search starts the sink anew some ten times.
const ARRIVAL: Duration = Duration::from_secs(120);
/// Numbers that the source brings.
const NUMBERS: usize = 5_000;
/// The one that crashes the sink.
const POISON: &str = "4321";
/// Topic of the numbers, and its dead letter queue.
const TOPIC: &str = "poison-numbers";
const QUEUE: &str = "poison-dead";

#[test]
fn one_record_that_crashes_a_sink_stops_nothing_else() {
    let kafka = Kafka::shared().unwrap();
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &[]).unwrap();
    let (status, uploaded) = worker.upload(tombolo_guests::PIPE).unwrap();
    assert_eq!(status, 201, "{uploaded}");
    let (file, dead) = (worker.files().join("numbers.txt"), worker.files().join("dead.txt"));
    let source = json!({
        "connector.class": "test.pipe.NumbersSource",
        "topic": TOPIC, "records": NUMBERS, "rate": 1_000_000,
        "topic.creation.default.partitions": 2,
        "topic.creation.default.replication.factor": 1,
    });
    let sink = json!({
        "connector.class": "test.pipe.LinesSink", "topics": TOPIC, "file": file,
        "crashes.at": POISON,
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": QUEUE,
        "errors.deadletterqueue.topic.replication.factor": 1,
    });
    let letters = json!({"connector.class": "test.pipe.LinesSink", "topics": QUEUE, "file": dead});
    worker.create("poison-source", &source).unwrap();
    worker.create("poison-sink", &sink).unwrap();
    worker.create("poison-letters", &letters).unwrap();

    let numbers = || -> BTreeSet<String> {
        let lines = complete_lines(&file).into_iter();
        lines.filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect()
    };
    wait_for(|| numbers().len() == NUMBERS - 1, "the others arrive", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", numbers().len(), worker.log()));
    assert!(!numbers().contains(POISON));
    let letter = format!("0 {POISON}");
    wait_for(|| complete_lines(&dead) == [letter.as_str()], "the letter arrives", ARRIVAL).unwrap();
    worker.wait_for_state("poison-sink", "RUNNING").unwrap();
}
