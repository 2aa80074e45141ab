//! What the cluster knows, on compacted topics in Kafka Connect's own formats.
//!
//! Each store follows a topic and writes to it; what it answers is what it has read.
//! Not here: who may write, and what to do about what is read (`herder`).

#![forbid(unsafe_code)]

pub mod error;
pub mod topics;

pub mod journal;
pub mod memory;

mod cbor;
pub mod flat;
pub mod json;

pub mod config_records;
pub mod config_store;
pub mod snapshot;

pub mod status_records;
pub mod status_store;

pub mod connector_offsets;
pub mod offset_store;

pub mod plugin_store;

pub mod sealed;
pub mod secret_store;

mod java_map;
mod offset_file;
mod standalone;
mod stores;

pub use config_records::{ConfigWrite, LoggerLevel, RestartRequest};
pub use config_store::{ConfigRead, ConfigStore};
pub use connector_offsets::ConnectorOffsetStore;
pub use error::Error;
pub use offset_store::OffsetStore;
pub use plugin_store::PluginStore;
pub use sealed::SecretKeys;
pub use secret_store::{SecretInfo, SecretStore};
pub use snapshot::ClusterConfigState;
pub use status_store::{StatusStore, TopicsForgotten};
pub use stores::Stores;
pub use topics::{InternalTopics, KafkaJournals};
