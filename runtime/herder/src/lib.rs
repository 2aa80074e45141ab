//! Decides what runs, and answers for it.
//!
//! A closed set of events, a pure `step` from an event to effects, and a loop that performs them.
//! Not here: how connectors and tasks run (`worker`), HTTP (`rest`).

#![forbid(unsafe_code)]

pub mod config;
pub mod error;
mod herder;

pub mod handle;
pub mod info;

pub mod event;
pub mod step;

pub mod assignment;
pub mod restart_plan;

mod lane;
mod progress;
mod shell;
pub mod work;

pub mod loggers;
pub mod offsets;
mod plugins;
pub mod secrets;
mod validation;

pub use config::{HerderConfig, Mode};
pub use error::Error;
pub use event::SubmittedConfig;
pub use handle::HerderHandle;
pub use herder::HerderParts;
pub use info::{ConnectorInfo, ConnectorStatus, Health, RestartFlags};
pub use loggers::{Level, LoggerLevel, Loggers};
pub use offsets::Offset;
pub use plugins::bring_back_plugins;
pub use secrets::SecretInfo;
pub use work::Work;

pub use tombolo_store::flat::{FlatMap, Primitive};
pub use tombolo_worker::connector_config::definitions;
pub use tombolo_worker::validation::{ConfigInfo, Validation};
