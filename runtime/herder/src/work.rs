//! What the herder needs of a worker.
//!
//! Not here: how it is done (`tombolo_worker`).

use async_trait::async_trait;
use tombolo_model::status::TargetState;
use tombolo_model::{ConnectorName, Fault, Settings, TaskId};
use tombolo_worker::validation::Validation;

/// Runs connectors and tasks. Calls for one connector never overlap; what became of them arrives as events.
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
    /// Starts a task.
    async fn start_task(
        &self,
        task: &TaskId,
        connector_config: &Settings,
        task_config: &Settings,
        target: TargetState,
    );
    /// Stops tasks: gracefully, then by force; bounded in time.
    async fn stop_tasks(&self, tasks: &[TaskId]);
    /// Checks a configuration.
    async fn validate(&self, config: &Settings) -> Result<Validation, Fault>;
}
