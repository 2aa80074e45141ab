//! The two programs side by side: how each is started, asked and stopped.
//!
//! Not here: what they are told to do (`case`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;
use tombolo_harness::{Guarded, Signal, free_port, jars, wait_for, wait_for_some};

use crate::api::Api;

/// Longest time for a start or a stop.
const PATIENCE: Duration = Duration::from_secs(120);

/// Java's options, as Kafka's own `connect-distributed.sh` sets them.
const JAVA_OPTIONS: [&str; 9] = [
    "-Xms256M",
    "-Xmx2G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-XX:MaxInlineLevel=15",
    "-Djava.awt.headless=true",
];

/// A program under measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// Apache Kafka Connect, from its jars.
    Connect,
    /// Ours.
    Tombolo,
}

impl Peer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Connect, Self::Tombolo];

    /// The name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Connect => "Connect",
            Self::Tombolo => "Tombolo",
        }
    }

    /// A short name, for topics and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tombolo => "tombolo",
        }
    }

    fn command(self, around: &Surroundings) -> Result<Command> {
        Ok(match self {
            Self::Connect => {
                let mut command = jars::java(&JAVA_OPTIONS)?;
                command.arg("org.apache.kafka.connect.cli.ConnectDistributed");
                command
            }
            Self::Tombolo => {
                let mut command = Command::new(&around.tombolo);
                // Compiled components of this run alone.
                command.arg("worker").env("XDG_CACHE_HOME", &around.cache);
                command
            }
        })
    }
}

/// Where workers live and what they talk to.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Address of the broker.
    pub bootstrap: String,
    /// The program under test.
    pub tombolo: PathBuf,
    /// A folder for worker files, logs, and the files of connectors.
    pub folder: PathBuf,
    /// Where Tombolo keeps compiled components: not among what it offers to plugins.
    pub cache: PathBuf,
}

/// A running worker.
pub struct Worker {
    process: Guarded,
    /// Its REST API.
    pub api: Api,
    log: PathBuf,
    /// From just before the program was started to its first 200 on `GET /connectors`.
    pub start: Duration,
    /// What that first 200 said.
    pub connectors: Vec<String>,
}

impl Worker {
    /// Starts a worker whose internal topics and group carry `name`, and waits until it answers.
    pub fn start(peer: Peer, name: &str, around: &Surroundings) -> Result<Self> {
        Self::start_with(peer, name, around, &[])
    }

    /// As [`Worker::start`], with more lines in the worker's file.
    pub fn start_with(
        peer: Peer,
        name: &str,
        around: &Surroundings,
        more: &[(&str, String)],
    ) -> Result<Self> {
        let port = free_port()?;
        let file = around.folder.join(format!("{name}.properties"));
        let mut text = worker_file(name, port, around);
        more.iter().for_each(|(key, value)| text.push_str(&format!("{key}={value}\n")));
        std::fs::write(&file, text)?;
        let log = around.folder.join(format!("{name}.log"));
        let mut command = peer.command(around)?;
        command.arg(&file).current_dir(&around.folder);
        let begin = Instant::now();
        let process = Guarded::start(&command, &log, None)?;
        let mut worker = Self {
            process,
            api: Api::new(port),
            log,
            start: Duration::ZERO,
            connectors: Vec::new(),
        };
        let answer = || worker.first_answer().transpose();
        let names = wait_for_some(answer, "the worker answers", PATIENCE)??;
        worker.start = begin.elapsed();
        worker.connectors = names;
        Ok(worker)
    }

    /// Names of the connectors, if the worker answers with 200; an error, if it has ended.
    fn first_answer(&self) -> Result<Option<Vec<String>>> {
        if self.process.has_ended() {
            bail!("the worker has ended; see {}", self.log.display());
        }
        let Some(body) = self.api.get("/connectors")? else { return Ok(None) };
        let names: Vec<String> = serde_json::from_str(&body)?;
        Ok(Some(names))
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its log.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Asks it to end, and waits for that.
    pub fn stop(self) -> Result<()> {
        self.process.signal(Signal::Term)?;
        wait_for(|| self.process.has_ended(), "the worker ends", PATIENCE)
    }

    /// Ends it without asking.
    pub fn kill(self) -> Result<()> {
        self.process.signal(Signal::Kill)?;
        wait_for(|| self.process.has_ended(), "the worker ends", PATIENCE)
    }
}

/// The worker's file, the same for both; what is ours alone is a warning to Connect.
fn worker_file(name: &str, port: u16, around: &Surroundings) -> String {
    let bootstrap = &around.bootstrap;
    let folder = around.folder.display();
    format!(
        "bootstrap.servers={bootstrap}\n\
         group.id={name}\n\
         listeners=http://127.0.0.1:{port}\n\
         key.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.storage.StringConverter\n\
         config.storage.topic={name}-configs\n\
         config.storage.replication.factor=1\n\
         offset.storage.topic={name}-offsets\n\
         offset.storage.replication.factor=1\n\
         status.storage.topic={name}-status\n\
         status.storage.replication.factor=1\n\
         consumer.max.poll.records=500\n\
         sandbox.fs.roots={folder}\n"
    )
}
