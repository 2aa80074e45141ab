//! Calls the host without end in `put`: the interface that the setting `flood` names.

use tombolo_guest_programs::host::types::{Batch, Fault};
use tombolo_guest_programs::interfaces::sink;
use tombolo_guest_programs::{Behaviour, Component, bindings, host};

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Floods";

    fn put(_records: Batch) -> Result<sink::PutResult, Fault> {
        let what = tombolo_guest_programs::state(|state| state.settings.get("flood").cloned());
        for turn in 0_u64.. {
            match what.as_deref() {
                Some("log") => host::log::log(host::log::Level::Info, "again"),
                Some("metrics") => host::metrics::count(&format!("turn-{turn}"), 1),
                Some("offsets") => drop(host::offsets::read(&[])),
                _ => drop(host::schemas::lookup(1)),
            }
        }
        Ok(sink::PutResult { faults: vec![], requests: None })
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
