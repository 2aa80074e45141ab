//! A worker and plugins without a sandbox or Kafka, which behave as the real ones do towards the herder.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc};
use tombolo_herder::{ConfigInfo, Error, Level, LoggerLevel, Loggers, Validation, Work};
use tombolo_model::config_def::SettingState;
use tombolo_model::fault::Fault;
use tombolo_model::offset::SourcePosition;
use tombolo_model::plugin::{Columns, ComponentDigest, PluginInfo, PluginKind};
use tombolo_model::role::{
    Connector, ConnectorContext, InstallRefused, Installed, Plugins, Result, TaskContext,
    TaskPlugins,
};
use tombolo_model::status::{State, Status, TargetState};
use tombolo_model::{ConfigProviders, ConnectorName, Resolved, Settings, TaskId};
use tombolo_store::{ConnectorOffsetStore, OffsetStore};
use tombolo_worker::{ProposedOffsets, SinkGroup, WorkerEvent};

/// What a worker runs.
#[derive(Default)]
pub(crate) struct Running {
    pub(crate) connectors: BTreeSet<String>,
    pub(crate) tasks: BTreeMap<String, TargetState>,
}

/// A worker that only keeps books.
pub(crate) struct FakeWorker {
    pub(crate) running: Mutex<Running>,
    events: mpsc::Sender<WorkerEvent>,
    plugins: FakePlugins,
    offsets: OffsetStore,
    /// Changes of offsets that connectors were asked about.
    pub(crate) altered: Mutex<Vec<SourcePosition>>,
    /// Starting a connector whose settings say `slow` takes a permit.
    pub(crate) slow: Semaphore,
}

impl FakeWorker {
    pub(crate) fn new(
        events: mpsc::Sender<WorkerEvent>,
        plugins: FakePlugins,
        offsets: OffsetStore,
    ) -> Arc<Self> {
        let (running, altered, slow) = (Mutex::default(), Mutex::default(), Semaphore::new(0));
        Arc::new(Self { running, events, plugins, offsets, altered, slow })
    }

    pub(crate) fn tasks(&self) -> Vec<String> {
        let running = self.running.lock().unwrap();
        let tasks = running.tasks.iter();
        tasks.map(|(task, target)| format!("{task} {}", target.name())).collect()
    }

    pub(crate) fn connectors(&self) -> Vec<String> {
        self.running.lock().unwrap().connectors.iter().cloned().collect()
    }

    async fn report_connector(&self, name: &ConnectorName, state: State) {
        let event = WorkerEvent::ConnectorStatus { name: name.clone(), status: status(state) };
        self.events.send(event).await.unwrap();
    }

    pub(crate) async fn report_task(&self, task: &TaskId, state: State) {
        let event = WorkerEvent::TaskStatus { task: task.clone(), status: status(state) };
        self.events.send(event).await.unwrap();
    }

    pub(crate) async fn use_topic(&self, task: &TaskId, topic: &str) {
        let event = WorkerEvent::TopicUsed { task: task.clone(), topic: topic.to_owned() };
        self.events.send(event).await.unwrap();
    }
}

/// Loggers that only keep books.
#[derive(Clone, Default)]
pub(crate) struct FakeLoggers(Arc<Mutex<Vec<String>>>);

impl FakeLoggers {
    /// What was set, in order.
    pub(crate) fn set(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Loggers for FakeLoggers {
    fn all(&self) -> BTreeMap<String, LoggerLevel> {
        BTreeMap::new()
    }

    fn find(&self, _name: &str) -> Option<LoggerLevel> {
        None
    }

    fn check(&self, name: &str) -> std::result::Result<(), Error> {
        if name == "one.too.many" { Err(Error::BadRequest(name.to_owned())) } else { Ok(()) }
    }

    fn set(&self, name: &str, level: Level) -> std::result::Result<Vec<String>, Error> {
        self.check(name)?;
        self.0.lock().unwrap().push(format!("{name} {}", level.name()));
        Ok(vec![name.to_owned()])
    }
}

fn status(state: State) -> Status {
    let version = Some("1.0".to_owned());
    Status { state, trace: None, worker_id: String::new(), generation: 0, version }
}

fn state(target: TargetState) -> State {
    match target {
        TargetState::Started => State::Running,
        TargetState::Paused => State::Paused,
        TargetState::Stopped => State::Stopped,
    }
}

#[async_trait]
impl Work for FakeWorker {
    async fn start_connector(&self, name: &ConnectorName, config: &Settings, target: TargetState) {
        if config.contains("slow") {
            self.slow.acquire().await.unwrap().forget();
        }
        self.running.lock().unwrap().connectors.insert(name.to_string());
        self.report_connector(name, state(target)).await;
    }

    async fn stop_connector(&self, name: &ConnectorName) {
        self.running.lock().unwrap().connectors.remove(name.as_str());
        self.report_connector(name, State::Unassigned).await;
    }

    async fn task_settings(
        &self,
        name: &ConnectorName,
    ) -> std::result::Result<Vec<Settings>, Fault> {
        Ok(vec![[("task.of", name.as_str())].into_iter().collect()])
    }

    fn set_target_state(&self, name: &ConnectorName, target: TargetState) {
        let mut running = self.running.lock().unwrap();
        let prefix = format!("{name}-");
        running
            .tasks
            .iter_mut()
            .filter(|(task, _)| task.starts_with(&prefix))
            .for_each(|(_, known)| *known = target);
        let event =
            WorkerEvent::ConnectorStatus { name: name.clone(), status: status(state(target)) };
        self.events.try_send(event).unwrap();
    }

    async fn start_task(
        &self,
        (task, _): (&TaskId, usize),
        _connector_config: &Settings,
        _task_config: &Settings,
        target: TargetState,
    ) {
        self.running.lock().unwrap().tasks.insert(task.to_string(), target);
        self.report_task(task, state(target)).await;
    }

    async fn stop_tasks(&self, tasks: &[TaskId]) {
        for task in tasks {
            self.running.lock().unwrap().tasks.remove(&task.to_string());
            self.report_task(task, State::Unassigned).await;
        }
    }

    async fn source_offsets(
        &self,
        config: &Settings,
    ) -> std::result::Result<ConnectorOffsetStore, Fault> {
        let name = ConnectorName::new(config.get("name").unwrap_or_default());
        Ok(ConnectorOffsetStore::in_worker_store(name, self.offsets.clone()))
    }

    fn sink_group(&self, _: &Settings) -> std::result::Result<SinkGroup, Fault> {
        Err(Fault::config("no sinks here"))
    }

    async fn resolve(&self, config: &Settings) -> std::result::Result<Resolved, Fault> {
        Ok(ConfigProviders::default().resolve(config).unwrap())
    }

    async fn alter_offsets(
        &self,
        _: &ConnectorName,
        _: &Settings,
        offsets: ProposedOffsets,
    ) -> std::result::Result<bool, Fault> {
        if let ProposedOffsets::Source(positions) = offsets {
            self.altered.lock().unwrap().extend(positions);
        }
        Ok(true)
    }

    async fn validate(&self, config: &Resolved) -> std::result::Result<Validation, Fault> {
        let config = &config.settings;
        let class = config.get("connector.class").unwrap_or_default();
        let plugin = self.plugins.find(PluginKind::Source, class, None)?;
        let errors = match config.get("bad") {
            Some(why) => vec![why.to_owned()],
            None => vec![],
        };
        let bad = ConfigInfo {
            key: None,
            name: "bad".into(),
            value: None,
            recommended: vec![],
            errors,
            visible: true,
        };
        Ok(Validation {
            name: class.into(),
            plugin,
            groups: vec![],
            configs: vec![bad],
            unknown: vec![],
        })
    }
}

/// One source, `Fake`, and whatever was installed.
#[derive(Clone, Default)]
pub(crate) struct FakePlugins {
    pub(crate) installed: Arc<Mutex<BTreeMap<ComponentDigest, Vec<u8>>>>,
    pub(crate) recallable: Arc<Mutex<BTreeSet<ComponentDigest>>>,
    /// Where in memory the bytes were that it was given, each time.
    pub(crate) places: Arc<Mutex<Vec<usize>>>,
}

impl FakePlugins {
    fn look_at(&self, component: &[u8]) -> std::result::Result<Installed, InstallRefused> {
        self.places.lock().unwrap().push(component.as_ptr() as usize);
        if component.starts_with(b"bad") {
            return Err(InstallRefused::Invalid("not a component".into()));
        }
        let digest = ComponentDigest(format!("digest-of-{}", String::from_utf8_lossy(component)));
        let known = self.installed.lock().unwrap().contains_key(&digest);
        Ok(installed(digest, vec![info()], known))
    }
}

fn info() -> Arc<PluginInfo> {
    Arc::new(PluginInfo {
        class: "org.example.FakeConnector".into(),
        kind: PluginKind::Source,
        version: "1.0".into(),
        doc: String::new(),
        settings: vec![],
        reads: Columns::ALL,
        component: ComponentDigest("0".into()),
    })
}

#[async_trait]
impl Plugins for FakePlugins {
    fn list(&self) -> Vec<Arc<PluginInfo>> {
        vec![info()]
    }

    fn find(
        &self,
        kind: PluginKind,
        name: &str,
        _version: Option<&str>,
    ) -> Result<Arc<PluginInfo>> {
        let info = info();
        if kind == info.kind && info.is_named(name) {
            return Ok(info);
        }
        Err(Fault::config(format!(
            "Failed to find any class that implements Connector and which name matches {name}"
        )))
    }

    async fn validate(&self, _: &PluginInfo, _: &Settings) -> Result<Vec<SettingState>> {
        Ok(vec![])
    }

    async fn connector(
        &self,
        _: &ConnectorName,
        _: &PluginInfo,
        _: ConnectorContext,
    ) -> Result<Box<dyn Connector>> {
        Err(Fault::config("no connectors here"))
    }

    async fn task(&self, _: &TaskId, _: TaskContext) -> Result<Box<dyn TaskPlugins>> {
        Err(Fault::config("no tasks here"))
    }

    async fn prepare(
        &self,
        component: Arc<Vec<u8>>,
    ) -> std::result::Result<Installed, InstallRefused> {
        self.look_at(&component)
    }

    async fn install(&self, component: Vec<u8>) -> std::result::Result<Installed, InstallRefused> {
        let installed = self.look_at(&component)?;
        self.installed.lock().unwrap().insert(installed.component.clone(), component);
        Ok(installed)
    }

    async fn recall(&self, component: &ComponentDigest) -> Option<Installed> {
        let is_there = self.recallable.lock().unwrap().contains(component);
        let component = component.clone();
        is_there.then(|| installed(component, vec![], true))
    }
}

fn installed(component: ComponentDigest, plugins: Vec<Arc<PluginInfo>>, known: bool) -> Installed {
    Installed { component, plugins, imports: vec![], asks: vec![], change: None, known }
}
