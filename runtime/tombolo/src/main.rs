//! The program: reads arguments, runs a worker, tells how it ended.
//!
//! Not here: anything that another crate can do.

mod args;
mod assembly;
mod builtin;
mod dev;
mod egress;
mod logging;
mod options;
mod plugin_check;
mod process;
mod properties;
mod providers;
mod secret_keys;
mod settings;
mod signals;
mod standalone;
mod top;
mod ulimits;
mod worker;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command, CompileArguments, PluginCommand};
use assembly::NotStarted;

/// librdkafka allocates each record on one thread and frees it on another, which glibc answers with locks; `override` makes this C's allocator too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The command line makes no sense. As in Kafka Connect.
const USAGE: u8 = 1;
/// Settings cannot be used. As in Kafka Connect.
const SETTINGS: u8 = 2;
/// The worker did not start, or a connector that it was started with. As in Kafka Connect.
const START: u8 = 3;
/// The worker failed after its start, or a component was refused.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let _flushed = logging::Flushed;
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing can be done about a terminal that is gone.
            error.print().ok();
            let usage = if error.use_stderr() { USAGE } else { 0 };
            return ExitCode::from(usage);
        }
    };
    let ended = match arguments.command {
        Command::Worker(arguments) => worker::run(&arguments),
        Command::Standalone(arguments) => standalone::run(&arguments),
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Top(arguments) => top::run(&arguments).map_err(Ended::Failed),
        Command::Plugin(PluginCommand::Check { file, before }) => {
            plugin_check::run(&file, before.as_deref())
        }
        Command::Compile(CompileArguments { cpu_seconds, memory_bytes, probe }) => {
            let run =
                if probe { tombolo_sandbox::probe_child } else { tombolo_sandbox::compile_child };
            run(cpu_seconds, memory_bytes).map_err(|error| Ended::Failed(error.into()))
        }
    };
    // Before the last word.
    logging::flush();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended::NotStarted(NotStarted::Settings(error))) => tell(&error, SETTINGS),
        Err(Ended::NotStarted(NotStarted::Start(error))) => tell(&error, START),
        Err(Ended::Failed(error)) => tell(&error, FAILED),
    }
}

/// How a command ended that did not succeed.
enum Ended {
    NotStarted(NotStarted),
    Failed(anyhow::Error),
}

impl From<NotStarted> for Ended {
    fn from(error: NotStarted) -> Self {
        Self::NotStarted(error)
    }
}

impl From<anyhow::Error> for Ended {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a program belongs there")]
fn tell(error: &anyhow::Error, code: u8) -> ExitCode {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    eprintln!("tombolo: {}", chain.join(": "));
    ExitCode::from(code)
}
