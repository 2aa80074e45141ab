//! `tombolo worker`.
//!
//! Not here: putting the worker together (`assembly`).

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

use crate::args::WorkerArguments;
use crate::assembly::{self, NotStarted, Running};
use crate::options::{Mode, Options};
use crate::{Ended, logging, properties, signals, standalone, ulimits};

/// How many turns a guest's thread takes before it looks at timers and sockets: with the default of 61, a 5 ms timer beside four busy guests
/// came 320 ms late; with 1, 5 ms.
const GUEST_EVENT_INTERVAL: u32 = 1;

/// How long threads that still block are waited for when everything else has ended.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Runs a worker until it is asked to stop.
pub(crate) fn run(arguments: &WorkerArguments) -> Result<(), Ended> {
    let log = logging::start(None);
    ulimits::set();
    let file = properties::read(&arguments.file).map_err(NotStarted::Settings)?;
    let mode = Mode::of_file(&file);
    let options = Options::of_worker(&file, mode, log).map_err(NotStarted::Settings)?;
    run_with(options, &[])
}

/// Runs a worker with the connectors in these files until it is asked to stop.
pub(crate) fn run_with(options: Options, connectors: &[PathBuf]) -> Result<(), Ended> {
    let runtimes = Runtimes::new()?;
    let ended = runtimes.main.block_on(async {
        let starting = assembly::start(options, runtimes.guests.handle().clone());
        let running = tokio::select! {
            running = starting => running?,
            signal = signals::asked_to_stop() => {
                tracing::info!(signal = signal?, "stopped before the worker had started");
                return Ok(());
            }
        };
        let created = tokio::select! {
            created = standalone::create(&running.herder, connectors) => created,
            signal = signals::asked_to_stop() => return stop(running, signal?).await,
        };
        if let Err(error) = created {
            tracing::error!("Stopping after connector error");
            running.stop().await?;
            return Err(NotStarted::Start(error).into());
        }
        running.herder.ready();
        until_stopped(running).await
    });
    runtimes.end();
    ended
}

/// Waits until the worker is asked to stop, and stops it.
pub(crate) async fn until_stopped(mut running: Running) -> Result<(), Ended> {
    let signal = tokio::select! {
        signal = signals::asked_to_stop() => signal?,
        error = running.failed() => return Err(Ended::Failed(error)),
    };
    stop(running, signal).await
}

/// Stops a worker; a second request ends the program at once.
pub(crate) async fn stop(running: Running, signal: &str) -> Result<(), Ended> {
    tracing::info!(signal, "stopping");
    tokio::select! {
        stopped = running.stop() => stopped?,
        signal = signals::asked_to_stop() => tracing::warn!(signal = signal?, "stopped at once"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// One runtime for guests, and one for everything else, so that a busy guest delays no request.
pub(crate) struct Runtimes {
    pub(crate) main: Runtime,
    pub(crate) guests: Runtime,
}

impl Runtimes {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let guests = Builder::new_multi_thread()
            .thread_name("guest")
            .event_interval(GUEST_EVENT_INTERVAL)
            .enable_all()
            .build();
        let main = Builder::new_multi_thread().thread_name("tombolo").enable_all().build();
        let why = "cannot start threads";
        let (main, guests) = (main.context(why)?, guests.context(why)?);
        let _entered = main.enter();
        signals::outlive_large_files().context("cannot handle a signal")?;
        Ok(Self { main, guests })
    }

    pub(crate) fn end(self) {
        self.guests.shutdown_timeout(LAST_WAIT);
        self.main.shutdown_timeout(LAST_WAIT);
    }
}
