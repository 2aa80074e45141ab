//! A real Apache Kafka in KRaft mode: one process that is broker and controller, on free ports, in a folder of its own.
//!
//! Not here: clients, and clusters of several brokers.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{Guarded, Signal, free_port, jars, wait_for};

/// Longest time a start may take on a busy machine; 4 seconds on a quiet one.
const START_MAX: Duration = Duration::from_secs(120);

/// What the broker logs when it serves.
const STARTED: &str = "Kafka Server started";

/// A running broker, ended and forgotten on drop.
#[derive(Debug)]
pub struct Kafka {
    process: Guarded,
    folder: TempDir,
    port: u16,
}

impl Kafka {
    /// The broker of this process, started by the first who asks. Tests share it: use names of your own for topics and groups.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: Mutex<Option<&'static Kafka>> = Mutex::new(None);
        // A test that failed to start it says so; the next one may try again.
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kafka) = *shared {
            return Ok(kafka);
        }
        // A static is never dropped: the guard ends the broker when this process is gone.
        let kafka: &'static Self = Box::leak(Box::new(Self::start(&[])?));
        *shared = Some(kafka);
        Ok(kafka)
    }

    /// A broker of one's own, with settings beyond the usual.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tombolo-kafka-").tempdir()?;
        let (port, controller) = (free_port()?, free_port()?);
        write_configuration(folder.path(), port, controller, settings)?;
        let process = launch(folder.path())?;
        Ok(Self { process, folder, port })
    }

    /// Its address, for `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills it, as a power cut would.
    pub fn kill(&self) -> Result<()> {
        self.process.signal(Signal::Kill)?;
        wait_for(|| self.process.has_ended(), "the broker ends", START_MAX)
    }

    /// Starts it again after [`Kafka::kill`], with its ports and its data.
    pub fn start_again(&mut self) -> Result<()> {
        // The log is read for the start: the next one begins anew.
        std::fs::remove_file(self.folder.path().join("log"))?;
        self.process = launch(self.folder.path())?;
        Ok(())
    }

    /// Lets it stand still: connections stay open, and nobody answers.
    pub fn suspend(&self) -> Result<()> {
        self.process.signal(Signal::Stop)
    }

    /// Lets it go on.
    pub fn go_on(&self) -> Result<()> {
        self.process.signal(Signal::Continue)
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

fn write_configuration(
    folder: &Path,
    port: u16,
    controller: u16,
    settings: &[(&str, &str)],
) -> Result<()> {
    let data = folder.join("data");
    std::fs::create_dir(&data)?;
    // What `kafka-storage format` would write, without its two seconds.
    std::fs::write(
        data.join("meta.properties"),
        "version=1\nnode.id=1\ncluster.id=dG9tYm9sby1oYXJuZXNzMQ\n",
    )?;
    let mut text = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         log.dirs={}\n\
         offsets.topic.num.partitions=4\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        data.display()
    );
    for (name, value) in settings {
        text.push_str(&format!("{name}={value}\n"));
    }
    std::fs::write(folder.join("server.properties"), text)?;
    Ok(())
}

fn launch(folder: &Path) -> Result<Guarded> {
    let mut command = jars::java(&["-Xmx1G", "-XX:+UseSerialGC"])?;
    command.arg("kafka.Kafka").arg(folder.join("server.properties"));
    let log = folder.join("log");
    let process = Guarded::start(&command, &log, Some(folder)).context("start Apache Kafka")?;
    let read = || std::fs::read_to_string(&log).unwrap_or_default();
    let settled = || read().contains(STARTED) || process.has_ended();
    wait_for(settled, "Apache Kafka starts", START_MAX)?;
    if process.has_ended() {
        bail!("Apache Kafka ended at its start:\n{}", read());
    }
    Ok(process)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_broker_serves_until_it_is_killed_and_again_after_a_start() {
        let mut kafka = Kafka::start(&[]).unwrap();
        let connects = |kafka: &Kafka| TcpStream::connect(kafka.bootstrap()).is_ok();
        assert!(connects(&kafka));
        kafka.kill().unwrap();
        assert!(!connects(&kafka));
        kafka.start_again().unwrap();
        assert!(connects(&kafka));
        let folder = kafka.folder.path().to_owned();
        drop(kafka);
        assert!(!folder.exists());
    }
}
