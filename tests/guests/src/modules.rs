//! Components made of others: with core modules added.
//!
//! Not here: what is added.

use wasm_encoder::{
    CodeSection, ComponentSection, Function, FunctionSection, InstanceSection, InstructionSink,
    MemorySection, MemoryType, Module, ModuleArg, ModuleSection, StartSection, TypeSection,
};
use wasmparser::{Parser, Payload};

/// The component with core modules added, each made an instance after all that was there.
pub fn with_modules(mut component: Vec<u8>, modules: &[Module]) -> Vec<u8> {
    for (number, module) in (core_modules(&component)..).zip(modules) {
        ModuleSection(module).append_to_component(&mut component);
        let mut instances = InstanceSection::new();
        let nothing: [(&str, ModuleArg); 0] = [];
        instances.instantiate(number, nothing);
        instances.append_to_component(&mut component);
    }
    component
}

/// How many core modules stand on the component's own level.
fn core_modules(component: &[u8]) -> u32 {
    let (mut depth, mut count) = (0_u32, 0);
    for payload in Parser::new(0).parse_all(component).flatten() {
        match payload {
            Payload::ModuleSection { .. } => {
                count += u32::from(depth == 0);
                depth += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    count
}

/// A module whose start function is this, with what sections come between its functions and its start.
pub fn started(
    between: impl FnOnce(&mut Module),
    body: impl FnOnce(&mut InstructionSink<'_>),
    after: impl FnOnce(&mut Module),
) -> Module {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    module.section(&types);
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    between(&mut module);
    module.section(&StartSection { function_index: 0 });
    let mut function = Function::new([]);
    body(&mut function.instructions());
    function.instructions().end();
    after(&mut module);
    let mut code = CodeSection::new();
    code.function(&function);
    module.section(&code);
    module
}

/// Memories of this many pages each.
pub fn memories(module: &mut Module, pages: &[u64]) {
    let mut section = MemorySection::new();
    for minimum in pages {
        section.memory(MemoryType {
            minimum: *minimum,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
    }
    module.section(&section);
}
