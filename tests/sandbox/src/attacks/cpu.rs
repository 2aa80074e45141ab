//! Attacks on processor time. Not here: what the guest does.

use tombolo_guests::modules::{started, with_modules};
use wasm_encoder::{ElementSection, Elements, Module, RefType, TableSection, TableType};

use super::{DEADLINE, TRAP};
use crate::attack::{Attack, Class::Cpu, Ends, source, upload};
use crate::component::numbered;

/// What the refusal of a component says that does not return while it is asked for its catalog.
const NOT_ASKED: &[&str] = &["asked for its catalog", "did not return within"];

pub(super) const ATTACKS: &[Attack] = &[
    source(Cpu, "tight loop", &[], Ends::Failed(DEADLINE)),
    source(Cpu, "nested loops", &[], Ends::Failed(DEADLINE)),
    source(Cpu, "memory.fill", &[], Ends::Failed(DEADLINE)),
    source(Cpu, "memory.copy", &[], Ends::Failed(DEADLINE)),
    source(Cpu, "recursion", &[], Ends::Failed(TRAP)),
    source(Cpu, "branch maze", &[], Ends::Failed(DEADLINE)),
    source(Cpu, "denormals", &[], Ends::Failed(DEADLINE)),
    source(Cpu, "a loop in an allocation", &[], Ends::Failed(DEADLINE)),
    upload(Cpu, "a loop in a start function", start_loop, NOT_ASKED),
    upload(Cpu, "table.fill in a start function", table_fill, NOT_ASKED),
];

fn start_loop() -> Vec<u8> {
    let module = started(
        |_| (),
        |code| {
            code.loop_(wasm_encoder::BlockType::Empty).br(0).end();
        },
        |_| (),
    );
    with_modules(numbered(9_001), &[module])
}

/// Fills the largest table that there may be, again and again.
fn table_fill() -> Vec<u8> {
    let module = started(
        |module| table(module, 100_000),
        |code| {
            code.loop_(wasm_encoder::BlockType::Empty);
            code.i32_const(0).ref_func(0).i32_const(100_000).table_fill(0);
            code.br(0).end();
        },
        |module| {
            // Whoever takes a reference to a function must have declared it.
            let mut elements = ElementSection::new();
            elements.declared(Elements::Functions(vec![0].into()));
            module.section(&elements);
        },
    );
    with_modules(numbered(9_002), &[module])
}

/// A table of functions.
pub(super) fn table(module: &mut Module, minimum: u64) {
    let mut tables = TableSection::new();
    let of = TableType {
        element_type: RefType::FUNCREF,
        minimum,
        maximum: None,
        table64: false,
        shared: false,
    };
    tables.table(of);
    module.section(&tables);
}
