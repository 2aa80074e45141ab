//! Runs connectors and tasks.
//!
//! Not here: what runs where (the herder), how a plugin is run (the sandbox), HTTP.

#![forbid(unsafe_code)]

pub mod config;
pub mod connector_config;
pub mod override_policy;
pub mod pattern;
pub mod validation;

pub mod error_counters;
pub mod event;
pub mod worker;

mod connector;
mod metrics;
mod shared;
mod state;

mod restart;
mod sink_group;
mod sink_task;
mod source_offsets;
mod source_task;
mod stall;
mod task;

mod dead_letter;
mod error_report;
mod pipeline;
mod tolerance;

mod acknowledgements;
mod client_settings;
mod commit;
mod ignored;
mod own_topics;
mod passwords;
mod submitted_records;
mod topic_creation;
mod used_topics;

pub use config::WorkerConfig;
pub use error_counters::{ErrorCounters, ErrorCounts};
pub use event::WorkerEvent;
pub use metrics::Windows;
pub use sink_group::SinkGroup;
pub use source_offsets::SourceOffsets;
pub use worker::{ProposedOffsets, Worker, WorkerParts};
