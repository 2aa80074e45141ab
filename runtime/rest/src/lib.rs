//! Kafka Connect's HTTP API, and ours beside it.
//!
//! Not here: deciding anything. The herder decides; this turns requests into its calls and its answers into JSON.

#![forbid(unsafe_code)]

mod config;
mod routes;
mod server;

mod connector;
mod connectors;
mod loggers;
mod meters;
mod metrics;
mod offsets;
mod plugins;
mod root;
mod upload;

mod body;
mod entity;
mod error;
mod media;
mod prometheus;
mod query;

pub use config::{ConfigError, RestConfig};
pub use server::{Bound, serve};
