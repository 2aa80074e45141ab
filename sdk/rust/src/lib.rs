//! Write a Tombolo plugin in Rust: a source, a sink, a converter, a transformation or a predicate, as a WebAssembly component.
//!
//! Read in this order: [`plugin`] says what every plugin declares, [`settings`] how its settings are read, then the trait of its kind, then
//! [`export!`] which makes the crate a component. `sdk/README.md` builds a connector step by step; [`testing`] runs it natively.
//!
//! Authors of sources and sinks see records and serde. Converters and transformations work one level below, on [`columns`], [`cbor`] and [`json`].
//! Not here: the host; SDK and host share nothing but the contract in `wit/`.

pub mod base64;
pub mod bindings;
pub mod cbor;
pub mod columns;
pub mod connector;
pub mod converter;
pub mod export;
pub mod fault;
pub mod host;
pub mod http;
pub mod itoa;
pub mod java;
pub mod json;
pub mod logical;
pub mod network;
pub mod plugin;
pub mod predicate;
pub mod prelude;
pub mod record;
pub mod row;
pub mod schema;
pub mod settings;
pub mod short;
pub mod sink;
mod slots;
pub mod source;
pub mod source_batch;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod text;
pub mod transformation;
mod transformed;
pub mod values;
