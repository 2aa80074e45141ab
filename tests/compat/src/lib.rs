//! The conformance suite: the same cases on Apache Kafka Connect and on Tombolo, seen from outside.
//!
//! Cases are data ([`cases`]); each plays in a [`scene`], against one worker's REST API, its broker, and what the plugins of the kit tell of themselves.
//! Not here: tests of Tombolo's own additions.

#![forbid(unsafe_code)]
#![expect(
    clippy::indexing_slicing,
    reason = "only JSON is indexed, by name, and gives null where there is none"
)]

pub mod broker;
pub mod case;
pub mod cases;
pub mod connector;
pub mod events;
pub mod golden;
pub mod http;
pub mod kit;
pub mod malformed;
pub mod peer;
pub mod play;
pub mod report;
pub mod scene;
pub mod stage;
pub mod state;
pub mod verdict;
pub mod worker;
