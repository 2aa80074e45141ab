//! SDK.
pub mod bindings;
