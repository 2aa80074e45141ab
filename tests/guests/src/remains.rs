//! Components that look, as they start, for what the one before left where they are, and leave something themselves.
//!
//! They look at what a core module has: a global, a memory and a table, each from its beginning and where it grew. Not here: running them.

use wasm_encoder::{
    BlockType, ConstExpr, ElementSection, Elements, Function, FunctionSection, GlobalSection,
    GlobalType, HeapType, MemArg, Module, RefType, TableSection, TableType, ValType,
};
use wasm_encoder::{CodeSection, MemorySection, MemoryType, StartSection, TypeSection};

use crate::modules::with_modules;

/// What is left: no small number, and no pattern of a cleared memory.
const LEFT: i32 = 0x00a7_a7a7;

/// Pages of memory at the start, and as many that are added.
const PAGES: i32 = 1;

/// Elements of the table at the start, and as many that are added.
const ELEMENTS: i32 = 1_000;

/// What is in a component before it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Already {
    /// Nothing.
    Nothing,
    /// Its own element in the table.
    Element,
    /// Its own bytes in memory.
    Bytes,
    /// Its own number in the global.
    Number,
}

/// The guest `residue` with a module that traps at its start where it finds what it did not write, and else fills all it has. What is there already it
/// takes for what another left: that shows that it looks.
pub fn looking(already: Already) -> Vec<u8> {
    with_modules(crate::RESIDUE.to_vec(), &[module(already)])
}

fn module(already: Already) -> Module {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    module.section(&types);
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    module.section(&table());
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: PAGES as u64,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    module.section(&memories);
    let mut globals = GlobalSection::new();
    let number = if already == Already::Number { LEFT } else { 0 };
    let of = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(of, &ConstExpr::i32_const(number));
    module.section(&globals);
    module.section(&StartSection { function_index: 0 });
    let mut elements = ElementSection::new();
    // Whoever takes a reference to a function must have declared it.
    elements.declared(Elements::Functions(vec![0].into()));
    if already == Already::Element {
        let at = ConstExpr::i32_const(ELEMENTS - 1);
        elements.active(None, &at, Elements::Functions(vec![0].into()));
    }
    module.section(&elements);
    let mut code = CodeSection::new();
    code.function(&looks());
    module.section(&code);
    if already == Already::Bytes {
        let mut data = wasm_encoder::DataSection::new();
        data.active(0, &ConstExpr::i32_const((PAGES << 16) - 1), [1]);
        module.section(&data);
    }
    module
}

fn table() -> TableSection {
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        minimum: ELEMENTS as u64,
        maximum: None,
        table64: false,
        shared: false,
    });
    tables
}

/// The start function: looks at everything, then fills it.
fn looks() -> Function {
    const AT: u32 = 0;
    let mut function = Function::new([(1, ValType::I32)]);
    let mut code = function.instructions();
    code.global_get(0).if_(BlockType::Empty).unreachable().end();
    code.i32_const(LEFT).global_set(0);

    // Both must grow, or there is nothing to look at.
    code.i32_const(PAGES).memory_grow(0).i32_const(0).i32_lt_s();
    code.if_(BlockType::Empty).unreachable().end();
    code.ref_null(HeapType::FUNC).i32_const(ELEMENTS).table_grow(0).i32_const(0).i32_lt_s();
    code.if_(BlockType::Empty).unreachable().end();

    let bytes = 2 * (PAGES << 16);
    code.i32_const(bytes).local_set(AT).loop_(BlockType::Empty);
    code.local_get(AT).i32_const(8).i32_sub().local_tee(AT);
    code.i64_load(MemArg { offset: 0, align: 3, memory_index: 0 }).i64_eqz().i32_eqz();
    code.if_(BlockType::Empty).unreachable().end();
    code.local_get(AT).br_if(0).end();
    code.i32_const(0).i32_const(LEFT).i32_const(bytes).memory_fill(0);

    let elements = 2 * ELEMENTS;
    code.i32_const(elements).local_set(AT).loop_(BlockType::Empty);
    code.local_get(AT).i32_const(1).i32_sub().local_tee(AT);
    code.table_get(0).ref_is_null().i32_eqz();
    code.if_(BlockType::Empty).unreachable().end();
    code.local_get(AT).br_if(0).end();
    code.i32_const(0).ref_func(0).i32_const(elements).table_fill(0);
    code.end();
    function
}
