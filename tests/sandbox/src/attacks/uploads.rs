//! Attacks on the check of an upload and on the compiler. Not here: broken components without end (`tombolo_guests::mutations`).

use wasm_encoder::{
    Component, ComponentExportKind, ComponentExportSection, ComponentImportSection,
    ComponentInstanceSection, ComponentSectionId, ComponentTypeRef, ComponentTypeSection,
    InstanceType, RawSection,
};

use crate::attack::{Attack, Class::Compile, Class::Upload, upload};
use tombolo_guests::bombs;

/// What a bomb is told that compiles after all: it is no plugin.
const NO_PLUGIN: &[&str] = &["the component"];

macro_rules! bomb {
    ($name:literal, $number:literal) => {
        upload(Compile, $name, || nth_bomb($number), NO_PLUGIN)
    };
}

pub(super) const ATTACKS: &[Attack] = &[
    bomb!("20,000 empty loops", 0),
    bomb!("11,000 loops in each other", 1),
    bomb!("15,000 blocks", 2),
    bomb!("2,000 locals in 2,000 blocks", 3),
    bomb!("50,000 values alive", 4),
    bomb!("200 tables of branches", 5),
    bomb!("a function of 1 MB", 6),
    bomb!("20,000 functions", 7),
    upload(Upload, "an ELF file", || b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec(), &["an ELF file"]),
    upload(Upload, "text", || b"(component)".to_vec(), &["WebAssembly text"]),
    upload(Upload, "a zip archive", || b"PK\x03\x04\x14\0\0\0".to_vec(), &["not WebAssembly"]),
    upload(Upload, "a core module", || b"\0asm\x01\0\0\0".to_vec(), &["a core WebAssembly module"]),
    upload(Upload, "a half", half, &["the component is not valid"]),
    upload(Upload, "100,000 imports", imports, &["the component is not valid", "limit"]),
    upload(Upload, "names without end", names, &["the component"]),
    upload(Upload, "another world", || Component::new().finish(), &["tombolo:connect/catalog"]),
    upload(Upload, "the same export twice", twice, &["the component is not valid"]),
    upload(Upload, "a catalog that lies", || tombolo_guests::CATALOG_LIES.to_vec(), &["catalog"]),
    upload(Upload, "an import that is not there", foreign, &["imports"]),
];

fn nth_bomb(number: usize) -> Vec<u8> {
    bombs::all().into_iter().nth(number).map(|(_, component)| component).unwrap_or_default()
}

fn half() -> Vec<u8> {
    let whole = tombolo_guests::ECHO;
    whole.get(..whole.len() / 2).unwrap_or_default().to_vec()
}

fn foreign() -> Vec<u8> {
    tombolo_guests::FOREIGN_IMPORT.to_vec()
}

/// Instances with nothing in them, by made up names.
fn imports() -> Vec<u8> {
    let mut component = Component::new();
    let mut types = ComponentTypeSection::new();
    types.instance(&InstanceType::new());
    component.section(&types);
    let mut imports = ComponentImportSection::new();
    for number in 0..100_000 {
        imports.import(format!("a:b/c{number}@1.0.0").as_str(), ComponentTypeRef::Instance(0));
    }
    component.section(&imports);
    component.finish()
}

/// A section of names that claims to hold four thousand million of them.
fn names() -> Vec<u8> {
    let mut component = Component::new();
    let mut data = vec![4, b'n', b'a', b'm', b'e', 1, 10, 0xff, 0xff, 0xff, 0xff, 0x0f];
    data.resize(1 << 20, b'n');
    component.section(&RawSection { id: ComponentSectionId::CoreCustom.into(), data: &data });
    component.finish()
}

fn twice() -> Vec<u8> {
    let mut component = Component::new();
    let mut instances = ComponentInstanceSection::new();
    let nothing: [(&str, ComponentExportKind, u32); 0] = [];
    instances.export_items(nothing);
    component.section(&instances);
    let mut exports = ComponentExportSection::new();
    for _ in 0..2 {
        exports.export("tombolo:connect/catalog@0.1.0", ComponentExportKind::Instance, 0, None);
    }
    component.section(&exports);
    component.finish()
}
