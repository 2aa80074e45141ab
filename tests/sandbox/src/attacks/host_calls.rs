//! Attacks by calls of the host. Not here: what the guest does.

use super::{DEADLINE, MEMORY};
use crate::attack::{Attack, Class::HostCalls, Ends, Pairs, source};

const CALLS: &[&str] = &["more than 100000 calls of the host"];
/// Time enough for as many calls on a busy machine.
const PATIENT: Pairs = &[("sandbox.call.timeout.ms", "20000")];
/// So many headers do not fit.
const SMALL: Pairs = &[("sandbox.memory.max", "67108864")];
const ENDED: &[&str] = &["the plugin"];
const HANDLES: &[&str] = &["more than 1024 handles"];

pub(super) const ATTACKS: &[Attack] = &[
    source(HostCalls, "call flood", PATIENT, Ends::Failed(CALLS)),
    source(HostCalls, "a flood of WASI calls", &[], Ends::Failed(DEADLINE)),
    source(HostCalls, "a call from an allocation", &[], Ends::Failed(ENDED)),
    source(HostCalls, "a wait that never ends", &[], Ends::Failed(DEADLINE)),
    source(HostCalls, "100,000 waits at once", &[], Ends::Failed(HANDLES)),
    source(HostCalls, "64 MiB of randomness", &[], Ends::Failed(ENDED)),
    source(HostCalls, "a spin on the clock", &[], Ends::Failed(DEADLINE)),
    source(HostCalls, "a sleep of ten years", &[], Ends::Failed(DEADLINE)),
    source(HostCalls, "a write past its budget", &[], Ends::Failed(ENDED)),
    source(HostCalls, "bodies that are never sent", &[], Ends::Failed(MEMORY)),
    // What waits in each is let go with its request.
    source(HostCalls, "bodies whose requests are gone", PATIENT, Ends::Failed(HANDLES)),
    source(HostCalls, "headers that are never sent", SMALL, Ends::Failed(MEMORY)),
    source(HostCalls, "streams that read ahead", &[], Ends::Failed(&["64 streams at once"])),
    source(
        HostCalls,
        "a write of 1 MiB into a file",
        &[],
        Ends::Failed(&["a write of 1048576 bytes, of 65536 allowed"]),
    ),
];
