//! What a worker, its connectors and its tasks do, under the names of Kafka Connect's MBeans.
//!
//! A task's loop records once for each batch, in atomics; a reading looks at them and holds up nobody. Averages, maxima and rates look back
//! over windows of time. Not here: which connectors and tasks there are (`worker`), and how readings are printed.

pub(crate) mod connector;
mod failures;
mod measures;
mod progress;
mod sampled;
mod sandbox;
pub(crate) mod sink;
pub(crate) mod source;
mod stages;
pub(crate) mod startups;
mod states;
pub(crate) mod task;

pub(crate) use connector::ConnectorMetrics;
#[cfg(test)]
pub(crate) use progress::Progress;
pub use sampled::Windows;
pub(crate) use sandbox::SandboxLimits;
pub(crate) use sink::SinkMetrics;
pub(crate) use source::SourceMetrics;
pub(crate) use stages::{Calls, StageMetrics};
pub(crate) use startups::Lifecycle;
pub(crate) use task::{PipelinePlugins, RoleMetrics, TaskMetrics};

use std::sync::Arc;

use tokio::time::Instant;

use startups::Startups;

/// Starts of a worker's connectors and tasks.
#[derive(Debug)]
pub(crate) struct WorkerMetrics {
    pub(crate) windows: Windows,
    pub(crate) connectors: Arc<Startups>,
    pub(crate) tasks: Arc<Startups>,
}

impl WorkerMetrics {
    /// Of a worker that has started nothing yet.
    pub(crate) fn new(windows: Windows) -> Self {
        let startups = || Arc::new(Startups::new(windows, Instant::now()));
        Self { windows, connectors: startups(), tasks: startups() }
    }
}
