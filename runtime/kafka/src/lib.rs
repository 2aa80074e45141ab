//! Kafka, as the runtime uses it: the only crate that names a Kafka client.
//!
//! Not here: what records mean, when offsets are committed, and stored formats.

mod error;
#[expect(
    unsafe_code,
    reason = "librdkafka is a C library, and `rdkafka` wraps it record by record"
)]
mod ffi;
mod job;
mod outage;
mod patience;
pub mod settings;

pub mod consumer;
pub mod producer;

pub mod admin;
pub mod log;
mod record_at;

pub use admin::{Admin, Admins, NewTopic};
pub use consumer::{ConsumedBatch, Consumer, ConsumerEvent, Subscription};
pub use error::Error;
pub use log::{Log, LogClients, LogRecord};
pub use producer::{
    Delivery, DeliveryError, ProduceRows, ProducerSession, Producers, Sent, Stopped,
};
pub use record_at::record_at;
pub use settings::{ClientKind, ClientSettings, RefusedSetting, ServerStores, Warning};
