//! The sandbox as the worker sees it: `model::role::Plugins`, played by components.
//!
//! Not here: running a plugin (`shared`, `role`), and where components come from.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tombolo_model::capability::{Asked, Capability, asked};
use tombolo_model::config_def::SettingState;
use tombolo_model::metric::{Group, Metered, Readings, Tags, Value};
use tombolo_model::plugin::{ComponentDigest, PluginInfo, PluginKind};
use tombolo_model::policy::{CompileLimits, Grants, Limits};
use tombolo_model::role::{
    Components, Connector, ConnectorContext, InstallRefused, Installed, Plugins, Result,
    TaskContext, TaskPlugins,
};
use tombolo_model::settings::Settings;
use tombolo_model::{ConnectorName, Fault, Stage, TaskId};

use crate::accounts::{Account, Accounts};
use crate::artifact::Artifacts;
use crate::compile::Compiler;
use crate::cpu::CpuMeter;
use crate::egress::{Net, Resolver, SystemResolver};
use crate::engine::Guards;
use crate::error::Error;
use crate::host::log::{Confided, Labels, Rate};
use crate::host::metrics::{AllMetrics, Metrics};
use crate::host::schemas::SharedSchemas;
use crate::host::wasi::Granted;
use crate::install::{Installer, NotRunnable, denied, digest};
use crate::instance::{Runnable, Setup, Terms};
use crate::pool::{Mappings, Pool};
use crate::registry::{InstalledComponent, Registry};
use crate::role::connector::ConnectorRole;
use crate::shared::Shared;
use crate::task::Task;
use crate::ticker::Ticker;
use crate::{catalog, convert, engine, host};

/// What the sandbox is made with.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Where compiled components are kept; made if it is not there, readable by its owner alone.
    pub cache_dir: PathBuf,
    /// What the operator offers to plugins.
    pub grants: Grants,
    /// Limits of what runs for no connector: the look at a catalog, and validation.
    pub ceiling: Limits,
    /// Who compiles components.
    pub compiler: Compiler,
    /// What compiling one may take.
    pub compile_limits: CompileLimits,
}

/// Runs plugins that are WebAssembly components. Clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    installer: Arc<Installer>,
    registry: Arc<Registry>,
    grants: Arc<Grants>,
    granted: Arc<Granted>,
    net: Arc<Net>,
    metrics: Arc<AllMetrics>,
    guards: Guards,
    accounts: Arc<Accounts>,
    /// Where to find the bytes of components that must be compiled anew.
    components: Arc<OnceLock<Arc<dyn Components>>>,
}

impl Sandbox {
    /// Starts the engine, and the thread that interrupts guests.
    ///
    /// Errors: an engine that cannot start, a cache or a granted directory that cannot be used, a cache that plugins could change.
    /// Cost: 10 ms, most of it for reserving address space.
    pub fn new(options: SandboxOptions) -> std::result::Result<Self, Error> {
        Self::with(options, Arc::new(SystemResolver::default()), Guards::On)
    }

    /// As [`Sandbox::new`], with names looked up by another than the system's resolver.
    pub fn with_resolver(
        options: SandboxOptions,
        resolver: Arc<dyn Resolver>,
    ) -> std::result::Result<Self, Error> {
        Self::with(options, resolver, Guards::On)
    }

    /// One that holds no plugin to its time or its memory, and counts neither: only to measure what that costs.
    ///
    /// Errors: as [`Sandbox::new`]. Its components must be compiled [here](Compiler::Here); a child process compiles for the other kind.
    #[doc(hidden)]
    pub fn without_guards(options: SandboxOptions) -> std::result::Result<Self, Error> {
        Self::with(options, Arc::new(SystemResolver::default()), Guards::Off)
    }

    fn with(
        options: SandboxOptions,
        resolver: Arc<dyn Resolver>,
        guards: Guards,
    ) -> std::result::Result<Self, Error> {
        let granted = Arc::new(Granted::new(&options.grants)?);
        granted.keep_out_of(&options.cache_dir)?;
        let engine = engine::engine(guards)?;
        let ticker = Ticker::start(&engine)?;
        let artifacts = Artifacts::open(&options.cache_dir, &engine)?;
        let linker = host::linker(&engine).map_err(Error::Engine)?;
        let installer = Installer {
            engine,
            linker,
            ticker,
            pool: Arc::new(Pool::new()),
            artifacts,
            ceiling: options.ceiling,
            compiler: options.compiler,
            compile_limits: options.compile_limits,
            compiling: Arc::new(Semaphore::new(1)),
            compiled: AtomicU64::new(0),
            guests: OnceLock::new(),
        };
        let net = Net::new(options.grants.network.clone(), resolver);
        Ok(Self {
            installer: Arc::new(installer),
            registry: Arc::default(),
            grants: Arc::new(options.grants),
            granted,
            net,
            metrics: Arc::default(),
            guards,
            accounts: Arc::default(),
            components: Arc::default(),
        })
    }

    /// Says where the bytes of uploaded components are; the first time counts. Until then, one whose artifact is of no use must be uploaded again.
    pub fn find_components_in(&self, components: Arc<dyn Components>) {
        // Whoever said it before has said the same.
        self.components.set(components).ok();
    }

    /// Says on which runtime components are asked for their catalogs: that of all guests, so that one that loops delays nothing else. The first time counts;
    /// until then, they are asked where they are installed.
    pub fn ask_catalogs_on(&self, guests: Handle) {
        // Whoever said it before has said the same.
        self.installer.guests.set(guests).ok();
    }

    /// Makes the plugins of a component known that is part of the program; its digest was taken when the program was built.
    ///
    /// Cost: reads a small file where the component was compiled before; else as [`Plugins::install`].
    pub async fn load(
        &self,
        digest: &ComponentDigest,
        bytes: &'static [u8],
    ) -> std::result::Result<Installed, Error> {
        if let Some(known) = self.known(digest, Some(bytes)) {
            return Ok(known);
        }
        let installed = self.installer.install(digest, Arc::new(bytes.to_vec())).await;
        let installed =
            installed.map_err(|source| Error::Component { component: digest.0.clone(), source })?;
        let component = InstalledComponent { bytes: Some(bytes), ..installed };
        Ok(self.told(&self.registry.add(component), false))
    }

    /// How many components were compiled since the start: none, once all were seen before.
    pub fn compiled(&self) -> u64 {
        self.installer.compiled.load(Ordering::Relaxed)
    }

    fn known(&self, digest: &ComponentDigest, bytes: Option<&'static [u8]>) -> Option<Installed> {
        if let Some(component) = self.registry.get(digest) {
            return Some(self.told(&component, true));
        }
        let component = self.installer.recall(digest, bytes)?;
        Some(self.told(&self.registry.add(component), true))
    }

    fn told(&self, component: &InstalledComponent, known: bool) -> Installed {
        self.registry.told(component, &self.grants, known)
    }

    /// What runs a plugin's component.
    pub(crate) async fn runnable(&self, plugin: &PluginInfo) -> Result<Arc<Runnable>> {
        let component = self.registry.get(&plugin.component).ok_or_else(|| {
            let message = format!("the component of {} is not installed", plugin.class);
            Fault::fatal(Stage::Lifecycle, message)
        })?;
        let runnable = component.runnable.get_or_try_init(|| self.load_artifact(&component));
        runnable.await.map(Arc::clone).map_err(|error| {
            let message =
                format!("the component of {} cannot be loaded; install it again", plugin.class);
            Fault::fatal(Stage::Lifecycle, message).with_source(error)
        })
    }

    /// Maps a component's artifact, and makes it anew where that is impossible and the bytes are at hand.
    async fn load_artifact(
        &self,
        component: &InstalledComponent,
    ) -> std::result::Result<Arc<Runnable>, NotRunnable> {
        let InstalledComponent { digest, artifact, bytes, .. } = component;
        match self.installer.runnable(digest, *artifact).await {
            Err(NotRunnable::Artifact(unusable)) => {
                let component = &digest.0;
                tracing::warn!(%component, error = %unusable, "a compiled component is of no use any more");
                self.installer.artifacts.forget(digest);
                let bytes = match (bytes, self.components.get()) {
                    (Some(bytes), _) => Some(bytes.to_vec()),
                    (None, Some(components)) => components.component(digest).await,
                    (None, None) => None,
                };
                let Some(bytes) = bytes.map(Arc::new) else {
                    return Err(NotRunnable::Artifact(unusable));
                };
                let failed = |refused: InstallRefused| NotRunnable::Failed(refused.into());
                let found = crate::install::digest(&bytes).await.map_err(failed)?;
                if found != *digest {
                    return Err(NotRunnable::Artifact(unusable));
                }
                let installed = self.installer.install(digest, bytes).await.map_err(failed)?;
                self.installer.runnable(digest, installed.artifact).await
            }
            loaded => loaded,
        }
    }

    /// The setup of a store for a component of a connector or task.
    pub(crate) fn setup(&self, owner: &Owner, component: &ComponentDigest) -> Setup {
        self.tell_capabilities(&owner.context, component);
        let confided = Confided::default();
        let gate = self.net.gate(
            owner.connector.as_str(),
            owner.context.egress.clone(),
            (Arc::clone(&owner.context.meters), confided.clone()),
        );
        let short = component.0.get(..12).unwrap_or(&component.0);
        Setup {
            limits: owner.context.limits.clone(),
            granted: Arc::clone(&self.granted),
            labels: Labels {
                connector: owner.connector.as_str().into(),
                task: owner.task,
                component: short.into(),
            },
            confided,
            log_rate: owner.log_rate.clone(),
            schemas: owner.schemas.for_component(),
            offsets: Arc::clone(&owner.context.offsets),
            metrics: owner.metrics.clone(),
            cpu: CpuMeter {
                meters: Arc::clone(&owner.context.meters),
                budget: owner.account.cpu.clone(),
                competing: Arc::clone(&owner.account.competing),
                yielded: Arc::default(),
                guards: self.guards,
            },
            memory: Arc::clone(&owner.account.memory),
            gate,
        }
    }
}

impl Sandbox {
    /// Takes note of what a component imports, and what of it the connector is granted: of the network, what both lists have.
    fn tell_capabilities(&self, context: &TaskContext, component: &ComponentDigest) {
        let Some(component) = self.registry.get(component) else { return };
        let may_connect = !context.egress.allow.is_empty();
        for Asked { capability, is_granted, .. } in asked(&component.imports, &self.grants) {
            let is_granted = is_granted && (capability != Capability::Network || may_connect);
            context.meters.capabilities().imports(capability, is_granted);
        }
    }
}

/// For whom an instance runs.
pub(crate) struct Owner {
    pub(crate) connector: ConnectorName,
    /// The task's index, or none for the connector itself.
    pub(crate) task: Option<u32>,
    pub(crate) context: TaskContext,
    pub(crate) schemas: SharedSchemas,
    pub(crate) metrics: Metrics,
    /// How much all its plugins together may log.
    pub(crate) log_rate: Rate,
    /// What the connector may use in sum.
    pub(crate) account: Account,
}

const GROUP: Group = Group { domain: "tombolo", name: "sandbox" };

/// What plugins count and measure themselves, and how well the process keeps up with them.
impl Metered for Sandbox {
    fn read(&self, readings: &mut Readings) {
        self.metrics.read(readings);
        if !readings.wants_worker() {
            return;
        }
        let tags = Tags::default();
        let mut of = readings.of(GROUP, &tags);
        of.add(
            "tick-lateness-seconds",
            "How late the clock is that interrupts plugins, at each tick, in seconds: a plugin keeps its thread for so much longer than 2 ms.",
            Value::Histogram(self.installer.ticker.lateness()),
        );
        if let Some(Mappings { count, max }) = Mappings::read() {
            of.gauge("memory-mappings", "Mappings of memory that the process has; at 80 % of the most that it may have no more sandboxes are started.", count as f64);
            of.gauge(
                "memory-mappings-max",
                "Most mappings that the kernel allows a process (vm.max_map_count).",
                max as f64,
            );
        }
    }
}

#[async_trait]
impl Plugins for Sandbox {
    fn list(&self) -> Vec<Arc<PluginInfo>> {
        self.registry.list()
    }

    fn find(&self, kind: PluginKind, name: &str, version: Option<&str>) -> Result<Arc<PluginInfo>> {
        self.registry.find(kind, name, version)
    }

    async fn validate(
        &self,
        plugin: &PluginInfo,
        settings: &Settings,
    ) -> Result<Vec<SettingState>> {
        let runnable = self.runnable(plugin).await?;
        let mut setup = denied(&self.installer.ceiling);
        setup.granted = Arc::clone(&self.granted);
        let shared = Shared::new(runnable, setup);
        shared.confide(settings);
        let kind = catalog::contract_kind(plugin.kind);
        let settings = convert::pairs(settings);
        let validated = shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| {
                exports.catalog.call_validate(store, &plugin.class, kind, &settings).await
            },
            |states, _| {
                let taken = states.into_iter().map(|state| SettingState {
                    name: state.name,
                    errors: state.errors,
                    recommended: state.recommended,
                    visible: state.visible,
                });
                Ok(taken.collect())
            },
        );
        validated.await
    }

    async fn connector(
        &self,
        name: &ConnectorName,
        plugin: &PluginInfo,
        context: ConnectorContext,
    ) -> Result<Box<dyn Connector>> {
        let owner = Owner {
            connector: name.clone(),
            task: None,
            account: self.accounts.of(name, &context.limits),
            log_rate: Rate::new(context.limits.log_bytes_per_second),
            context: TaskContext {
                limits: context.limits,
                meters: context.meters,
                egress: context.egress,
                offsets: context.offsets,
            },
            schemas: SharedSchemas::default(),
            metrics: self.metrics.of([("connector", name.to_string())].into()),
        };
        let runnable = self.runnable(plugin).await?;
        let shared = Shared::new(runnable, self.setup(&owner, &plugin.component));
        Ok(Box::new(ConnectorRole { shared, class: plugin.class.clone() }))
    }

    async fn task(&self, task: &TaskId, context: TaskContext) -> Result<Box<dyn TaskPlugins>> {
        let owner = Owner {
            connector: task.connector.clone(),
            task: Some(task.index),
            account: self.accounts.of(&task.connector, &context.limits),
            log_rate: Rate::new(context.limits.log_bytes_per_second),
            context,
            schemas: SharedSchemas::default(),
            metrics: self.metrics.of([
                ("connector", task.connector.to_string()),
                ("task", task.index.to_string()),
            ]
            .into()),
        };
        Ok(Box::new(Task::new(self.clone(), owner)))
    }

    async fn prepare(
        &self,
        component: Arc<Vec<u8>>,
    ) -> std::result::Result<Installed, InstallRefused> {
        let digest = digest(&component).await?;
        match self.registry.get(&digest) {
            Some(known) => Ok(self.told(&known, true)),
            None => {
                let prepared = self.installer.prepare(&digest, component).await?;
                Ok(self.told(&prepared, false))
            }
        }
    }

    async fn install(&self, component: Vec<u8>) -> std::result::Result<Installed, InstallRefused> {
        let component = Arc::new(component);
        let digest = digest(&component).await?;
        match self.registry.get(&digest) {
            Some(known) => Ok(self.told(&known, true)),
            None => {
                let prepared = self.installer.prepare(&digest, component).await?;
                Ok(self.told(&self.registry.add(prepared), false))
            }
        }
    }

    async fn recall(&self, component: &ComponentDigest) -> Option<Installed> {
        self.known(component, None)
    }
}
