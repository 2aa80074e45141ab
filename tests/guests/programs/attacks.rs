//! Attacks its host in `poll`, or in `put`: the setting `attack` names how. The memory it gives the host for results is as hostile as the rest.

#[path = "attacks/abi.rs"]
mod abi;
#[path = "attacks/allocator.rs"]
mod allocator;
#[path = "attacks/cpu.rs"]
mod cpu;
#[path = "attacks/files.rs"]
mod files;
#[path = "attacks/host_calls.rs"]
mod host_calls;
#[path = "attacks/http.rs"]
mod http;
#[path = "attacks/kafka.rs"]
mod kafka;
#[path = "attacks/memory.rs"]
mod memory;
#[path = "attacks/network.rs"]
mod network;
#[path = "attacks/output.rs"]
mod output;

use tombolo_guest_programs::host::types::{Batch, Fault, PartitionOffset, Settings};
use tombolo_guest_programs::interfaces::{catalog, sink, source};
use tombolo_guest_programs::rows::{self, problem};
use tombolo_guest_programs::{Behaviour, Component, bindings, plugin, state};

struct Guest;

/// What a test changes in the component, so that it is another one with classes of its own.
#[used]
static NUMBER: [u8; 12] = *b"number: 0000";

/// What `poll` answers.
type Answer = Result<source::SourceBatch, Fault>;

/// Ends the task, and says what came of the attack.
fn tell(what: impl AsRef<str>) -> Answer {
    Err(Fault::Fatal(problem(what.as_ref())))
}

/// What the host answered to something that it must refuse.
fn denied<T, E: std::fmt::Display>(answer: Result<T, E>) -> Answer {
    match answer {
        Ok(_) => tell("ESCAPED"),
        Err(error) => tell(format!("denied: {error}")),
    }
}

fn setting(name: &str) -> String {
    state(|state| state.settings.get(name).cloned()).unwrap_or_default()
}

fn number() -> String {
    let number = std::hint::black_box(NUMBER);
    String::from_utf8_lossy(number.get(8..).unwrap_or_default()).into_owned()
}

impl Behaviour for Guest {
    const NAME: &str = "Attacks";

    fn plugins() -> Vec<catalog::Plugin> {
        let named = |noun: &str, kind| plugin(&format!("guest.Attacks{}{noun}", number()), kind);
        vec![
            named("Source", catalog::PluginKind::Source),
            named("Sink", catalog::PluginKind::Sink),
            named("Transformation", catalog::PluginKind::Transformation),
        ]
    }

    fn start(settings: Settings) -> Result<(), Fault> {
        state(|state| state.settings = settings.into_iter().collect());
        Ok(())
    }

    /// True without end asks the worker to configure the tasks anew, again and again.
    fn watch() -> Result<bool, Fault> {
        Ok(setting("attack") == "status flood")
    }

    fn poll(_rows_max: u32, _bytes_max: u32) -> Answer {
        let attack = setting("attack");
        let known = [
            cpu::attack,
            memory::attack,
            abi::attack,
            host_calls::attack,
            files::attack,
            http::attack,
            output::attack,
            kafka::attack,
            network::attack,
        ];
        let begun = known.into_iter().find_map(|class| class(&attack));
        begun.unwrap_or_else(|| Ok(rows::source_batch(rows::empty())))
    }

    fn put(records: Batch) -> Result<sink::PutResult, Fault> {
        kafka::put(&setting("attack"), &records)
    }

    fn pre_commit(offsets: Vec<PartitionOffset>) -> Result<sink::CommitResult, Fault> {
        kafka::pre_commit(&setting("attack"), offsets)
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
