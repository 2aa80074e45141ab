//! The partitions a sink has, and how far it is in each.
//!
//! Not here: reading from them.

use std::collections::BTreeMap;

use tombolo_model::offset::{PartitionOffset, TopicPartition};

use crate::commit::Progress;
use crate::ignored::Ignored;

/// The partitions of a sink.
#[derive(Debug, Default)]
pub(super) struct Partitions(BTreeMap<TopicPartition, Partition>);

#[derive(Debug)]
struct Partition {
    /// The next offset to give to the sink.
    current: i64,
    /// The offset last committed, or where reading started.
    committed: i64,
    /// Whether the sink wants to get nothing of it for now.
    is_paused: bool,
}

impl Partitions {
    /// Adds partitions, to be read from these offsets.
    pub(super) fn add(&mut self, added: &[PartitionOffset]) {
        for PartitionOffset { at, offset } in added {
            let partition = Partition { current: *offset, committed: *offset, is_paused: false };
            self.0.insert(at.clone(), partition);
        }
    }

    /// Forgets partitions.
    pub(super) fn remove(&mut self, gone: &[TopicPartition]) {
        self.0.retain(|at, _| !gone.contains(at));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// How many rows, by their offsets, the sink was given that are not committed.
    pub(super) fn uncommitted(&self) -> u64 {
        let rows = |has: &Partition| u64::try_from(has.current - has.committed).unwrap_or(0);
        self.0.values().map(rows).sum()
    }

    pub(super) fn contains(&self, at: &TopicPartition) -> bool {
        self.0.contains_key(at)
    }

    /// Leaves what is about these partitions. Answers with what is about others.
    pub(super) fn keep_own<T>(
        &self,
        asked: &mut Vec<T>,
        at: impl Fn(&T) -> &TopicPartition,
    ) -> Ignored {
        let mut foreign = Ignored::default();
        asked.retain(|one| {
            let at = at(one);
            let is_own = self.contains(at);
            if !is_own {
                foreign.add(at);
            }
            is_own
        });
        foreign
    }

    /// Whether the sink was given this row.
    pub(super) fn has_given(&self, row: &PartitionOffset) -> bool {
        self.0.get(&row.at).is_some_and(|partition| row.offset < partition.current)
    }

    /// Whether this row is behind the committed offset of a partition that the sink has.
    pub(super) fn is_open(&self, at: &TopicPartition, offset: i64) -> bool {
        self.0.get(at).is_some_and(|partition| offset >= partition.committed)
    }

    pub(super) fn all(&self) -> Vec<TopicPartition> {
        self.0.keys().cloned().collect()
    }

    /// Those that the sink did not pause.
    pub(super) fn wanted(&self) -> Vec<TopicPartition> {
        self.0.iter().filter(|(_, has)| !has.is_paused).map(|(at, _)| at.clone()).collect()
    }

    /// The sink has everything before these offsets.
    pub(super) fn advance(&mut self, next: &[PartitionOffset]) {
        for PartitionOffset { at, offset } in next {
            if let Some(partition) = self.0.get_mut(at) {
                partition.current = *offset;
            }
        }
    }

    /// Reading goes on from this offset.
    pub(super) fn rewind(&mut self, to: &PartitionOffset) {
        if let Some(partition) = self.0.get_mut(&to.at) {
            (partition.current, partition.committed) = (to.offset, to.offset);
        }
    }

    /// These offsets are committed.
    pub(super) fn committed(&mut self, offsets: &[PartitionOffset]) {
        for PartitionOffset { at, offset } in offsets {
            if let Some(partition) = self.0.get_mut(at) {
                partition.committed = *offset;
            }
        }
    }

    /// The sink pauses a partition, or resumes it.
    pub(super) fn set_paused(&mut self, at: &TopicPartition, is_paused: bool) {
        if let Some(partition) = self.0.get_mut(at) {
            partition.is_paused = is_paused;
        }
    }

    /// How far the sink is in each of these partitions.
    pub(super) fn progress(&self, of: &[TopicPartition]) -> Vec<Progress> {
        of.iter()
            .filter_map(|at| {
                let partition = self.0.get(at)?;
                let current = PartitionOffset { at: at.clone(), offset: partition.current };
                Some(Progress { current, committed: partition.committed, open: None })
            })
            .collect()
    }

    /// Takes every partition back to its committed offset, and returns those.
    pub(super) fn rewind_all(&mut self) -> Vec<PartitionOffset> {
        let back = |(at, partition): (&TopicPartition, &mut Partition)| {
            partition.current = partition.committed;
            PartitionOffset { at: at.clone(), offset: partition.committed }
        };
        self.0.iter_mut().map(back).collect()
    }

    /// As [`Partitions::rewind_all`], for a sink that starts anew and has paused nothing.
    pub(super) fn restart(&mut self) -> Vec<PartitionOffset> {
        self.0.values_mut().for_each(|partition| partition.is_paused = false);
        self.rewind_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_others_is_left_out_and_told_of_together() {
        let at = |partition| TopicPartition::new("t", partition);
        let mut partitions = Partitions::default();
        partitions.add(&[PartitionOffset { at: at(1), offset: 0 }]);
        let mut asked: Vec<TopicPartition> = (0..1000).map(at).collect();
        let foreign = partitions.keep_own(&mut asked, |at| at);
        assert_eq!(asked, [at(1)]);
        assert_eq!(foreign.to_string(), "t-0, t-2, t-3, t-4, t-5 and 994 more");
        let mut rewind = vec![PartitionOffset { at: at(1), offset: 4 }];
        assert!(partitions.keep_own(&mut rewind, |to| &to.at).is_empty());
        assert_eq!(rewind.len(), 1);
    }
}
