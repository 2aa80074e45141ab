//! What the herder needs of a worker.
//!
//! Not here: how it is done (`tombolo_worker`).

use async_trait::async_trait;
use tombolo_model::status::TargetState;
use tombolo_model::{ConnectorName, Fault, Resolved, Settings, TaskId};
use tombolo_store::ConnectorOffsetStore;
use tombolo_worker::validation::Validation;
use tombolo_worker::{ProposedOffsets, SinkGroup, Worker};

/// Runs connectors and tasks; what becomes of them arrives as events.
///
/// Calls for one connector never overlap, except that it may be stopped while it makes task settings.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// Starts a connector's instance.
    async fn start_connector(&self, name: &ConnectorName, config: &Settings, target: TargetState);
    /// Stops a connector's instance; bounded in time.
    async fn stop_connector(&self, name: &ConnectorName);
    /// Asks a running connector for the settings of its tasks.
    async fn task_settings(&self, name: &ConnectorName) -> Result<Vec<Settings>, Fault>;
    /// Tells a connector's instance and its tasks what to be.
    fn set_target_state(&self, name: &ConnectorName, target: TargetState);
    /// Starts one of so many tasks of a connector.
    async fn start_task(
        &self,
        task: (&TaskId, usize),
        connector_config: &Settings,
        task_config: &Settings,
        target: TargetState,
    );
    /// Stops tasks: gracefully, then by force; bounded in time.
    async fn stop_tasks(&self, tasks: &[TaskId]);
    /// Puts values in place of the references in a configuration; may read files.
    async fn resolve(&self, config: &Settings) -> Result<Resolved, Fault>;
    /// Opens what holds the offsets of a source connector with this configuration, resolved; may wait for a broker.
    async fn source_offsets(&self, config: &Settings) -> Result<ConnectorOffsetStore, Fault>;
    /// The consumer group of a sink connector with this configuration, resolved.
    fn sink_group(&self, config: &Settings) -> Result<SinkGroup, Fault>;
    /// Lets a stopped connector with this configuration, resolved, check or make a change of its offsets; false leaves it to the host.
    async fn alter_offsets(
        &self,
        name: &ConnectorName,
        config: &Settings,
        offsets: ProposedOffsets,
    ) -> Result<bool, Fault>;
    /// Checks a configuration. The answer shows references as they were.
    async fn validate(&self, config: &Resolved) -> Result<Validation, Fault>;
}

#[async_trait]
impl Work for Worker {
    async fn start_connector(&self, name: &ConnectorName, config: &Settings, target: TargetState) {
        self.start_connector(name, config, target).await;
    }

    async fn stop_connector(&self, name: &ConnectorName) {
        self.stop_connector(name).await;
    }

    async fn task_settings(&self, name: &ConnectorName) -> Result<Vec<Settings>, Fault> {
        self.task_settings(name).await
    }

    fn set_target_state(&self, name: &ConnectorName, target: TargetState) {
        self.set_target_state(name, target);
    }

    async fn start_task(
        &self,
        task: (&TaskId, usize),
        connector_config: &Settings,
        task_config: &Settings,
        target: TargetState,
    ) {
        self.start_task(task, connector_config, task_config, target).await;
    }

    async fn stop_tasks(&self, tasks: &[TaskId]) {
        self.stop_tasks(tasks).await;
    }

    async fn resolve(&self, config: &Settings) -> Result<Resolved, Fault> {
        self.resolve(config).await
    }

    async fn source_offsets(&self, config: &Settings) -> Result<ConnectorOffsetStore, Fault> {
        self.source_offsets(config).await
    }

    fn sink_group(&self, config: &Settings) -> Result<SinkGroup, Fault> {
        self.sink_group(config)
    }

    async fn alter_offsets(
        &self,
        name: &ConnectorName,
        config: &Settings,
        offsets: ProposedOffsets,
    ) -> Result<bool, Fault> {
        self.alter_offsets(name, config, offsets).await
    }

    async fn validate(&self, config: &Resolved) -> Result<Validation, Fault> {
        self.validate(config).await
    }
}
