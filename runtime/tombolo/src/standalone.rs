//! `tombolo standalone`: a worker without a group, with connectors from files.
//!
//! Not here: putting the worker together (`assembly`) and running it (`worker`). Follows `ConnectStandalone` of Kafka Connect.

mod connector_file;

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use tombolo_herder::HerderHandle;

use crate::args::StandaloneArguments;
use crate::assembly::NotStarted;
use crate::options::{Mode, Options};
use crate::{Ended, logging, properties, ulimits, worker};
use connector_file::ConnectorFile;

/// Runs a worker with its connectors until it is asked to stop.
pub(crate) fn run(arguments: &StandaloneArguments) -> Result<(), Ended> {
    let log = logging::start(None);
    ulimits::set();
    let file = properties::read(&arguments.file).map_err(NotStarted::Settings)?;
    let options = Options::of_worker(&file, Mode::Standalone, log).map_err(NotStarted::Settings)?;
    worker::run_with(options, &arguments.connectors)
}

/// Creates the connectors in these files, one after another.
///
/// Errors: the first file that cannot be read, or whose connector is refused or does not start.
pub(crate) async fn create(herder: &HerderHandle, files: &[PathBuf]) -> anyhow::Result<()> {
    for file in files {
        let ConnectorFile { name, config, initial } = connector_file::read(file)?;
        let created = herder.create(&name, config, initial).await;
        let info = created
            .map_err(|error| anyhow!(error))
            .with_context(|| format!("cannot create the connector of {}", file.display()))?;
        tracing::info!(connector = %info.name, "Created connector {}", info.name);
    }
    Ok(())
}
