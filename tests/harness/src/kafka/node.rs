//! One node of a cluster: its files, its ports, its process.
//!
//! Not here: how many there are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Builder;
use crate::{Guarded, Signal, free_port, jars, wait_for};

/// Longest time a start may take on a busy machine; 4 seconds on a quiet one.
const START_MAX: Duration = Duration::from_secs(120);

/// What a broker logs when it serves.
const STARTED: &str = "Kafka Server started";

/// A broker; the first of a cluster is its controller too.
#[derive(Debug)]
pub(super) struct Node {
    process: Guarded,
    folder: PathBuf,
    /// Names and ports of its listeners.
    listeners: Vec<(String, u16)>,
}

impl Node {
    /// Launches node `number`, from 1, below the cluster's folder, and does not wait for it.
    pub(super) fn launch(
        builder: &Builder,
        number: usize,
        controller: u16,
        cluster: &Path,
    ) -> Result<Self> {
        let folder = cluster.join(number.to_string());
        let data = folder.join("data");
        std::fs::create_dir_all(&data)?;
        // What `kafka-storage format` would write, without its two seconds.
        std::fs::write(
            data.join("meta.properties"),
            format!("version=1\nnode.id={number}\ncluster.id={}\n", super::CLUSTER_ID),
        )?;
        let mut listeners = Vec::new();
        for (name, _) in &builder.listeners {
            listeners.push((name.clone(), free_port()?));
        }
        let properties = properties(builder, number, controller, &listeners, &data);
        std::fs::write(folder.join("server.properties"), properties)?;
        let process = spawn(&folder, cluster, &builder.heap)?;
        Ok(Self { process, folder, listeners })
    }

    /// Waits until it serves.
    pub(super) fn wait_until_started(&self) -> Result<()> {
        let read = || std::fs::read_to_string(self.log()).unwrap_or_default();
        let settled = || read().contains(STARTED) || self.process.has_ended();
        wait_for(settled, "Apache Kafka starts", START_MAX)?;
        if self.process.has_ended() {
            bail!("Apache Kafka ended at its start:\n{}", read());
        }
        Ok(())
    }

    /// Starts it again with its ports and its data.
    pub(super) fn start_again(&mut self, heap: &str) -> Result<()> {
        // The log is read for the start: the next one begins anew.
        std::fs::remove_file(self.log())?;
        let cluster = self.folder.parent().context("a node stands in a cluster")?;
        self.process = spawn(&self.folder, cluster, heap)?;
        self.wait_until_started()
    }

    /// Kills it, and waits until it is gone.
    pub(super) fn kill(&self) -> Result<()> {
        self.process.signal(Signal::Kill)?;
        wait_for(|| self.process.has_ended(), "the broker ends", START_MAX)
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Address of a listener.
    pub(super) fn address(&self, listener: &str) -> Option<String> {
        let (_, port) = self.listeners.iter().find(|(name, _)| name == listener)?;
        Some(format!("127.0.0.1:{port}"))
    }

    /// Where it logs.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

fn spawn(folder: &Path, cluster: &Path, heap: &str) -> Result<Guarded> {
    let mut command: Command = jars::java(&[heap, "-XX:+UseSerialGC"])?;
    command.arg("kafka.Kafka").arg(folder.join("server.properties"));
    Guarded::start(&command, &folder.join("log"), Some(cluster)).context("start Apache Kafka")
}

fn properties(
    builder: &Builder,
    number: usize,
    controller: u16,
    listeners: &[(String, u16)],
    data: &Path,
) -> String {
    let join = |parts: Vec<String>| parts.join(",");
    let own = join(listeners.iter().map(|(n, p)| format!("{n}://127.0.0.1:{p}")).collect());
    let protocols = join(builder.listeners.iter().map(|(n, p)| format!("{n}:{p}")).collect());
    let (roles, bound) = if number == 1 {
        ("broker,controller", format!("{own},CONTROLLER://127.0.0.1:{controller}"))
    } else {
        ("broker", own.clone())
    };
    // Internal topics live on every node, so that a lost one takes no group with it.
    let nodes = builder.nodes;
    let mut text = format!(
        "process.roles={roles}\n\
         node.id={number}\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners={bound}\n\
         advertised.listeners={own}\n\
         inter.broker.listener.name=PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,{protocols}\n\
         log.dirs={}\n\
         offsets.topic.num.partitions=4\n\
         offsets.topic.replication.factor={nodes}\n\
         transaction.state.log.num.partitions=4\n\
         transaction.state.log.replication.factor={nodes}\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        data.display()
    );
    for (name, value) in &builder.settings {
        text.push_str(&format!("{name}={value}\n"));
    }
    text
}
