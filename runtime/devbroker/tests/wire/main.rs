//! The broker as clients see it, byte for byte. One program, since the codec is slow to compile. Not here: the same
//! behaviour through librdkafka (`runtime/kafka/tests`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic, in its helpers too"
)]

mod admin;
mod client;
mod groups;
mod hostile;
mod records;
mod restart;
mod transactions;
mod versions;
