//! Fills memory with a pattern, or looks for it in memory that it never wrote: the setting `residue` says which.

use tombolo_guest_programs::host::types::{Batch, Fault};
use tombolo_guest_programs::interfaces::sink;
use tombolo_guest_programs::rows::problem;
use tombolo_guest_programs::{Behaviour, Component, bindings, state};

struct Guest;

const PATTERN: u8 = 0xa7;
const PAGES: usize = 2;

impl Behaviour for Guest {
    const NAME: &str = "Residue";

    fn put(_records: Batch) -> Result<sink::PutResult, Fault> {
        let plants =
            state(|state| state.settings.get("residue").is_some_and(|what| what == "plant"));
        let fresh = fresh();
        if fresh.iter().any(|&byte| byte != 0) {
            return Err(Fault::Fatal(problem("fresh memory is not empty")));
        }
        if plants {
            fresh.fill(PATTERN);
        }
        Ok(sink::PutResult { faults: vec![], requests: None })
    }
}

/// Memory that nothing in this instance wrote; an allocator would have cleared it.
#[cfg(target_arch = "wasm32")]
fn fresh() -> &'static mut [u8] {
    const PAGE: usize = 64 << 10;
    let before = core::arch::wasm32::memory_grow::<0>(PAGES);
    #[expect(unsafe_code, reason = "memory that no allocator touched is the point")]
    // SAFETY: the pages were just added, so they are there and nothing else refers to them.
    unsafe {
        core::slice::from_raw_parts_mut((before * PAGE) as *mut u8, PAGES * PAGE)
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn fresh() -> &'static mut [u8] {
    Vec::leak(vec![0; PAGES])
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
