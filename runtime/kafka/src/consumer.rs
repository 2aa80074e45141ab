//! A consumer of a group: librdkafka's callbacks as one ordered stream of events, records drained into columns.
//!
//! Not here: what is committed, and when.

mod columns;
mod pattern;
mod rebalance;

pub use columns::ConsumedBatch;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tombolo_model::offset::{PartitionOffset, TopicPartition};

use crate::error::Error;
use crate::ffi::{self, Client, Code, Message, PartitionList, Queue, Raised, Role, code, request};
use crate::job::Job;
use crate::outage::Outage;
use crate::settings::ClientSettings;
use pattern::TopicWatch;
use rebalance::{Rebalance, Reset, Start};

/// Chooses topics by name.
pub type TopicMatcher = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Which topics to read.
pub enum Subscription {
    /// These.
    Topics(Vec<String>),
    /// Those that match; looked for again every `metadata.max.age.ms`. Kafka's internal topics never match.
    Pattern(TopicMatcher),
}

/// What [`Consumer::next`] brings. Past facts, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerEvent {
    /// The batch holds at least one row.
    Records,
    /// Nothing happened in the time given.
    Nothing,
    /// These partitions were added, to be read from these offsets. Reading begins after [`Consumer::complete_rebalance`].
    Assigned(Vec<PartitionOffset>),
    /// These partitions are to be given back. They are still ours, so commits count, until [`Consumer::complete_rebalance`].
    Revoked(Vec<TopicPartition>),
    /// These partitions are another's already: nothing can be committed.
    Lost(Vec<TopicPartition>),
    /// The answer to the oldest [`Consumer::commit`] not yet answered.
    Committed(Result<(), Error>),
    /// No broker can be reached; the consumer goes on trying. Said once per outage.
    Waiting(String),
}

/// A member of a consumer group.
pub struct Consumer {
    /// Taken from librdkafka and not returned yet. Before `queue`, as they must go before the client does.
    fetched: VecDeque<Message>,
    /// Room to drain into.
    drained: Vec<Message>,
    queue: Queue,
    start: Start,
    rebalance: Rebalance,
    assigned: Vec<TopicPartition>,
    paused: HashSet<TopicPartition>,
    /// Asked for and not in force yet: until then, nothing of these partitions is returned.
    seeks: Vec<PartitionOffset>,
    seeking: Option<Job<PartitionList>>,
    watch: Option<TopicWatch>,
    outage: Outage,
    poll_every: Duration,
}

/// Longest time between two looks at the queue: the group must see that the task is at work, however long it waits.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How often topics are looked for, unless `metadata.max.age.ms` says otherwise; Kafka's default.
const METADATA_MAX_AGE: Duration = Duration::from_secs(300);
/// Pause between two attempts to commit; Kafka's `retry.backoff.ms`.
const COMMIT_PAUSE: Duration = Duration::from_millis(100);
/// How long one attempt to seek may take.
const SEEK_WAIT_MS: i32 = 1000;

impl Consumer {
    /// Makes a consumer and subscribes it. Does not wait for a broker.
    ///
    /// A `group.id` or `client.id` in `settings` wins over the argument. Must be called within a tokio runtime.
    pub fn new(
        settings: &ClientSettings,
        group: &str,
        client_id: &str,
        subscription: Subscription,
    ) -> Result<Consumer, Error> {
        let group = settings.get("group.id").unwrap_or(group).to_owned();
        let own = [("group.id", group.as_str()), ("client.id", client_id)];
        let client = Client::new(Role::Member, settings.properties_over(&own))?;
        let queue = Queue::member(&client)
            .ok_or_else(|| Error::Client { reason: "a consumer without a group".to_owned() })?;
        let watch = match subscription {
            Subscription::Topics(topics) => {
                client.subscribe(&topics)?;
                None
            }
            Subscription::Pattern(matches) => {
                let every = settings.millis("topic.metadata.refresh.interval.ms");
                Some(TopicWatch::new(matches, every.unwrap_or(METADATA_MAX_AGE)))
            }
        };
        let reset = match settings.get("auto.offset.reset") {
            Some("error") => Reset::None,
            Some("latest") => Reset::Latest,
            _ => Reset::Earliest,
        };
        let committed_only = settings.get("isolation.level") == Some("read_committed");
        let patience = settings.millis("max.poll.interval.ms").unwrap_or(POLL_EVERY);
        Ok(Consumer {
            fetched: VecDeque::new(),
            drained: Vec::new(),
            start: Start { client, group, reset, committed_only },
            queue,
            rebalance: Rebalance::Settled,
            assigned: Vec::new(),
            paused: HashSet::new(),
            seeks: Vec::new(),
            seeking: None,
            watch,
            outage: Outage::default(),
            poll_every: POLL_EVERY.min(patience / 2),
        })
    }

    fn client(&self) -> &Arc<Client> {
        &self.start.client
    }

    /// Waits at most `wait` for something to happen.
    ///
    /// Records come as at most `rows_max` rows and `bytes_max` bytes of keys, values and headers (a single larger record passes alone).
    /// Completes an open rebalance first. Safe to cancel: nothing is lost.
    ///
    /// Errors: authentication, authorization and fatal errors; the task cannot go on. Everything else is waited out.
    pub async fn next(
        &mut self,
        into: &mut ConsumedBatch,
        rows_max: usize,
        bytes_max: usize,
        wait: Duration,
    ) -> Result<ConsumerEvent, Error> {
        self.complete_rebalance()?;
        into.clear();
        let deadline = Instant::now() + wait;
        loop {
            self.drain(rows_max);
            while let Some(raised) = self.client().take_raised() {
                if let Some(event) = self.on_raised(raised)? {
                    return Ok(event);
                }
            }
            if let Some(event) = self.on_start_offsets()? {
                return Ok(event);
            }
            self.apply_seeks()?;
            self.follow_pattern()?;
            self.fill(into, rows_max, bytes_max)?;
            if into.rows > 0 {
                return Ok(ConsumerEvent::Records);
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(ConsumerEvent::Nothing);
            }
            let due = self.watch.as_ref().and_then(TopicWatch::due).unwrap_or(deadline);
            let until = deadline.min(due).min(now + self.poll_every);
            // Woken or not, the loop looks.
            drop(tokio::time::timeout_at(until, self.queue.ready()).await);
        }
    }

    /// Takes what librdkafka has fetched, and makes its callbacks.
    fn drain(&mut self, rows_max: usize) {
        // At least one, as that also shows the group that the task is at work.
        let room = rows_max.saturating_sub(self.fetched.len()).max(1);
        self.queue.drain(&mut self.drained, room);
        self.fetched.extend(self.drained.drain(..));
    }

    fn on_raised(&mut self, raised: Raised) -> Result<Option<ConsumerEvent>, Error> {
        match raised {
            Raised::Assign(partitions) => {
                let job = self.start.clone().resolve(partitions, self.queue.waker());
                self.rebalance = Rebalance::Resolving(job);
                Ok(None)
            }
            Raised::Revoke { partitions, lost } => self.on_revoked(partitions, lost),
            Raised::Committed(code::NONE | code::NO_OFFSET) => {
                Ok(Some(ConsumerEvent::Committed(Ok(()))))
            }
            Raised::Committed(failed) => {
                Ok(Some(ConsumerEvent::Committed(Err(ffi::error(failed, "commit", "")))))
            }
            Raised::Problem { code: code::ALL_BROKERS_DOWN, reason } => {
                Ok(self.outage.is_new(Instant::now()).then_some(ConsumerEvent::Waiting(reason)))
            }
            Raised::Problem { code: code::FATAL, reason } => {
                let (failed, reason) = self.client().fatal_error().unwrap_or((code::FATAL, reason));
                Err(ffi::error(failed, "", &reason))
            }
            Raised::Problem { code: failed, reason } => {
                self.on_problem(failed, "", &reason).map(|()| None)
            }
        }
    }

    /// What cannot be waited out is an error; the rest is worth a line.
    fn on_problem(&self, failed: Code, topic: &str, reason: &str) -> Result<(), Error> {
        let group = self.start.group.as_str();
        if failed == code::MAX_POLL_EXCEEDED {
            tracing::warn!(
                group,
                "left the group, as max.poll.interval.ms passed between two polls"
            );
            return Ok(());
        }
        match ffi::error(failed, topic, reason) {
            err @ Error::Unavailable { .. } => tracing::debug!(group, error = %err, "trying again"),
            err @ Error::UnknownTopic { .. } => {
                tracing::warn!(group, error = %err, "waiting for it")
            }
            Error::Refused { .. } if failed == code::AUTO_OFFSET_RESET => {
                return Err(Error::NoOffset { partition: topic.to_owned() });
            }
            err => return Err(err),
        }
        Ok(())
    }

    fn on_revoked(
        &mut self,
        partitions: Vec<TopicPartition>,
        lost: bool,
    ) -> Result<Option<ConsumerEvent>, Error> {
        self.forget(&partitions);
        self.seeks.retain(|seek| !partitions.contains(&seek.at));
        if let Rebalance::Resolving(..) = self.rebalance {
            // The task never heard of them.
            self.rebalance = Rebalance::Settled;
            self.client().unassign(&PartitionList::of(&partitions)?)?;
            return Ok(None);
        }
        self.rebalance = Rebalance::Revoked(partitions.clone());
        Ok(Some(if lost {
            ConsumerEvent::Lost(partitions)
        } else {
            ConsumerEvent::Revoked(partitions)
        }))
    }

    fn on_start_offsets(&mut self) -> Result<Option<ConsumerEvent>, Error> {
        let Rebalance::Resolving(job) = &mut self.rebalance else { return Ok(None) };
        let Some(answer) = job.take() else { return Ok(None) };
        let offsets = answer?;
        self.rebalance = Rebalance::Assigned(offsets.clone());
        Ok(Some(ConsumerEvent::Assigned(offsets)))
    }

    /// Drops what was fetched of these partitions.
    fn forget(&mut self, partitions: &[TopicPartition]) {
        self.fetched.retain(|message| !partitions.iter().any(|at| is_of(message, at)));
    }

    fn apply_seeks(&mut self) -> Result<(), Error> {
        if let Some(done) = self.seeking.as_mut().and_then(Job::take) {
            self.seeking = None;
            for entry in done.entries() {
                match entry.code {
                    code::STATE | code::PREV_IN_PROGRESS | code::TIMED_OUT => {}
                    _ => self.seeks.retain(|seek| *seek != entry.with_offset()),
                }
            }
        }
        if self.seeking.is_none() && !self.seeks.is_empty() {
            let (client, list) =
                (Arc::clone(self.client()), PartitionList::of_offsets(&self.seeks)?);
            self.seeking = Some(Job::spawn_blocking(self.queue.waker(), move || {
                // Each partition tells its own error.
                drop(client.seek(&list, SEEK_WAIT_MS));
                list
            }));
        }
        Ok(())
    }

    fn follow_pattern(&mut self) -> Result<(), Error> {
        let Some(watch) = &mut self.watch else { return Ok(()) };
        match watch.changed(&self.start.client, self.queue.waker())? {
            Some(topics) => self.start.client.subscribe(topics),
            None => Ok(()),
        }
    }

    /// Moves what was fetched into columns, up to the limits.
    fn fill(
        &mut self,
        into: &mut ConsumedBatch,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<(), Error> {
        let mut held = VecDeque::new();
        let mut topic = None;
        while (into.rows as usize) < rows_max {
            let Some(message) = self.fetched.pop_front() else { break };
            if message.code() != code::NONE {
                self.on_problem(message.code(), message.topic(), &message.reason())?;
                continue;
            }
            if self.seeks.iter().any(|seek| is_of(&message, &seek.at)) {
                continue;
            }
            if self.paused.iter().any(|at| is_of(&message, at)) {
                held.push_back(message);
                continue;
            }
            if into.rows > 0 && into.bytes() + message.len() > bytes_max {
                self.fetched.push_front(message);
                break;
            }
            let place = match topic {
                Some((identity, place)) if identity == message.topic_identity() => place,
                _ => into.topic_place(message.topic()),
            };
            topic = Some((message.topic_identity(), place));
            into.push(&message, place);
        }
        while let Some(message) = held.pop_back() {
            self.fetched.push_front(message);
        }
        Ok(())
    }

    /// Answers the last [`ConsumerEvent::Assigned`], [`ConsumerEvent::Revoked`] or [`ConsumerEvent::Lost`]. Does nothing when it was answered.
    pub fn complete_rebalance(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.rebalance, Rebalance::Settled) {
            Rebalance::Settled => {}
            resolving @ Rebalance::Resolving(..) => self.rebalance = resolving,
            Rebalance::Assigned(offsets) => {
                self.client().assign(&PartitionList::of_offsets(&offsets)?)?;
                self.paused.retain(|at| !offsets.iter().any(|new| new.at == *at));
                self.assigned.extend(offsets.into_iter().map(|new| new.at));
            }
            Rebalance::Revoked(partitions) => {
                self.client().unassign(&PartitionList::of(&partitions)?)?;
                self.assigned.retain(|at| !partitions.contains(at));
                self.paused.retain(|at| !partitions.contains(at));
            }
        }
        Ok(())
    }

    /// Starts to commit these offsets (the next to read); [`ConsumerEvent::Committed`] answers.
    pub fn commit(&mut self, offsets: &[PartitionOffset]) -> Result<(), Error> {
        self.client().commit(&PartitionList::of_offsets(offsets)?)
    }

    /// Commits these offsets (the next to read) and waits for the answer, at most `wait`. Tries again while Kafka cannot answer.
    pub async fn commit_sync(
        &mut self,
        offsets: &[PartitionOffset],
        wait: Duration,
    ) -> Result<(), Error> {
        let client = Arc::clone(self.client());
        let attempts = async {
            loop {
                match request::commit(&client, offsets).await {
                    Err(err) if err.is_retriable() => tokio::time::sleep(COMMIT_PAUSE).await,
                    answer => return answer,
                }
            }
        };
        tokio::time::timeout(wait, attempts)
            .await
            .unwrap_or_else(|_| Err(ffi::error(code::TIMED_OUT, "commit", "")))
    }

    /// Reads on from these offsets. Records that stand elsewhere are no longer returned from now on.
    pub fn seek(&mut self, to: &[PartitionOffset]) {
        for target in to {
            self.forget(std::slice::from_ref(&target.at));
            if let Rebalance::Assigned(offsets) = &mut self.rebalance
                && let Some(start) = offsets.iter_mut().find(|start| start.at == target.at)
            {
                start.offset = target.offset;
                continue;
            }
            self.seeks.retain(|seek| seek.at != target.at);
            self.seeks.push(target.clone());
        }
    }

    /// Returns no records of these partitions until they are resumed.
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        self.client().pause(&PartitionList::of(partitions)?, true)?;
        self.paused.extend(partitions.iter().cloned());
        Ok(())
    }

    /// Returns records of these partitions again.
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        self.client().pause(&PartitionList::of(partitions)?, false)?;
        self.paused.retain(|at| !partitions.contains(at));
        Ok(())
    }

    /// The partitions that this consumer has.
    pub fn assignment(&self) -> &[TopicPartition] {
        &self.assigned
    }

    /// Leaves the group, without committing. A consumer that is dropped leaves in the background.
    pub async fn close(mut self) {
        self.fetched.clear();
        let client = Arc::clone(self.client());
        // The caller stops waiting, if it likes; the consumer leaves all the same.
        drop(tokio::task::spawn_blocking(move || client.close_member()).await);
    }
}

/// Whether a record is of this partition.
fn is_of(message: &Message, at: &TopicPartition) -> bool {
    message.partition() == at.partition && message.topic() == &*at.topic
}
