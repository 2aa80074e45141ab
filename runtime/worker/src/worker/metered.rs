//! What a worker measures: itself, and its connectors and tasks.
//!
//! Not here: measuring (`metrics`).

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;
use tombolo_model::ConnectorName;
use tombolo_model::metric::{Group, Metered, Readings, Tags};
use tombolo_model::status::State;

use super::{Worker, lock};
use crate::metrics::{ConnectorMetrics, TaskMetrics};

const GROUP: Group = Group { domain: "kafka.connect", name: "connect-worker-metrics" };

impl Metered for Worker {
    /// Follows `WorkerMetricsGroup` and `ConnectorStatusMetricsGroup` of Kafka Connect.
    fn read(&self, readings: &mut Readings) {
        let now = Instant::now();
        let mut connectors: Vec<(ConnectorName, Arc<ConnectorMetrics>)> = lock(&self.connectors)
            .iter()
            .filter(|(name, _)| readings.wants(name.as_str()))
            .map(|(name, connector)| (name.clone(), Arc::clone(&connector.metrics)))
            .collect();
        connectors.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut tasks: BTreeMap<ConnectorName, BTreeMap<u32, Arc<TaskMetrics>>> = BTreeMap::new();
        for (id, task) in lock(&self.tasks).iter() {
            if readings.wants(id.connector.as_str()) {
                let of = tasks.entry(id.connector.clone()).or_default();
                of.insert(id.index, Arc::clone(&task.metrics));
            }
        }
        if readings.wants_worker() {
            let task_count = tasks.values().map(BTreeMap::len).sum();
            self.read_worker(connectors.len(), task_count, now, readings);
        }
        for (_, metrics) in connectors {
            metrics.read(readings);
        }
        for (connector, tasks) in tasks {
            let states: Vec<State> =
                tasks.values().map(|task| task.lifecycle.states().state()).collect();
            read_tasks_of(&connector, &states, readings);
            tasks.values().for_each(|task| task.read(now, readings));
        }
    }
}

impl Worker {
    fn read_worker(&self, connectors: usize, tasks: usize, now: Instant, readings: &mut Readings) {
        let none = Tags::default();
        let metrics = &self.shared.metrics;
        let starts = &metrics.connectors;
        let (succeeded, failed) = starts.shares(now);
        readings
            .of(GROUP, &none)
            .gauge("connector-count", "Connectors on the worker.", connectors as f64)
            .gauge("task-count", "Tasks on the worker.", tasks as f64)
            .counter(
                "connector-startup-attempts-total",
                "Starts of connectors.",
                starts.succeeded() + starts.failed(),
            )
            .counter(
                "connector-startup-success-total",
                "Starts of connectors that succeeded.",
                starts.succeeded(),
            )
            .gauge(
                "connector-startup-success-percentage",
                "Share of the starts of connectors that succeeded, from 0 to 1.",
                succeeded,
            )
            .counter(
                "connector-startup-failure-total",
                "Starts of connectors that failed.",
                starts.failed(),
            )
            .gauge(
                "connector-startup-failure-percentage",
                "Share of the starts of connectors that failed, from 0 to 1.",
                failed,
            );
        let starts = &metrics.tasks;
        let (succeeded, failed) = starts.shares(now);
        readings
            .of(GROUP, &none)
            .counter(
                "task-startup-attempts-total",
                "Starts of tasks.",
                starts.succeeded() + starts.failed(),
            )
            .counter(
                "task-startup-success-total",
                "Starts of tasks that succeeded.",
                starts.succeeded(),
            )
            .gauge(
                "task-startup-success-percentage",
                "Share of the starts of tasks that succeeded, from 0 to 1.",
                succeeded,
            )
            .counter("task-startup-failure-total", "Starts of tasks that failed.", starts.failed())
            .gauge(
                "task-startup-failure-percentage",
                "Share of the starts of tasks that failed, from 0 to 1.",
                failed,
            );
    }
}

/// How many tasks of a connector there are on the worker, in all and in each state.
fn read_tasks_of(connector: &ConnectorName, states: &[State], readings: &mut Readings) {
    let tags: Tags = [("connector", connector.to_string())].into();
    let count = |of: State| states.iter().filter(|state| **state == of).count() as f64;
    readings
        .of(GROUP, &tags)
        .gauge(
            "connector-total-task-count",
            "Tasks of the connector on the worker.",
            states.len() as f64,
        )
        .gauge(
            "connector-running-task-count",
            "Tasks of the connector that are running.",
            count(State::Running),
        )
        .gauge(
            "connector-paused-task-count",
            "Tasks of the connector that are paused.",
            count(State::Paused),
        )
        .gauge(
            "connector-failed-task-count",
            "Tasks of the connector that have failed.",
            count(State::Failed),
        )
        .gauge(
            "connector-unassigned-task-count",
            "Tasks of the connector that are not running yet.",
            count(State::Unassigned),
        )
        .gauge(
            "connector-destroyed-task-count",
            "Tasks of the connector that were deleted.",
            count(State::Destroyed),
        )
        .gauge(
            "connector-restarting-task-count",
            "Tasks of the connector that are being restarted.",
            count(State::Restarting),
        );
}
