//! What everything on a worker shares.
//!
//! Not here: what runs (`worker`).

use std::sync::Arc;

use tokio::sync::mpsc;
use tombolo_kafka::{Admins, Producers};
use tombolo_model::role::Plugins;
use tombolo_model::{ConfigProviders, WorkerId};
use tombolo_store::TopicsForgotten;

use crate::config::WorkerConfig;
use crate::event::WorkerEvent;
use crate::metrics::WorkerMetrics;
use crate::source_offsets::SourceOffsets;

/// What everything on a worker shares.
pub(crate) struct Shared {
    pub(crate) config: WorkerConfig,
    pub(crate) plugins: Arc<dyn Plugins>,
    pub(crate) providers: ConfigProviders,
    pub(crate) offsets: SourceOffsets,
    pub(crate) producers: Producers,
    pub(crate) admins: Admins,
    pub(crate) worker_id: WorkerId,
    pub(crate) metrics: WorkerMetrics,
    /// Where connectors and tasks run, because they call plugins: a runtime that looks at its timers after every poll.
    pub(crate) guests: tokio::runtime::Handle,
    pub(crate) events: mpsc::Sender<WorkerEvent>,
    pub(crate) topics_forgotten: TopicsForgotten,
}
