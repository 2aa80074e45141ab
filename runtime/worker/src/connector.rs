//! A connector's instance from start to stop: follows its target state, watches, and says which tasks it wants.
//!
//! Not here: its tasks, and what is done with their settings (the herder).
//!
//! Follows `WorkerConnector` of Kafka Connect; each start makes a new instance.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::{Connector, ConnectorContext, NoOffsets};
use tombolo_model::status::{State, TargetState};
use tombolo_model::{Fault, FaultKind, References, Settings, Stage};

use crate::connector_config::ConnectorConfig;
use crate::event::WorkerEvent;
use crate::metrics::ConnectorMetrics;
use crate::restart::{Next, Restarts};
use crate::shared::Shared;
use crate::state::{Control, Reporter};

/// Longest wait inside a watch: a request or a change of the target state is answered this late.
const WATCH_WAIT: Duration = Duration::from_millis(200);

/// Something asked of a connector's instance.
pub(crate) enum Request {
    /// The settings of its tasks.
    TaskSettings(oneshot::Sender<Result<Vec<Settings>, Fault>>),
}

/// A connector's instance.
pub(crate) struct WorkerConnector {
    pub(crate) config: ConnectorConfig,
    /// The connector's whole configuration, resolved.
    pub(crate) settings: Settings,
    /// What was resolved in it.
    pub(crate) references: References,
    pub(crate) plugin: Arc<PluginInfo>,
    pub(crate) worker: Arc<Shared>,
    pub(crate) control: Control,
    pub(crate) reporter: Reporter,
    pub(crate) metrics: Arc<ConnectorMetrics>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) restarts: Restarts,
}

/// What an instance is.
enum Instance {
    /// Not asked to be anything yet.
    New,
    Started(Box<dyn Connector>),
    Paused,
    Stopped,
    /// It failed, and is started anew then.
    Restarting(Instant),
    /// With what it is asked to be all the same.
    Failed(TargetState),
}

impl WorkerConnector {
    /// Runs the instance to its end.
    pub(crate) async fn run(mut self) {
        let mut instance = Instance::New;
        while !self.control.is_stopping() {
            self.metrics.progress.turned();
            instance = self.follow_target(instance).await;
            instance = match instance {
                Instance::Started(connector) => self.watch(connector).await,
                Instance::Restarting(then) => {
                    let wait = tokio::time::timeout_at(then, self.wait_for_change());
                    // That the time has come is seen by the target.
                    drop(wait.await);
                    Instance::Restarting(then)
                }
                waiting => {
                    self.wait_for_change().await;
                    waiting
                }
            };
        }
        if let Instance::Started(mut connector) = instance
            && let Err(fault) = connector.stop().await
        {
            self.metrics.failures.broke(&fault);
            tracing::error!(connector = %self.config.name, "failed to stop: {}", self.reporter.causes(&fault));
        }
    }

    /// Becomes what it is asked to be.
    async fn follow_target(&mut self, instance: Instance) -> Instance {
        match (self.control.target(), instance) {
            (TargetState::Started, Instance::New | Instance::Paused | Instance::Stopped) => {
                self.start().await
            }
            (TargetState::Started, Instance::Restarting(then)) if then <= Instant::now() => {
                self.restart().await
            }
            (TargetState::Paused, Instance::Started(mut connector)) => {
                match connector.stop().await {
                    Ok(()) => self.becomes(State::Paused, Instance::Paused).await,
                    Err(fault) => self.fail(&fault).await,
                }
            }
            (TargetState::Paused, Instance::New | Instance::Stopped | Instance::Restarting(_)) => {
                self.becomes(State::Paused, Instance::Paused).await
            }
            (TargetState::Stopped, Instance::Started(mut connector)) => {
                if let Err(fault) = connector.stop().await {
                    self.metrics.failures.broke(&fault);
                    let causes = self.reporter.causes(&fault);
                    tracing::error!(connector = %self.config.name, "failed to stop: {causes}");
                }
                self.becomes(State::Stopped, Instance::Stopped).await
            }
            (
                TargetState::Stopped,
                Instance::New | Instance::Paused | Instance::Restarting(_) | Instance::Failed(_),
            ) => self.becomes(State::Stopped, Instance::Stopped).await,
            // A failed connector can only be stopped, or started anew by a restart.
            (target, Instance::Failed(asked)) => {
                if target != asked {
                    tracing::error!(connector = %self.config.name, target = target.name(), "Cannot transition to non-stopped state when connector has already failed");
                }
                Instance::Failed(target)
            }
            (_, instance) => instance,
        }
    }

    /// Starts it after a failure, and has its tasks asked for: the one that failed may not have said them.
    async fn restart(&mut self) -> Instance {
        self.metrics.failures.restarted();
        let instance = self.start().await;
        if matches!(instance, Instance::Started(_)) {
            let name = self.config.name.clone();
            self.reporter.send(WorkerEvent::TaskReconfigurationRequested { name }).await;
        }
        instance
    }

    async fn start(&mut self) -> Instance {
        self.restarts.begins();
        match self.started().await {
            Ok(connector) => self.becomes(State::Running, Instance::Started(connector)).await,
            Err(fault) => self.fail(&fault).await,
        }
    }

    async fn started(&self) -> Result<Box<dyn Connector>, Fault> {
        let context = ConnectorContext {
            limits: self.config.limits.clone(),
            meters: Arc::clone(&self.metrics.meters),
            egress: self.config.egress.clone(),
            offsets: match self.plugin.kind {
                PluginKind::Source => Arc::new(self.worker.source_offsets(&self.config).await?),
                _ => Arc::new(NoOffsets),
            },
        };
        let plugins = &self.worker.plugins;
        let mut connector = plugins.connector(&self.config.name, &self.plugin, context).await?;
        connector.start(&self.settings).await?;
        Ok(connector)
    }

    /// Starts it anew in a fresh instance: a connector has nothing under way between two calls.
    async fn recycle(&self, connector: &mut dyn Connector) -> Result<(), Fault> {
        connector.stop().await?;
        connector.start(&self.settings).await
    }

    async fn becomes(&self, state: State, instance: Instance) -> Instance {
        self.reporter.is(state).await;
        instance
    }

    /// It failed: it is started anew later where it should be at work, or stays failed.
    async fn fail(&mut self, fault: &Fault) -> Instance {
        self.metrics.failures.broke(fault);
        let target = self.control.target();
        let next = match target {
            TargetState::Started => self.restarts.failed(fault),
            _ => Next::Stays(None),
        };
        match next {
            Next::Restart { pause, note } => {
                self.reporter.failed_and(fault, State::Restarting, &note).await;
                return Instance::Restarting(Instant::now() + pause);
            }
            Next::Stays(Some(note)) => {
                self.reporter.failed_and(fault, State::Failed, &note).await;
            }
            Next::Stays(None) => self.reporter.failed(fault).await,
        }
        Instance::Failed(target)
    }

    /// Waits for a request while the connector watches for changes in its system.
    async fn watch(&mut self, mut connector: Box<dyn Connector>) -> Instance {
        if connector.is_recycling_due()
            && let Err(fault) = self.recycle(&mut *connector).await
        {
            return self.fail(&fault).await;
        }
        let asked = Instant::now();
        match connector.watch(WATCH_WAIT).await {
            Ok(false) => {}
            Ok(true) => {
                let name = self.config.name.clone();
                self.reporter.send(WorkerEvent::TaskReconfigurationRequested { name }).await;
            }
            Err(fault) => return self.fail(&fault).await,
        }
        // A connector that does not wait is not asked again at once.
        let left = WATCH_WAIT.saturating_sub(asked.elapsed());
        let request = tokio::select! {
            biased;
            request = self.requests.recv() => request,
            () = self.control.changed() => None,
            () = tokio::time::sleep(left) => None,
        };
        let Some(Request::TaskSettings(reply)) = request else {
            return Instance::Started(connector);
        };
        let (settings, is_over) = self.task_settings(&mut *connector).await;
        let failed = match &settings {
            Err(fault) if is_over => Some(self.fail(fault).await),
            _ => None,
        };
        let settings = settings.map_err(|fault| self.settings.secrets().hide_in(fault));
        // Whoever asked may have stopped waiting.
        drop(reply.send(settings));
        failed.unwrap_or(Instance::Started(connector))
    }

    /// Waits until something is asked; settings of tasks only a started connector has.
    async fn wait_for_change(&mut self) {
        tokio::select! {
            biased;
            () = self.control.changed() => {}
            Some(Request::TaskSettings(reply)) = self.requests.recv() => {
                let message = format!("Connector {} is not running", self.config.name);
                drop(reply.send(Err(Fault::retriable(Stage::Lifecycle, message))));
            }
        }
    }

    /// The settings of the tasks, or why there are none; and whether the connector is over with that.
    ///
    /// It is where its instance is gone, and where there are more than `tasks.max`. Of anything else it may recover: it goes on running, and is
    /// asked again.
    ///
    /// Follows `Worker.connectorTaskConfigs` of Kafka Connect.
    async fn task_settings(
        &self,
        connector: &mut dyn Connector,
    ) -> (Result<Vec<Settings>, Fault>, bool) {
        match connector.task_settings(self.config.tasks_max).await {
            Err(fault) => {
                let is_gone = matches!(fault.kind, FaultKind::Plugin(_));
                (Err(fault), is_gone)
            }
            Ok(tasks) => match check_task_count(&self.config, tasks.len()) {
                Err(fault) => (Err(fault), true),
                Ok(()) => (Ok(self.completed(tasks)), false),
            },
        }
    }

    /// Tasks with what Kafka Connect adds to their settings, and with references in place of what was resolved: they are stored, and shown.
    fn completed(&self, mut tasks: Vec<Settings>) -> Vec<Settings> {
        for task in &mut tasks {
            task.insert("task.class", task_class(&self.plugin.class));
            for topics in ["topics", "topics.regex"] {
                if let Some(value) = self.settings.get(topics) {
                    task.insert(topics, value);
                }
            }
            self.references.put_back(task);
        }
        tasks
    }
}

/// Holds a number of tasks to `tasks.max`.
///
/// Follows `Worker.checkTooManyTasks` of Kafka Connect.
pub(crate) fn check_task_count(config: &ConnectorConfig, tasks: usize) -> Result<(), Fault> {
    let (name, most) = (&config.name, config.tasks_max);
    if tasks <= most as usize {
        return Ok(());
    }
    if config.tasks_max_enforce {
        let mut fault = Fault::config(format!(
            "The connector {name} has generated {tasks} tasks, which is greater than {most}, the maximum number of tasks it is configured to create. \
             This behaviour should be considered a bug and is disallowed. If necessary, it can be permitted by reconfiguring the connector \
             with 'tasks.max.enforce' set to false; however, this option will be removed in a future release of Kafka Connect."
        ));
        fault.class = Some("org.apache.kafka.connect.runtime.TooManyTasksException".to_owned());
        return Err(fault);
    }
    tracing::warn!(
        connector = %name,
        "The connector {name} has generated {tasks} tasks, which is greater than {most}, the maximum number of tasks it is configured to create."
    );
    Ok(())
}

/// The class of a connector's tasks, by the naming that Kafka's own connectors keep to.
pub(crate) fn task_class(connector: &str) -> String {
    format!("{}Task", connector.strip_suffix("Connector").unwrap_or(connector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_class_is_named_after_its_connector() {
        let class = "org.apache.kafka.connect.file.FileStreamSourceConnector";
        assert_eq!(task_class(class), "org.apache.kafka.connect.file.FileStreamSourceTask");
        assert_eq!(task_class("acme.Thing"), "acme.ThingTask");
    }
}
