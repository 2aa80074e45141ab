//! Puts a worker together: sandbox, stores, worker, herder, HTTP.
//!
//! Not here: what each of them does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tombolo_herder::{HerderConfig, HerderHandle, HerderParts, bring_back_plugins};
use tombolo_kafka::{Admin, ClientKind, ClientSettings, LogClients, Producers, ServerStores};
use tombolo_model::metric::Metered;
use tombolo_model::role::Plugins;
use tombolo_model::settings::HIDDEN;
use tombolo_model::{ConfigProviders, Settings, TenantId};
use tombolo_rest::{Bound, ConfigError, Identity, RestConfig};
use tombolo_sandbox::{Compiler, Sandbox, SandboxOptions};
use tombolo_store::secret_store::{PROVIDER, SecretStore, WithoutKey};
use tombolo_store::{InternalTopics, KafkaJournals, SecretKeys, Stores};
use tombolo_worker::{SourceOffsets, Worker, WorkerConfig, WorkerParts};

use crate::builtin;
use crate::options::{Mode, OFFSET_FILE, Options};
use crate::process::Process;
use crate::settings;

/// Events of connectors and tasks that may wait for the herder before they wait themselves.
const EVENTS_MAX: usize = 1_024;

/// How long a request to the cluster waits for its answer.
const ADMIN_WAIT: Duration = Duration::from_secs(30);

/// How long the search for a broker waits before it says that it still waits.
const BROKER_WAIT: Duration = Duration::from_secs(5);

/// Id of the clients of the worker itself.
const CLIENT_ID: &str = "tombolo";

/// A running worker.
pub(crate) struct Running {
    /// What answers for it.
    pub(crate) herder: HerderHandle,
    /// Where its API listens.
    pub(crate) address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
    shutdown: CancellationToken,
}

/// Why a worker did not start; each has an exit code of its own.
#[derive(Debug)]
pub(crate) enum NotStarted {
    /// Its settings cannot be used.
    Settings(anyhow::Error),
    /// Something it needs is not to be had.
    Start(anyhow::Error),
}

impl NotStarted {
    fn start(error: impl Into<anyhow::Error>) -> Self {
        Self::Start(error.into())
    }
}

/// Everything that is read from the settings before anything is started.
struct Configs {
    rest: RestConfig,
    herder: HerderConfig,
    worker: WorkerConfig,
    storage: Storage,
    consumer: ClientSettings,
    producer: ClientSettings,
    admin: ClientSettings,
}

/// Where configurations, statuses and offsets are kept.
enum Storage {
    Topics(Box<InternalTopics>),
    /// Offsets in this file, the rest in memory.
    File(PathBuf),
}

impl Storage {
    fn read(settings: &Settings, mode: Mode) -> anyhow::Result<Self> {
        if mode == Mode::Distributed {
            return Ok(Self::Topics(Box::new(InternalTopics::from_settings(settings)?)));
        }
        let file = settings.get(OFFSET_FILE).filter(|file| !file.trim().is_empty());
        let missing = || {
            format!("Missing required configuration \"{OFFSET_FILE}\" which has no default value.")
        };
        Ok(Self::File(PathBuf::from(file.with_context(missing)?)))
    }
}

impl Configs {
    fn read(options: &Options) -> anyhow::Result<Self> {
        let settings = &options.settings;
        settings::check(settings).map_err(|why| anyhow!(why))?;
        let own: Settings = settings
            .iter()
            .filter(|(name, _)| {
                !["producer.", "consumer.", "admin."].iter().any(|prefix| name.starts_with(prefix))
            })
            .collect();
        let admin = own.clone().overlaid(&settings.with_prefix("admin."));
        // The worker's own clients get the whole file: that most of it is not for them needs no warning.
        let translate = |kind, java: &Settings| {
            ClientSettings::translate(kind, java).map(|(settings, _)| settings)
        };
        Ok(Self {
            rest: RestConfig::from_settings(settings, &options.host_name, &identity)?,
            worker: WorkerConfig::from_settings(settings)?
                .offering(options.grants.network.allow.clone()),
            herder: match options.mode {
                Mode::Distributed => HerderConfig::distributed(settings),
                Mode::Standalone => HerderConfig::standalone(settings),
            }
            .map_err(|why| anyhow!(why))?,
            storage: Storage::read(settings, options.mode)?,
            consumer: translate(ClientKind::Consumer, &own)?,
            producer: translate(ClientKind::Producer, &own)?,
            admin: translate(ClientKind::Admin, &admin)?,
        })
    }
}

/// Key and certificates of HTTPS listeners, from stores as Kafka's clients have them.
fn identity(ssl: &Settings) -> Result<Identity, ConfigError> {
    let stores = ServerStores::read(ssl).map_err(|refused| ConfigError {
        value: ssl
            .get(&refused.name)
            .filter(|_| refused.name.ends_with(".location"))
            .map_or_else(|| HIDDEN.to_owned(), str::to_owned),
        key: refused.name,
        why: refused.reason,
    })?;
    let ServerStores { certificates, key, trusted } = stores;
    Ok(Identity { certificates, key, trusted })
}

/// Starts a worker. Guests run on the runtime of `guests`, everything else on the current one.
pub(crate) async fn start(options: Options, guests: Handle) -> Result<Running, NotStarted> {
    let configs = Configs::read(&options).map_err(|error| {
        // What is wrong with a setting may repeat a value that was only referred to.
        let why = format!("{error:#}");
        NotStarted::Settings(anyhow!(options.settings.secrets().hide(&why).into_owned()))
    })?;
    let bound = Bound::open(&configs.rest).await.map_err(NotStarted::start)?;
    let (worker_id, address) = (bound.worker_id().clone(), bound.address());
    let (cell, shutdown) = (Arc::new(OnceCell::new()), CancellationToken::new());
    let serving = tombolo_rest::serve(bound, Arc::clone(&cell), shutdown.clone());
    let server = tokio::spawn(serving);

    let sandbox = tokio::spawn(sandbox(SandboxOptions {
        cache_dir: options.cache_dir,
        grants: options.grants,
        ceiling: configs.worker.ceilings.limits(),
        compiler: Compiler::this_program(),
        compile_limits: options.compile_limits,
    }));
    let producers = Producers::new(CLIENT_ID);
    let opened = stores(&configs, options.secret_keys, &producers).await;
    let (stores, cluster_id) = opened.map_err(NotStarted::start)?;
    let sandbox = sandbox.await.map_err(NotStarted::start)?.map_err(NotStarted::start)?;
    sandbox.find_components_in(Arc::new(builtin::Stored(stores.plugins.clone())));
    sandbox.ask_catalogs_on(guests.clone());
    let plugins: Arc<dyn Plugins> = Arc::new(sandbox.clone());
    bring_back_plugins(&stores.plugins, &*plugins).await.map_err(NotStarted::start)?;

    let (tell, events) = mpsc::channel(EVENTS_MAX);
    let worker = Worker::new(WorkerParts {
        config: configs.worker,
        plugins: Arc::clone(&plugins),
        providers: with_secrets(options.providers, stores.secrets.as_ref()),
        offsets: SourceOffsets {
            store: stores.offsets.clone(),
            topic: match configs.storage {
                Storage::Topics(topics) => Some(topics.offset),
                Storage::File(_) => None,
            },
        },
        worker_id: worker_id.clone(),
        guests,
        events: tell,
        topics_forgotten: stores.statuses.topics_forgotten(),
    });
    let meters: Vec<Arc<dyn Metered>> =
        vec![Arc::new(worker.clone()), Arc::new(sandbox), Arc::new(Process)];
    let herder = HerderHandle::start(HerderParts {
        config: configs.herder,
        worker: Arc::new(worker),
        events,
        plugins,
        meters,
        log_lines: Arc::clone(&options.log.lines),
        stores,
        loggers: Arc::new(options.log),
        worker_id: worker_id.clone(),
        cluster_id,
    });
    // Nobody else fills the cell.
    cell.set(herder.clone()).ok();
    tracing::info!(worker = %worker_id, %address, "worker started");
    Ok(Running { herder, address, server, shutdown })
}

/// The sandbox with the components that ship with it.
async fn sandbox(options: SandboxOptions) -> anyhow::Result<Sandbox> {
    let sandbox = Sandbox::new(options)?;
    builtin::install(&sandbox).await?;
    Ok(sandbox)
}

/// The stores, once a broker is there.
async fn stores(
    configs: &Configs,
    keys: Option<SecretKeys>,
    producers: &Producers,
) -> anyhow::Result<(Stores, String)> {
    let cluster_id = cluster_id(configs).await?;
    let topics = match &configs.storage {
        Storage::File(offsets) => {
            let mut stores = Stores::standalone(offsets).await?;
            if let Some(keys) = keys {
                stores.secrets = Some(SecretStore::standalone(offsets, keys).await?);
            }
            return Ok((stores, cluster_id));
        }
        Storage::Topics(topics) => topics,
    };
    let admin = Admin::new(&configs.admin, CLIENT_ID, ADMIN_WAIT)?;
    let clients = LogClients::new(&configs.consumer, &configs.producer, CLIENT_ID, producers);
    let journals = Arc::new(KafkaJournals::new(clients, admin));
    let secrets = async {
        let opening = keys.map(|keys| SecretStore::open(&*journals, &topics.secret, keys));
        match opening {
            Some(opening) => opening.await.map(Some),
            None => Ok(None),
        }
    };
    let (stores, secrets) = tokio::try_join!(Stores::open(journals.clone(), topics), secrets)?;
    Ok((Stores { secrets, ..stores }, cluster_id))
}

/// The providers, and what stands for secrets where no provider of the operator's has that name.
fn with_secrets(providers: ConfigProviders, secrets: Option<&SecretStore>) -> ConfigProviders {
    match secrets {
        Some(secrets) => providers.or(PROVIDER, secrets.provider(TenantId::default_tenant())),
        None => providers.or(PROVIDER, WithoutKey),
    }
}

/// Id of the Kafka cluster. Waits for a broker, and says so.
async fn cluster_id(configs: &Configs) -> anyhow::Result<String> {
    let admin = Admin::new(&configs.admin, CLIENT_ID, BROKER_WAIT)?;
    loop {
        match admin.cluster_id().await {
            Ok(id) => return Ok(id),
            Err(error) => tracing::warn!(%error, "no broker answers yet; still trying"),
        }
    }
}

impl Running {
    /// Ends requests, connectors, tasks and clients, in this order.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.herder.stop().await;
        self.server.await?.context("the HTTP server failed")
    }

    /// Waits until the HTTP server ends by itself, which it does only when it fails.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.server).await {
            Ok(Ok(())) => anyhow!("the HTTP server ended"),
            Ok(Err(error)) => error.into(),
            Err(error) => error.into(),
        }
    }
}
