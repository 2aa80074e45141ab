//! The nouns of Tombolo and the roles its plugins play.
//!
//! Not here: input and output, an async runtime, WebAssembly, a Kafka client, JSON.

#![forbid(unsafe_code)]

pub mod id;

pub mod batch;
pub mod schema;
pub mod transformed;

pub mod calendar;
pub mod log_lines;
pub mod meters;
pub mod metric;
pub mod offset;
pub mod status;

pub mod config_def;
pub mod references;
pub mod secrets;
pub mod settings;

pub mod capability;
pub mod egress;
pub mod fault;
pub mod policy;

pub mod plugin;
pub mod role;
pub mod version;

pub use batch::{Batch, Column, Headers, Values};
pub use fault::{Breach, Fault, FaultKind, Stage};
pub use id::{ConnectorName, SecretName, TaskId, TenantId, WorkerId};
pub use references::{ConfigProvider, ConfigProviders, References, Resolved};
pub use secrets::Secrets;
pub use settings::{Password, Settings};
pub use version::{Version, VersionRange};
