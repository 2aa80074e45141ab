//! What can go wrong with Kafka, told apart by what the caller does about it.
//!
//! Not here: the outcome of one record (`producer::DeliveryError`), refused settings (`settings`).

/// Something that Kafka, or the way to it, could not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The client could not be made from its settings.
    #[error("failed to create a Kafka client: {reason}")]
    Client {
        /// What librdkafka says.
        reason: String,
    },
    /// The broker refused the credentials, or the TLS handshake failed. Kafka fails the task.
    #[error("failed to authenticate to Kafka: {reason}")]
    Authentication {
        /// What the broker or librdkafka says.
        reason: String,
    },
    /// The principal may not do this. Kafka fails the task.
    #[error("not authorized: {reason}")]
    Authorization {
        /// Which topic, group or cluster.
        reason: String,
    },
    /// No answer in time; the same call may be made again.
    #[error("no answer from Kafka: {reason}")]
    Unavailable {
        /// What was asked, and what librdkafka says.
        reason: String,
    },
    /// The topic does not exist.
    #[error("topic {topic} does not exist")]
    UnknownTopic {
        /// The topic.
        topic: String,
    },
    /// The consumer has no offset to start from and may not choose one (`auto.offset.reset=none`).
    #[error("no committed offset for {partition}, and auto.offset.reset is none")]
    NoOffset {
        /// The partition, as `topic-0`.
        partition: String,
    },
    /// Kafka refused the request, or the client cannot go on.
    #[error("{reason}")]
    Refused {
        /// Kafka's name of the error, as `INVALID_REPLICATION_FACTOR`.
        code: String,
        /// What it says.
        reason: String,
    },
}

impl Error {
    /// Whether the same call may succeed later without any change.
    pub fn is_retriable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
