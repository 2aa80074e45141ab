//! Runs connectors and tasks.
//!
//! Not here: what runs where (the herder), how a plugin is run (the sandbox), HTTP.

#![forbid(unsafe_code)]

pub mod config;
pub mod connector_config;
pub mod event;
pub mod override_policy;
pub mod pattern;
pub mod validation;

mod client_settings;
mod tolerance;

mod acknowledgements;
mod commit;
mod pipeline;
mod submitted_records;
mod topic_creation;

pub use config::WorkerConfig;
pub use event::WorkerEvent;
