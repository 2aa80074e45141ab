//! What a worker measured at one moment, as far as it is shown.
//!
//! Not here: the difference between two of them (`table`).

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

/// The groups of metrics that are asked for.
pub(super) const GROUPS: [&str; 9] = [
    "process",
    "kafka.connect:connector-metrics",
    "kafka.connect:connector-task-metrics",
    "kafka.connect:source-task-metrics",
    "kafka.connect:sink-task-metrics",
    "tombolo:connector",
    "tombolo:task",
    "tombolo:sandbox",
    "tombolo:sandbox-limits",
];

/// What a worker measured at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    /// When it was taken.
    pub(super) at: Option<Instant>,
    /// The worker's own.
    pub(super) worker: Worker,
    pub(super) rows: BTreeMap<Owner, Row>,
}

/// What the worker's process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Worker {
    pub(super) cpu_seconds: f64,
    pub(super) memory: f64,
}

/// Whose a row is. A connector's own instance stands before its tasks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) connector: String,
    /// None for the connector's own instance.
    pub(super) task: Option<u32>,
}

/// What is measured of a connector's own instance or a task. Totals count from its start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) state: String,
    pub(super) cpu_seconds: f64,
    pub(super) memory: f64,
    pub(super) memory_max: f64,
    pub(super) records: f64,
    pub(super) bytes_in: f64,
    pub(super) bytes_out: f64,
    pub(super) network: f64,
    pub(super) calls: f64,
    pub(super) restarts: f64,
    pub(super) breaches: f64,
}

impl Snapshot {
    /// Reads the answer of `GET /meters`. What is not there is 0: a task that has not started has measured nothing.
    pub(super) fn read(body: &Value, at: Instant) -> Self {
        let mut snapshot = Self { at: Some(at), ..Self::default() };
        for Group { group, values, .. } in Group::all(body.get("worker")) {
            if group == "process" {
                snapshot.worker.cpu_seconds = number(values, "cpu-seconds-total");
                snapshot.worker.memory = number(values, "resident-memory-bytes");
            }
        }
        let connectors = body.get("connectors").and_then(Value::as_array);
        for connector in connectors.into_iter().flatten() {
            let Some(name) = connector.get("name").and_then(Value::as_str) else { continue };
            let mut rows: BTreeMap<Option<u32>, Row> = BTreeMap::new();
            let mut memory_max = 0.0;
            for group in Group::all(connector.get("meters")) {
                match group.group {
                    "tombolo:sandbox-limits" => {
                        memory_max = number(group.values, "memory-max-bytes");
                    }
                    _ => rows.entry(group.task).or_default().take(&group),
                }
            }
            snapshot.rows.extend(rows.into_iter().map(|(task, row)| {
                (Owner { connector: name.to_owned(), task }, Row { memory_max, ..row })
            }));
        }
        snapshot
    }
}

impl Row {
    fn take(&mut self, Group { group, values, .. }: &Group<'_>) {
        let number = |name| number(values, name);
        match *group {
            "kafka.connect:connector-metrics" | "kafka.connect:connector-task-metrics" => {
                let state = values.get("status").and_then(Value::as_str).unwrap_or_default();
                self.state = state.to_uppercase();
            }
            "kafka.connect:source-task-metrics" => {
                self.records = number("source-record-poll-total");
            }
            "kafka.connect:sink-task-metrics" => {
                self.records = number("sink-record-read-total");
            }
            "tombolo:sandbox" => {
                self.cpu_seconds = number("cpu-seconds-total");
                self.memory = number("memory-bytes");
                self.bytes_in = number("record-bytes-in-total");
                self.bytes_out = number("record-bytes-out-total");
                self.network =
                    number("network-bytes-sent-total") + number("network-bytes-received-total");
                self.calls = number("calls-total");
            }
            // Breaches are in a group for each kind.
            "tombolo:connector" | "tombolo:task" => {
                self.restarts += number("restarts-total");
                self.breaches += number("breaches-total");
            }
            _ => {}
        }
    }
}

/// A group of an answer.
struct Group<'a> {
    group: &'a str,
    task: Option<u32>,
    values: &'a Value,
}

impl<'a> Group<'a> {
    fn all(groups: Option<&'a Value>) -> impl Iterator<Item = Self> {
        let groups = groups.and_then(Value::as_array).into_iter().flatten();
        groups.filter_map(|one| {
            let task = one.get("tags")?.get("task").and_then(Value::as_str);
            Some(Self {
                group: one.get("group")?.as_str()?,
                task: task.and_then(|task| task.parse().ok()),
                values: one.get("values")?,
            })
        })
    }
}

fn number(values: &Value, name: &str) -> f64 {
    values.get(name).and_then(Value::as_f64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_read_by_owner() {
        let of = |group: &str, tags: Value, values: Value| json!({"group": group, "tags": tags, "values": values});
        let task = || json!({"task": "3"});
        let body = json!({
            "worker": [of("process", json!({}), json!({"cpu-seconds-total": 1.5, "resident-memory-bytes": 7}))],
            "connectors": [{"name": "c", "meters": [
                of("kafka.connect:connector-metrics", json!({}), json!({"status": "running"})),
                of("tombolo:sandbox-limits", json!({}), json!({"memory-max-bytes": 128})),
                of("kafka.connect:connector-task-metrics", task(), json!({"status": "failed"})),
                of("kafka.connect:sink-task-metrics", task(), json!({"sink-record-read-total": 9})),
                of("tombolo:task", task(), json!({"restarts-total": 2})),
                of("tombolo:task", json!({"task": "3", "breach": "trap"}), json!({"breaches-total": 2})),
                of("tombolo:task", json!({"task": "3", "breach": "lie"}), json!({"breaches-total": 1})),
                of("tombolo:sandbox", task(), json!({
                    "cpu-seconds-total": 0.25, "memory-bytes": 64, "calls-total": 5,
                    "network-bytes-sent-total": 1, "network-bytes-received-total": 2, "memory-peak-bytes": null,
                })),
            ]}],
        });
        let snapshot = Snapshot::read(&body, Instant::now());
        assert_eq!(snapshot.worker, Worker { cpu_seconds: 1.5, memory: 7.0 });
        let [(own, instance), (owner, task)] = snapshot.rows.iter().collect::<Vec<_>>()[..] else {
            panic!("{:?}", snapshot.rows);
        };
        assert_eq!((own.task, owner.task), (None, Some(3)));
        assert_eq!((instance.state.as_str(), instance.memory_max), ("RUNNING", 128.0));
        let expected = Row {
            state: "FAILED".to_owned(),
            cpu_seconds: 0.25,
            memory: 64.0,
            memory_max: 128.0,
            records: 9.0,
            network: 3.0,
            calls: 5.0,
            restarts: 2.0,
            breaches: 3.0,
            ..Row::default()
        };
        assert_eq!(*task, expected);
        assert!(Snapshot::read(&json!({"odd": []}), Instant::now()).rows.is_empty());
    }
}
