//! The handle to everything that runs on this worker: connectors and tasks by name.
//!
//! Not here: what they do (`connector`, `source_task`, `sink_task`), and which of them run here (the herder).

mod metered;
mod questions;

pub use questions::ProposedOffsets;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tombolo_kafka::{Admins, Producers};
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::Plugins;
use tombolo_model::status::{State, TargetState};
use tombolo_model::{
    ConfigProviders, ConnectorName, Fault, Resolved, Settings, Stage, TaskId, WorkerId,
};
use tombolo_store::{ConnectorOffsetStore, TopicsForgotten};
use tracing::Instrument as _;

use crate::config::WorkerConfig;
use crate::connector::{Request, WorkerConnector, check_task_count};
use crate::connector_config::{ConfigError, ConnectorConfig};
use crate::error_counters::ErrorCounters;
use crate::event::WorkerEvent;
use crate::metrics::{ConnectorMetrics, Lifecycle, SandboxLimits, TaskMetrics, WorkerMetrics};
use crate::restart::{self, Restarts};
use crate::shared::Shared;
use crate::sink_group::SinkGroup;
use crate::source_offsets::SourceOffsets;
use crate::stall::Watch;
use crate::state::{Controller, Reporter, Subject};
use crate::task::TaskParts;
use crate::{passwords, sink_task, source_task, validation};

/// Time for a connector's instance to stop, as in Kafka Connect.
const CONNECTOR_GRACEFUL_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests that may wait for a connector's instance; the herder asks one at a time.
const REQUESTS_MAX: usize = 4;
/// What is said where a panic ended something.
const PANICKED: &str = "the worker's own code panicked; this is a bug in Tombolo";

/// What a worker is made of.
pub struct WorkerParts {
    /// Its settings.
    pub config: WorkerConfig,
    /// The installed plugins.
    pub plugins: Arc<dyn Plugins>,
    /// What resolves the references in configurations.
    pub providers: ConfigProviders,
    /// Where offsets of sources are stored.
    pub offsets: SourceOffsets,
    /// The worker, as statuses show it.
    pub worker_id: WorkerId,
    /// Where connectors and tasks run and plugins are asked, because it calls plugins: a runtime that looks at its timers after every poll.
    pub guests: tokio::runtime::Handle,
    /// Where it tells what happens.
    pub events: mpsc::Sender<WorkerEvent>,
    /// Says that tasks have to tell the topics they use anew.
    pub topics_forgotten: TopicsForgotten,
}

/// Runs connectors and tasks. Cheap to clone.
///
/// Follows `Worker` of Kafka Connect.
#[derive(Clone)]
pub struct Worker {
    shared: Arc<Shared>,
    connectors: Arc<Mutex<HashMap<ConnectorName, ConnectorHandle>>>,
    tasks: Arc<Mutex<HashMap<TaskId, TaskHandle>>>,
}

struct ConnectorHandle {
    running: Running,
    requests: mpsc::Sender<Request>,
    metrics: Arc<ConnectorMetrics>,
}

struct TaskHandle {
    running: Running,
    metrics: Arc<TaskMetrics>,
}

/// A connector or a task at work. It is cancelled where this is dropped.
struct Running {
    controller: Controller,
    reporter: Reporter,
    abort: AbortHandle,
    /// Ends when it has ended and its last state was told.
    done: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

impl Running {
    /// Waits until it has ended. Where it takes longer than until `deadline`, it is cancelled, and tells nothing more but that it is gone.
    async fn ended(mut self, deadline: Instant) -> bool {
        let is_graceful = tokio::time::timeout_at(deadline, &mut self.done).await.is_ok();
        if !is_graceful {
            self.abort.abort();
            self.reporter.last(State::Unassigned).await;
        }
        is_graceful
    }
}

impl Worker {
    /// A worker that runs nothing yet.
    pub fn new(parts: WorkerParts) -> Self {
        let shared = Shared {
            producers: Producers::new("connector-producer"),
            admins: Admins::new("connector-adminclient"),
            metrics: WorkerMetrics::new(parts.config.metrics),
            config: parts.config,
            plugins: parts.plugins,
            providers: parts.providers,
            offsets: parts.offsets,
            worker_id: parts.worker_id,
            guests: parts.guests,
            events: parts.events,
            topics_forgotten: parts.topics_forgotten,
        };
        Self { shared: Arc::new(shared), connectors: Arc::default(), tasks: Arc::default() }
    }

    /// Starts a connector's instance; one that is there is stopped first. What becomes of it arrives as events.
    pub async fn start_connector(
        &self,
        name: &ConnectorName,
        config: &Settings,
        target: TargetState,
    ) {
        self.stop_connector(name).await;
        let subject = Subject::Connector(name.clone());
        let read = self.resolve(config).await.and_then(|resolved| {
            let (plugin, parsed) = self.read(&resolved.settings)?;
            Ok((plugin, parsed, resolved))
        });
        let (plugin, parsed, Resolved { settings, references }) = match read {
            Ok(read) => read,
            Err(fault) => {
                let lifecycle = Lifecycle::new(Arc::clone(&self.shared.metrics.connectors));
                return self.reporter(subject, None, Arc::new(lifecycle)).failed(&fault).await;
            }
        };
        let startups = Arc::clone(&self.shared.metrics.connectors);
        let limits = SandboxLimits::of(&parsed);
        let metrics = ConnectorMetrics::new(name, Arc::clone(&plugin), limits, startups);
        let metrics = Arc::new(metrics);
        let of = Some((&*plugin, &settings));
        let reporter = self.reporter(subject, of, Arc::clone(&metrics.lifecycle));
        let (controller, control) = Controller::new(target);
        let (requests, receiver) = mpsc::channel(REQUESTS_MAX);
        let restarts = Restarts::new(parsed.restart);
        let connector = WorkerConnector {
            config: parsed,
            settings,
            references,
            plugin,
            worker: Arc::clone(&self.shared),
            control,
            reporter: reporter.clone(),
            metrics: Arc::clone(&metrics),
            requests: receiver,
            restarts,
        };
        let watch = Watch { metrics: Arc::clone(&metrics), reporter: reporter.clone() };
        let run = async {
            watch.over(connector.run()).await;
            Ok(())
        };
        let running = self.run(controller, reporter, run);
        let handle = ConnectorHandle { running, requests, metrics };
        drop(lock(&self.connectors).insert(name.clone(), handle));
    }

    /// Stops a connector's instance, by force where it takes longer than five seconds.
    pub async fn stop_connector(&self, name: &ConnectorName) {
        let handle = lock(&self.connectors).remove(name);
        let Some(ConnectorHandle { running, .. }) = handle else { return };
        running.controller.stop();
        if !running.ended(Instant::now() + CONNECTOR_GRACEFUL_TIMEOUT).await {
            tracing::error!(connector = %name, "Graceful stop of connector {name} failed.");
        }
    }

    /// Asks a started connector for the settings of its tasks.
    ///
    /// Errors: what the connector says; `Config` where there are more than `tasks.max`; `Retriable` where it is not running.
    pub async fn task_settings(&self, name: &ConnectorName) -> Result<Vec<Settings>, Fault> {
        let requests = lock(&self.connectors).get(name).map(|handle| handle.requests.clone());
        let absent = || {
            let message = format!("Connector {name} is not running on this worker");
            Fault::retriable(Stage::Lifecycle, message)
        };
        let (reply, answer) = oneshot::channel();
        let request = Request::TaskSettings(reply);
        requests.ok_or_else(absent)?.send(request).await.map_err(|_| absent())?;
        answer.await.map_err(|_| absent())?
    }

    /// Asks a connector's instance and its tasks to be something else.
    pub fn set_target_state(&self, name: &ConnectorName, target: TargetState) {
        if let Some(handle) = lock(&self.connectors).get(name) {
            handle.running.controller.set_target(target);
        }
        for (task, handle) in lock(&self.tasks).iter() {
            if task.connector == *name {
                handle.running.controller.set_target(target);
            }
        }
    }

    /// Starts one of the `count` tasks of a connector; one that is there is stopped first. What becomes of it arrives as events.
    ///
    /// Where a connector has more tasks than it may have, none of them starts, as in Kafka Connect.
    pub async fn start_task(
        &self,
        (task, count): (&TaskId, usize),
        connector_config: &Settings,
        task_config: &Settings,
        target: TargetState,
    ) {
        self.stop_tasks(std::slice::from_ref(task)).await;
        let subject = Subject::Task(task.clone());
        let read = self.read_task(connector_config, task_config, count).await;
        let (plugin, config, settings) = match read {
            Ok(read) => read,
            Err(fault) => {
                let lifecycle = Lifecycle::new(Arc::clone(&self.shared.metrics.tasks));
                return self.reporter(subject, None, Arc::new(lifecycle)).failed(&fault).await;
            }
        };
        let WorkerMetrics { tasks: startups, windows, .. } = &self.shared.metrics;
        let metrics = TaskMetrics::new(task, &plugin, Arc::clone(startups), *windows);
        let metrics = Arc::new(metrics);
        let of = Some((&*plugin, &settings));
        let reporter = self.reporter(subject, of, Arc::clone(&metrics.lifecycle));
        let (controller, control) = Controller::new(target);
        let kind = plugin.kind;
        let parts = TaskParts {
            id: task.clone(),
            config,
            settings,
            plugin,
            worker: Arc::clone(&self.shared),
            control,
            reporter: reporter.clone(),
            metrics: Arc::clone(&metrics),
        };
        let watch = Watch { metrics: Arc::clone(&metrics), reporter: reporter.clone() };
        let running = match kind {
            PluginKind::Sink => {
                let runs = restart::run(parts, sink_task::run);
                self.run(controller, reporter, watch.over(runs))
            }
            _ => {
                let runs = restart::run(parts, source_task::run);
                self.run(controller, reporter, watch.over(runs))
            }
        };
        drop(lock(&self.tasks).insert(task.clone(), TaskHandle { running, metrics }));
    }

    /// The error counters of each task that was started here and not stopped since, whether it runs or has failed.
    pub fn error_counters(&self) -> Vec<(TaskId, Arc<ErrorCounters>)> {
        let tasks = lock(&self.tasks);
        tasks.iter().map(|(id, task)| (id.clone(), Arc::clone(&task.metrics.errors))).collect()
    }

    /// Stops tasks. They have `task.shutdown.graceful.timeout.ms` all together; those that take longer are cancelled.
    pub async fn stop_tasks(&self, tasks: &[TaskId]) {
        let stopping: Vec<(TaskId, TaskHandle)> = {
            let mut running = lock(&self.tasks);
            tasks.iter().filter_map(|task| running.remove_entry(task)).collect()
        };
        stopping.iter().for_each(|(_, task)| task.running.controller.stop());
        let deadline = Instant::now() + self.shared.config.graceful_timeout;
        for (task, TaskHandle { running, .. }) in stopping {
            if !running.ended(deadline).await {
                let (connector, index) = (&task.connector, task.index);
                tracing::error!(%connector, task = index, "Graceful stop of task {task} failed.");
            }
        }
    }

    /// Puts values in place of the references in a configuration. It knows that its passwords must not be seen either, referred to or not.
    ///
    /// Errors: `Config`, in Kafka's words, where a provider cannot give them.
    ///
    /// Follows `WorkerConfigTransformer` of Kafka Connect. No provider here says how long a value holds: each start resolves anew, and nothing is
    /// restarted for a value's age.
    pub async fn resolve(&self, config: &Settings) -> Result<Resolved, Fault> {
        let (providers, config) = (self.shared.providers.clone(), config.clone());
        // They read files.
        let resolving = tokio::task::spawn_blocking(move || providers.resolve(&config));
        let resolved = resolving.await.map_err(|error| {
            Fault::fatal(Stage::Lifecycle, "a config provider failed").with_source(error)
        });
        let Resolved { settings, references } = resolved?.map_err(Fault::config)?;
        let Shared { plugins, config, .. } = &*self.shared;
        let passwords = passwords::of(&**plugins, &config.converters, &settings);
        Ok(Resolved { settings: settings.hiding(&passwords), references })
    }

    /// Opens what holds the offsets of a source connector with this configuration, resolved.
    ///
    /// Errors: `Config` where the configuration or the topic cannot be used. Waits for a broker that is away.
    pub async fn source_offsets(&self, config: &Settings) -> Result<ConnectorOffsetStore, Fault> {
        let (_, parsed) = self.read(config)?;
        let opened = self.shared.source_offsets(&parsed).await;
        opened.map_err(|fault| config.secrets().hide_in(fault))
    }

    /// The consumer group of a sink connector with this configuration, resolved.
    ///
    /// Errors: `Config` where the configuration cannot be used, or the worker's policy does not allow its overrides.
    pub fn sink_group(&self, config: &Settings) -> Result<SinkGroup, Fault> {
        let (_, parsed) = self.read(config)?;
        let group = SinkGroup::new(&self.shared.config, &parsed);
        group.map_err(|fault| config.secrets().hide_in(fault))
    }

    /// A connector's plugin and its configuration as types.
    fn read(&self, config: &Settings) -> Result<(Arc<PluginInfo>, ConnectorConfig), Fault> {
        let read = || {
            let plugin = validation::connector(&*self.shared.plugins, config)?;
            let WorkerConfig { ceilings, own_topics, .. } = &self.shared.config;
            let wrong = |error: ConfigError| Fault::config(error.message);
            let config = ConnectorConfig::under(ceilings, config, plugin.kind).map_err(wrong)?;
            own_topics.check(&config).map_err(wrong)?;
            Ok((plugin, config))
        };
        read().map_err(|fault| config.secrets().hide_in(fault))
    }

    /// A task's plugin, its connector's configuration as types, and its own settings.
    async fn read_task(
        &self,
        connector: &Settings,
        task: &Settings,
        count: usize,
    ) -> Result<(Arc<PluginInfo>, ConnectorConfig, Settings), Fault> {
        let connector = self.resolve(connector).await?.settings;
        let task = self.resolve(task).await?.settings.hiding(connector.secrets());
        let (plugin, config) = self.read(&connector)?;
        check_task_count(&config, count)?;
        let passwords = passwords::of_task(&plugin, &task);
        let task = task.hiding(&passwords);
        Ok((plugin, config, task))
    }

    /// What tells the states of a subject: of its plugin, and nothing of what its settings hide.
    fn reporter(
        &self,
        subject: Subject,
        of: Option<(&PluginInfo, &Settings)>,
        lifecycle: Arc<Lifecycle>,
    ) -> Reporter {
        Reporter {
            subject,
            worker_id: self.shared.worker_id.clone(),
            version: of.map(|(plugin, _)| plugin.version.clone()),
            lifecycle,
            secrets: of.map(|(_, settings)| settings.secrets().clone()).unwrap_or_default(),
            events: self.shared.events.clone(),
            said: Arc::default(),
            is_silent: CancellationToken::new(),
        }
    }

    /// Runs something where plugins are called, and tells how it ended: a panic fails it alone.
    fn run(
        &self,
        controller: Controller,
        reporter: Reporter,
        work: impl Future<Output = Result<(), Fault>> + Send + 'static,
    ) -> Running {
        let work = self.shared.guests.spawn(work.instrument(reporter.subject.span()));
        let (abort, last_word) = (work.abort_handle(), reporter.clone());
        let done = tokio::spawn(async move {
            match work.await {
                Ok(Ok(())) => reporter.is(State::Unassigned).await,
                Ok(Err(fault)) => reporter.failed(&fault).await,
                Err(error) if error.is_panic() => {
                    let fault = Fault::fatal(Stage::Lifecycle, PANICKED).with_source(error);
                    reporter.failed(&fault).await;
                }
                // Cancelled: nobody is to hear of it any more.
                Err(_) => {}
            }
        });
        Running { controller, reporter: last_word, abort, done }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
