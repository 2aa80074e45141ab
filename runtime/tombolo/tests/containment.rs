//! Misbehaving plugins are uploaded and run: each is started anew once, then fails its own task with the limit and the
//! setting named, and its neighbour keeps its rate.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

/// Longest call of the guests that never end one by themselves; the others have the time that any plugin has, as a busy machine may need it.
const CALL_TIMEOUT: &[(&str, &str)] = &[("sandbox.call.timeout.ms", "2000")];
/// How long after its deadline a breach shows in the status: creation, consumption from a fresh group, and a busy machine.
const VISIBLE_WITHIN: Duration = Duration::from_secs(60);
/// Rows a second of the neighbour.
const RATE: u32 = 1_000;
/// For how long the neighbour's rate is measured.
const MEASURED: Duration = Duration::from_secs(3);
/// The topic that all of them read.
const TOPIC: &str = "containment-numbers";

/// A guest, its class, the settings that make it misbehave, and what its failed task says.
struct Case {
    name: &'static str,
    component: &'static [u8],
    class: &'static str,
    settings: &'static [(&'static str, &'static str)],
    named: &'static [&'static str],
}

const CASES: [Case; 6] = [
    Case {
        name: "loops",
        component: tombolo_guests::LOOPS,
        class: "guest.LoopsSink",
        settings: CALL_TIMEOUT,
        named: &["2000 ms", "sandbox.call.timeout.ms"],
    },
    Case {
        name: "sleeps",
        component: tombolo_guests::SLEEPS,
        class: "guest.SleepsSink",
        settings: CALL_TIMEOUT,
        named: &["2000 ms", "sandbox.call.timeout.ms"],
    },
    Case {
        name: "grows",
        component: tombolo_guests::GROWS,
        class: "guest.GrowsSink",
        settings: &[],
        named: &["its limit of", "sandbox.memory.max"],
    },
    Case {
        name: "traps",
        component: tombolo_guests::TRAPS,
        class: "guest.TrapsSink",
        settings: &[],
        named: &["the plugin trapped", "no room for"],
    },
    Case {
        name: "lies",
        component: tombolo_guests::LIES,
        class: "guest.LiesSink",
        settings: &[],
        named: &["the plugin returned faults.row"],
    },
    Case {
        name: "floods",
        component: tombolo_guests::FLOODS,
        class: "guest.FloodsSink",
        settings: &[("flood", "log")],
        named: &["more than 100000 calls of the host"],
    },
];

/// Rows that the neighbour writes in a second, over a while.
fn rate(worker: &Worker) -> f64 {
    let file = worker.files().join("neighbour.txt");
    let rows = || complete_lines(&file).len();
    let (start, before) = (Instant::now(), rows());
    wait_for(|| start.elapsed() >= MEASURED, "a while passes", 2 * MEASURED).unwrap();
    let written = u32::try_from(rows() - before).unwrap();
    f64::from(written) / start.elapsed().as_secs_f64()
}

fn misbehave(worker: &Worker, case: &Case) {
    let (status, uploaded) = worker.upload(case.component).unwrap();
    assert_eq!(status, 201, "{}: {uploaded}", case.name);
    let mut config = json!({
        "connector.class": case.class,
        "topics": TOPIC,
        "tasks.max": "1",
        "sandbox.restart.max": "1",
        "sandbox.restart.backoff.ms": "100",
    });
    for (name, value) in case.settings {
        config[name] = json!(value);
    }
    worker.create(case.name, &config).unwrap();
}

/// The trace of a connector's failed task, once it has failed.
fn trace(worker: &Worker, case: &Case) -> String {
    let path = format!("/connectors/{}/status", case.name);
    let status = || worker.request("GET", &path, None).map(|(_, status)| status);
    let task = |status: &Value| status["tasks"][0].clone();
    let failed = || status().is_ok_and(|status| task(&status)["state"] == "FAILED");
    let waited = wait_for(failed, "the task fails", 2 * VISIBLE_WITHIN);
    waited
        .unwrap_or_else(|error| panic!("{}: {error}: {:?}\n{}", case.name, status(), worker.log()));
    task(&status().unwrap())["trace"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn six_misbehaving_plugins_are_contained_beside_a_neighbour() {
    let kafka = Kafka::shared().unwrap();
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &[]).unwrap();
    let (status, uploaded) = worker.upload(tombolo_guests::PIPE).unwrap();
    assert_eq!(status, 201, "{uploaded}");
    let source = json!({
        "connector.class": "test.pipe.NumbersSource",
        "topic": TOPIC, "records": 1_000_000, "rate": RATE,
        "topic.creation.default.partitions": 2,
        "topic.creation.default.replication.factor": 1,
    });
    let file = worker.files().join("neighbour.txt");
    let sink = json!({"connector.class": "LinesSink", "topics": TOPIC, "file": file});
    worker.create("numbers", &source).unwrap();
    worker.create("neighbour", &sink).unwrap();
    wait_for(|| !complete_lines(&file).is_empty(), "the neighbour writes", VISIBLE_WITHIN).unwrap();

    let alone = rate(&worker);
    CASES.iter().for_each(|case| misbehave(&worker, case));
    let beside = rate(&worker);
    println!(
        "the neighbour wrote {alone:.0} rows/s alone, {beside:.0} beside six misbehaving plugins"
    );
    for case in &CASES {
        let trace = trace(&worker, case);
        for named in case.named.iter().chain(&["It was started anew 1 times within 3600000 ms"]) {
            assert!(trace.contains(named), "{}: {named} is not in {trace}", case.name);
        }
    }
    assert!(beside >= alone / 2.0, "{beside:.0} rows/s beside them, {alone:.0} alone");
    assert!(!worker.has_ended());
    let (status, _) = worker.request("GET", "/connectors", None).unwrap();
    assert_eq!(status, 200);
    worker.wait_for_state("neighbour", "RUNNING").unwrap();
}
