//! A real Apache Kafka in KRaft mode, on free ports, in a folder of its own: one node unless more are asked for.
//!
//! Not here: clients.

mod node;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{Signal, free_port};
use node::Node;

/// The id of every cluster that tests start.
pub const CLUSTER_ID: &str = "dG9tYm9sby1oYXJuZXNzMQ";

/// The listener that every node has.
const PLAINTEXT: &str = "PLAINTEXT";

/// What a cluster shall be like.
#[derive(Clone, Debug)]
pub struct Builder {
    nodes: usize,
    /// Names and security protocols.
    listeners: Vec<(String, String)>,
    settings: Vec<(String, String)>,
    heap: String,
}

impl Builder {
    /// So many nodes. The first is the controller as well: it must stay.
    #[must_use]
    pub fn nodes(mut self, count: usize) -> Self {
        self.nodes = count;
        self
    }

    /// A setting of all brokers.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A further listener, as `("SECURE", "SASL_SSL")`; its own settings come by [`Builder::setting`].
    #[must_use]
    pub fn listener(mut self, name: &str, protocol: &str) -> Self {
        self.listeners.push((name.to_owned(), protocol.to_owned()));
        self
    }

    /// The heap, as `-Xmx1G`.
    #[must_use]
    pub fn heap(mut self, option: &str) -> Self {
        option.clone_into(&mut self.heap);
        self
    }

    /// Starts the cluster, and waits until all nodes serve.
    pub fn start(self) -> Result<Kafka> {
        ensure!(self.nodes > 0, "a cluster has a node");
        let folder = tempfile::Builder::new().prefix("tombolo-kafka-").tempdir()?;
        let controller = free_port()?;
        let launch = |number| Node::launch(&self, number, controller, folder.path());
        let nodes = (1..=self.nodes).map(launch).collect::<Result<Vec<Node>>>()?;
        for node in &nodes {
            node.wait_until_started()?;
        }
        Ok(Kafka { nodes, heap: self.heap, folder })
    }
}

/// A running cluster, ended and forgotten on drop. Nodes are counted from 1, as their ids.
#[derive(Debug)]
pub struct Kafka {
    nodes: Vec<Node>,
    heap: String,
    /// After the nodes, which are ended before it goes.
    folder: TempDir,
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
        let kafka: &'static Self = Box::leak(Box::new(Self::builder().start()?));
        *shared = Some(kafka);
        Ok(kafka)
    }

    /// A cluster of one's own: one node with one plain listener, unless told otherwise.
    pub fn builder() -> Builder {
        Builder {
            nodes: 1,
            listeners: vec![(PLAINTEXT.to_owned(), PLAINTEXT.to_owned())],
            settings: Vec::new(),
            heap: "-Xmx1G".to_owned(),
        }
    }

    /// One node of one's own, with settings beyond the usual.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self> {
        let builder = Self::builder();
        settings.iter().fold(builder, |all, (name, value)| all.setting(name, value)).start()
    }

    /// Addresses of the plain listeners, for `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        let all: Vec<String> = self.nodes.iter().filter_map(|one| one.address(PLAINTEXT)).collect();
        all.join(",")
    }

    /// Address of a further listener of the first node.
    pub fn listener(&self, name: &str) -> Result<String> {
        self.node(1)?.address(name).with_context(|| format!("there is no listener {name}"))
    }

    /// A folder that goes with the cluster.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills the first node, as a power cut would.
    pub fn kill(&self) -> Result<()> {
        self.kill_node(1)
    }

    /// Starts the first node again after [`Kafka::kill`], with its ports and its data.
    pub fn start_again(&mut self) -> Result<()> {
        self.start_node_again(1)
    }

    /// Lets the first node stand still: connections stay open, and nobody answers.
    pub fn suspend(&self) -> Result<()> {
        self.node(1)?.signal(Signal::Stop)
    }

    /// Lets the first node go on.
    pub fn go_on(&self) -> Result<()> {
        self.node(1)?.signal(Signal::Continue)
    }

    /// Kills a node.
    pub fn kill_node(&self, number: usize) -> Result<()> {
        self.node(number)?.kill()
    }

    /// Starts a killed node again.
    pub fn start_node_again(&mut self, number: usize) -> Result<()> {
        let node = number.checked_sub(1).and_then(|index| self.nodes.get_mut(index));
        node.with_context(|| no_node(number))?.start_again(&self.heap)
    }

    /// Lets a node stand still, or go on.
    pub fn signal_node(&self, number: usize, signal: Signal) -> Result<()> {
        self.node(number)?.signal(signal)
    }

    /// What a node has logged since its last start.
    pub fn log(&self, number: usize) -> Result<String> {
        Ok(std::fs::read_to_string(self.node(number)?.log())?)
    }

    fn node(&self, number: usize) -> Result<&Node> {
        let node = number.checked_sub(1).and_then(|index| self.nodes.get(index));
        node.with_context(|| no_node(number))
    }
}

fn no_node(number: usize) -> String {
    format!("there is no node {number}")
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_broker_serves_until_it_is_killed_and_again_after_a_start() {
        let mut kafka = Kafka::builder().listener("OTHER", "PLAINTEXT").start().unwrap();
        let connects = |kafka: &Kafka| TcpStream::connect(kafka.bootstrap()).is_ok();
        assert!(connects(&kafka));
        assert!(TcpStream::connect(kafka.listener("OTHER").unwrap()).is_ok());
        kafka.kill().unwrap();
        assert!(!connects(&kafka));
        kafka.start_again().unwrap();
        assert!(connects(&kafka));
        let folder = kafka.folder().to_owned();
        drop(kafka);
        assert!(!folder.exists());
    }

    #[test]
    fn a_cluster_of_two_loses_one_and_gets_it_back() {
        let mut kafka = Kafka::builder().nodes(2).heap("-Xmx512M").start().unwrap();
        let addresses: Vec<String> = kafka.bootstrap().split(',').map(str::to_owned).collect();
        let serves =
            || addresses.iter().map(|at| TcpStream::connect(at).is_ok()).collect::<Vec<_>>();
        assert_eq!(serves(), [true, true]);
        kafka.kill_node(2).unwrap();
        assert_eq!(serves(), [true, false]);
        kafka.start_node_again(2).unwrap();
        assert_eq!(serves(), [true, true]);
        assert!(kafka.kill_node(3).is_err());
    }
}
