//! The transactions of all producers, and how they begin and end. Not here: the states of one (`transaction`).
//!
//! A transaction is let into a partition before a client may write to it, and the partition forgets that with the
//! marker. So no late batch can slip in behind the marker and hold consumers up for ever.

use std::collections::BTreeMap;
use std::io;

use kafka_protocol::ResponseError;

use super::Coordinator;
use super::journal::Entry;
use super::offsets::OffsetChange;
use super::transaction::{End, PartitionKey, State, Transaction};
use crate::clock;

/// Longest transaction that a producer may ask for (`transaction.max.timeout.ms`).
const TIMEOUT_MS_MAX: i32 = 900_000;

/// How long an unused transactional id is remembered (`transactional.id.expiration.ms`).
const EXPIRATION_MS: i64 = 604_800_000;

/// Pause before markers that could not be written are tried again.
const RETRY_MS: i64 = 1_000;

/// A producer's id and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProducerKey {
    pub id: i64,
    pub epoch: i16,
}

/// All transactional ids.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    by_id: BTreeMap<String, Transaction>,
    /// When to try again to finish those that are prepared.
    retry_at_ms: Option<i64>,
}

impl Transactions {
    pub(crate) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Transaction { id, transaction } => {
                self.by_id.insert(id, *transaction);
            }
            Entry::Partitions { id, partitions } => {
                if let Some(State::Ongoing(contents)) = self.state_mut(&id) {
                    contents.partitions.extend(partitions);
                }
            }
            Entry::Pending { id, group, changes } => {
                if let Some(State::Ongoing(contents)) = self.state_mut(&id) {
                    contents.offsets.entry(group).or_default().extend(changes);
                }
            }
            Entry::Forgotten { id } => {
                self.by_id.remove(&id);
            }
            Entry::Offsets { .. } | Entry::NextProducerId(_) => {}
        }
    }

    fn state_mut(&mut self, id: &str) -> Option<&mut State> {
        self.by_id.get_mut(id).map(|transaction| &mut transaction.state)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Transaction> {
        self.by_id.get(id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Transaction)> {
        self.by_id.iter()
    }

    /// The transaction of a producer that may still use it.
    fn current(&self, id: &str, producer: ProducerKey) -> Result<&Transaction, ResponseError> {
        let transaction = self.by_id.get(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
        transaction.check(producer.id, producer.epoch)?;
        Ok(transaction)
    }

    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Entry> {
        self.by_id.iter().map(|(id, transaction)| entry(id, transaction.clone()))
    }

    pub(crate) fn unused(&self, now_ms: i64) -> Vec<String> {
        let is_unused = |transaction: &Transaction| {
            transaction.unfinished().is_none()
                && transaction.updated_ms < now_ms.saturating_sub(EXPIRATION_MS)
        };
        self.by_id.iter().filter(|(_, t)| is_unused(t)).map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn deadline_ms(&self) -> Option<i64> {
        self.by_id.values().filter_map(Transaction::deadline_ms).chain(self.retry_at_ms).min()
    }

    /// Whether a partition's offset of a group may be about to change (KIP-447).
    pub(crate) fn is_pending(&self, group: &str, topic: &str, partition: i32) -> bool {
        let contents = self.by_id.values().filter_map(Transaction::unfinished);
        contents
            .filter_map(|contents| contents.offsets.get(group))
            .flatten()
            .any(|change| change.partition == partition && change.topic == topic)
    }
}

fn entry(id: &str, transaction: Transaction) -> Entry {
    Entry::Transaction { id: id.to_owned(), transaction: Box::new(transaction) }
}

impl Coordinator {
    /// Gives out a producer id for idempotence.
    pub(crate) fn new_producer(&mut self) -> Result<ProducerKey, ResponseError> {
        let id = self.next_producer_id;
        self.record(vec![Entry::NextProducerId(id + 1)])?;
        Ok(ProducerKey { id, epoch: 0 })
    }

    /// Makes a producer the only one of its transactional id: aborts what its predecessor left open, and fences it.
    /// `expected` is what a producer had that recovers from an error.
    pub(crate) fn init_producer(
        &mut self,
        id: &str,
        timeout_ms: i32,
        expected: Option<ProducerKey>,
    ) -> Result<ProducerKey, ResponseError> {
        if id.is_empty() {
            return Err(ResponseError::InvalidRequest);
        }
        if !(1..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
            return Err(ResponseError::InvalidTransactionTimeout);
        }
        let now_ms = clock::now_ms();
        let mut transaction = match self.transactions.get(id) {
            Some(known) => {
                if expected.is_some_and(|e| !known.expects(e.id, e.epoch)) {
                    return Err(ResponseError::ProducerFenced);
                }
                self.settle(id, now_ms)?
            }
            None => {
                let producer = self.new_producer()?;
                let new = Transaction::new(producer.id, timeout_ms, now_ms);
                self.record(vec![entry(id, new)])?;
                return Ok(producer);
            }
        };
        if !transaction.next_epoch() {
            transaction.producer_id = self.new_producer()?.id;
        }
        transaction.state = State::Empty;
        transaction.timeout_ms = timeout_ms;
        transaction.updated_ms = now_ms;
        let producer = ProducerKey { id: transaction.producer_id, epoch: transaction.epoch };
        self.record(vec![entry(id, transaction)])?;
        Ok(producer)
    }

    /// Ends whatever is unfinished under an id, by an abort if it is still open.
    fn settle(&mut self, id: &str, now_ms: i64) -> Result<Transaction, ResponseError> {
        let mut transaction = self.known(id)?;
        if matches!(transaction.state, State::Ongoing(_)) {
            transaction.fence();
            transaction.prepare(false, now_ms);
            self.record(vec![entry(id, transaction)])?;
        }
        self.finish(id)?;
        self.known(id)
    }

    fn known(&self, id: &str) -> Result<Transaction, ResponseError> {
        self.transactions.get(id).cloned().ok_or(ResponseError::InvalidProducerIdMapping)
    }

    /// Takes partitions into a transaction, and lets its producer write to them.
    pub(crate) fn add_partitions(
        &mut self,
        id: &str,
        producer: ProducerKey,
        partitions: Vec<PartitionKey>,
    ) -> Result<(), ResponseError> {
        let added = Entry::Partitions { id: id.to_owned(), partitions: partitions.clone() };
        self.grow(id, producer, added)?;
        for (topic, partition) in partitions {
            if let Some(partition) = self.topics.partition(&topic, partition) {
                partition.log().producers().admit(producer.id, producer.epoch);
            }
        }
        Ok(())
    }

    /// Takes offsets of a group into a transaction; with none yet, only the group.
    pub(crate) fn add_offsets(
        &mut self,
        id: &str,
        producer: ProducerKey,
        group: &str,
        changes: Vec<OffsetChange>,
    ) -> Result<(), ResponseError> {
        let is_ongoing = |t: &Transaction| matches!(t.state, State::Ongoing(_));
        if !changes.is_empty() && !is_ongoing(self.transactions.current(id, producer)?) {
            return Err(ResponseError::InvalidTxnState);
        }
        let group = group.to_owned();
        self.grow(id, producer, Entry::Pending { id: id.to_owned(), group, changes })
    }

    fn grow(&mut self, id: &str, producer: ProducerKey, by: Entry) -> Result<(), ResponseError> {
        let mut transaction = self.transactions.current(id, producer)?.clone();
        let was_ongoing = matches!(transaction.state, State::Ongoing(_));
        transaction.ongoing(clock::now_ms())?;
        let begin = (!was_ongoing).then(|| entry(id, transaction));
        self.record(begin.into_iter().chain([by]).collect())
    }

    /// Commits or aborts a transaction. A client may ask again for what it has been answered.
    pub(crate) fn end_transaction(
        &mut self,
        id: &str,
        producer: ProducerKey,
        commit: bool,
    ) -> Result<(), ResponseError> {
        let transaction = self.transactions.current(id, producer)?;
        match transaction.end(commit)? {
            End::Done => return Ok(()),
            End::Finish => {}
            End::Begin => {
                let mut prepared = transaction.clone();
                prepared.prepare(commit, clock::now_ms());
                self.record(vec![entry(id, prepared)])?;
            }
        }
        self.finish(id)
    }

    /// Writes the markers of a prepared transaction, commits its offsets, and completes it. Nothing to do for others.
    ///
    /// Errors: the transaction stays prepared, and is tried again by time or by the client.
    fn finish(&mut self, id: &str) -> Result<(), ResponseError> {
        let mut transaction = self.known(id)?;
        let State::Prepared { commit, contents } = &transaction.state else { return Ok(()) };
        let commit = *commit;
        let now_ms = clock::now_ms();
        for (topic, index) in &contents.partitions {
            let Some(partition) = self.topics.partition(topic, *index) else { continue };
            let mut log = partition.log();
            let (producer_id, epoch) = (transaction.producer_id, transaction.epoch);
            if let Err(error) = log.end_transaction(producer_id, epoch, commit, now_ms) {
                let error = log.storage_error(&error);
                self.transactions.retry_at_ms = Some(now_ms + RETRY_MS);
                return Err(error);
            }
        }
        let of_group = |(group, changes): (&String, &Vec<OffsetChange>)| Entry::Offsets {
            group: group.clone(),
            changes: changes.clone(),
        };
        let mut entries: Vec<_> = match commit {
            true => contents.offsets.iter().filter(|(_, c)| !c.is_empty()).map(of_group).collect(),
            false => Vec::new(),
        };
        transaction.state = State::Complete { commit };
        transaction.updated_ms = now_ms;
        entries.push(entry(id, transaction));
        self.record(entries)
    }

    /// Aborts transactions that took too long, and tries again to finish prepared ones.
    pub(super) fn abort_late(&mut self, now_ms: i64) {
        self.transactions.retry_at_ms = None;
        let is_due = |transaction: &Transaction| {
            matches!(transaction.state, State::Prepared { .. })
                || transaction.deadline_ms().is_some_and(|at| at <= now_ms)
        };
        let due: Vec<String> = self
            .transactions
            .all()
            .filter(|(_, transaction)| is_due(transaction))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            tracing::debug!(transactional_id = %id, "ending a transaction that took too long");
            if let Err(error) = self.settle(&id, now_ms) {
                tracing::error!(transactional_id = %id, %error, "cannot end a transaction");
                self.transactions.retry_at_ms = Some(now_ms + RETRY_MS);
            }
        }
    }

    /// After a start: finishes what was decided, lets open transactions go on, and aborts what only the logs know of.
    pub(super) fn recover(&mut self) -> io::Result<()> {
        let unfinished: Vec<(String, Transaction)> = self
            .transactions
            .all()
            .filter(|(_, transaction)| transaction.unfinished().is_some())
            .map(|(id, transaction)| (id.clone(), transaction.clone()))
            .collect();
        for (id, transaction) in unfinished {
            let partitions = transaction.unfinished().into_iter().flat_map(|c| &c.partitions);
            for (topic, index) in partitions {
                if let Some(partition) = self.topics.partition(topic, *index) {
                    let mut log = partition.log();
                    log.producers().admit(transaction.producer_id, transaction.epoch);
                }
            }
            self.finish(&id).map_err(io::Error::other)?;
        }
        for partition in self.topics.all().iter().flat_map(|topic| &topic.partitions) {
            let mut log = partition.log();
            for (producer_id, epoch) in log.producers().orphans() {
                log.end_transaction(producer_id, epoch, false, clock::now_ms())?;
            }
        }
        Ok(())
    }
}
