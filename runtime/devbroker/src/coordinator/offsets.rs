//! Offsets that groups committed. Pure state. Not here: who may commit (`group`), and pending ones (`transaction`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Committed {
    pub offset: i64,
    /// -1 when the client did not say.
    pub leader_epoch: i32,
    pub metadata: String,
}

/// A new or removed offset of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OffsetChange {
    pub topic: String,
    pub partition: i32,
    /// `None` removes it.
    pub committed: Option<Committed>,
}

/// The offsets of one group, by topic and partition.
pub(crate) type GroupOffsets = BTreeMap<(String, i32), Committed>;

/// The offsets of all groups that have any.
#[derive(Debug, Default)]
pub(crate) struct Offsets(BTreeMap<String, GroupOffsets>);

impl Offsets {
    pub(crate) fn of(&self, group: &str) -> Option<&GroupOffsets> {
        self.0.get(group)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = (&String, &GroupOffsets)> {
        self.0.iter()
    }

    pub(crate) fn apply(&mut self, group: &str, changes: &[OffsetChange]) {
        let offsets = self.0.entry(group.to_owned()).or_default();
        for change in changes {
            let key = (change.topic.clone(), change.partition);
            match &change.committed {
                Some(committed) => offsets.insert(key, committed.clone()),
                None => offsets.remove(&key),
            };
        }
        if offsets.is_empty() {
            self.0.remove(group);
        }
    }

    /// The changes that remove all offsets of a group.
    pub(crate) fn removal_of_group(&self, group: &str) -> Vec<OffsetChange> {
        self.0.get(group).into_iter().flat_map(BTreeMap::keys).map(removal).collect()
    }

    /// The changes that remove all offsets in a topic, by group.
    pub(crate) fn removal_of_topic(&self, topic: &str) -> Vec<(String, Vec<OffsetChange>)> {
        let in_topic = |(group, offsets): (&String, &GroupOffsets)| {
            let changes: Vec<_> =
                offsets.keys().filter(|(name, _)| name == topic).map(removal).collect();
            (!changes.is_empty()).then(|| (group.clone(), changes))
        };
        self.0.iter().filter_map(in_topic).collect()
    }
}

fn removal((topic, partition): &(String, i32)) -> OffsetChange {
    OffsetChange { topic: topic.clone(), partition: *partition, committed: None }
}
