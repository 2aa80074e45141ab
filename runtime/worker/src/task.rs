//! What source and sink tasks have in common: their parts, their plugins, and their beginning and end.
//!
//! Not here: the loops (`source_task`, `sink_task`).

use std::sync::Arc;

use tombolo_model::plugin::PluginInfo;
use tombolo_model::role::{OffsetReader, TaskContext, TaskPlugins};
use tombolo_model::status::State;
use tombolo_model::{Fault, FaultKind, Settings, TaskId};

use crate::connector_config::{ConnectorConfig, RoleConfig};
use crate::dead_letter::DeadLetters;
use crate::error_report::ErrorReports;
use crate::metrics::TaskMetrics;
use crate::pipeline::{self, Pipeline};
use crate::shared::Shared;
use crate::state::{Control, Reporter};
use crate::tolerance::ErrorPolicy;

/// What a task is made of. Cloned for each of its runs.
#[derive(Clone)]
pub(crate) struct TaskParts {
    pub(crate) id: TaskId,
    /// The connector's configuration.
    pub(crate) config: ConnectorConfig,
    /// The task's own settings, which know what must not be seen of the connector's too.
    pub(crate) settings: Settings,
    /// The connector's plugin.
    pub(crate) plugin: Arc<PluginInfo>,
    pub(crate) worker: Arc<Shared>,
    pub(crate) control: Control,
    pub(crate) reporter: Reporter,
    pub(crate) metrics: Arc<TaskMetrics>,
}

impl TaskParts {
    /// Waits while the connector is paused. Answers false where the task should end before it began.
    pub(crate) async fn wait_until_wanted(&mut self) -> bool {
        if self.control.is_paused() && !self.control.is_stopping() {
            self.reporter.is(State::Paused).await;
        }
        while self.control.is_paused() && !self.control.is_stopping() {
            self.control.changed().await;
        }
        !self.control.is_stopping()
    }

    /// What the task does about failures.
    pub(crate) fn policy(&self) -> ErrorPolicy {
        ErrorPolicy {
            config: self.config.errors.clone(),
            stopping: self.control.stopping.clone(),
            counters: Arc::clone(&self.metrics.errors),
            stages: Arc::clone(&self.metrics.stages),
        }
    }

    /// Where the task tells of bad records.
    ///
    /// Errors: as [`DeadLetters::open`].
    pub(crate) async fn error_reports(&self) -> Result<ErrorReports, Fault> {
        let queue = match &self.config.role {
            RoleConfig::Sink(sink) => &sink.dead_letter_queue,
            RoleConfig::Source(source) => &source.dead_letter_queue,
        };
        let dead_letters = match queue {
            Some(queue) => Some(DeadLetters::open(self, queue).await?),
            None => None,
        };
        let secrets = self.settings.secrets().clone();
        Ok(ErrorReports::new(self.id.clone(), self.policy(), dead_letters).hiding(secrets))
    }

    /// Room for the task's plugins, which read their offsets here, and its pipeline in it.
    pub(crate) async fn plugins(
        &self,
        offsets: Arc<dyn OffsetReader>,
    ) -> Result<(Box<dyn TaskPlugins>, Pipeline), Fault> {
        let context = TaskContext {
            limits: self.config.limits.clone(),
            meters: Arc::clone(&self.metrics.meters),
            egress: self.config.egress.clone(),
            offsets,
        };
        let plugins = &*self.worker.plugins;
        let mut room = plugins.task(&self.id, context).await?;
        let converters = &self.worker.config.converters;
        let (pipeline, used) =
            pipeline::build(plugins, &mut *room, &self.config, converters, self.policy()).await?;
        self.metrics.has_pipeline(used);
        Ok((room, pipeline))
    }

    /// How the task's work ended: what failed for now and was given up because the task stops is no failure.
    pub(crate) fn ended(&self, outcome: Result<(), Fault>) -> Result<(), Fault> {
        self.control.ended(outcome)
    }

    /// Logs a fault that does not end the task; gives back one that does, because the plugin's instance is gone.
    pub(crate) fn survive(&self, what: &str, result: Result<(), Fault>) -> Result<(), Fault> {
        match result {
            Err(fault) if matches!(fault.kind, FaultKind::Plugin(_)) => Err(fault),
            Err(fault) => {
                let causes = self.reporter.causes(&fault);
                let (connector, task) = (&self.id.connector, self.id.index);
                tracing::error!(%connector, task, stage = %fault.stage, "{what}: {causes}");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Whether a plugin's instance is gone, so that nothing of it may be called.
pub(crate) fn is_instance_gone(outcome: &Result<(), Fault>) -> bool {
    matches!(outcome, Err(Fault { kind: FaultKind::Plugin(_), .. }))
}
