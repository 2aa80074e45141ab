//! A single-node, loopback-only log that speaks Kafka's protocol, for trying Tombolo out with nothing else installed.
//!
//! It keeps topics, groups, offsets and transactions on disk and survives `kill -9`, so the rest of Tombolo talks to it
//! through the same client and the same code as to a real cluster. What is not here: replication, security (hence
//! loopback only), quotas, the consumer protocol of KIP-848, share groups. Do not put data here that you cannot lose.

mod broker;
mod config;
mod error;

mod server;

mod api;

mod cleaner;
mod coordinator;
mod directory;
mod group;
mod state;
mod stopping;
mod topics;

mod log;

mod clock;

pub use broker::Broker;
pub use config::Config;
pub use error::Error;
