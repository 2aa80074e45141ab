//! The task that reads a log's partitions and hands records over.
//!
//! Not here: finding the end.

use tokio::sync::watch;
use tokio::time::Instant;
use tombolo_model::offset::PartitionOffset;

use super::LogRecord;
use crate::error::Error;
use crate::ffi::{self, Message, Queue, Raised, Topic, code};
use crate::outage::Outage;

/// Takes every record of a log.
pub(super) type Each = Box<dyn FnMut(LogRecord<'_>) + Send>;

/// How far a log was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Per partition, the offset after the last one handed over.
    positions: Vec<i64>,
    /// Why it will not go on.
    pub(super) failure: Option<Error>,
}

impl Progress {
    /// Nothing handed over yet.
    pub(super) fn at(begins: &[PartitionOffset]) -> Progress {
        let mut progress = Progress { positions: vec![0; begins.len()], failure: None };
        for begin in begins {
            progress.advance(begin.at.partition, begin.offset);
        }
        progress
    }

    /// Whether everything before these offsets was handed over.
    pub(super) fn has_reached(&self, ends: &[PartitionOffset]) -> bool {
        ends.iter().all(|end| {
            let position =
                usize::try_from(end.at.partition).ok().and_then(|p| self.positions.get(p));
            position.is_some_and(|position| *position >= end.offset)
        })
    }

    fn advance(&mut self, partition: i32, to: i64) {
        let position = usize::try_from(partition).ok().and_then(|p| self.positions.get_mut(p));
        if let Some(position) = position {
            *position = to.max(*position);
        }
    }
}

/// Records taken from the queue at a time.
const BATCH: usize = 500;

/// Reads partitions and hands their records over.
pub(super) struct Follower {
    pub(super) each: Each,
    pub(super) topic: Topic,
    pub(super) queue: Queue,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) outage: Outage,
}

impl Follower {
    /// Reads up to the ends first, then follows; for ever, or until it cannot go on.
    pub(super) async fn run(mut self, begins: Vec<PartitionOffset>, ends: Vec<PartitionOffset>) {
        // Partitions with nothing to read start later: a broker that is asked for them alone waits for news before it answers anything else.
        let has_records = |begin: &&PartitionOffset| {
            ends.iter().any(|end| end.at == begin.at && end.offset > begin.offset)
        };
        let (first, later): (Vec<_>, Vec<_>) = begins.iter().partition(has_records);
        let read = match self.start(&first) {
            Ok(()) => self.follow_until(Some(&ends)).await,
            failed => failed,
        };
        let followed = match read.and_then(|()| self.start(&later)) {
            Ok(()) => self.follow_until(None).await,
            failed => failed,
        };
        if let Err(failure) = followed {
            tracing::error!(error = %failure, "a log can no longer be read");
            self.progress.send_modify(|progress| progress.failure = Some(failure));
            // Whoever waits must be able to read why.
            self.progress.closed().await;
        }
    }

    fn start(&self, from: &[&PartitionOffset]) -> Result<(), Error> {
        from.iter()
            .try_for_each(|from| self.topic.start(from.at.partition, from.offset, &self.queue))
    }

    async fn follow_until(&mut self, ends: Option<&[PartitionOffset]>) -> Result<(), Error> {
        let mut messages = Vec::new();
        loop {
            if ends.is_some_and(|ends| self.progress.borrow().has_reached(ends)) {
                return Ok(());
            }
            self.queue.drain(&mut messages, BATCH);
            while let Some(raised) = self.queue.client().take_raised() {
                self.on_raised(raised)?;
            }
            if messages.is_empty() {
                self.queue.ready().await;
                continue;
            }
            let mut reached = self.progress.borrow().clone();
            for message in messages.drain(..) {
                if let Some(next) = self.hand_over(&message)? {
                    reached.advance(message.partition(), next);
                }
            }
            self.progress.send_replace(reached);
        }
    }

    /// Hands a record over. Answers the position after it.
    fn hand_over(&mut self, message: &Message) -> Result<Option<i64>, Error> {
        match message.code() {
            code::NONE => {}
            // Control records and gaps have no record to tell of them.
            code::PARTITION_EOF => return Ok(Some(message.offset())),
            failed => {
                return match ffi::error(failed, message.topic(), &message.reason()) {
                    err @ (Error::Unavailable { .. } | Error::UnknownTopic { .. }) => {
                        tracing::debug!(error = %err, "trying again");
                        Ok(None)
                    }
                    err => Err(err),
                };
            }
        }
        (self.each)(LogRecord {
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().0,
            key: message.key(),
            value: message.value(),
        });
        Ok(Some(message.offset() + 1))
    }

    /// Problems of the client as a whole: worth a line, or the end.
    fn on_raised(&mut self, raised: Raised) -> Result<(), Error> {
        let Raised::Problem { code: failed, reason } = raised else { return Ok(()) };
        match ffi::error(failed, "", &reason) {
            err @ (Error::Authentication { .. } | Error::Authorization { .. }) => return Err(err),
            err if failed == code::ALL_BROKERS_DOWN && self.outage.is_new(Instant::now()) => {
                tracing::warn!(error = %err, "no broker can be reached; waiting");
            }
            err => tracing::debug!(error = %err, "trying again"),
        }
        Ok(())
    }
}
