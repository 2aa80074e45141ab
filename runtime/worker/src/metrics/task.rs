//! What every task has, as Kafka Connect's `connector-task-metrics`, and which plugins it runs.
//!
//! Not here: what only sources or sinks have (`source`, `sink`).

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;
use tombolo_model::TaskId;
use tombolo_model::meters::Meters;
use tombolo_model::metric::{Group, Readings, Tags};
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::status::State;

use super::failures::Failures;
use super::measures::{Outcomes, Times};
use super::progress::Progress;
use super::sampled::{Sampled, Windows};
use super::sandbox;
use super::sink::SinkMetrics;
use super::source::SourceMetrics;
use super::stages::StageMetrics;
use super::startups::{Lifecycle, Startups};
use crate::connector::task_class;
use crate::error_counters::ErrorCounters;

const GROUP: Group = Group { domain: "kafka.connect", name: "connector-task-metrics" };
const ERRORS: Group = Group { domain: "kafka.connect", name: "task-error-metrics" };
const TRANSFORMATIONS: Group =
    Group { domain: "kafka.connect", name: "connector-transform-metrics" };
const PREDICATES: Group = Group { domain: "kafka.connect", name: "connector-predicate-metrics" };

/// What a task does. Its loop records, a batch at a time; whoever reads does not hold it up.
///
/// Follows `TaskMetricsGroup` of Kafka Connect.
#[derive(Debug)]
pub(crate) struct TaskMetrics {
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) role: RoleMetrics,
    pub(crate) errors: Arc<ErrorCounters>,
    pub(crate) stages: Arc<StageMetrics>,
    pub(crate) progress: Progress,
    /// What the task's sandboxes use.
    pub(crate) meters: Arc<Meters>,
    pub(crate) failures: Failures,
    tags: Tags,
    plugin: Arc<PluginInfo>,
    /// Known once the task has made them.
    pipeline: OnceLock<PipelinePlugins>,
    batch_size: Sampled,
    commit_time: Times,
    commits: Outcomes,
}

/// What only sources or only sinks do.
#[derive(Clone, Debug)]
pub(crate) enum RoleMetrics {
    Source(Arc<SourceMetrics>),
    Sink(Arc<SinkMetrics>),
}

/// The plugins of a task's pipeline.
#[derive(Debug)]
pub(crate) struct PipelinePlugins {
    pub(crate) key: Arc<PluginInfo>,
    pub(crate) value: Arc<PluginInfo>,
    pub(crate) header: Arc<PluginInfo>,
    /// By alias.
    pub(crate) transformations: Vec<(String, Arc<PluginInfo>)>,
    /// By alias.
    pub(crate) predicates: Vec<(String, Arc<PluginInfo>)>,
}

impl TaskMetrics {
    /// Of a task of this plugin that is about to start.
    pub(crate) fn new(
        task: &TaskId,
        plugin: &Arc<PluginInfo>,
        startups: Arc<Startups>,
        windows: Windows,
    ) -> Self {
        let now = Instant::now();
        let role = match plugin.kind {
            PluginKind::Sink => RoleMetrics::Sink(Arc::new(SinkMetrics::new(windows, now))),
            _ => RoleMetrics::Source(Arc::new(SourceMetrics::new(windows, now))),
        };
        Self {
            lifecycle: Arc::new(Lifecycle::new(startups)),
            role,
            errors: Arc::default(),
            stages: Arc::default(),
            progress: Progress::default(),
            meters: Arc::default(),
            failures: Failures::default(),
            tags: tags(task),
            plugin: Arc::clone(plugin),
            pipeline: OnceLock::new(),
            batch_size: Sampled::new(windows, now),
            commit_time: Times::new(windows, now),
            commits: Outcomes::new(windows, now),
        }
    }

    /// The task has made its converters and transformations.
    pub(crate) fn has_pipeline(&self, plugins: PipelinePlugins) {
        // A task that starts its plugins anew makes the same ones.
        drop(self.pipeline.set(plugins));
    }

    /// The task works on a batch.
    pub(crate) fn batch(&self, rows: u32, now: Instant) {
        self.batch_size.record(u64::from(rows), now);
        if rows > 0 {
            self.progress.moved();
        }
    }

    /// A commit ended; how long it took counts only where it succeeded, as in Kafka Connect.
    pub(crate) fn commit_ended(&self, succeeded: bool, took: Duration, now: Instant) {
        if succeeded {
            self.commit_time.record(took, now);
        }
        self.commits.record(succeeded, now);
    }

    pub(crate) fn read(&self, now: Instant, readings: &mut Readings) {
        self.read_work(now, readings);
        self.read_plugins(readings);
        self.read_errors(readings);
        self.stages.read(&self.tags, readings);
        self.progress.read(&self.tags, readings);
        self.failures.read_task(&self.tags, readings);
        sandbox::read_usage(&self.meters, &self.tags, readings);
        match &self.role {
            RoleMetrics::Source(source) => source.read(&self.tags, now, readings),
            RoleMetrics::Sink(sink) => sink.read(&self.tags, now, readings),
        }
    }

    fn read_work(&self, now: Instant, readings: &mut Readings) {
        let states = self.lifecycle.states();
        let (succeeded, failed) = self.commits.shares(now);
        readings
            .of(GROUP, &self.tags)
            .text("status", "What the task is.", states.state().name().to_lowercase())
            .gauge(
                "running-ratio",
                "Share of its time that the task was running.",
                states.share(State::Running, now),
            )
            .gauge(
                "pause-ratio",
                "Share of its time that the task was paused.",
                states.share(State::Paused, now),
            )
            .gauge(
                "offset-commit-max-time-ms",
                "Longest time of a commit.",
                self.commit_time.max_ms(now),
            )
            .gauge(
                "offset-commit-avg-time-ms",
                "Mean time of a commit.",
                self.commit_time.average_ms(now),
            )
            .gauge("batch-size-max", "Records in the largest batch.", self.batch_size.max(now))
            .gauge(
                "batch-size-avg",
                "Mean number of records in a batch.",
                self.batch_size.average(now),
            )
            .gauge(
                "offset-commit-failure-percentage",
                "Share of the commits that failed, from 0 to 1.",
                failed,
            )
            .gauge(
                "offset-commit-success-percentage",
                "Share of the commits that succeeded, from 0 to 1.",
                succeeded,
            );
    }

    fn read_plugins(&self, readings: &mut Readings) {
        let PluginInfo { class, version, kind, .. } = &*self.plugin;
        readings
            .of(GROUP, &self.tags)
            .text("connector-class", "Class of the connector.", class)
            .text("connector-type", "Source or sink.", kind.name())
            .text("connector-version", "Version of the connector.", version)
            .text("task-class", "Class of the task.", task_class(class))
            .text("task-version", "Version of the task: its connector's.", version);
        let Some(pipeline) = self.pipeline.get() else { return };
        let PipelinePlugins { key, value, header, .. } = pipeline;
        readings
            .of(GROUP, &self.tags)
            .text("key-converter-class", "Class of the keys' converter.", &key.class)
            .text("key-converter-version", "Version of the keys' converter.", &key.version)
            .text("value-converter-class", "Class of the values' converter.", &value.class)
            .text("value-converter-version", "Version of the values' converter.", &value.version)
            .text("header-converter-class", "Class of the headers' converter.", &header.class)
            .text(
                "header-converter-version",
                "Version of the headers' converter.",
                &header.version,
            );
        for (alias, plugin) in &pipeline.transformations {
            readings
                .of(TRANSFORMATIONS, &self.tagged("transform", alias))
                .text("transform-class", "Class of the transformation.", &plugin.class)
                .text("transform-version", "Version of the transformation.", &plugin.version);
        }
        for (alias, plugin) in &pipeline.predicates {
            readings
                .of(PREDICATES, &self.tagged("predicate", alias))
                .text("predicate-class", "Class of the predicate.", &plugin.class)
                .text("predicate-version", "Version of the predicate.", &plugin.version);
        }
    }

    fn read_errors(&self, readings: &mut Readings) {
        let counts = self.errors.read();
        readings
            .of(ERRORS, &self.tags)
            .counter(
                "total-record-failures",
                "Operations on records that failed, those too that succeeded when they were tried again.",
                counts.record_failures as f64,
            )
            .counter(
                "total-record-errors",
                "Records that could not be processed.",
                counts.record_errors as f64,
            )
            .counter(
                "total-records-skipped",
                "Records that were skipped because they could not be processed.",
                counts.records_skipped as f64,
            )
            .counter("total-retries", "Operations that were tried again.", counts.retries as f64)
            .counter("total-errors-logged", "Failures that were logged.", counts.errors_logged as f64)
            .counter(
                "deadletterqueue-produce-requests",
                "Records that were to be written to the dead letter queue.",
                counts.dead_letter_requests as f64,
            )
            .counter(
                "deadletterqueue-produce-failures",
                "Records that could not be written to the dead letter queue.",
                counts.dead_letter_failures as f64,
            )
            .gauge(
                "last-error-timestamp",
                "When a record failed last, in milliseconds since 1970; 0 for never.",
                counts.last_error_ms as f64,
            );
    }

    /// The task's tags and one more.
    fn tagged(&self, name: &'static str, value: &str) -> Tags {
        self.tags.iter().cloned().chain([(name, value.to_owned())]).collect()
    }
}

/// The tags of a task.
fn tags(task: &TaskId) -> Tags {
    [("connector", task.connector.to_string()), ("task", task.index.to_string())].into()
}
