//! Runs plugins as WebAssembly components, each in a sandbox of its own: the only crate that names wasmtime.
//!
//! A component is checked, compiled once by a child process ([`compile`]) and described ([`install`]); a connector or task gets instances of it ([`shared`]), whose calls are the roles of
//! `tombolo-model` ([`role`]), under limits ([`limits`], [`cpu`], [`ticker`], [`pool`]) and with what the host offers ([`host`]). Everything that a guest returns is checked
//! before it is used; connections go through one policy ([`egress`]); what breaks the contract ends the instance and becomes a fault that names the limit ([`breach`]).
//!
//! Not here: Kafka, stores, the loops that call plugins.

mod error;

mod accounts;
mod cpu;
mod egress;
mod engine;
mod limits;
mod pool;
mod ticker;

mod artifact;
mod catalog;
mod check;
mod compile;
mod install;
mod registry;
mod stored;

mod breach;
mod cbor;
mod convert;
mod exports;
mod host;
mod instance;
mod merge;
mod role;
mod shared;
mod task;
mod v0;

mod sandbox;

pub use check::{COMPONENT_BYTES_MAX, Checked, check};
pub use compile::{COMPILE_COMMAND, Compiler, compile_child, probe_child};
pub use egress::{Resolver, SystemResolver};
pub use error::Error;
pub use sandbox::{Sandbox, SandboxOptions};
