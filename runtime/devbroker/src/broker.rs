//! A running broker: start, address, stop. Not here: what it does with requests.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::coordinator::Coordinator;
use crate::coordinator::groups::Groups;
use crate::directory::Directory;
use crate::state::State;
use crate::stopping::{Stop, Stopping};
use crate::topics::Topics;
use crate::{Config, Error, cleaner, clock, server};

/// Two, so that a slow file operation for one client does not keep the heartbeats of others waiting.
const THREADS: usize = 2;

/// A running broker. Dropping it ends it at once, as a crash would; [`Broker::stop`] ends it in order.
///
/// It has threads of its own, since it works with files, and must not hold up the tasks of whoever runs it.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    running: Option<Running>,
}

/// What must be ended.
#[derive(Debug)]
struct Running {
    runtime: Runtime,
    /// Dropped or sent to, it ends the tasks that wait for what they began.
    stop: Stop,
    tasks: Vec<JoinHandle<()>>,
    state: Arc<State>,
}

impl Broker {
    /// Opens the directory, recovers what a crash left behind, and begins to listen. Takes about a millisecond for a
    /// new directory, and for an old one as long as reading the newest files in it.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoopback`] and [`Error::Listen`] for an address that cannot be used, [`Error::InUse`] for a
    /// directory that another broker uses, [`Error::File`] and [`Error::Damaged`] for one that cannot be read.
    pub async fn start(config: Config) -> Result<Self, Error> {
        if !config.listen.ip().is_loopback() {
            return Err(Error::NotLoopback(config.listen));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("devbroker")
            .enable_io()
            .enable_time()
            .build()
            .map_err(Error::Threads)?;
        let opened = runtime.spawn_blocking(|| open(config)).await;
        let opened = opened.map_err(|error| Error::Threads(std::io::Error::other(error)));
        let (listener, state) = match opened.and_then(|opened| opened) {
            Ok(opened) => opened,
            Err(error) => {
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let address = state.address;
        let (stop, stopping) = Stop::new();
        let tasks = vec![
            runtime.spawn(listen(listener, state.clone(), stopping.clone())),
            runtime.spawn(keep_clean(state.clone(), stopping.clone())),
            runtime.spawn(keep_time(state.clone(), stopping)),
        ];
        tracing::info!(%address, dir = %state.config.dir.display(), "the embedded broker listens");
        Ok(Self { address, running: Some(Running { runtime, stop, tasks, state }) })
    }

    /// Where clients connect: the address asked for, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections and writes everything to disk. The directory may be used again after.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when something could not be written.
    pub async fn stop(mut self) -> Result<(), Error> {
        let Some(Running { runtime, stop, tasks, state }) = self.running.take() else {
            return Ok(());
        };
        stop.stop();
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the embedded broker ended badly");
            }
        }
        let path = state.config.dir.clone();
        // All tasks have ended, so this holds the state alone, and with it the lock of the directory.
        let synced = runtime.spawn_blocking(move || cleaner::sync(&state)).await;
        runtime.shutdown_background();
        let synced = synced.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        synced.map_err(|source| Error::File { path, source })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // The runtime may be dropped where waiting for its threads is not allowed. The directory stays locked until
            // the last of them is done.
            running.runtime.shutdown_background();
        }
    }
}

/// All that reads files before the first client is served.
fn open(config: Config) -> Result<(TcpListener, Arc<State>), Error> {
    let directory = Directory::open(&config.dir)?;
    let listening = |source| Error::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).map_err(listening)?;
    listener.set_nonblocking(true).map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    let topics = Arc::new(Topics::open(directory.topics())?);
    let groups = Groups::new(config.initial_rebalance_delay);
    let coordinator = Coordinator::open(directory.journal(), topics.clone(), groups)?;
    let state = State::new(config, address, directory, topics, coordinator);
    Ok((listener, Arc::new(state)))
}

async fn listen(listener: TcpListener, state: Arc<State>, stopping: Stopping) {
    match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => server::accept(listener, state, stopping).await,
        Err(error) => tracing::error!(%error, "cannot listen"),
    }
}

/// Ends sessions, rebalances and transactions in time. Sleeps until one is due or a new one may be.
async fn keep_time(state: Arc<State>, mut stopping: Stopping) {
    loop {
        let idle = {
            let mut coordinator = state.coordinator();
            coordinator.tick(Instant::now(), clock::now_ms());
            coordinator.idle_for(Instant::now(), clock::now_ms())
        };
        let due = async {
            match idle {
                Some(idle) => drop(tokio::time::timeout(idle, state.timer.notified()).await),
                None => state.timer.notified().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = stopping.wait() => return,
        }
    }
}

/// Cleans now and then, on a thread that may take its time. A pass that has begun is waited for.
async fn keep_clean(state: Arc<State>, mut stopping: Stopping) {
    let mut interval = tokio::time::interval(state.config.clean_interval);
    // The first tick comes at once; there is nothing to clean then that cannot wait.
    interval.tick().await;
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stopping.wait() => return,
        }
        let (state, stopping) = (state.clone(), stopping.clone());
        let pass = move || cleaner::clean(&state, &stopping);
        if let Err(error) = tokio::task::spawn_blocking(pass).await {
            tracing::error!(%error, "cleaning ended early");
        }
    }
}
