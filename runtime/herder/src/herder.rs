//! Puts the herder together and starts it.
//!
//! Not here: what it decides (`step`) and does (`shell`).

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot};
use tombolo_model::WorkerId;
use tombolo_model::log_lines::LogLines;
use tombolo_model::metric::Metered;
use tombolo_model::role::Plugins;
use tombolo_store::Stores;
use tombolo_worker::WorkerEvent;

use crate::config::{HerderConfig, Mode};
use crate::handle::{HerderHandle, Shared, Stop};
use crate::loggers::Loggers;
use crate::offsets::{Alterer, Reader};
use crate::plugins::follow_plugins;
use crate::shell::{Inputs, Shell};
use crate::step::{Answering, Herder};
use crate::validation::Validator;
use crate::work::Work;

/// Requests that may wait for the loop before who asks waits too.
const REQUESTS_MAX: usize = 64;

/// What a herder works with.
pub struct HerderParts {
    /// Its settings.
    pub config: HerderConfig,
    /// What runs connectors and tasks.
    pub worker: Arc<dyn Work>,
    /// What the worker tells.
    pub events: mpsc::Receiver<WorkerEvent>,
    /// The installed plugins.
    pub plugins: Arc<dyn Plugins>,
    /// What measures something, in the order in which it is shown.
    pub meters: Vec<Arc<dyn Metered>>,
    /// The last log lines of each connector.
    pub log_lines: Arc<LogLines>,
    /// The stores, read to their ends.
    pub stores: Stores,
    /// The loggers of this worker.
    pub loggers: Arc<dyn Loggers>,
    /// The worker, as every status shows it.
    pub worker_id: WorkerId,
    /// Id of the Kafka cluster.
    pub cluster_id: String,
}

impl HerderHandle {
    /// Starts a herder within a tokio runtime: it runs what the configurations say from now on.
    pub fn start(parts: HerderParts) -> Self {
        let HerderParts { config, worker, events, plugins, meters, .. } = parts;
        let HerderParts { log_lines, stores, loggers, worker_id, cluster_id, .. } = parts;
        let group_id = match &config.mode {
            Mode::Distributed { group_id } => Some(group_id.clone()),
            Mode::Standalone => None,
        };
        let is_ready = AtomicBool::new(group_id.is_some());
        let answering = match config.mode {
            Mode::Distributed { .. } => Answering::OnceRead,
            Mode::Standalone => Answering::OnceStarted,
        };
        let validator = Validator { worker: Arc::clone(&worker), group_id };
        let offsets = Reader { plugins: Arc::clone(&plugins), worker: Arc::clone(&worker) };
        let herder = Herder::new(worker_id.clone(), next_generation(&stores), answering);
        let alterer = Alterer(offsets.clone());
        let (mut shell, internal) =
            Shell::new(worker, stores.clone(), validator.clone(), alterer, Arc::clone(&loggers));
        shell.is_tracking_topics = config.is_tracking_topics;
        shell.log_lines = Arc::clone(&log_lines);
        delete_orphans(&stores);
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let (tell, stop) = oneshot::channel();
        let inputs = Inputs { requests: asked, worker: events, stop };
        let stopped = tokio::spawn(shell.run(herder, inputs, internal));
        let follower = follow_plugins(stores.plugins.clone(), Arc::clone(&plugins));
        let follower = tokio::spawn(follower).abort_handle();
        let stop = Mutex::new(Some(Stop { tell, stopped, follower }));
        let shared = Shared {
            config,
            stores,
            plugins,
            meters,
            log_lines,
            validator,
            offsets,
            loggers,
            worker_id,
            cluster_id,
            is_ready,
            stop,
        };
        Self { requests, shared: Arc::new(shared) }
    }
}

/// A generation newer than that of any stored status: what this worker reports is never taken for stale.
fn next_generation(stores: &Stores) -> i32 {
    let all = stores.statuses.all();
    let statuses = all.values().flat_map(|of| of.connector.iter().chain(of.tasks.values()));
    statuses.map(|status| status.generation).max().unwrap_or(0).saturating_add(1)
}

/// Deletes the statuses of connectors and tasks that were deleted while no worker was there to see it.
fn delete_orphans(stores: &Stores) {
    use tombolo_model::TaskId;
    use tombolo_store::status_records::StatusKey;

    let config = stores.config.snapshot();
    for (name, statuses) in stores.statuses.all() {
        let connector = config.connector(&name);
        let tasks = connector.map_or(0, |connector| connector.tasks().len());
        for index in statuses.tasks.keys() {
            if usize::try_from(*index).is_ok_and(|index| index >= tasks) {
                stores.statuses.delete(StatusKey::Task(TaskId::new(name.clone(), *index)));
            }
        }
        if connector.is_none() {
            stores.statuses.delete(StatusKey::Connector(name));
        }
    }
}
