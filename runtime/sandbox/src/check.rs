//! A look at an uploaded component before it is compiled: is it one, of bearable size, exporting what a plugin must and importing what it may.
//!
//! Compiling is where an upload can hurt most, so this comes first, and refuses by name. Not here: compiling, and the catalog's content.

use tombolo_model::plugin::PluginKind;
use wasmparser::{
    ComponentExternalKind, ComponentTypeRef, MemoryType, Parser, Payload, Validator, WasmFeatures,
};

use crate::catalog::interface;

/// Largest component. CPython is 40 MiB.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// Most core modules: a composed JavaScript component has about ten.
const MODULES_MAX: u32 = 100;

/// Most functions: CPython has 30,000.
const FUNCTIONS_MAX: u32 = 200_000;

/// Largest function body, in bytes: the interpreter loops of language engines reach a quarter of it. Compiling takes more than linear time.
const FUNCTION_BYTES_MAX: usize = 1 << 20;

/// WASI 0.2 interfaces that are linked.
const WASI: [&str; 29] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// The contract's interfaces that a host offers.
const OURS: [&str; 6] = [
    "tombolo:connect/log",
    "tombolo:connect/metrics",
    "tombolo:connect/network",
    "tombolo:connect/offsets",
    "tombolo:connect/schemas",
    "tombolo:connect/types",
];

/// What a component offers and asks for, by the names that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Interfaces that it imports, as `wasi:io/poll@0.2.3`, sorted.
    pub imports: Vec<String>,
    /// Interfaces that it exports, sorted.
    pub exports: Vec<String>,
    /// Kinds of plugins whose interfaces it exports.
    pub kinds: Vec<PluginKind>,
}

/// Holds bytes to what a component must be, as every upload is before anything is compiled.
///
/// Errors: what is wrong and where. Cost: reads and validates all of it, about 10 ms a megabyte.
pub fn check(bytes: &[u8], memory_max: u64) -> Result<Checked, String> {
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(format!(
            "the component has {} bytes; at most {COMPONENT_BYTES_MAX} are allowed",
            bytes.len()
        ));
    }
    is_component(bytes)?;
    let at = |error: wasmparser::BinaryReaderError| {
        format!("the component is not valid: {} at byte {:#x}", error.message(), error.offset())
    };
    let found = read(bytes, memory_max).map_err(|wrong| match wrong {
        Wrong::Broken(error) => at(error),
        Wrong::Refused(why) => why,
    })?;
    Validator::new_with_features(features()).validate_all(bytes).map_err(at)?;
    for import in &found.imports {
        may_import(import)?;
    }
    exports_of(found)
}

/// What toolchains for WASI 0.2 emit; the engine's own set.
fn features() -> WasmFeatures {
    let mut features = WasmFeatures::WASM2 | WasmFeatures::COMPONENT_MODEL;
    // Fused adapters need it in the engine; modules of an upload may have one memory each all the same.
    features.insert(WasmFeatures::EXTENDED_CONST | WasmFeatures::MULTI_MEMORY);
    features
}

fn is_component(bytes: &[u8]) -> Result<(), String> {
    let what = match bytes {
        [] => "nothing",
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            "a core WebAssembly module, not a component; build it for wasm32-wasip2"
        }
        [0, b'a', b's', b'm', ..] => "WebAssembly of another version than a component's",
        [0x7f, b'E', b'L', b'F', ..] => {
            "an ELF file; compiled components are never accepted, upload the component itself"
        }
        [b'(', ..] | [b';', b';', ..] => "WebAssembly text, not a component",
        _ => "not WebAssembly",
    };
    Err(format!("a component was expected, this is {what}"))
}

enum Wrong {
    Broken(wasmparser::BinaryReaderError),
    Refused(String),
}

impl From<wasmparser::BinaryReaderError> for Wrong {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Broken(error)
    }
}

#[derive(Default)]
struct Found {
    imports: Vec<String>,
    exports: Vec<String>,
    modules: u32,
    functions: u32,
    memory: u64,
}

/// Walks all sections, of nested modules and components too.
fn read(bytes: &[u8], memory_max: u64) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } => {
                depth += 1;
                found.modules += 1;
                limit("core modules", found.modules as usize, MODULES_MAX as usize)?;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::FunctionSection(functions) => {
                found.functions = found.functions.saturating_add(functions.count());
                limit("functions", found.functions as usize, FUNCTIONS_MAX as usize)?;
            }
            Payload::CodeSectionEntry(body) => {
                limit("bytes in one function", body.range().len(), FUNCTION_BYTES_MAX)?;
            }
            Payload::MemorySection(memories) => {
                if memories.count() > 1 {
                    let why = "a core module in it has several memories; one is allowed";
                    return Err(Wrong::Refused(why.to_owned()));
                }
                for memory in memories {
                    found.memory = found.memory.saturating_add(initial_bytes(&memory?));
                }
            }
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    let import = import?;
                    found.imports.push(import.name.name.to_owned());
                    if !matches!(import.ty, ComponentTypeRef::Instance(_)) {
                        let name = import.name.name;
                        let why =
                            format!("the component imports {name}, which is not an interface");
                        return Err(Wrong::Refused(why));
                    }
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Instance {
                        found.exports.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    if found.memory > memory_max {
        return Err(Wrong::Refused(format!(
            "the component starts with {} bytes of memory; at most {memory_max} are allowed (sandbox.memory.max)",
            found.memory
        )));
    }
    found.imports.sort();
    found.exports.sort();
    Ok(found)
}

fn limit(what: &str, count: usize, max: usize) -> Result<(), Wrong> {
    if count <= max {
        return Ok(());
    }
    Err(Wrong::Refused(format!("the component has {count} {what}; at most {max} are allowed")))
}

fn initial_bytes(memory: &MemoryType) -> u64 {
    let page = 1_u64 << memory.page_size_log2.unwrap_or(16);
    memory.initial.saturating_mul(page)
}

/// The interface of a name, if its version is one that is linked: `wasi:io/poll@0.2.3`.
fn interface_of(name: &str) -> Option<&str> {
    let (interface, version) = name.split_once('@')?;
    let series = if interface.starts_with("wasi:") { "0.2." } else { "0.1." };
    version.starts_with(series).then_some(interface)
}

fn may_import(name: &str) -> Result<(), String> {
    match interface_of(name) {
        Some(interface) if WASI.contains(&interface) || OURS.contains(&interface) => Ok(()),
        _ => Err(format!(
            "the component imports {name}, which plugins cannot have; WASI 0.2 without HTTP servers, and tombolo:connect 0.1 are offered"
        )),
    }
}

fn exports_of(found: Found) -> Result<Checked, String> {
    let exports = |interface: &str| {
        found.exports.iter().any(|export| interface_of(export) == Some(interface))
    };
    let there = || match found.exports.as_slice() {
        [] => "nothing".to_owned(),
        exports => exports.join(", "),
    };
    if !exports("tombolo:connect/catalog") {
        return Err(format!(
            "the component does not export tombolo:connect/catalog@0.1; it exports {}",
            there()
        ));
    }
    let kinds: Vec<_> =
        PluginKind::ALL.into_iter().filter(|kind| exports(interface(*kind))).collect();
    if kinds.is_empty() {
        return Err(format!("the component exports no plugin interface; it exports {}", there()));
    }
    if kinds.iter().any(|kind| kind.is_connector()) && !exports("tombolo:connect/connector") {
        return Err(format!(
            "the component does not export tombolo:connect/connector, which a source or sink needs; it exports {}",
            there()
        ));
    }
    Ok(Checked { imports: found.imports, exports: found.exports, kinds })
}

#[cfg(test)]
mod tests;
