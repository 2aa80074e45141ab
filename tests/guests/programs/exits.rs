//! Ends its program in `put`.

use tombolo_guest_programs::host::types::{Batch, Fault};
use tombolo_guest_programs::interfaces::sink;
use tombolo_guest_programs::{Behaviour, Component, bindings};

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Exits";

    fn put(_records: Batch) -> Result<sink::PutResult, Fault> {
        std::process::exit(3)
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
