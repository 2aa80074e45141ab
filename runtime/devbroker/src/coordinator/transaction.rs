//! One transactional id: its producer, and its transaction from begin to end. Pure state, following
//! `TransactionMetadata` of Kafka (the protocol before KIP-890). Not here: writing markers (`transactions`).

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use serde::{Deserialize, Serialize};

use super::offsets::OffsetChange;

/// A partition by topic and index.
pub(crate) type PartitionKey = (String, i32);

/// The last epoch that may be given out; a fencing abort needs one more.
const EPOCH_MAX: i16 = i16::MAX - 2;

/// What an unfinished transaction will have touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub started_ms: i64,
    /// As pairs, since JSON has no other keys than strings.
    pub partitions: BTreeSet<PartitionKey>,
    /// Offsets to commit, by group.
    pub offsets: BTreeMap<String, Vec<OffsetChange>>,
}

/// Where a transactional id stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// No transaction since the producer was initialised.
    Empty,
    Ongoing(Contents),
    /// Decided, but not all markers are written.
    Prepared {
        commit: bool,
        contents: Contents,
    },
    Complete {
        commit: bool,
    },
}

/// What is known of a transactional id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub producer_id: i64,
    pub epoch: i16,
    /// The epoch before the broker raised it on its own, which lets a producer that was timed out recover (KIP-588).
    pub previous_epoch: Option<i16>,
    pub timeout_ms: i32,
    pub state: State,
    pub updated_ms: i64,
}

/// What must happen to answer the end of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It has to be prepared and finished.
    Begin,
    /// It is prepared, and has to be finished.
    Finish,
    /// The client asks again.
    Done,
}

impl Transaction {
    /// A producer id that has just been given out.
    pub(crate) fn new(producer_id: i64, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            producer_id,
            epoch: 0,
            previous_epoch: None,
            timeout_ms,
            state: State::Empty,
            updated_ms: now_ms,
        }
    }

    /// Whether a producer that names the id and epoch it had may go on under this transactional id (KIP-360).
    pub(crate) fn expects(&self, producer_id: i64, epoch: i16) -> bool {
        self.producer_id == producer_id
            && (self.epoch == epoch || self.previous_epoch == Some(epoch))
    }

    /// Fails for every producer but the current one.
    pub(crate) fn check(&self, producer_id: i64, epoch: i16) -> Result<(), ResponseError> {
        if self.producer_id != producer_id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if self.epoch != epoch {
            return Err(ResponseError::ProducerFenced);
        }
        Ok(())
    }

    /// The transaction with partitions and a group's offsets taken in; begins it if need be.
    pub(crate) fn ongoing(&mut self, now_ms: i64) -> Result<&mut Contents, ResponseError> {
        if matches!(self.state, State::Empty | State::Complete { .. }) {
            self.state = State::Ongoing(Contents { started_ms: now_ms, ..Contents::default() });
            self.updated_ms = now_ms;
        }
        match &mut self.state {
            State::Ongoing(contents) => Ok(contents),
            _ => Err(ResponseError::ConcurrentTransactions),
        }
    }

    /// What a request to end the transaction amounts to.
    pub(crate) fn end(&self, commit: bool) -> Result<End, ResponseError> {
        match &self.state {
            State::Ongoing(_) => Ok(End::Begin),
            State::Prepared { commit: decided, .. } if *decided == commit => Ok(End::Finish),
            State::Complete { commit: decided } if *decided == commit => Ok(End::Done),
            _ => Err(ResponseError::InvalidTxnState),
        }
    }

    /// Decides an ongoing transaction.
    pub(crate) fn prepare(&mut self, commit: bool, now_ms: i64) {
        if let State::Ongoing(contents) = &mut self.state {
            let contents = std::mem::take(contents);
            self.state = State::Prepared { commit, contents };
            self.updated_ms = now_ms;
        }
    }

    /// Raises the epoch on the broker's own account, so that the producer of the ongoing transaction is fenced.
    pub(crate) fn fence(&mut self) {
        self.previous_epoch = Some(self.epoch);
        self.epoch = self.epoch.saturating_add(1);
    }

    /// Gives the next producer of this transactional id its epoch. Answers false when they are used up, and a new
    /// producer id is needed.
    pub(crate) fn next_epoch(&mut self) -> bool {
        self.previous_epoch = None;
        let is_left = self.epoch < EPOCH_MAX;
        self.epoch = if is_left { self.epoch + 1 } else { 0 };
        is_left
    }

    /// When the broker aborts it.
    pub(crate) fn deadline_ms(&self) -> Option<i64> {
        match &self.state {
            State::Ongoing(contents) => {
                Some(contents.started_ms.saturating_add(i64::from(self.timeout_ms)))
            }
            _ => None,
        }
    }

    /// What an unfinished transaction touches.
    pub(crate) fn unfinished(&self) -> Option<&Contents> {
        match &self.state {
            State::Ongoing(contents) | State::Prepared { contents, .. } => Some(contents),
            State::Empty | State::Complete { .. } => None,
        }
    }

    /// Kafka's name of the state.
    pub(crate) fn state_name(&self) -> &'static str {
        match &self.state {
            State::Empty => "Empty",
            State::Ongoing(_) => "Ongoing",
            State::Prepared { commit: true, .. } => "PrepareCommit",
            State::Prepared { commit: false, .. } => "PrepareAbort",
            State::Complete { commit: true } => "CompleteCommit",
            State::Complete { commit: false } => "CompleteAbort",
        }
    }
}
