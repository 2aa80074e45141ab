//! Keeps 8 MiB of each `put`, and of each call of its converter.

use tombolo_guest_programs::host::types::{Batch, Column, Fault, Values};
use tombolo_guest_programs::interfaces::{converter, sink};
use tombolo_guest_programs::{Behaviour, Component, bindings};

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Leaks";

    fn put(_records: Batch) -> Result<sink::PutResult, Fault> {
        leak(8);
        Ok(sink::PutResult { faults: vec![], requests: None })
    }
    fn to_connect_data(bytes: Column) -> Result<converter::ConnectData, Fault> {
        leak(8);
        Ok(converter::ConnectData { values: Values { bytes, schemas: vec![] }, faults: vec![] })
    }
}

fn leak(mebibytes: usize) {
    std::mem::forget(std::hint::black_box(vec![1_u8; mebibytes << 20]));
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
