//! Kafka Connect's HTTP API, and ours beside it.
//!
//! Not here: deciding anything. The herder decides; this turns requests into its calls and its answers into JSON.

#![forbid(unsafe_code)]

mod address;
mod config;
mod connection;
mod definitions;
mod routes;
mod server;
mod tls;

mod connector;
mod connectors;
mod loggers;
mod logs;
mod meters;
mod metrics;
mod offsets;
mod openapi;
mod operation;
mod plugins;
mod root;
mod secrets;
mod upload;

mod body;
mod cross_origin;
mod entity;
mod error;
mod media;
mod prometheus;
mod query;
mod response_headers;

pub use address::{Address, Scheme};
pub use config::{AdminListeners, ConfigError, Identity, ReadIdentity, RestConfig};
pub use definitions::definitions;
pub use server::{Bound, serve};
