//! Components in a component, one of which calls the other: between them stands code that the compiler makes of the types of what they pass.
//!
//! Not here: bombs of one core module.

use wasm_encoder::{
    Alias, CanonicalOption, CodeSection, Component, ComponentAliasSection, ComponentBuilder,
    ComponentExportKind, ComponentInstanceSection, ComponentSectionId, ComponentTypeRef,
    ComponentValType, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, MemorySection, MemoryType, Module, ModuleArg, PrimitiveValType, RawSection,
    TypeSection, ValType,
};

use super::exports;

/// Texts, three times as many with each step, of which some are there in one case and others in another.
pub(super) fn branching(steps: u32) -> Vec<u8> {
    passing(|component| {
        let mut all = ComponentValType::Primitive(PrimitiveValType::String);
        for _ in 0..steps {
            let (either, ty) = component.type_defined(None);
            ty.result(Some(all), Some(all));
            let (both, ty) = component.type_defined(None);
            ty.tuple([all, ComponentValType::Type(either)]);
            all = ComponentValType::Type(both);
        }
        all
    })
}

/// As many lists as cannot be passed otherwise than in memory, each of lists, so deep.
pub(super) fn deep(depth: u32) -> Vec<u8> {
    passing(|component| {
        let mut all = ComponentValType::Primitive(PrimitiveValType::U8);
        for _ in 0..depth {
            let (list, ty) = component.type_defined(None);
            ty.list(all);
            all = ComponentValType::Type(list);
        }
        let (together, ty) = component.type_defined(None);
        ty.tuple([all; 17]);
        ComponentValType::Type(together)
    })
}

/// A component of two: one calls the other with a value of this type.
fn passing(value: impl Fn(&mut ComponentBuilder) -> ComponentValType) -> Vec<u8> {
    let mut whole = Component::new();
    for part in [taker(&value), giver(&value)] {
        whole.section(&RawSection { id: ComponentSectionId::Component.into(), data: &part });
    }
    let nothing: [(&str, ComponentExportKind, u32); 0] = [];
    let mut taking = ComponentInstanceSection::new();
    taking.instantiate(0, nothing);
    whole.section(&taking);
    let mut function = ComponentAliasSection::new();
    function.alias(Alias::InstanceExport {
        instance: 0,
        kind: ComponentExportKind::Func,
        name: "take",
    });
    whole.section(&function);
    let mut giving = ComponentInstanceSection::new();
    giving.instantiate(1, [("take", ComponentExportKind::Func, 0)]);
    giving.export_items(nothing);
    whole.section(&giving);
    whole.section(&exports(2));
    whole.finish()
}

fn taker(value: impl Fn(&mut ComponentBuilder) -> ComponentValType) -> Vec<u8> {
    let mut component = ComponentBuilder::default();
    let options = memory(&mut component);
    let take = component.core_alias_export(None, 0, "take", ExportKind::Func);
    let function = function(&mut component, value);
    let taken = component.lift_func(None, take, function, options);
    component.export("take", ComponentExportKind::Func, taken, None);
    component.finish()
}

fn giver(value: impl Fn(&mut ComponentBuilder) -> ComponentValType) -> Vec<u8> {
    let mut component = ComponentBuilder::default();
    let function = function(&mut component, value);
    let take = component.import("take", ComponentTypeRef::Func(function));
    let options = memory(&mut component);
    let lowered = component.lower_func(None, take, options);
    let given = component.core_instantiate_exports(None, [("take", ExportKind::Func, lowered)]);
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], []);
    module.section(&types);
    let mut imports = ImportSection::new();
    imports.import("taker", "take", EntityType::Function(0));
    module.section(&imports);
    let module = component.core_module(None, &module);
    component.core_instantiate(None, module, [("taker", ModuleArg::Instance(given))]);
    component.finish()
}

/// The type of a function that takes the value.
fn function(
    component: &mut ComponentBuilder,
    value: impl Fn(&mut ComponentBuilder) -> ComponentValType,
) -> u32 {
    let value = value(component);
    let (function, mut ty) = component.type_function(None);
    ty.params([("value", value)]).result(None);
    function
}

/// Instantiates a module with a memory, room in it, and a function that takes what lies there. It is the component's first.
fn memory(component: &mut ComponentBuilder) -> [CanonicalOption; 2] {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    types.ty().function([ValType::I32], []);
    module.section(&types);
    let mut functions = FunctionSection::new();
    functions.function(0).function(1);
    module.section(&functions);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    module.section(&memories);
    let mut exports = ExportSection::new();
    exports.export("room", ExportKind::Func, 0).export("take", ExportKind::Func, 1);
    exports.export("memory", ExportKind::Memory, 0);
    module.section(&exports);
    let mut code = CodeSection::new();
    let mut room = Function::new([]);
    room.instructions().i32_const(0).end();
    let mut take = Function::new([]);
    take.instructions().end();
    code.function(&room).function(&take);
    module.section(&code);
    let module = component.core_module(None, &module);
    let nothing: [(&str, ModuleArg); 0] = [];
    let instance = component.core_instantiate(None, module, nothing);
    let memory = component.core_alias_export(None, instance, "memory", ExportKind::Memory);
    let room = component.core_alias_export(None, instance, "room", ExportKind::Func);
    [CanonicalOption::Memory(memory), CanonicalOption::Realloc(room)]
}
