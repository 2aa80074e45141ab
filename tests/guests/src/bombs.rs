//! Small components that are hard to compile: the shapes of compile bombs that became known, most around a single core module.
//!
//! Not here: what compiling them may take.

mod adapters;

use wasm_encoder::{
    BlockType, CodeSection, Component, ComponentExportKind, ComponentExportSection,
    ComponentInstanceSection, Function, FunctionSection, InstructionSink, Module, ModuleSection,
    TypeSection, ValType,
};

/// A name, and the component.
pub type Bomb = (&'static str, Vec<u8>);

/// All of them.
pub fn all() -> Vec<Bomb> {
    vec![
        ("20,000 empty loops in a row", one(&[], |code| empty_loops(code, 20_000))),
        ("11,000 loops in each other", one(&[], |code| nested_loops(code, 11_000))),
        (
            "15,000 blocks with a branch out of each",
            one(&[], |code| branching_blocks(code, 15_000)),
        ),
        ("2,000 locals set in 2,000 blocks", one(&[(2_000, ValType::I32)], merging_locals)),
        ("50,000 values alive at once", one(&[], |code| values_alive(code, 50_000))),
        ("200 tables of 1,000 branches", one(&[], branch_tables)),
        ("a function of 1 MB without a branch", one(&[(1, ValType::I64)], straight_line)),
        ("20,000 functions", many(20_000)),
        ("100,000 texts in branches, from component to component", adapters::branching(11)),
        ("lists in each other, from component to component", adapters::deep(90)),
    ]
}

/// A component that takes more than a second of compiling on any machine, and less than a minute.
pub fn slow() -> Vec<u8> {
    many(100_000)
}

/// A component whose only core module is this one. It exports what the check of an upload looks for, and nothing that could run.
pub fn around(module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    let mut instances = ComponentInstanceSection::new();
    let nothing: [(&str, ComponentExportKind, u32); 0] = [];
    instances.export_items(nothing);
    component.section(&instances);
    component.section(&exports(0));
    component.finish()
}

/// What the check of an upload looks for, as exports of an instance with nothing.
fn exports(of: u32) -> ComponentExportSection {
    let mut exports = ComponentExportSection::new();
    for name in ["tombolo:connect/catalog@0.1.0", "tombolo:connect/converter@0.1.0"] {
        exports.export(name, ComponentExportKind::Instance, of, None);
    }
    exports
}

/// A component with one function that takes a number and returns nothing.
fn one(locals: &[(u32, ValType)], body: impl FnOnce(&mut InstructionSink<'_>)) -> Vec<u8> {
    let mut function = Function::new(locals.iter().copied());
    body(&mut function.instructions());
    function.instructions().end();
    around(&module(&[function]))
}

fn many(count: usize) -> Vec<u8> {
    let mut function = Function::new([(1, ValType::I32)]);
    let mut code = function.instructions();
    for _ in 0..10 {
        code.local_get(0).local_get(1).i32_mul().local_set(1);
        code.block(BlockType::Empty).local_get(1).br_if(0).local_get(0).local_set(1).end();
    }
    code.end();
    around(&module(&vec![function; count]))
}

fn module(functions: &[Function]) -> Module {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], []);
    module.section(&types);
    let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
    for function in functions {
        declared.function(0);
        code.function(function);
    }
    module.section(&declared);
    module.section(&code);
    module
}

fn empty_loops(code: &mut InstructionSink<'_>, count: u32) {
    for _ in 0..count {
        code.loop_(BlockType::Empty).end();
    }
}

fn nested_loops(code: &mut InstructionSink<'_>, depth: u32) {
    for _ in 0..depth {
        code.loop_(BlockType::Empty);
    }
    for _ in 0..depth {
        code.end();
    }
}

fn branching_blocks(code: &mut InstructionSink<'_>, depth: u32) {
    for _ in 0..depth {
        code.block(BlockType::Empty);
    }
    for left in (1..=depth).rev() {
        code.local_get(0).br_if(left / 2).end();
    }
}

/// Each block's end merges all locals anew.
fn merging_locals(code: &mut InstructionSink<'_>) {
    for block in 0..2_000 {
        code.block(BlockType::Empty).local_get(0).br_if(0);
        for local in (block % 40)..(block % 40 + 20) {
            code.i32_const(1).local_set(1 + local * 50 % 2_000);
        }
        code.end();
    }
}

fn values_alive(code: &mut InstructionSink<'_>, count: u32) {
    for number in 0..count {
        code.local_get(0).i32_const(i32::try_from(number).unwrap_or_default()).i32_xor();
    }
    for _ in 1..count {
        code.i32_add();
    }
    code.drop();
}

fn branch_tables(code: &mut InstructionSink<'_>) {
    let targets: Vec<u32> = (0..1_000).collect();
    for _ in 0..1_000 {
        code.block(BlockType::Empty);
    }
    for _ in 0..200 {
        code.block(BlockType::Empty).local_get(0).br_table(targets.iter().copied(), 0).end();
    }
    for _ in 0..1_000 {
        code.end();
    }
}

fn straight_line(code: &mut InstructionSink<'_>) {
    for number in 0..100_000 {
        code.local_get(1).i64_const(number).i64_add().local_set(1);
    }
}
