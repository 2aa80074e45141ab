//! A worker that the suite started: its file, its process, its log. Not here: which program it is (`peer`).

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tombolo_harness::{Guarded, Signal, free_port, wait_for};

use crate::http::{Client, Request};
use crate::kit;
use crate::peer::Peer;

/// Longest time for a start or a stop; Connect needs six seconds on a quiet machine.
const START_MAX: Duration = Duration::from_secs(120);

/// Lines of the log that an error shows.
const LOG_LINES: usize = 30;

/// The setting of workers that stand alone.
const OFFSETS_FILE: &str = "offset.storage.file.filename";

/// What a worker is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program.
    pub peer: Peer,
    /// Our program.
    pub tombolo: PathBuf,
    /// Names its group, its internal topics and its folder.
    pub name: String,
    /// Addresses of its brokers.
    pub bootstrap: String,
    /// Where its folder is made.
    pub folder: PathBuf,
    /// Settings beyond the usual, or in their place. A file for offsets makes a worker that stands alone.
    pub settings: Vec<(String, String)>,
    /// Files of connectors that a worker that stands alone begins with.
    pub connectors: Vec<PathBuf>,
}

/// A worker, killed on drop.
#[derive(Debug)]
pub struct Worker {
    plan: Plan,
    process: Mutex<Option<Guarded>>,
    client: Client,
    folder: PathBuf,
}

impl Worker {
    /// Starts a worker, and waits until it is healthy and has the kit.
    pub fn start(plan: Plan) -> Result<Self> {
        let worker = Self::launch(plan)?;
        worker.wait_until_healthy()?;
        worker.install_kit()?;
        Ok(worker)
    }

    /// Starts a worker, and waits for nothing.
    pub fn launch(plan: Plan) -> Result<Self> {
        let folder = plan.folder.join(&plan.name);
        std::fs::create_dir_all(folder.join("files"))?;
        let port = free_port()?;
        let client = Client::new(&format!("http://127.0.0.1:{port}"));
        let worker = Self { plan, process: Mutex::default(), client, folder };
        worker.write_file(port)?;
        worker.launch_again()?;
        Ok(worker)
    }

    fn write_file(&self, port: u16) -> Result<()> {
        let Plan { peer, name, bootstrap, settings, .. } = &self.plan;
        let classes = match peer {
            Peer::Connect => kit::classes()?.display().to_string(),
            Peer::Tombolo => String::new(),
        };
        let text = "org.apache.kafka.connect.storage.StringConverter".to_owned();
        let usual = [
            ("bootstrap.servers", bootstrap.clone()),
            ("group.id", name.clone()),
            ("listeners", format!("http://127.0.0.1:{port}")),
            ("key.converter", text.clone()),
            ("value.converter", text),
            ("config.storage.topic", format!("{name}-config")),
            ("offset.storage.topic", format!("{name}-offset")),
            ("status.storage.topic", format!("{name}-status")),
            ("config.storage.replication.factor", "1".to_owned()),
            ("offset.storage.replication.factor", "1".to_owned()),
            ("offset.storage.partitions", "5".to_owned()),
            ("status.storage.replication.factor", "1".to_owned()),
            ("offset.flush.interval.ms", "500".to_owned()),
            // A worker that comes back takes its connectors at once.
            ("scheduled.rebalance.max.delay.ms", "0".to_owned()),
            ("plugin.discovery", "service_load".to_owned()),
            ("plugin.path", classes),
            // Ours alone; a warning to Connect.
            ("sandbox.fs.roots", self.files().display().to_string()),
        ];
        let mut all: Vec<(String, String)> =
            usual.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for (name, value) in settings {
            all.retain(|(known, _)| known != name);
            // What is one worker's alone on the cluster differs by its program.
            all.push((name.clone(), value.replace("PEER", peer.name())));
        }
        let lines = all.iter().filter(|(_, value)| !value.is_empty());
        let text: String = lines.map(|(name, value)| format!("{name}={value}\n")).collect();
        std::fs::write(self.folder.join("worker.properties"), text)?;
        Ok(())
    }

    fn launch_again(&self) -> Result<()> {
        let Plan { peer, tombolo, settings, connectors, .. } = &self.plan;
        let file = self.folder.join("worker.properties");
        let mut command = match settings.iter().any(|(name, _)| name == OFFSETS_FILE) {
            true => peer.worker_alone(&file, tombolo)?,
            false => peer.worker(&file, tombolo)?,
        };
        command.args(connectors).current_dir(&self.folder);
        let process = Guarded::start(&command, &self.folder.join("log"), None)?;
        *self.process() = Some(process);
        Ok(())
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Guarded>> {
        self.process.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Starts it again after it was stopped, and waits until it is healthy.
    pub fn start_again(&self) -> Result<()> {
        self.launch_again()?;
        self.wait_until_healthy()
    }

    /// Waits until it is healthy.
    pub fn wait_until_healthy(&self) -> Result<()> {
        let is_healthy = || self.client.get("/health").is_ok_and(|answer| answer.status == 200);
        let settled = || self.has_ended() || is_healthy();
        wait_for(settled, "the worker is healthy", START_MAX).with_context(|| self.log_end())?;
        ensure!(!self.has_ended(), "the worker has ended:\n{}", self.log_end());
        Ok(())
    }

    /// Uploads the kit to a worker that takes components; Connect finds its classes by itself.
    fn install_kit(&self) -> Result<()> {
        if self.plan.peer == Peer::Connect {
            return Ok(());
        }
        let upload = Request {
            method: "POST",
            path: "/connector-plugins",
            headers: &[("content-type", "application/wasm")],
            body: Some(kit::COMPONENT),
        };
        let answer = self.client.send(&upload)?;
        // It is known already where a worker of this name was before.
        ensure!(matches!(answer.status, 200 | 201), "upload the kit: {}", answer.text);
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&self) -> Result<()> {
        self.end(Signal::Term)
    }

    /// Kills it.
    pub fn kill(&self) -> Result<()> {
        self.end(Signal::Kill)
    }

    fn end(&self, signal: Signal) -> Result<()> {
        let Some(process) = self.process().take() else { return Ok(()) };
        process.signal(signal)?;
        wait_for(|| process.has_ended(), "the worker ends", START_MAX)
            .with_context(|| self.log_end())
    }

    /// Whether its process has ended.
    pub fn has_ended(&self) -> bool {
        self.process().as_ref().is_none_or(Guarded::has_ended)
    }

    /// Its API.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where connectors may read and write.
    pub fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// All that it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The last that it logged.
    pub fn log_end(&self) -> String {
        last_lines(&self.folder.join("log"))
    }
}

fn last_lines(file: &Path) -> String {
    let log = std::fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let skipped = lines.len().saturating_sub(LOG_LINES);
    lines.into_iter().skip(skipped).collect::<Vec<_>>().join("\n")
}
