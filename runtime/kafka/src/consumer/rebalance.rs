//! Where partitions stand between the group and the task; and from which offsets they are read.
//!
//! Not here: telling the task.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tombolo_model::offset::{PartitionOffset, TopicPartition};

use crate::error::Error;
use crate::ffi::{Client, Offsets, groups, topics};
use crate::job::Job;
use crate::patience::insist;

/// The group's last word, and how far it has come.
pub(super) enum Rebalance {
    /// Nothing is open.
    Settled,
    /// Start offsets of new partitions are being asked for.
    Resolving(Job<Result<Vec<PartitionOffset>, Error>>),
    /// The task was told of these new partitions.
    Assigned(Vec<PartitionOffset>),
    /// The task was told to give these partitions back.
    Revoked(Vec<TopicPartition>),
}

/// What a partition without a committed offset starts with. Follows `auto.offset.reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reset {
    /// Its beginning.
    Earliest,
    /// Its end.
    Latest,
    /// It is an error.
    None,
}

/// How start offsets are found.
#[derive(Clone)]
pub(super) struct Start {
    pub(super) client: Arc<Client>,
    pub(super) group: String,
    pub(super) reset: Reset,
    /// Follows `isolation.level`.
    pub(super) committed_only: bool,
}

impl Start {
    /// Asks for the start offsets of these partitions, again and again while Kafka cannot answer.
    pub(super) fn resolve(
        self,
        partitions: Vec<TopicPartition>,
        waker: &Arc<Notify>,
    ) -> Job<Result<Vec<PartitionOffset>, Error>> {
        Job::spawn(waker, async move {
            let what = format!("start offsets of {}", self.group);
            insist(&what, None, |wait| self.offsets(&partitions, wait)).await
        })
    }

    /// Committed offsets, else those that the reset policy chooses.
    async fn offsets(
        &self,
        partitions: &[TopicPartition],
        wait: Duration,
    ) -> Result<Vec<PartitionOffset>, Error> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut found =
            groups::group_offsets(&self.client, &self.group, Some(partitions), wait).await?;
        let missing: Vec<TopicPartition> = partitions
            .iter()
            .filter(|at| !found.iter().any(|committed| committed.at == **at))
            .cloned()
            .collect();
        let which = match (self.reset, missing.first()) {
            (_, None) => return Ok(found),
            (Reset::None, Some(first)) => {
                return Err(Error::NoOffset { partition: first.to_string() });
            }
            (Reset::Earliest, _) => Offsets::Beginning,
            (Reset::Latest, _) => Offsets::End { committed_only: self.committed_only },
        };
        found.extend(topics::offsets(&self.client, &missing, which, wait).await?);
        Ok(found)
    }
}
