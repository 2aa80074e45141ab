//! The two programs that the suite plays on: how each is started. Not here: a running worker (`worker`).

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;
use tombolo_harness::{jars, target_folder};

/// Enough for a worker with a few connectors, and little beside others on the machine.
const HEAP: &str = "-Xmx512M";

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Peer {
    /// Apache Kafka Connect, from its jars.
    Connect,
    /// Ours.
    Tombolo,
}

impl Peer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Connect, Self::Tombolo];

    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Connect => "Connect",
            Self::Tombolo => "Tombolo",
        }
    }

    /// Its name in topics, groups and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tombolo => "tombolo",
        }
    }

    /// The command that runs a worker of a group with this file. `tombolo` is our program.
    pub fn worker(self, file: &Path, tombolo: &Path) -> Result<Command> {
        self.command("ConnectDistributed", "worker", file, tombolo)
    }

    /// The command that runs a worker that stands alone with this file; files of connectors may follow.
    pub fn worker_alone(self, file: &Path, tombolo: &Path) -> Result<Command> {
        self.command("ConnectStandalone", "standalone", file, tombolo)
    }

    fn command(self, class: &str, word: &str, file: &Path, tombolo: &Path) -> Result<Command> {
        let mut command = match self {
            Self::Connect => {
                let mut command =
                    jars::java(&[HEAP, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])?;
                command.arg(format!("org.apache.kafka.connect.cli.{class}"));
                command
            }
            Self::Tombolo => {
                let mut command = Command::new(tombolo);
                command.arg(word);
                // Components that one worker compiled serve the others.
                command.env("XDG_CACHE_HOME", target_folder().join("test-cache"));
                command
            }
        };
        command.arg(file);
        Ok(command)
    }
}
