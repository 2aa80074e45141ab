//! Waits for an hour in `put`, without using any time.

use tombolo_guest_programs::host::types::{Batch, Fault};
use tombolo_guest_programs::interfaces::sink;
use tombolo_guest_programs::{Behaviour, Component, bindings};

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Sleeps";

    #[expect(clippy::disallowed_methods, reason = "what it is for")]
    fn put(_records: Batch) -> Result<sink::PutResult, Fault> {
        std::thread::sleep(std::time::Duration::from_secs(3_600));
        Ok(sink::PutResult { faults: vec![], requests: None })
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
