//! What `/metrics` shows, held against what connectors did, against Kafka Connect's own list, and against `docs/metrics.md`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, jars, wait_for};

/// Longest wait for something to be measured.
const SOON: Duration = Duration::from_secs(60);

/// A worker with a source and a sink that use everything there is to be measured, and names that their series have as labels.
struct Measured {
    worker: Worker,
}

impl Measured {
    fn start() -> Self {
        let program = env!("CARGO_BIN_EXE_tombolo");
        let worker = Worker::start(program, Kafka::shared().unwrap(), &[]).unwrap();
        let (from, to) = (worker.files().join("from.txt"), worker.files().join("to.txt"));
        std::fs::write(&from, "one\ntwo\nthree\n").unwrap();
        // Workers of other tests have connectors of the same names on the same broker.
        let topic = format!("measured-{}", worker.id().replace(':', "-"));
        let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": topic});
        worker.create("source", &source).unwrap();
        let sink = json!({
            "connector.class": "FileStreamSink",
            "file": to,
            "topics": topic,
            "sandbox.cpu.max": "2",
            "sandbox.memory.total.max": "1073741824",
            "consumer.override.group.id": topic,
            "transforms": "drop",
            "transforms.drop.type": "org.apache.kafka.connect.transforms.Filter",
            "transforms.drop.predicate": "empty",
            "predicates": "empty",
            "predicates.empty.type": "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        });
        worker.create("sink", &sink).unwrap();
        Self { worker }
    }

    fn text(&self) -> String {
        let (status, text) = self.worker.request("GET", "/metrics", None).unwrap();
        assert_eq!(status, 200, "{text}");
        text.as_str().unwrap().to_owned()
    }

    /// The value of a series, by its name and labels as they are printed.
    fn value(&self, series: &str) -> Option<f64> {
        let text = self.text();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    fn wait_for(&self, series: &str, expected: f64) {
        let reached = || self.value(series) == Some(expected);
        wait_for(reached, &format!("{series} is {expected}"), SOON)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.text(), self.worker.log()));
    }
}

#[test]
fn connectors_are_measured_under_kafka_connects_names() {
    let measured = Measured::start();
    let source = r#"{connector="source",task="0"}"#;
    let sink = r#"{connector="sink",task="0"}"#;
    let rows = |group: &str, name: &str| format!("kafka_connect_{group}_metrics_{name}");
    for (name, labels, expected) in [
        ("source_record_poll_total", source, 3.0),
        ("source_record_write_total", source, 3.0),
        ("source_record_active_count", source, 0.0),
        ("sink_record_read_total", sink, 3.0),
        ("sink_record_send_total", sink, 3.0),
        ("sink_record_active_count", sink, 0.0),
        ("partition_count", sink, 1.0),
    ] {
        let group = if labels == source { "source_task" } else { "sink_task" };
        measured.wait_for(&(rows(group, name) + labels), expected);
    }
    for labels in [source, sink] {
        let of = |name: &str| measured.value(&(rows("connector_task", name) + labels)).unwrap();
        measured
            .wait_for(&(rows("connector_task", "offset_commit_success_percentage") + labels), 1.0);
        assert!(of("running_ratio") > 0.0 && of("pause_ratio") == 0.0);
        assert!(of("offset_commit_max_time_ms") >= of("offset_commit_avg_time_ms"));
        assert!(of("batch_size_max") >= 1.0 && of("batch_size_max") <= 3.0);
    }
    for (labels, stages) in [
        ("source", ["TASK_POLL", "VALUE_CONVERTER"].as_slice()),
        ("sink", &["TASK_PUT", "VALUE_CONVERTER", "TRANSFORMATION"]),
    ] {
        for stage in stages {
            let of = |name: &str| {
                let labels = format!("{{connector=\"{labels}\",task=\"0\",stage=\"{stage}\"}}");
                measured.value(&format!("tombolo_stage_{name}{labels}")).unwrap()
            };
            assert_eq!((of("records_total"), of("bad_records_total")), (3.0, 0.0), "{stage}");
            assert_eq!(of("failed_calls_total"), 0.0, "{stage}");
            assert!(of("call_seconds_count") >= 1.0 && of("call_seconds_sum") > 0.0, "{stage}");
        }
    }
    let status = |connector: &str, state: &str| {
        format!(
            "kafka_connect_connector_metrics_status_info{{connector=\"{connector}\",status=\"{state}\"}}"
        )
    };
    measured.wait_for(&status("source", "running"), 1.0);
    measured.wait_for("kafka_connect_connect_worker_metrics_task_count", 2.0);
    measured.wait_for("kafka_connect_connect_worker_metrics_task_startup_success_total", 2.0);

    measured.worker.request("PUT", "/connectors/source/pause", None).unwrap();
    measured.wait_for(&status("source", "paused"), 1.0);
    let paused =
        r#"kafka_connect_connect_worker_metrics_connector_paused_task_count{connector="source"}"#;
    measured.wait_for(paused, 1.0);
    assert_eq!(measured.value(&status("source", "running")), None);

    measured.worker.request("DELETE", "/connectors/source", None).unwrap();
    measured.wait_for("kafka_connect_connect_worker_metrics_task_count", 1.0);
    assert!(!measured.text().contains("connector=\"source\""), "{}", measured.text());
    assert!(measured.value("process_resident_memory_bytes").unwrap() > 1e6);
    assert!(measured.value("process_cpu_seconds_total").unwrap() > 0.0);
}

#[test]
fn the_meters_of_one_connector_tell_its_numbers_and_when_its_tasks_got_something_done() {
    let measured = Measured::start();
    let began = since_1970();
    let read = || measured.worker.request("GET", "/connectors/sink/meters", None).unwrap().1;
    let value = |body: &Value, group: &str, name: &str| {
        let groups = body["meters"].as_array().unwrap();
        let of = groups.iter().find(|of| of["group"] == group);
        of.map(|of| of["values"][name].clone()).unwrap_or_default()
    };
    let taken = || value(&read(), "kafka.connect:sink-task-metrics", "sink-record-send-total") == 3;
    wait_for(taken, "the sink took three records", SOON).unwrap();
    let body = read();
    assert_eq!(body["name"], "sink");
    assert_eq!(value(&body, "kafka.connect:connector-metrics", "connector-type"), "sink");
    assert_eq!(value(&body, "kafka.connect:connector-task-metrics", "status"), "running");
    assert!(value(&body, "tombolo:stage", "call-seconds")["sum"].as_f64().unwrap() > 0.0);
    let tagged = body["meters"].as_array().unwrap().iter().map(|of| &of["tags"]);
    assert!(tagged.clone().all(|tags| tags.get("connector").is_none()), "{body}");
    assert!(tagged.clone().any(|tags| tags["task"] == "0"), "{body}");
    let at = |body: &Value, name: &str| value(body, "tombolo:task", name).as_f64().unwrap();
    let progress = at(&body, "last-progress-timestamp-seconds");
    assert!((began - 60.0..=since_1970()).contains(&progress), "{body}");
    let turned = at(&body, "last-turn-timestamp-seconds");
    let turns_on = || at(&read(), "last-turn-timestamp-seconds") > turned;
    wait_for(turns_on, "the loop turns without records", SOON).unwrap();
    assert_eq!(at(&read(), "last-progress-timestamp-seconds"), progress);
    let used = |capability: &str| {
        let groups = body["meters"].as_array().unwrap();
        let is_one = |of: &&Value| {
            of["group"] == "tombolo:sandbox-capabilities"
                && of["tags"] == json!({"task": "0", "capability": capability})
        };
        groups.iter().find(is_one).map(|of| of["values"].clone())
    };
    let all = json!({"imported": 1, "granted": 1, "used": 1});
    assert_eq!(used("files"), Some(all), "{body}");
    let (status, body) = measured.worker.request("GET", "/connectors/none/meters", None).unwrap();
    assert_eq!((status, &body["message"]), (404, &json!("Connector none not found")));
}

/// Seconds since 1970.
fn since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Metrics of Kafka Connect that are not here, each with the reason; a name may end with a star.
const NOT_HERE: &[(&str, &str)] = &[
    ("sink_task_metrics_sink_record_lag_max", "Kafka Connect never sets it"),
    ("source_task_metrics_transaction_size_*", "there are no transactions of sources"),
    ("connect_worker_rebalance_metrics_*", "there is one worker"),
];

/// Names of all metrics of Kafka Connect, as exporters print them, from its own list of them.
fn kafka_connects_names() -> BTreeSet<String> {
    let mut java = jars::java(&[]).unwrap();
    let output = java.arg("org.apache.kafka.connect.runtime.ConnectMetrics").output().unwrap();
    let html = String::from_utf8(output.stdout).unwrap();
    let cells = |row: &str| -> Vec<String> {
        let cells = row.split("<td>").skip(1);
        cells.map(|cell| cell.split("</td>").next().unwrap().to_owned()).collect()
    };
    let mut names = BTreeSet::new();
    for row in html.split("<tr>") {
        let [name, _, bean] = cells(row).try_into().unwrap_or_default();
        if let Some((_, bean)) = bean.split_once("kafka.connect:type=") {
            let group = bean.split(',').next().unwrap();
            names.insert(format!("{group}_{name}").replace('-', "_"));
        }
    }
    names
}

#[test]
fn every_metric_of_kafka_connect_is_here_or_has_a_reason() {
    let measured = Measured::start();
    measured.wait_for("kafka_connect_connect_worker_metrics_task_startup_success_total", 2.0);
    let text = measured.text();
    let ours: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE kafka_connect_"))
        .filter_map(|line| line.split(' ').next())
        .map(|name| name.strip_suffix("_info").unwrap_or(name))
        .collect();
    let theirs = kafka_connects_names();
    assert!(theirs.len() > 90, "Kafka Connect's list was not understood: {theirs:?}");
    let is_excepted = |name: &str, except: &str| match except.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == except,
    };
    let missing: Vec<&String> =
        theirs.iter().filter(|name| !ours.contains(name.as_str())).collect();
    let without_reason: Vec<&&String> = missing
        .iter()
        .filter(|name| !NOT_HERE.iter().any(|(except, _)| is_excepted(name, except)))
        .collect();
    assert!(without_reason.is_empty(), "{without_reason:?}");
    for (except, _) in NOT_HERE {
        assert!(missing.iter().any(|name| is_excepted(name, except)), "{except} is here");
    }
    let unknown: Vec<&&str> = ours.iter().filter(|name| !theirs.contains(**name)).collect();
    assert!(unknown.is_empty(), "not Kafka Connect's names: {unknown:?}");
}

/// The tables of `docs/metrics.md`: a line for each metric, grouped by what stands before its name.
fn tables(text: &str) -> String {
    let groups = [
        ("kafka_connect_connect_worker_metrics_", "The worker"),
        ("kafka_connect_connector_metrics_", "Connectors"),
        ("kafka_connect_connector_task_metrics_", "Tasks"),
        ("kafka_connect_connector_transform_metrics_", "Transformations of tasks"),
        ("kafka_connect_connector_predicate_metrics_", "Predicates of tasks"),
        ("kafka_connect_source_task_metrics_", "Tasks of sources"),
        ("kafka_connect_sink_task_metrics_", "Tasks of sinks"),
        ("kafka_connect_task_error_metrics_", "Errors of tasks"),
        ("tombolo_stage_", "Stages of tasks"),
        ("tombolo_task_", "Progress and failures of tasks"),
        ("tombolo_connector_", "Failures of connectors' own instances"),
        ("tombolo_sandbox_limits_", "Limits of a connector's sandboxes"),
        ("tombolo_sandbox_capabilities_", "Capabilities of a connector's plugins"),
        ("tombolo_sandbox_", "Sandboxes"),
        ("process_", "The process"),
    ];
    let mut help = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    let mut labels: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in text.lines() {
        let words = |prefix: &str| line.strip_prefix(prefix)?.split_once(' ');
        if let Some((name, text)) = words("# HELP ") {
            help.insert(name, text);
        } else if let Some((name, kind)) = words("# TYPE ") {
            kinds.insert(name, kind);
        } else if let Some((name, rest)) = line.split_once('{') {
            let names =
                rest.split("\",").filter_map(|pair| pair.split_once('=')).map(|pair| pair.0);
            labels.entry(name).or_insert_with(|| names.collect());
        }
    }
    let mut out = String::new();
    let mut listed = 0;
    for (prefix, title) in groups {
        out += &format!("\n### {title}\n\n| series | labels | type | what |\n|---|---|---|---|\n");
        let is_of = |name: &str| {
            let first = groups.iter().find(|(prefix, _)| name.starts_with(prefix));
            first.is_some_and(|(first, _)| *first == prefix)
        };
        for (name, help) in help.iter().filter(|(name, _)| is_of(name)) {
            let count = format!("{name}_count");
            let labels = labels.get(name).or_else(|| labels.get(count.as_str()));
            let labels = labels.map(|labels| format!("`{}`", labels.join("`, `")));
            let (labels, kind) = (labels.unwrap_or_default(), kinds[name]);
            out += &format!("| `{name}` | {labels} | {kind} | {help} |\n");
            listed += 1;
        }
    }
    assert_eq!(listed, help.len(), "a metric belongs to no group");
    out
}

#[test]
fn the_page_of_metrics_lists_them_all() {
    let measured = Measured::start();
    measured.wait_for("kafka_connect_connect_worker_metrics_task_startup_success_total", 2.0);
    let page = tombolo_harness::root().join("docs/metrics.md");
    let found = std::fs::read_to_string(&page).unwrap();
    let (before, _) = found.split_once("\n### ").unwrap();
    let expected = format!("{before}{}", tables(&measured.text()));
    expect_test::expect_file![page].assert_eq(&expected);
}
