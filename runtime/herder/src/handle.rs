//! What others ask of the herder.
//!
//! Looks are answered from what was read, without waiting for anything; changes go through the loop.
//! Not here: HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tombolo_model::log_lines::{LogLine, LogLines};
use tombolo_model::metric::{Metered, Reading, Readings};
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::{InstallRefused, Installed, Plugins};
use tombolo_model::status::{Status, TargetState};
use tombolo_model::{ConnectorName, Settings, TaskId, VersionRange, WorkerId};
use tombolo_store::flat::FlatMap;
use tombolo_store::snapshot::ConnectorState;
use tombolo_store::status_records::StatusKey;
use tombolo_store::{ClusterConfigState, RestartRequest, Stores};
use tombolo_worker::validation::Validation;

use crate::config::HerderConfig;
use crate::error::Error;
use crate::event::{Answer, OffsetChange, OffsetsAltered, Request, SubmittedConfig};
use crate::info::{ConnectorInfo, ConnectorStatus, Health, RestartFlags};
use crate::loggers::Loggers;
use crate::offsets::{Offset, Reader};
use crate::progress::Progress;
use crate::shell::{Asked, Asker};
use crate::validation::Validator;

/// Longest wait for an answer, as `DEFAULT_REST_REQUEST_TIMEOUT_MS` of Kafka Connect.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// Longest wait for a sign of life of the loop, as `DEFAULT_HEALTH_CHECK_TIMEOUT_MS` of Kafka Connect.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to the herder. Cheap to clone.
#[derive(Clone)]
pub struct HerderHandle {
    pub(crate) requests: mpsc::Sender<Asked>,
    pub(crate) shared: Arc<Shared>,
}

/// What looks are answered from.
pub(crate) struct Shared {
    pub(crate) config: HerderConfig,
    pub(crate) stores: Stores,
    pub(crate) plugins: Arc<dyn Plugins>,
    pub(crate) meters: Vec<Arc<dyn Metered>>,
    pub(crate) log_lines: Arc<LogLines>,
    pub(crate) validator: Validator,
    pub(crate) offsets: Reader,
    pub(crate) loggers: Arc<dyn Loggers>,
    pub(crate) worker_id: WorkerId,
    pub(crate) cluster_id: String,
    /// Whether the worker has everything that it was started with.
    pub(crate) is_ready: AtomicBool,
    pub(crate) stop: std::sync::Mutex<Option<Stop>>,
}

/// How the loop is told to stop, and how it says that it has.
pub(crate) struct Stop {
    pub(crate) tell: oneshot::Sender<()>,
    pub(crate) stopped: tokio::task::JoinHandle<()>,
    /// What follows uploads, ended with it.
    pub(crate) follower: tokio::task::AbortHandle,
}

/// Looks.
impl HerderHandle {
    /// The worker, as every status shows it.
    pub fn worker_id(&self) -> &WorkerId {
        &self.shared.worker_id
    }

    /// Id of the Kafka cluster.
    pub fn cluster_id(&self) -> &str {
        &self.shared.cluster_id
    }

    /// Says that a worker that stands alone has the connectors that it was started with. Until then it is starting.
    pub fn ready(&self) {
        self.shared.is_ready.store(true, Ordering::Release);
    }

    /// Whether the loop answers.
    pub async fn health(&self) -> Health {
        if !self.shared.is_ready.load(Ordering::Acquire) {
            return Health::Starting;
        }
        let sign = async {
            let (reply, answer) = oneshot::channel();
            self.requests.send(Asked::Sign(reply)).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(HEALTH_TIMEOUT, sign).await {
            Ok(Some(())) => Health::Healthy,
            Ok(None) | Err(_) => Health::Unhealthy,
        }
    }

    /// Names of all connectors.
    pub fn connectors(&self) -> Vec<ConnectorName> {
        self.snapshot().connectors().map(|(name, _)| name.clone()).collect()
    }

    /// A connector.
    pub fn connector(&self, name: &str) -> Result<ConnectorInfo, Error> {
        let name = ConnectorName::new(name);
        let snapshot = self.snapshot();
        let connector = snapshot.connector(&name).ok_or_else(|| Error::not_found(&name))?;
        Ok(self.info(&name, connector))
    }

    /// The tasks of a connector with their configurations.
    pub fn tasks(&self, name: &str) -> Result<Vec<(TaskId, Arc<Settings>)>, Error> {
        let name = ConnectorName::new(name);
        let snapshot = self.snapshot();
        let connector = snapshot.connector(&name).ok_or_else(|| Error::not_found(&name))?;
        let tasks = (0..).zip(connector.tasks());
        Ok(tasks
            .map(|(index, task)| (TaskId::new(name.clone(), index), Arc::clone(task)))
            .collect())
    }

    /// What a connector and its tasks are.
    pub fn status(&self, name: &str) -> Result<ConnectorStatus, Error> {
        let name = ConnectorName::new(name);
        let statuses = self.shared.stores.statuses.of(&name);
        let connector = statuses
            .connector
            .ok_or_else(|| Error::NotFound(format!("No status found for connector {name}")))?;
        let kind = self.snapshot().connector(&name).and_then(|known| self.kind(&known.config));
        Ok(ConnectorStatus { name, connector, tasks: statuses.tasks.into_iter().collect(), kind })
    }

    /// What a task is.
    pub fn task_status(&self, name: &str, task: u32) -> Result<Status, Error> {
        let id = TaskId::new(ConnectorName::new(name), task);
        let mut statuses = self.shared.stores.statuses.of(&id.connector);
        statuses
            .tasks
            .remove(&task)
            .ok_or_else(|| Error::NotFound(format!("No status found for task {id}")))
    }

    /// Topics that a connector has used since it was created or they were reset; none for one that is unknown.
    pub fn topics(&self, name: &str) -> Result<Vec<String>, Error> {
        self.require_tracking()?;
        let statuses = self.shared.stores.statuses.of(&ConnectorName::new(name));
        Ok(statuses.topics.into_keys().collect())
    }

    /// Forgets the topics that a connector has used.
    pub fn reset_topics(&self, name: &str) -> Result<(), Error> {
        self.require_tracking()?;
        if !self.shared.config.is_topic_reset_allowed {
            return Err(Error::Forbidden("Topic tracking reset is disabled.".to_owned()));
        }
        for topic in self.topics(name)? {
            let connector = ConnectorName::new(name);
            self.shared.stores.statuses.delete(StatusKey::Topic { topic, connector });
        }
        Ok(())
    }

    /// The offsets of a connector.
    ///
    /// Cost: a request to the broker.
    pub async fn offsets(&self, name: &str) -> Result<Vec<Offset>, Error> {
        let name = ConnectorName::new(name);
        self.shared.offsets.read(&self.snapshot(), &name).await
    }

    /// What is measured, of everything on this worker.
    ///
    /// Cost: linear in what runs.
    pub fn metrics(&self) -> Vec<Reading> {
        let mut readings = Readings::default();
        self.shared.meters.iter().for_each(|meter| meter.read(&mut readings));
        readings.into_vec()
    }

    /// What is measured of a connector and its tasks on this worker.
    ///
    /// Cost: linear in the connector's tasks, and in all names to find them.
    pub fn meters(&self, name: &str) -> Result<Vec<Reading>, Error> {
        self.connector(name)?;
        let mut readings = Readings::of_connector(name);
        self.shared.meters.iter().for_each(|meter| meter.read(&mut readings));
        Ok(readings.into_vec())
    }

    /// The last log lines of a connector and its tasks on this worker, in order; at most so many.
    pub fn log_lines(&self, name: &str, most: usize) -> Result<Vec<LogLine>, Error> {
        self.connector(name)?;
        Ok(self.shared.log_lines.last(name, most))
    }

    /// All plugins, in the order of `GET /connector-plugins`.
    pub fn plugins(&self) -> Vec<Arc<PluginInfo>> {
        self.shared.plugins.list()
    }

    /// The plugin of this class or alias, of whichever kind: the newest of those that the version, or range of versions, allows.
    ///
    /// Errors: `NotFound`, and `BadRequest` where it is the version that is wrong.
    pub fn plugin(&self, name: &str, version: Option<&str>) -> Result<Arc<PluginInfo>, Error> {
        let plugins = &self.shared.plugins;
        if let Some(Err(_)) = version.map(VersionRange::required) {
            let version = version.unwrap_or_default();
            return Err(Error::BadRequest(format!("Invalid version specification: {version}")));
        }
        let kind = PluginKind::ALL.into_iter().find(|kind| plugins.find(*kind, name, None).is_ok());
        let kind = kind.ok_or_else(|| Error::NotFound(format!("Unknown plugin {name}.")))?;
        plugins.find(kind, name, version).map_err(|fault| Error::BadRequest(fault.message))
    }

    /// What is wrong with each setting of a configuration.
    pub async fn validate(&self, config: &SubmittedConfig) -> Result<Validation, Error> {
        let progress = Progress::default();
        progress.enter("validating connector configuration");
        let validating = self.shared.validator.validate(config);
        match tokio::time::timeout(REQUEST_TIMEOUT, validating).await {
            Ok(validation) => validation,
            Err(_) => Err(Error::Timeout(progress.in_vain())),
        }
    }

    fn snapshot(&self) -> Arc<ClusterConfigState> {
        self.shared.stores.config.snapshot()
    }

    fn info(&self, name: &ConnectorName, connector: &ConnectorState) -> ConnectorInfo {
        let tasks = (0..).zip(connector.tasks());
        ConnectorInfo {
            name: name.clone(),
            config: Arc::clone(&connector.config),
            tasks: tasks.map(|(index, _)| TaskId::new(name.clone(), index)).collect(),
            kind: self.kind(&connector.config),
        }
    }

    fn kind(&self, config: &Settings) -> Option<PluginKind> {
        let plugin = tombolo_worker::validation::connector(&*self.shared.plugins, config);
        plugin.ok().map(|plugin| plugin.kind)
    }

    fn require_tracking(&self) -> Result<(), Error> {
        if self.shared.config.is_tracking_topics {
            return Ok(());
        }
        Err(Error::Forbidden("Topic tracking is disabled.".to_owned()))
    }
}

/// Changes. Each returns when it is written and read back, or refused; on a worker that stands alone, a configuration when its connector runs.
impl HerderHandle {
    /// Creates a connector.
    pub async fn create(
        &self,
        name: &str,
        config: SubmittedConfig,
        initial: Option<TargetState>,
    ) -> Result<ConnectorInfo, Error> {
        let name = name.trim();
        let config = named(name, config)?;
        let name = ConnectorName::new(name);
        let request = Request::CreateConnector { name: name.clone(), config, initial };
        self.ask_for_info(request, &name).await.map(|(_, info)| info)
    }

    /// Gives a connector a configuration, and creates it if there is none; answers whether there was none.
    pub async fn put_config(
        &self,
        name: &str,
        config: SubmittedConfig,
    ) -> Result<(bool, ConnectorInfo), Error> {
        let config = named(name, config)?;
        let name = ConnectorName::new(name);
        self.ask_for_info(Request::PutConnectorConfig { name: name.clone(), config }, &name).await
    }

    /// Changes some settings of a connector; a null removes one.
    pub async fn patch_config(
        &self,
        name: &str,
        patch: SubmittedConfig,
    ) -> Result<ConnectorInfo, Error> {
        let name = ConnectorName::new(name);
        let request = Request::PatchConnectorConfig { name: name.clone(), patch };
        self.ask_for_info(request, &name).await.map(|(_, info)| info)
    }

    async fn ask_for_info(
        &self,
        request: Request,
        name: &ConnectorName,
    ) -> Result<(bool, ConnectorInfo), Error> {
        match self.ask(request).await? {
            Answer::Written { is_created, connector } => {
                Ok((is_created, self.info(name, &connector)))
            }
            _ => Ok((false, self.connector(name.as_str())?)),
        }
    }

    /// Deletes a connector; its offsets stay.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        self.ask(Request::DeleteConnector(ConnectorName::new(name))).await.map(drop)
    }

    /// Has a connector and its tasks wait.
    pub async fn pause(&self, name: &str) -> Result<(), Error> {
        self.set_target(name, TargetState::Paused).await
    }

    /// Has a connector run again.
    pub async fn resume(&self, name: &str) -> Result<(), Error> {
        self.set_target(name, TargetState::Started).await
    }

    /// Stops a connector and ends its tasks.
    pub async fn stop_connector(&self, name: &str) -> Result<(), Error> {
        self.set_target(name, TargetState::Stopped).await
    }

    async fn set_target(&self, name: &str, target: TargetState) -> Result<(), Error> {
        self.ask(Request::SetTargetState(ConnectorName::new(name), target)).await.map(drop)
    }

    /// Restarts a connector. Without flags, returns when it is restarted, and answers none; with flags, answers what
    /// is going to be restarted.
    pub async fn restart(
        &self,
        name: &str,
        flags: RestartFlags,
    ) -> Result<Option<ConnectorStatus>, Error> {
        let connector = ConnectorName::new(name);
        if flags == RestartFlags::default() {
            self.ask(Request::RestartConnector(connector)).await?;
            return Ok(None);
        }
        let RestartFlags { only_failed, include_tasks } = flags;
        let statuses = self.shared.stores.statuses.of(&connector);
        let request = RestartRequest { connector: connector.clone(), only_failed, include_tasks };
        let answer = self.ask(Request::RestartConnectorAndTasks(request, statuses)).await?;
        let Answer::Restarting(plan) = answer else { return Ok(None) };
        let kind = self.snapshot().connector(&connector).and_then(|known| self.kind(&known.config));
        let tasks = plan.statuses.tasks.into_iter().collect();
        let status = plan.statuses.connector;
        Ok(status.map(|status| ConnectorStatus { name: connector, connector: status, tasks, kind }))
    }

    /// Restarts a task; returns when it is restarted.
    pub async fn restart_task(&self, name: &str, task: u32) -> Result<(), Error> {
        let id = TaskId::new(ConnectorName::new(name), task);
        self.ask(Request::RestartTask(id)).await.map(drop)
    }

    /// Sets offsets of a stopped connector; none forgets a partition's. Answers a message for whoever asked.
    pub async fn alter_offsets(
        &self,
        name: &str,
        offsets: Vec<(Option<FlatMap>, Option<FlatMap>)>,
    ) -> Result<String, Error> {
        if offsets.is_empty() {
            let message = "Partitions / offsets need to be provided for an alter offsets request";
            return Err(Error::BadRequest(message.to_owned()));
        }
        let altered = self.change_offsets(name, OffsetChange::Alter(offsets)).await?;
        Ok(offsets_message(altered, "altered"))
    }

    /// Forgets all offsets of a stopped connector. Answers a message for whoever asked.
    pub async fn reset_offsets(&self, name: &str) -> Result<String, Error> {
        let altered = self.change_offsets(name, OffsetChange::Reset).await?;
        Ok(offsets_message(altered, "reset"))
    }

    async fn change_offsets(&self, name: &str, change: OffsetChange) -> Result<bool, Error> {
        let answer = self.ask(Request::AlterOffsets(ConnectorName::new(name), change)).await?;
        Ok(answer == Answer::OffsetsAltered(OffsetsAltered { by_connector: true }))
    }

    /// Checks a component, keeps it for this and other workers, and then makes its plugins known: nothing runs that a restart would not find.
    ///
    /// Cost: compiles it, and writes it to Kafka.
    pub async fn install(&self, component: Vec<u8>) -> Result<Installed, InstallRefused> {
        let Shared { plugins, stores, .. } = &*self.shared;
        let component = Arc::new(component);
        let prepared = plugins.prepare(Arc::clone(&component)).await?;
        let stored = stores.plugins.put(&prepared.component, &component).await;
        stored.map_err(|error| InstallRefused::Failed(error.into()))?;
        // What was prepared needs no bytes, unless it was not kept.
        if plugins.recall(&prepared.component).await.is_none() {
            plugins.install(Arc::unwrap_or_clone(component)).await?;
        }
        // Whoever follows the store may have made it known by now: it was new all the same.
        Ok(prepared)
    }

    /// Stops all connectors and tasks here, stores their last statuses, and ends the herder.
    ///
    /// Cost: as long as stopping takes, which the worker bounds.
    pub async fn stop(&self) {
        let stop = self.shared.stop.lock().ok().and_then(|mut stop| stop.take());
        let Some(Stop { tell, stopped, follower }) = stop else { return };
        follower.abort();
        // A loop that does not hear it has stopped before.
        if tell.send(()).is_ok() {
            drop(stopped.await);
        }
    }

    async fn ask(&self, request: Request) -> Result<Answer, Error> {
        let (reply, answer) = oneshot::channel();
        let progress = Progress::default();
        let asker = Asker { reply, progress: progress.clone() };
        let asked = async {
            self.requests.send(Asked::Request(request, asker)).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(REQUEST_TIMEOUT, asked).await {
            Ok(answer) => answer.ok_or_else(Error::stopped)?,
            Err(_) => Err(Error::Timeout(progress.in_vain())),
        }
    }
}

/// The configuration with the connector's name in it.
fn named(name: &str, mut config: SubmittedConfig) -> Result<SubmittedConfig, Error> {
    match config.get("name") {
        Some(Some(included)) if included != name => Err(Error::BadRequest(format!(
            "Connector name configuration ({included}) doesn't match connector name in the URL ({name})"
        ))),
        Some(Some(_)) => Ok(config),
        Some(None) | None => {
            config.insert("name".to_owned(), Some(name.to_owned()));
            Ok(config)
        }
    }
}

fn offsets_message(by_connector: bool, done: &str) -> String {
    if by_connector {
        return format!("The offsets for this connector have been {done} successfully");
    }
    format!(
        "The Connect framework-managed offsets for this connector have been {done} successfully. However, if this connector manages offsets externally, they will need to be manually {done} in the system that the connector uses."
    )
}
