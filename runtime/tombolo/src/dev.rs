//! `tombolo dev`: a broker, a worker and a demo pipeline in one process.
//!
//! Not here: the broker (`devbroker`) and the worker (`assembly`); a worker of `dev` is a worker like any other.

mod demo;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::runtime::{Builder, Handle};
use tombolo_devbroker::{Broker, Config};
use tombolo_model::Settings;

use crate::args::DevArguments;
use crate::assembly::{self, NotStarted};
use crate::options::Options;
use crate::worker::{Runtimes, stop, until_stopped};
use crate::{Ended, logging, signals, ulimits};

/// What is logged: what went wrong. Everything else is said on standard output.
const LOG: &str = "warn";

/// Runs broker, worker and demo until asked to stop.
pub(crate) fn run(arguments: &DevArguments) -> Result<(), Ended> {
    let log = logging::start(Some(LOG));
    ulimits::set();
    let folder = &arguments.data_dir;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
        .map_err(NotStarted::Settings)?;
    let runtimes = Runtimes::new()?;
    let broker = match &arguments.bootstrap_servers {
        Some(_) => None,
        None => {
            let starting = broker(folder, arguments.broker_port);
            Some(runtimes.main.block_on(starting).map_err(NotStarted::Start)?)
        }
    };
    let ended = runtimes.main.block_on(async {
        let bootstrap = match (&arguments.bootstrap_servers, &broker) {
            (Some(servers), _) => servers.clone(),
            (None, Some(broker)) => broker.address().to_string(),
            (None, None) => String::new(),
        };
        let settings = settings(&bootstrap, free_or_any(arguments.port));
        let options = Options::of_dev(settings, folder, log).map_err(NotStarted::Settings)?;
        work(arguments, bootstrap, options, runtimes.guests.handle().clone()).await
    });
    runtimes.end();
    // Last: whoever is left would complain that the broker is gone.
    ended.and(broker.map_or(Ok(()), end))
}

/// Stops the broker, when the worker's threads have ended.
fn end(broker: Broker) -> Result<(), Ended> {
    let runtime = Builder::new_current_thread().build().context("cannot stop the broker")?;
    Ok(runtime.block_on(broker.stop()).map_err(anyhow::Error::from)?)
}

/// Runs worker and demo until asked to stop, and ends both.
async fn work(
    arguments: &DevArguments,
    bootstrap: String,
    options: Options,
    guests: Handle,
) -> Result<(), Ended> {
    let running = tokio::select! {
        running = assembly::start(options, guests) => running?,
        signal = signals::asked_to_stop() => {
            tracing::warn!(signal = signal?, "stopped before the worker had started");
            return Ok(());
        }
    };
    let place = Place {
        bootstrap,
        is_built_in: arguments.bootstrap_servers.is_none(),
        url: format!("http://{}", running.address),
        folder: arguments.data_dir.clone(),
    };
    demo::welcome(&place);
    if !arguments.no_demo {
        let created = tokio::select! {
            created = demo::start(&running.herder, place) => created,
            signal = signals::asked_to_stop() => return stop(running, signal?).await,
        };
        if let Err(error) = created {
            running.stop().await?;
            return Err(error.into());
        }
    }
    until_stopped(running).await
}

/// Where everything is, for people.
struct Place {
    bootstrap: String,
    is_built_in: bool,
    url: String,
    folder: PathBuf,
}

async fn broker(folder: &Path, port: u16) -> anyhow::Result<Broker> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_or_any(port)));
    Ok(Broker::start(Config::dev(folder.join("kafka"), listen)).await?)
}

/// This port of the loopback address where nobody has it, else 0 for any.
fn free_or_any(port: u16) -> u16 {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() { port } else { 0 }
}

fn settings(bootstrap: &str, port: u16) -> Settings {
    let listeners = format!("http://127.0.0.1:{port}");
    let json = "org.apache.kafka.connect.json.JsonConverter";
    [
        ("bootstrap.servers", bootstrap),
        ("group.id", "tombolo-dev"),
        ("listeners", &listeners),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", json),
        ("value.converter.schemas.enable", "false"),
        ("config.storage.topic", "connect-configs"),
        ("config.storage.replication.factor", "1"),
        ("offset.storage.topic", "connect-offsets"),
        ("offset.storage.replication.factor", "1"),
        ("offset.storage.partitions", "1"),
        ("status.storage.topic", "connect-status"),
        ("status.storage.replication.factor", "1"),
        ("status.storage.partitions", "1"),
        ("offset.flush.interval.ms", "1000"),
    ]
    .into_iter()
    .collect()
}
