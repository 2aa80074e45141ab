//! What creating costs: many connectors one after the other, and one connector up to its first row.
//!
//! Not here: the same in the runs of the cases, whose first row waits for a warm worker's first consumer.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::{Value, json};
use tombolo_harness::wait_for;

use crate::broker::{ANSWER_MAX, Broker, client, send};
use crate::peer::{Peer, Surroundings, Worker};
use crate::process;

/// Connectors that are created one after the other.
const CONNECTORS: usize = 200;
/// Topic of the sinks whose first row is measured.
const TOPIC: &str = "bench-creation";
/// Longest wait for a record in one call.
const POLL: Duration = Duration::from_millis(100);
/// Longest wait for all connectors to run, or for a first row.
const PATIENCE: Duration = Duration::from_secs(300);

/// What many creations cost.
#[derive(Clone, Debug)]
pub struct Creations {
    /// Each request, from its first byte to its answer.
    pub requests: Vec<Duration>,
    /// CPU time of the worker for each connector, from the first request until all run.
    pub cpu: Duration,
    /// From the first request until all run.
    pub running: Duration,
}

/// Creates connectors one after the other on a fresh worker.
pub fn many(peer: Peer, around: &Surroundings) -> Result<Creations> {
    let worker = Worker::start(peer, &format!("many-{}", peer.name()), around)?;
    let file = around.folder.join("idle.txt");
    std::fs::write(&file, "")?;
    let (begin, cpu) = (Instant::now(), process::cpu(worker.id())?);
    let mut requests = Vec::with_capacity(CONNECTORS);
    for number in 0..CONNECTORS {
        let connector = json!({
            "name": format!("many-{number}"),
            "config": {
                "connector.class": "FileStreamSource",
                "file": file.display().to_string(),
                "topic": "bench-many",
                "tasks.max": "1",
            }
        });
        let asked = Instant::now();
        worker.api.create(&connector)?;
        requests.push(asked.elapsed());
    }
    let all_run = || {
        let status = worker.api.get("/connectors?expand=status").ok().flatten().unwrap_or_default();
        status.matches("RUNNING").count() == 2 * CONNECTORS
    };
    wait_for(all_run, "all connectors run", PATIENCE)?;
    let running = begin.elapsed();
    let cpu = (process::cpu(worker.id())? - cpu) / u32::try_from(CONNECTORS)?;
    worker.stop()?;
    Ok(Creations { requests, cpu, running })
}

/// From creation to the first row in the file of a sink, beside a bare consumer of a group of its own that waits for the same row.
#[derive(Clone, Debug, Default)]
pub struct FirstRows {
    /// Of sinks.
    pub sinks: Vec<Duration>,
    /// Of bare consumers: from their making, over the group's join, to the record.
    pub joins: Vec<Duration>,
}

/// Measures first rows, in turn with bare consumers, on one worker.
pub fn first_rows(
    peer: Peer,
    rounds: usize,
    broker: &Broker,
    around: &Surroundings,
) -> Result<FirstRows> {
    broker.create(TOPIC)?;
    let producer = broker.producer()?;
    send(&producer, TOPIC, b"the first row")?;
    rdkafka::producer::Producer::flush(&producer, ANSWER_MAX)?;
    let worker = Worker::start(peer, &format!("first-{}", peer.name()), around)?;
    let mut found = FirstRows::default();
    for round in 0..rounds {
        let name = format!("first-{}-{round}", peer.name());
        found.joins.push(join(broker.bootstrap(), &format!("bench-{name}"))?);
        let file = around.folder.join(format!("{name}.txt"));
        let connector = sink(&name, &file.display().to_string());
        let begin = Instant::now();
        worker.api.create(&connector)?;
        let has_row = || file.metadata().is_ok_and(|file| file.len() > 0);
        wait_for(has_row, "a sink writes its first row", PATIENCE)?;
        found.sinks.push(begin.elapsed());
    }
    worker.stop()?;
    Ok(found)
}

fn sink(name: &str, file: &str) -> Value {
    json!({
        "name": name,
        "config": {
            "connector.class": "FileStreamSink",
            "topics": TOPIC,
            "file": file,
            "tasks.max": "1",
            // As the bare consumer.
            "consumer.override.auto.offset.reset": "earliest",
        }
    })
}

/// What a consumer takes to join a group of its own and get its first record.
fn join(bootstrap: &str, group: &str) -> Result<Duration> {
    let begin = Instant::now();
    let consumer: BaseConsumer = client(bootstrap)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[TOPIC])?;
    while begin.elapsed() < ANSWER_MAX {
        // Also returns for what is not a record, such as an assignment.
        if let Some(message) = consumer.poll(POLL) {
            let time = begin.elapsed();
            ensure!(rdkafka::Message::payload(&message?).is_some(), "the record has no value");
            return Ok(time);
        }
    }
    bail!("the consumer gets no record")
}
