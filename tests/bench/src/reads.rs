//! How fast the API answers while many connectors work and some hang in each of their calls.
//!
//! Not here: what the plugins do, which are those of the conformance suite's kit.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tombolo_compat::kit;
use tombolo_harness::wait::pause;
use tombolo_harness::wait_for;

use crate::broker::Broker;
use crate::peer::{Peer, Surroundings, Worker};

/// Connectors that work.
const CONNECTORS: usize = 50;
/// Records a second of each.
const RATE: u64 = 100;
/// Calls that a plugin hangs in, each in a connector of its own, as the kit names them.
const CALLS: [&str; 7] = [
    "Connector::validate",
    "Connector::start",
    "Connector::taskConfigs",
    "Task::start",
    "SourceTask::poll",
    "Task::stop",
    "Connector::stop",
];
/// How long answers are measured.
const MEASURED: Duration = Duration::from_secs(20);
/// Pause between two requests: some hundred a second, as a fleet of dashboards makes.
const PAUSE: Duration = Duration::from_millis(5);
/// The longest call of a plugin that hangs: longer than the measurement.
const CALL_TIMEOUT_MS: &str = "600000";
/// Longest wait for connectors to work.
const PATIENCE: Duration = Duration::from_secs(180);

/// What was measured.
#[derive(Clone, Debug)]
pub struct Reads {
    /// Each answer's time.
    pub answers: Vec<Duration>,
    /// Records a second of all connectors together, meanwhile.
    pub rate: f64,
}

/// Measures reads on a worker whose connectors work and, on ours, hang.
pub fn reads(peer: Peer, broker: &Broker, around: &Surroundings) -> Result<Reads> {
    let classes = match peer {
        Peer::Connect => Some(kit::classes()?),
        Peer::Tombolo => None,
    };
    let name = format!("reads-{}", peer.name());
    let extra: Vec<(&str, String)> =
        classes.iter().map(|folder| ("plugin.path", folder.display().to_string())).collect();
    let worker = Worker::start_with(peer, &name, around, &extra)?;
    if peer == Peer::Tombolo {
        worker.api.upload(kit::COMPONENT)?;
    }
    let topics: Vec<String> = (0..CONNECTORS).map(|n| format!("bench-{name}-{n}")).collect();
    for topic in &topics {
        broker.create(topic)?;
        worker.api.create(&source(topic, topic, &[]))?;
    }
    for topic in &topics {
        worker.api.wait_until_running(topic)?;
    }
    // Connect's requests wait behind a plugin that hangs in `start`: it could not be measured at all.
    if peer == Peer::Tombolo {
        hang(&worker, around)?;
    }
    let before = lengths(broker, &topics)?;
    let begin = Instant::now();
    let answers = ask(&worker, &topics)?;
    let made = lengths(broker, &topics)? - before;
    let rate = made as f64 / begin.elapsed().as_secs_f64();
    // It hangs on while it is stopped.
    worker.kill()?;
    Ok(Reads { answers, rate })
}

fn source(name: &str, topic: &str, more: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "connector.class": kit::SOURCE,
        "topic": topic,
        "throughput": RATE.to_string(),
        "messages.per.poll": "10",
        "tasks.max": "1",
    });
    if let Some(config) = config.as_object_mut() {
        config.extend(more.iter().map(|(key, value)| ((*key).to_owned(), json!(value))));
    }
    json!({ "name": name, "config": config })
}

/// Makes a connector for each call that hangs there, and waits until it does. Requests that wait for it are made on threads of their own.
fn hang(worker: &Worker, around: &Surroundings) -> Result<()> {
    for (number, call) in CALLS.iter().enumerate() {
        let name = format!("hangs-{number}");
        let events = around.folder.join(format!("{}-{name}.events", worker.id()));
        let path = events.display().to_string();
        let more =
            [("block", *call), ("events", &path), ("sandbox.call.timeout.ms", CALL_TIMEOUT_MS)];
        let connector = source(&name, &name, &more);
        let beside = worker.api.clone();
        if call.ends_with("::stop") {
            worker.api.create(&connector)?;
            worker.api.wait_until_running(&name)?;
            std::thread::spawn(move || beside.delete(&name));
        } else {
            std::thread::spawn(move || beside.create(&connector));
        }
        let hangs = || std::fs::read_to_string(&events).is_ok_and(|text| text.contains("blocks"));
        wait_for(hangs, "a plugin hangs", PATIENCE).with_context(|| (*call).to_owned())?;
    }
    Ok(())
}

fn lengths(broker: &Broker, topics: &[String]) -> Result<u64> {
    topics.iter().map(|topic| broker.length(topic)).sum()
}

/// Reads what dashboards read, one request after the other.
fn ask(worker: &Worker, names: &[String]) -> Result<Vec<Duration>> {
    let begin = Instant::now();
    let mut answers = Vec::new();
    for name in names.iter().cycle() {
        if begin.elapsed() >= MEASURED {
            break;
        }
        let one = |what: &str| format!("/connectors/{name}{what}");
        for path in [
            "/connectors".to_owned(),
            "/connectors?expand=status&expand=info".to_owned(),
            "/connector-plugins".to_owned(),
            one(""),
            one("/status"),
            one("/config"),
            one("/tasks"),
            one("/topics"),
        ] {
            let asked = Instant::now();
            let answer = worker.api.get(&path)?;
            answers.push(asked.elapsed());
            ensure!(answer.is_some(), "{path} is not answered");
            pause(PAUSE);
        }
    }
    Ok(answers)
}
