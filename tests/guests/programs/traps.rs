//! Panics in `put`, after saying why.

use tombolo_guest_programs::host::types::{Batch, Fault};
use tombolo_guest_programs::interfaces::sink;
use tombolo_guest_programs::{Behaviour, Component, bindings};

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Traps";

    #[expect(clippy::panic, reason = "what it is for")]
    fn put(records: Batch) -> Result<sink::PutResult, Fault> {
        panic!("no room for {} rows", records.rows)
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
