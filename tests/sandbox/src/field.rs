//! Where attacks take place: a broker, one worker process, a connector beside that must go on, and a port that nobody may reach.
//!
//! Not here: the attacks.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::open;
use tombolo_devbroker::{Broker, Config};
use tombolo_harness::{Worker, complete_lines, wait_for};

/// Longest call of an attacker.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a busy machine may take for what is there in milliseconds else.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Topic of the neighbour's rows.
pub const NEIGHBOUR_TOPIC: &str = "neighbour";

/// Rows a second of the neighbour.
const NEIGHBOUR_RATE: u32 = 500;

/// The file of the neighbour's sink, among those of the worker.
const NEIGHBOUR_FILE: &str = "neighbour.txt";

/// A secret that connectors of the field may refer to, and nobody may tell.
pub const SECRET: &str = "correct-horse-battery-staple";

/// Freed memory goes back to the kernel at once: what the worker has is then what it needs.
const PURGED_AT_ONCE: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "0");

/// A broker, a worker with a connector that must go on, and a port that nobody may reach.
pub struct Field {
    /// The worker.
    pub worker: Worker,
    canary: TcpListener,
    open: SocketAddr,
    /// Ended after the worker, with its runtime last.
    broker: Option<Broker>,
    runtime: Runtime,
    _folder: TempDir,
}

impl Field {
    /// Starts all of it with this program.
    pub fn start(program: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tombolo-field-").tempdir()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let broker = runtime.block_on(Broker::start(Config::dev(folder.path(), listen)))?;
        let bootstrap = broker.address().to_string();
        let open = open::start()?;
        let (private, allow) = (open.to_string(), format!("tcp://{open},http://{open}"));
        let settings = |_: &std::path::Path| {
            [
                ("config.providers", "env"),
                ("config.providers.env.class", ENV_PROVIDER),
                ("config.providers.env.param.allowlist.pattern", "FIELD_.*"),
                ("sandbox.net.private", &private),
                ("sandbox.net.allow", &allow),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
        };
        let environment = [("FIELD_SECRET", SECRET), PURGED_AT_ONCE];
        let worker = Worker::start_at(program, bootstrap, settings, &environment)?;
        let canary = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        canary.set_nonblocking(true)?;
        let field = Self { worker, canary, open, broker: Some(broker), runtime, _folder: folder };
        field.start_neighbour()?;
        Ok(field)
    }

    fn start_neighbour(&self) -> Result<()> {
        self.upload(tombolo_guests::PULSE)?;
        let source = json!({
            "connector.class": "test.pulse.PulseSource",
            "topic": NEIGHBOUR_TOPIC, "rate": NEIGHBOUR_RATE.to_string(),
        });
        let sink = json!({
            "connector.class": "test.pulse.PulseSink",
            "topics": NEIGHBOUR_TOPIC, "file": self.neighbour_file(),
        });
        self.worker.create("neighbour-source", &source)?;
        self.worker.create("neighbour-sink", &sink)?;
        self.neighbour_goes_on()
    }

    fn neighbour_file(&self) -> PathBuf {
        self.worker.files().join(NEIGHBOUR_FILE)
    }

    /// Address of the broker.
    pub fn bootstrap(&self) -> Result<String> {
        Ok(self.broker.as_ref().context("the broker runs")?.address().to_string())
    }

    /// The worker's address, as `127.0.0.1:8083`.
    pub fn rest(&self) -> String {
        self.worker.id()
    }

    /// The port that nobody may reach.
    pub fn canary(&self) -> Result<SocketAddr> {
        Ok(self.canary.local_addr()?)
    }

    /// A place that connectors may reach.
    pub fn open(&self) -> SocketAddr {
        self.open
    }

    /// Whether somebody reached the canary since the last question.
    pub fn was_reached(&self) -> bool {
        self.canary.accept().is_ok()
    }

    /// The topic in which the worker keeps its configurations.
    pub fn config_topic(&self) -> String {
        self.internal_topic("config")
    }

    /// The topic in which the worker keeps its statuses.
    pub fn status_topic(&self) -> String {
        self.internal_topic("status")
    }

    /// The topic in which the worker keeps its offsets.
    pub fn offset_topic(&self) -> String {
        self.internal_topic("offset")
    }

    fn internal_topic(&self, of: &str) -> String {
        let files = self.worker.files();
        let folder = files.parent().and_then(|folder| folder.file_name());
        format!("{}-{of}", folder.unwrap_or_default().to_string_lossy())
    }

    /// Uploads a component, which must be taken.
    pub fn upload(&self, component: &[u8]) -> Result<Value> {
        let (status, answer) = self.worker.upload(component)?;
        ensure!(matches!(status, 200 | 201), "an upload is answered with {status}: {answer}");
        Ok(answer)
    }

    /// The state and the trace of what failed of a connector: itself, or its first task that did.
    pub fn failure(&self, connector: &str) -> Option<String> {
        let path = format!("/connectors/{connector}/status");
        let Ok((200, status)) = self.worker.request("GET", &path, None) else { return None };
        let tasks = status.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default();
        let all = status.get("connector").cloned().into_iter().chain(tasks);
        let failed =
            all.into_iter().find(|one| one.get("state").is_some_and(|of| of == "FAILED"))?;
        Some(failed.get("trace").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Deletes a connector, and waits until it is gone.
    pub fn delete(&self, connector: &str) -> Result<()> {
        let path = format!("/connectors/{connector}");
        let gone = || {
            matches!(self.worker.request("DELETE", &path, None), Ok((204 | 404, _)))
                && matches!(self.worker.request("GET", &path, None), Ok((404, _)))
        };
        wait_for(gone, &format!("{connector} is gone"), PATIENCE)
    }

    /// Waits for more rows of the neighbour.
    pub fn neighbour_goes_on(&self) -> Result<()> {
        let file = self.neighbour_file();
        let calls = || complete_lines(&file).len();
        let before = calls();
        let waited = wait_for(|| calls() > before + 2, "the neighbour goes on", PATIENCE);
        waited.with_context(|| self.worker.log())
    }

    /// What must be true whatever happened: the process runs, nothing panicked, nobody got out, the neighbour goes on.
    pub fn holds(&self) -> Result<()> {
        ensure!(!self.worker.has_ended(), "the worker has ended:\n{}", self.worker.log());
        let log = self.worker.log();
        // What a guest says of its own panics stands behind a time or is indented.
        let is_panic = |line: &&str| line.starts_with("thread '") && line.contains("panicked at");
        let panicked = log.lines().find(is_panic);
        ensure!(panicked.is_none(), "the host panicked: {panicked:?}");
        ensure!(!self.was_reached(), "somebody reached {:?}", self.canary()?);
        self.neighbour_goes_on()
    }
}

/// Resolves `${env:NAME}`.
const ENV_PROVIDER: &str = "org.apache.kafka.common.config.provider.EnvVarConfigProvider";

impl Drop for Field {
    fn drop(&mut self) {
        // What its process wrote last is of no use any more.
        self.worker.kill().ok();
        if let Some(broker) = self.broker.take() {
            self.runtime.block_on(broker.stop()).ok();
        }
    }
}
