//! Calls the host without end in `put`: the interface that the setting `flood` names. With `definitions` it fills the host with schemas.

use tombolo_guest_programs::host::types::{Batch, Fault, Schema, SchemaType};
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
                Some("definitions") => define(turn),
                _ => drop(host::schemas::lookup(1)),
            }
        }
        Ok(sink::PutResult { faults: vec![], requests: None })
    }
}

/// Defines a schema of 64 KiB that is not there yet, or traps where the table has no room.
#[expect(clippy::expect_used, reason = "a guest may trap, and the host tells why")]
fn define(turn: u64) {
    let schema = Schema {
        type_: SchemaType::Text,
        optional: false,
        name: Some(turn.to_string()),
        version: None,
        doc: Some("x".repeat(64 << 10)),
        parameters: vec![],
        default: None,
        fields: vec![],
        key: None,
        value: None,
    };
    host::schemas::define(&schema).expect("room for a schema");
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
