//! Attacks on memory. Not here: what the guest does.

use anyhow::{Result, ensure};
use serde_json::json;
use tombolo_guests::modules::{memories, started, with_modules};
use tombolo_harness::wait_for;
use wasm_encoder::{BlockType, ConstExpr, DataCountSection, DataSection, Module};

use super::cpu::table;
use super::{MEMORY, TRAP};
use crate::attack::{Attack, Class::Memory, Ends, Pairs, Way, course, source, upload};
use crate::component::numbered;
use crate::field::{CALL_TIMEOUT, Field, PATIENCE};

/// Less than what a component may start with at its upload.
const SMALL: Pairs = &[("sandbox.memory.max", "33554432")];

/// More than the guest and two large tables, less than it and [`TABLES`] of them.
const FOR_FEW_TABLES: Pairs = &[("sandbox.memory.max", "4194304")];

/// Tables that are added to the guest: with its own two, no more than a component may have.
const TABLES: usize = 6;

/// How often a task that grows and traps is started again.
const CYCLES: usize = 10;

const fn component(name: &'static str, of: fn(u16) -> Vec<u8>, pairs: Pairs, ends: Ends) -> Attack {
    Attack { class: Memory, name, way: Way::Component(of, pairs), ends }
}

pub(super) const ATTACKS: &[Attack] = &[
    source(Memory, "grow to the limit", &[], Ends::Failed(MEMORY)),
    source(
        Memory,
        "sparse touches",
        &[("bytes", "100000000")],
        Ends::Failed(&["touched 1525 pages"]),
    ),
    source(Memory, "grow and trap", &[], Ends::Failed(TRAP)),
    component("large data segments", large_segments, SMALL, Ends::Failed(MEMORY)),
    component("table.grow", growing_table, FOR_FEW_TABLES, Ends::Failed(MEMORY)),
    upload(Memory, "several memories in a module", several_memories, &["several memories"]),
    upload(Memory, "many memories", many_memories, &["memories"]),
    upload(Memory, "many tables", many_tables, &["tables"]),
    upload(Memory, "a memory of 4 GiB", whole_address_space, &["sandbox.memory.max"]),
    upload(Memory, "passive segments", passive_segments, &["did not return within"]),
    course(Memory, "grow, trap, and again", again),
];

/// 40 MiB of memory that a few bytes at its end make part of an image.
fn large_segments(number: u16) -> Vec<u8> {
    let module = started(|module| memories(module, &[640]), |_| (), |_| ());
    let module = with_data(module, &[(0, 1), (640 * (64 << 10) - 8, 8)]);
    with_modules(numbered(number), &[module])
}

/// The module with active segments: at these places, so many bytes.
fn with_data(mut module: Module, segments: &[(i32, usize)]) -> Module {
    let mut data = DataSection::new();
    for (at, bytes) in segments {
        data.active(0, &ConstExpr::i32_const(*at), vec![1; *bytes]);
    }
    module.section(&data);
    module
}

/// Tables that grow while they may, in a start function: within the limit of an upload, beyond that of the connector.
fn growing_table(number: u16) -> Vec<u8> {
    let grows = || {
        started(
            |module| table(module, 1),
            |code| {
                code.ref_null(wasm_encoder::HeapType::FUNC).i32_const(99_000).table_grow(0);
                // A table that may not grow ends it.
                code.i32_const(0).i32_lt_s().if_(BlockType::Empty).unreachable().end();
            },
            |_| (),
        )
    };
    let modules: Vec<Module> = std::iter::repeat_with(grows).take(TABLES).collect();
    with_modules(numbered(number), &modules)
}

fn several_memories() -> Vec<u8> {
    let module = started(|module| memories(module, &[1, 1]), |_| (), |_| ());
    with_modules(numbered(9_011), &[module])
}

fn many_memories() -> Vec<u8> {
    let one = || started(|module| memories(module, &[1]), |_| (), |_| ());
    let modules: Vec<Module> = std::iter::repeat_with(one).take(50).collect();
    with_modules(numbered(9_012), &modules)
}

fn many_tables() -> Vec<u8> {
    let one = || started(|module| tables(module, 100), |_| (), |_| ());
    let modules: Vec<Module> = std::iter::repeat_with(one).take(3).collect();
    with_modules(numbered(9_013), &modules)
}

fn tables(module: &mut Module, count: usize) {
    let mut section = wasm_encoder::TableSection::new();
    for _ in 0..count {
        section.table(wasm_encoder::TableType {
            element_type: wasm_encoder::RefType::FUNCREF,
            minimum: 1,
            maximum: None,
            table64: false,
            shared: false,
        });
    }
    module.section(&section);
}

fn whole_address_space() -> Vec<u8> {
    let module = started(|module| memories(module, &[65_536]), |_| (), |_| ());
    with_modules(numbered(9_014), &[module])
}

/// Copies a passive segment of a mebibyte, without end.
fn passive_segments() -> Vec<u8> {
    let mut module = started(
        |module| memories(module, &[32]),
        |code| {
            code.loop_(BlockType::Empty);
            code.i32_const(0).i32_const(0).i32_const(1 << 20).memory_init(0, 0);
            code.br(0).end();
        },
        |module| {
            module.section(&DataCountSection { count: 1 });
        },
    );
    let mut data = DataSection::new();
    data.passive(vec![7; 1 << 20]);
    module.section(&data);
    with_modules(numbered(9_015), &[module])
}

/// A task that takes 64 MiB and traps, started again and again.
fn again(field: &Field) -> Result<()> {
    let config = json!({
        "connector.class": "guest.Attacks0000Source",
        "tasks.max": "1",
        "attack": "grow and trap",
        "sandbox.restart.max": "0",
        "sandbox.call.timeout.ms": CALL_TIMEOUT.as_millis().to_string(),
    });
    field.worker.create("grow-trap-again", &config)?;
    let failed = || field.failure("grow-trap-again").is_some();
    for _ in 0..CYCLES {
        wait_for(failed, "it traps", PATIENCE)?;
        let path = "/connectors/grow-trap-again/tasks/0/restart";
        let (status, answer) = field.worker.request("POST", path, None)?;
        ensure!(status == 204, "a restart is answered with {status}: {answer}");
    }
    wait_for(failed, "it traps", PATIENCE)?;
    field.delete("grow-trap-again")
}
