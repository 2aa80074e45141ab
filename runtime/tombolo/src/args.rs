//! The command line.
//!
//! Not here: doing what it says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Kafka Connect in Rust, every plugin in a WebAssembly sandbox.
#[derive(Parser)]
#[command(name = "tombolo", version, about, long_about = LONG, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const LONG: &str = "Kafka Connect in Rust, every plugin in a WebAssembly sandbox.

New here?        tombolo dev
Have a cluster?  tombolo worker worker.properties   (a Kafka Connect worker's own file works)
Need no group?   tombolo standalone worker.properties connector.json   (as connect-standalone)
Who uses what?   tombolo top
Have a plugin?   tombolo plugin check plugin.wasm   then POST it to /connector-plugins

Logs go to standard error; TOMBOLO_LOG sets what is logged, as `info` or `tombolo_worker=debug`.";

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a worker from a worker file, as connect-distributed does.
    Worker(WorkerArguments),
    /// Run a worker that stands alone, with connectors from files, as connect-standalone does.
    ///
    /// Configurations and statuses are kept in memory, offsets of sources in the file that the
    /// setting offset.storage.file.filename names, in Kafka Connect's own format.
    Standalone(StandaloneArguments),
    /// Try it out: a broker, a worker and a demo pipeline in one process, with nothing else installed.
    Dev(DevArguments),
    /// Show what connectors and their tasks use, live, as top does for processes.
    ///
    /// Keys: c, m, r, b, w, a, x and n sort by CPU, memory, records, bytes, network, calls,
    /// restarts and name; R turns the order around; arrows scroll; space asks at once; q quits.
    Top(TopArguments),
    /// Work with components.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Compile the component on standard input: what a worker calls itself with.
    #[command(hide = true, name = tombolo_sandbox::COMPILE_COMMAND)]
    Compile(CompileArguments),
}

/// Arguments of `tombolo compile`.
#[derive(Args)]
pub(crate) struct CompileArguments {
    /// Most processor time.
    pub(crate) cpu_seconds: u64,
    /// Most address space.
    pub(crate) memory_bytes: u64,
    /// Compile nothing, and tell what such a process can still do.
    #[arg(long)]
    pub(crate) probe: bool,
}

/// Arguments of `tombolo worker`.
#[derive(Args)]
pub(crate) struct WorkerArguments {
    /// Worker settings in Java's properties format.
    pub(crate) file: PathBuf,
}

/// Arguments of `tombolo standalone`.
#[derive(Args)]
pub(crate) struct StandaloneArguments {
    /// Worker settings in Java's properties format; group.id and storage topics are not needed.
    pub(crate) file: PathBuf,
    /// Connectors to create: a JSON object of settings with a name, a JSON object as POST /connectors
    /// takes it, or Java properties. An error in one of them ends the worker with exit code 3.
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connectors: Vec<PathBuf>,
}

/// Arguments of `tombolo dev`.
#[derive(Args)]
pub(crate) struct DevArguments {
    /// Where topics and the demo's output are kept.
    #[arg(long, default_value = ".tombolo")]
    pub(crate) data_dir: PathBuf,
    /// Use this Kafka cluster instead of the built-in broker.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) bootstrap_servers: Option<String>,
    /// Port of the REST API; another one is taken where it is busy.
    #[arg(long, default_value_t = 8083)]
    pub(crate) port: u16,
    /// Port of the built-in broker; another one is taken where it is busy.
    #[arg(long, default_value_t = 9092)]
    pub(crate) broker_port: u16,
    /// Start without the demo pipeline.
    #[arg(long)]
    pub(crate) no_demo: bool,
}

/// Arguments of `tombolo top`; their letters are those of `top`.
#[derive(Args)]
pub(crate) struct TopArguments {
    /// Where a worker's REST API is.
    #[arg(long, default_value = "http://localhost:8083")]
    pub(crate) url: String,
    /// Print tables one after the other, to anything, instead of a live view.
    #[arg(short, long)]
    pub(crate) batch: bool,
    /// End after so many tables.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) iterations: Option<u64>,
    /// Seconds between two tables.
    #[arg(short, long, value_name = "SECONDS", default_value_t = 3.0)]
    pub(crate) delay: f64,
    /// What to sort by.
    #[arg(short = 'o', long, value_enum, default_value_t = SortBy::Cpu)]
    pub(crate) sort: SortBy,
}

/// What a table is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    /// Processor time.
    #[default]
    Cpu,
    /// Memory in use.
    Memory,
    /// Records a second.
    Records,
    /// Bytes of records in and out a second.
    Bytes,
    /// Bytes over the network a second.
    Network,
    /// Calls of plugins a second.
    Calls,
    /// Restarts.
    Restarts,
    /// Name of the connector.
    Name,
}

/// What to do with a component.
#[derive(Subcommand)]
pub(crate) enum PluginCommand {
    /// Say what a component offers and asks for, or why it would be refused.
    Check {
        /// The component.
        file: PathBuf,
        /// The version before it: say also what it asks for that this one does not.
        #[arg(long, value_name = "FILE")]
        before: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
