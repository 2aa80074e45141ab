//! Takes more memory in `put` until it gets no more.

use tombolo_guest_programs::host::types::{Batch, Fault};
use tombolo_guest_programs::interfaces::sink;
use tombolo_guest_programs::{Behaviour, Component, bindings};

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Grows";

    fn put(_records: Batch) -> Result<sink::PutResult, Fault> {
        let mut taken: Vec<Vec<u8>> = Vec::new();
        loop {
            taken.push(vec![1; 1 << 20]);
        }
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
