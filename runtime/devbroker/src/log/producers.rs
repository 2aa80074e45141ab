//! What a partition knows of its producers: the last sequences of idempotent ones, open and aborted transactions.
//! Pure state. Not here: transactions across partitions (`transactions`).

use std::collections::{BTreeMap, HashMap, VecDeque};

use kafka_protocol::ResponseError;

use super::batch::{Header, add_sequence};

/// Batches of a producer that are recognised when it sends them again. Clients keep at most five in flight.
const BATCHES_REMEMBERED: usize = 5;

/// How long a silent producer is remembered (`producer.id.expiration.ms`).
const EXPIRATION_MS: i64 = 86_400_000;

/// The verdict on a batch that is about to be appended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Check {
    New,
    /// Appended before, with this base offset.
    Duplicate(i64),
}

/// A transaction whose records a `read_committed` consumer must not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub producer_id: i64,
    /// Offset of its first record in this partition.
    pub first: i64,
    /// Offset of its marker.
    pub last: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Remembered {
    first_sequence: i32,
    last_sequence: i32,
    base: i64,
    last: i64,
}

#[derive(Debug, Default)]
struct Producer {
    epoch: i16,
    recent: VecDeque<Remembered>,
    /// First offset of its open transaction.
    open_since: Option<i64>,
    last_seen_ms: i64,
}

/// A producer as an administrator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub id: i64,
    pub epoch: i16,
    /// -1 when it wrote nothing in its epoch.
    pub last_sequence: i32,
    pub last_seen_ms: i64,
    pub open_since: Option<i64>,
}

/// All producers of a partition.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    by_id: HashMap<i64, Producer>,
    /// First offset of every open transaction.
    open: BTreeMap<i64, i64>,
    /// In the order of their markers.
    aborted: Vec<Aborted>,
    /// Producers, with their epoch, that the transaction coordinator let in and whose marker has not come yet. Only
    /// they may write transactional batches, so none can slip in behind its own marker.
    admitted: HashMap<i64, i16>,
}

impl Producers {
    /// Lets a transaction write here.
    pub(crate) fn admit(&mut self, producer_id: i64, epoch: i16) {
        self.admitted.insert(producer_id, epoch);
    }

    /// Decides on a batch from a client.
    pub(crate) fn check(&self, batch: &Header) -> Result<Check, ResponseError> {
        if batch.producer_id < 0 {
            return Ok(Check::New);
        }
        let known = self.by_id.get(&batch.producer_id);
        if known.is_some_and(|producer| batch.producer_epoch < producer.epoch) {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        let admitted = self.admitted.get(&batch.producer_id);
        if batch.is_transactional() {
            match admitted {
                Some(epoch) if *epoch == batch.producer_epoch => {}
                Some(epoch) if *epoch > batch.producer_epoch => {
                    return Err(ResponseError::InvalidProducerEpoch);
                }
                _ => return Err(ResponseError::InvalidTxnState),
            }
        } else if admitted.is_some() {
            return Err(ResponseError::InvalidTxnState);
        }
        // Kafka takes any sequence of a producer it does not know: what it knew may have expired.
        let Some(known) = known else { return Ok(Check::New) };
        if batch.producer_epoch > known.epoch {
            return match batch.base_sequence {
                0 => Ok(Check::New),
                _ => Err(ResponseError::OutOfOrderSequenceNumber),
            };
        }
        let Some(last) = known.recent.back() else { return Ok(Check::New) };
        let same = |r: &&Remembered| {
            r.first_sequence == batch.base_sequence && r.last_sequence == batch.last_sequence()
        };
        if let Some(duplicate) = known.recent.iter().find(same) {
            return Ok(Check::Duplicate(duplicate.base));
        }
        if batch.base_sequence != add_sequence(last.last_sequence, 1) {
            return Err(ResponseError::OutOfOrderSequenceNumber);
        }
        Ok(Check::New)
    }

    /// Takes note of an appended batch; `commits` says how, when it ends a transaction. Also replays a log at start.
    pub(crate) fn apply(&mut self, batch: &Header, commits: Option<bool>, now_ms: i64) {
        if batch.producer_id < 0 {
            return;
        }
        let producer = self.by_id.entry(batch.producer_id).or_default();
        if producer.epoch != batch.producer_epoch {
            producer.recent.clear();
        }
        producer.epoch = batch.producer_epoch;
        producer.last_seen_ms = now_ms;
        if batch.is_control() {
            self.admitted.remove(&batch.producer_id);
            let Some(first) = producer.open_since.take() else { return };
            self.open.remove(&first);
            if commits != Some(true) {
                let (producer_id, last) = (batch.producer_id, batch.last());
                self.aborted.push(Aborted { producer_id, first, last });
            }
            return;
        }
        producer.recent.push_back(Remembered {
            first_sequence: batch.base_sequence,
            last_sequence: batch.last_sequence(),
            base: batch.base,
            last: batch.last(),
        });
        if producer.recent.len() > BATCHES_REMEMBERED {
            producer.recent.pop_front();
        }
        if batch.is_transactional() && producer.open_since.is_none() {
            producer.open_since = Some(batch.base);
            self.open.insert(batch.base, batch.producer_id);
        }
    }

    /// The first offset of the oldest open transaction.
    pub(crate) fn first_open(&self) -> Option<i64> {
        self.open.keys().next().copied()
    }

    /// Producers with an open transaction that the coordinator did not let in, and their epochs: left by a journal
    /// that knows less than the log.
    pub(crate) fn orphans(&self) -> Vec<(i64, i16)> {
        let of = |id: &i64| self.by_id.get(id).map(|producer| (*id, producer.epoch));
        self.open.values().filter(|id| !self.admitted.contains_key(id)).filter_map(of).collect()
    }

    /// Aborted transactions with records from `from` on and before `before`.
    pub(crate) fn aborted_in(&self, from: i64, before: i64) -> Vec<Aborted> {
        let begin = self.aborted.partition_point(|aborted| aborted.last < from);
        let rest = self.aborted.get(begin..).unwrap_or_default();
        rest.iter().filter(|aborted| aborted.first < before).copied().collect()
    }

    /// Forgets aborted transactions of which nothing is left below `offset`.
    pub(crate) fn forget_aborted_below(&mut self, offset: i64) {
        self.aborted.retain(|aborted| aborted.last >= offset);
    }

    /// Offsets that end the last batch of each producer: compaction keeps those batches, if only their headers, so
    /// that sequences are known after a restart.
    pub(crate) fn last_offsets(&self) -> impl Iterator<Item = i64> {
        self.by_id.values().filter_map(|producer| Some(producer.recent.back()?.last))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Known> {
        self.by_id.iter().map(|(id, producer)| Known {
            id: *id,
            epoch: producer.epoch,
            last_sequence: producer.recent.back().map_or(-1, |recent| recent.last_sequence),
            last_seen_ms: producer.last_seen_ms,
            open_since: producer.open_since,
        })
    }

    /// Forgets producers that have been silent for a day.
    pub(crate) fn expire(&mut self, now_ms: i64) {
        let admitted = &self.admitted;
        self.by_id.retain(|id, producer| {
            producer.open_since.is_some()
                || admitted.contains_key(id)
                || producer.last_seen_ms >= now_ms - EXPIRATION_MS
        });
    }
}

#[cfg(test)]
mod tests;
