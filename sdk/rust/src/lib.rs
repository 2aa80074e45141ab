//! Write a Tombolo plugin in Rust.

pub mod base64;
pub mod bindings;
pub mod cbor;
pub mod columns;
pub mod fault;
pub mod host;
pub mod itoa;
pub mod java;
pub mod json;
pub mod logical;
pub mod schema;
pub mod testing;
