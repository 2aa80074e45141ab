//! What all connections share, and the order of locks. Not here: what is behind the locks.
//!
//! Order of locks, each to be taken only while holding none of a later one: the coordinator, the table of topics, the
//! log of one partition. No two logs are locked at once, and no lock is held across a point where a task waits. Nobody
//! else locks anything, so there is no deadlock. Every guard is bound to a name of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::Config;
use crate::coordinator::Coordinator;
use crate::directory::Directory;
use crate::topics::Topics;

/// The state of a broker.
#[derive(Debug)]
pub(crate) struct State {
    pub config: Config,
    /// Where clients reach it.
    pub address: SocketAddr,
    pub directory: Directory,
    pub topics: Arc<Topics>,
    coordinator: Mutex<Coordinator>,
    /// Told when something may have to be done earlier than the timer knows.
    pub timer: Notify,
}

impl State {
    pub(crate) fn new(
        config: Config,
        address: SocketAddr,
        directory: Directory,
        topics: Arc<Topics>,
        coordinator: Coordinator,
    ) -> Self {
        let coordinator = Mutex::new(coordinator);
        Self { config, address, directory, topics, coordinator, timer: Notify::new() }
    }

    /// Locks groups, offsets and transactions. First in the order of locks.
    ///
    /// What a panic may have left is whole: changes are made in memory only after they are in the journal.
    pub(crate) fn coordinator(&self) -> MutexGuard<'_, Coordinator> {
        self.coordinator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
