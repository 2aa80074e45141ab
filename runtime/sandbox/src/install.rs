//! From bytes to known plugins: checked, compiled, asked for its catalog where everything is denied, and kept for the next start.
//!
//! Not here: each of these steps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, Semaphore};
use tokio_util::task::AbortOnDropHandle;
use tombolo_model::plugin::{ComponentDigest, PluginInfo, PluginKind};
use tombolo_model::role::{InstallRefused, NoOffsets};
use tombolo_model::{Fault, Stage};
use tracing::Instrument as _;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::artifact::{Artifacts, Unusable};
use crate::catalog;
use crate::check::{Checked, check};
use crate::compile::Compiler;
use crate::cpu::CpuMeter;
use crate::egress::Gate;
use crate::engine::Guards;
use crate::exports::Indices;
use crate::host::Host;
use crate::host::log::{Confided, Labels, Rate};
use crate::host::metrics::Metrics;
use crate::host::schemas::SharedSchemas;
use crate::host::wasi::Granted;
use crate::instance::{Instance, Runnable, Setup, Terms};
use crate::pool::Pool;
use crate::registry::InstalledComponent;
use crate::stored::Manifest;
use crate::ticker::Ticker;
use tombolo_model::policy::{CompileLimits, Limits};

/// What installing needs, shared with the threads that it blocks.
pub(crate) struct Installer {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Host>,
    pub(crate) ticker: Ticker,
    pub(crate) pool: Arc<Pool>,
    pub(crate) artifacts: Artifacts,
    pub(crate) ceiling: Limits,
    pub(crate) compiler: Compiler,
    pub(crate) compile_limits: CompileLimits,
    /// One at a time: compiling takes a processor and hundreds of megabytes.
    pub(crate) compiling: Arc<Semaphore>,
    pub(crate) compiled: AtomicU64,
    /// Where components are asked for their catalogs; until it is said, where they are installed.
    pub(crate) guests: OnceLock<Handle>,
}

/// SHA-256 in lower-case hex, taken on a thread for blocking work: the largest component takes as long as hundreds of requests.
pub(crate) async fn digest(bytes: &Arc<Vec<u8>>) -> Result<ComponentDigest, InstallRefused> {
    let bytes = Arc::clone(bytes);
    let digest = tokio::task::spawn_blocking(move || Sha256::digest(bytes.as_slice()));
    let digest = digest.await.map_err(failed)?;
    Ok(ComponentDigest(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn failed(error: impl Into<tombolo_model::fault::BoxError>) -> InstallRefused {
    InstallRefused::Failed(error.into())
}

impl Installer {
    /// What was kept of an earlier installation.
    pub(crate) fn recall(
        &self,
        digest: &ComponentDigest,
        bytes: Option<&'static [u8]>,
    ) -> Option<InstalledComponent> {
        let manifest = self.artifacts.manifest(digest)?;
        Some(installed(digest, manifest, bytes))
    }

    /// A component ready to be made known: as it was kept, else installed.
    pub(crate) async fn prepare(
        self: &Arc<Self>,
        digest: &ComponentDigest,
        bytes: Arc<Vec<u8>>,
    ) -> Result<InstalledComponent, InstallRefused> {
        match self.recall(digest, None) {
            Some(kept) => Ok(kept),
            None => self.install(digest, bytes).await,
        }
    }

    /// Checks, compiles and asks a component.
    pub(crate) async fn install(
        self: &Arc<Self>,
        digest: &ComponentDigest,
        bytes: Arc<Vec<u8>>,
    ) -> Result<InstalledComponent, InstallRefused> {
        let one = Arc::clone(&self.compiling).acquire_owned().await.map_err(failed)?;
        let (this, of) = (Arc::clone(self), digest.clone());
        let compile = move || {
            // Until it has ended, though whoever uploaded the component may be gone.
            let _one = one;
            this.compile(&of, &bytes)
        };
        let (checked, artifact) = tokio::task::spawn_blocking(compile).await.map_err(failed)??;
        let asked = match self.runnable(digest, artifact).await {
            Ok(runnable) => self.ask(runnable, digest, &checked).await,
            // It was compiled just now: not the program has changed, but the component is more than the pool gives to one.
            Err(NotRunnable::Artifact(Unusable::Incompatible(error))) => {
                let why = format!("the component needs more than a sandbox has: {error:#}");
                Err(InstallRefused::Invalid(why))
            }
            Err(unusable) => Err(refusal(unusable)),
        };
        let kept = asked.and_then(|plugins| {
            let manifest = Manifest { artifact, imports: checked.imports, plugins };
            self.artifacts.keep_manifest(digest, &manifest).map_err(failed)?;
            Ok(manifest)
        });
        match kept {
            Ok(manifest) => Ok(installed(digest, manifest, None)),
            Err(refused) => {
                self.artifacts.forget(digest);
                Err(refused)
            }
        }
    }

    /// Checks a component here, and has it compiled.
    fn compile(
        &self,
        digest: &ComponentDigest,
        bytes: &[u8],
    ) -> Result<(Checked, [u8; 32]), InstallRefused> {
        let checked = check(bytes, self.ceiling.memory_max).map_err(InstallRefused::Invalid)?;
        self.compiled.fetch_add(1, Ordering::Relaxed);
        let compiled = self.compiler.compile(&self.engine, &self.compile_limits, bytes)?;
        let artifact = self.artifacts.keep(digest, &compiled).map_err(failed)?;
        Ok((checked, artifact))
    }

    /// Maps and links a compiled component.
    pub(crate) async fn runnable(
        self: &Arc<Self>,
        digest: &ComponentDigest,
        artifact: [u8; 32],
    ) -> Result<Arc<Runnable>, NotRunnable> {
        let (this, digest) = (Arc::clone(self), digest.clone());
        let load = move || -> Result<Arc<Runnable>, NotRunnable> {
            let component = this.artifacts.load(&this.engine, &digest, artifact)?;
            this.link(&component).map(Arc::new)
        };
        tokio::task::spawn_blocking(load)
            .await
            .map_err(|error| NotRunnable::Failed(error.into()))?
    }

    fn link(&self, component: &Component) -> Result<Runnable, NotRunnable> {
        let pre = self.linker.instantiate_pre(component).map_err(NotRunnable::Link)?;
        let indices = Indices::new(&pre).map_err(NotRunnable::Link)?;
        let (ticker, pool) = (self.ticker.clone(), Arc::clone(&self.pool));
        Ok(Runnable { pre, indices, ticker, pool })
    }

    /// Asks a component for its catalog where guests run, for as long as somebody waits for the answer: a catalog that loops holds up nothing else.
    async fn ask(
        self: &Arc<Self>,
        runnable: Arc<Runnable>,
        digest: &ComponentDigest,
        checked: &Checked,
    ) -> Result<Vec<PluginInfo>, InstallRefused> {
        let (this, digest, kinds) = (Arc::clone(self), digest.clone(), checked.kinds.clone());
        let asking = async move { this.catalog_of(&runnable, &digest, &kinds).await };
        let guests = self.guests.get().cloned().unwrap_or_else(Handle::current);
        let asked = AbortOnDropHandle::new(guests.spawn(asking.in_current_span()));
        asked.await.map_err(failed)?
    }

    /// A component's catalog, asked for with nothing granted.
    async fn catalog_of(
        &self,
        runnable: &Runnable,
        digest: &ComponentDigest,
        kinds: &[PluginKind],
    ) -> Result<Vec<PluginInfo>, InstallRefused> {
        let invalid =
            |fault: Fault| InstallRefused::Invalid(format!("asked for its catalog, {fault}"));
        let setup = denied(&self.ceiling);
        let mut instance = Instance::start(runnable, &setup).await.map_err(invalid)?;
        let terms = Terms::at(Stage::Lifecycle);
        let listed = instance.call(&setup.limits, terms, async |store, exports| {
            exports.catalog.call_plugins(store).await
        });
        let listed = listed.await.map_err(invalid)?;
        catalog::plugins(listed, digest, kinds).map_err(InstallRefused::Invalid)
    }
}

/// A store's setup in which everything is denied.
pub(crate) fn denied(limits: &Limits) -> Setup {
    Setup {
        limits: limits.clone(),
        granted: Arc::new(Granted::nothing()),
        labels: Labels { connector: "".into(), task: None, component: "".into() },
        confided: Confided::default(),
        log_rate: Rate::new(limits.log_bytes_per_second),
        schemas: SharedSchemas::default(),
        offsets: Arc::new(NoOffsets),
        metrics: Metrics::default(),
        cpu: CpuMeter {
            meters: Arc::default(),
            budget: None,
            competing: Arc::default(),
            yielded: Arc::default(),
            guards: Guards::On,
        },
        memory: Arc::default(),
        gate: Gate::closed(),
    }
}

fn installed(
    digest: &ComponentDigest,
    manifest: Manifest,
    bytes: Option<&'static [u8]>,
) -> InstalledComponent {
    InstalledComponent {
        digest: digest.clone(),
        plugins: manifest.plugins.into_iter().map(Arc::new).collect(),
        imports: manifest.imports,
        artifact: manifest.artifact,
        runnable: OnceCell::new(),
        bytes,
    }
}

/// Why a compiled component cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRunnable {
    /// Its artifact is of no use.
    #[error(transparent)]
    Artifact(#[from] Unusable),
    /// Its imports or exports have other types than the contract's.
    #[error("the component does not fit the plugin contract: {0:#}")]
    Link(wasmtime::Error),
    /// The worker could not do it.
    #[error("the component could not be loaded")]
    Failed(#[source] tombolo_model::fault::BoxError),
}

fn refusal(error: NotRunnable) -> InstallRefused {
    match error {
        NotRunnable::Link(_) => InstallRefused::Invalid(error.to_string()),
        other => failed(other),
    }
}
