//! The corpus: a table for each class.
//!
//! Not here: what guests do (`tests/guests/programs/attacks`), and carrying it out (`corpus`).

mod abi;
mod cpu;
mod host_calls;
mod kafka;
mod lifecycle;
mod memory;
mod network;
mod output;
mod secrets;
mod uploads;

use crate::attack::Attack;

/// What the trace of a call that did not return says.
const DEADLINE: &[&str] = &["did not return within 1000 ms", "sandbox.call.timeout.ms"];
/// What the trace says where memory ran out.
const MEMORY: &[&str] = &["bytes of memory, above its limit of", "sandbox.memory.max"];
/// What the trace of a trap says.
const TRAP: &[&str] = &["the plugin trapped"];
/// What a guest says to which the host said no.
const DENIED: &[&str] = &["denied"];

/// All attacks.
pub fn all() -> Vec<Attack> {
    let tables: [&[Attack]; 11] = [
        cpu::ATTACKS,
        memory::ATTACKS,
        abi::ATTACKS,
        host_calls::ATTACKS,
        output::ATTACKS,
        kafka::ATTACKS,
        network::ATTACKS,
        network::OF_OPEN,
        secrets::ATTACKS,
        lifecycle::ATTACKS,
        uploads::ATTACKS,
    ];
    tables.concat()
}
