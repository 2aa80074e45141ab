//! Connectors and tasks of native plugins against a real Apache Kafka: what they do, and what is in Kafka afterwards.
//!
//! Not here: components (the sandbox has its own tests), and pure parts, which are tested where they stand.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking; clippy allows that in unit tests only"
)]

mod connectors;
mod dead_letters;
mod own_offsets;
mod partitions;
mod poison;
mod questions;
mod restarts;
mod sinks;
mod sources;
mod support;
