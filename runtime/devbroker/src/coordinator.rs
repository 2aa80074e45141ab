//! Groups, committed offsets and transactions behind one lock, with the journal that keeps them. Not here: the state
//! machine of a group (`group`), and what clients are answered (`api`).
//!
//! One lock, because transactions commit offsets and offsets depend on membership. It is the first in the order of
//! locks; under it topics and then partitions may be locked, to write markers. Every change is in the journal before it
//! is in memory, so what a client was told survives a crash.

pub(crate) mod groups;
pub(crate) mod journal;
pub(crate) mod offsets;
pub(crate) mod transaction;
pub(crate) mod transactions;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_protocol::ResponseError;

use crate::Error;
use crate::topics::Topics;
use groups::Groups;
use journal::{Entry, Journal};
use offsets::{OffsetChange, Offsets};
use transactions::Transactions;

/// Below, ids are free for tests and tools; the choice has no other reason.
const FIRST_PRODUCER_ID: i64 = 1_000;

/// All that is coordinated.
#[derive(Debug)]
pub(crate) struct Coordinator {
    pub groups: Groups,
    offsets: Offsets,
    transactions: Transactions,
    next_producer_id: i64,
    journal: Journal,
    topics: Arc<Topics>,
}

impl Coordinator {
    /// Reads the journal, ends what a crash left half-done, and writes the journal anew if it has grown long.
    pub(crate) fn open(path: PathBuf, topics: Arc<Topics>, groups: Groups) -> Result<Self, Error> {
        let (journal, entries) = Journal::open(path)?;
        let mut coordinator = Self {
            groups,
            offsets: Offsets::default(),
            transactions: Transactions::default(),
            next_producer_id: FIRST_PRODUCER_ID,
            journal,
            topics,
        };
        for entry in entries {
            coordinator.apply(entry);
        }
        coordinator.recover().and_then(|()| coordinator.shorten_journal()).map_err(|source| {
            Error::File { path: coordinator.journal.path().to_owned(), source }
        })?;
        Ok(coordinator)
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Offsets { group, changes } => self.offsets.apply(&group, &changes),
            Entry::NextProducerId(id) => self.next_producer_id = self.next_producer_id.max(id),
            other => self.transactions.apply(other),
        }
    }

    /// Writes changes to the journal, then makes them. The only way in which what is kept changes.
    fn record(&mut self, entries: Vec<Entry>) -> Result<(), ResponseError> {
        self.journal.append(&entries).map_err(|error| {
            tracing::error!(path = %self.journal.path().display(), %error, "cannot write the journal");
            ResponseError::KafkaStorageError
        })?;
        for entry in entries {
            self.apply(entry);
        }
        Ok(())
    }

    fn snapshot(&self) -> Vec<Entry> {
        let mut entries = vec![Entry::NextProducerId(self.next_producer_id)];
        for (group, offsets) in self.offsets.groups() {
            let changes = offsets.iter().map(|((topic, partition), committed)| OffsetChange {
                topic: topic.clone(),
                partition: *partition,
                committed: Some(committed.clone()),
            });
            entries.push(Entry::Offsets { group: group.clone(), changes: changes.collect() });
        }
        entries.extend(self.transactions.snapshot());
        entries
    }

    fn shorten_journal(&mut self) -> io::Result<()> {
        if !self.journal.wants_rewrite() {
            return Ok(());
        }
        let snapshot = self.snapshot();
        self.journal.rewrite(&snapshot)
    }

    /// Forgets what is long unused, and makes the journal short if it has grown. Answers the journal's file, to be
    /// synced without the lock.
    pub(crate) fn clean(&mut self, now_ms: i64) -> io::Result<std::fs::File> {
        let unused = self.transactions.unused(now_ms);
        if !unused.is_empty() {
            let entries: Vec<_> = unused.into_iter().map(|id| Entry::Forgotten { id }).collect();
            self.record(entries).map_err(io::Error::other)?;
        }
        self.shorten_journal()?;
        self.journal.file()
    }

    /// A handle for syncing the journal to the disk without the lock.
    pub(crate) fn journal_file(&self) -> io::Result<std::fs::File> {
        self.journal.file()
    }

    pub(crate) fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    pub(crate) fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// Commits or removes offsets of a group. Membership is the caller's to check.
    pub(crate) fn commit(
        &mut self,
        group: &str,
        changes: Vec<OffsetChange>,
    ) -> Result<(), ResponseError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.record(vec![Entry::Offsets { group: group.to_owned(), changes }])
    }

    /// Deletes a group that has no members.
    pub(crate) fn delete_group(&mut self, group: &str) -> Result<(), ResponseError> {
        let is_known = self.groups.get(group).is_some();
        if self.groups.get(group).is_some_and(|group| group.has_members()) {
            return Err(ResponseError::NonEmptyGroup);
        }
        let changes = self.offsets.removal_of_group(group);
        if changes.is_empty() && !is_known {
            return Err(ResponseError::GroupIdNotFound);
        }
        self.commit(group, changes)?;
        self.groups.remove(group);
        Ok(())
    }

    /// Forgets the offsets in a topic that was deleted.
    pub(crate) fn topic_deleted(&mut self, topic: &str) -> Result<(), ResponseError> {
        let of_group = |(group, changes)| Entry::Offsets { group, changes };
        let entries: Vec<_> =
            self.offsets.removal_of_topic(topic).into_iter().map(of_group).collect();
        if entries.is_empty() { Ok(()) } else { self.record(entries) }
    }

    /// Does what time demands: members that fell silent, rebalances and transactions that took too long.
    pub(crate) fn tick(&mut self, now: Instant, now_ms: i64) {
        let offsets = &self.offsets;
        self.groups.tick(now, |group| offsets.of(group).is_some());
        self.abort_late(now_ms);
    }

    /// How long nothing has to be done by `tick`. `None`: until something changes.
    pub(crate) fn idle_for(&self, now: Instant, now_ms: i64) -> Option<Duration> {
        let groups = self.groups.deadline().map(|at| at.saturating_duration_since(now));
        let transactions = self.transactions.deadline_ms().map(|at_ms| {
            Duration::from_millis(u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or(0))
        });
        [groups, transactions].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
