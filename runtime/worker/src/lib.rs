//! Runs connectors and tasks.
//!
//! Not here: what runs where (the herder), how a plugin is run (the sandbox), HTTP.

#![forbid(unsafe_code)]

pub mod connector_config;
pub mod event;
pub mod pattern;
pub mod validation;

mod submitted_records;

pub use event::WorkerEvent;
