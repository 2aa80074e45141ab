//! Datagen: a source of made-up orders, users and clicks, for trying things out and for load. The same seed makes the same records.
//!
//! Not here: data that means anything.

mod quickstart;
mod random;
mod settings;
mod source;

pub use source::DatagenSource;

tombolo_sdk::export! { source: [DatagenSource] }
