//! Where cases play: one program, a cluster, and the workers that cases share. Not here: who plays what when (`play`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};
use tombolo_harness::Kafka;

use crate::broker::{self, Broker};
use crate::case::{Needs, Settings};
use crate::http::Client;
use crate::peer::Peer;
use crate::worker::{Plan, Worker};

/// What a stage is set up with.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The broker of all workers.
    pub bootstrap: String,
    /// Our program.
    pub tombolo: PathBuf,
    /// Where workers have their folders.
    pub folder: PathBuf,
    /// Whether answers of Kafka Connect are stored, in place of being compared with what is.
    pub records: bool,
}

/// A worker that somebody else started.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Its API.
    pub url: String,
    /// A folder in which its connectors may read and write, and the suite too.
    pub files: PathBuf,
}

/// The stage of one program.
pub struct Stage {
    peer: Peer,
    around: Surroundings,
    foreign: Option<Foreign>,
    broker: Broker,
    shared: Mutex<HashMap<Needs, Arc<Worker>>>,
    /// How many were started: a name that is used again would find the topics of the one before.
    started: AtomicUsize,
    other: OnceLock<Kafka>,
}

impl Stage {
    /// A stage whose workers are started when they are needed.
    pub fn new(peer: Peer, around: Surroundings) -> Result<Self> {
        let broker = Broker::new(&around.bootstrap)?;
        Ok(Self {
            peer,
            around,
            foreign: None,
            broker,
            shared: Mutex::default(),
            started: AtomicUsize::new(0),
            other: OnceLock::new(),
        })
    }

    /// A stage with one worker that is there already, and can have no others.
    pub fn foreign(peer: Peer, around: Surroundings, foreign: Foreign) -> Result<Self> {
        Ok(Self { foreign: Some(foreign), ..Self::new(peer, around)? })
    }

    /// The program.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Whether answers are stored here.
    pub fn records(&self) -> bool {
        self.around.records && self.peer == Peer::Connect
    }

    /// The cluster's clients.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Whether a case with these needs can play here.
    pub fn offers(&self, needs: Needs) -> bool {
        self.foreign.is_none() || needs == Needs::Worker
    }

    /// The worker for these needs, started by the first who asks; none for a case that starts its own.
    pub fn worker(&self, needs: Needs) -> Result<Option<Arc<Worker>>> {
        let settings = match needs {
            Needs::Worker if self.foreign.is_some() => return Ok(None),
            Needs::Worker => &[][..],
            Needs::WorkerWith(settings) => settings,
            Needs::Workers => return Ok(None),
        };
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = shared.get(&needs) {
            return Ok(Some(Arc::clone(worker)));
        }
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-shared-{number}", self.peer.name());
        let worker = Arc::new(Worker::start(self.plan(&name, settings))?);
        shared.insert(needs, Arc::clone(&worker));
        Ok(Some(worker))
    }

    /// Ends the worker for these needs.
    pub fn dismiss(&self, needs: Needs) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).remove(&needs);
    }

    /// A worker of this program, not yet started.
    pub fn plan(&self, name: &str, settings: Settings) -> Plan {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Plan {
            peer: self.peer,
            tombolo: self.around.tombolo.clone(),
            name: format!("compat-{name}"),
            bootstrap: self.around.bootstrap.clone(),
            folder: self.around.folder.clone(),
            settings: settings.iter().map(owned).collect(),
            connectors: Vec::new(),
        }
    }

    /// The API and the files of the worker that somebody else started.
    pub(crate) fn foreign_worker(&self) -> Result<(Client, &Path)> {
        let foreign = self.foreign.as_ref().context("the suite starts its own workers here")?;
        Ok((Client::new(&foreign.url), &foreign.files))
    }

    /// A second cluster, started by the first who asks.
    pub fn other_cluster(&self) -> Result<Broker> {
        // Not `get_or_init`, which has no way to fail.
        static STARTING: Mutex<()> = Mutex::new(());
        let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if self.other.get().is_none() {
            let kafka = Kafka::start(&broker::SETTINGS)?;
            if self.other.set(kafka).is_err() {
                bail!("another cluster was started meanwhile");
            }
        }
        Broker::new(&self.other.get().context("the cluster was started")?.bootstrap())
    }
}
