//! Positions in Kafka and in the systems that sources read.
//!
//! Not here: the stored formats.

use std::fmt;
use std::sync::Arc;

/// A partition of a topic. Prints as `topic-0`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TopicPartition {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A partition and an offset in it; where offsets are committed, the next one to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionOffset {
    /// The partition.
    pub at: TopicPartition,
    /// The offset.
    pub offset: i64,
}

/// Where a source reads: one partition of its system.
///
/// Shape: one CBOR map in the profile of `wit/cbor.md`, checked by the sandbox.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SourcePartition(pub Vec<u8>);

/// How far a source has read in a partition: where to resume.
///
/// Shape: one CBOR map in the profile of `wit/cbor.md`, checked by the sandbox.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SourceOffset(pub Vec<u8>);

/// A source partition and its offset; none means "forget it".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourcePosition {
    /// The partition.
    pub partition: SourcePartition,
    /// Where to resume in it.
    pub offset: Option<SourceOffset>,
}
