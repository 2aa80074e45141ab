//! Never returns from `put`, nor from `validate` where the setting `in` says so, and uses all the time it gets.

use tombolo_guest_programs::host::types::{Batch, Fault, Settings};
use tombolo_guest_programs::interfaces::{catalog, sink};
use tombolo_guest_programs::{Behaviour, Component, bindings};

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Loops";

    fn validate(settings: Settings) -> Result<Vec<catalog::SettingState>, Fault> {
        if settings.iter().any(|(name, value)| name == "in" && value == "validate") {
            spin()
        }
        Ok(vec![])
    }

    fn put(_records: Batch) -> Result<sink::PutResult, Fault> {
        spin()
    }
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
