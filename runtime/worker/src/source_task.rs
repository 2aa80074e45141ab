//! The loop of a source task: poll, transform, convert, submit, send, commit.
//!
//! Polling goes on while earlier rows are on their way to Kafka, within the task's budget of bytes in flight. Offsets are written beside the
//! loop. Not here: converting (`pipeline`), committing (`commits`), which rows are settled (`submitted_records`), sending again what a dying
//! producer lost (`kafka`).
//!
//! Follows `AbstractWorkerSourceTask` and `WorkerSourceTask` of Kafka Connect.

mod commits;
mod dead_letters;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tombolo_kafka::{ClientKind, Delivery, DeliveryError, Error, ProducerSession, Stopped};
use tombolo_model::fault::Problem;
use tombolo_model::role::{self, PollRequest, SourceBatch, TaskPlugins};
use tombolo_model::status::State;
use tombolo_model::{Batch, Fault, FaultKind, Stage};
use tombolo_store::ConnectorOffsetStore;

use crate::acknowledgements::Acknowledgements;
use crate::client_settings::{admin, translate};
use crate::commit::{Schedule, SourceCommit};
use crate::connector_config::{RoleConfig, SourceConfig};
use crate::error_report::{ErrorReports, Executing, Record};
use crate::event::WorkerEvent;
use crate::metrics::{RoleMetrics, SourceMetrics};
use crate::pipeline::{Pipeline, produce_rows};
use crate::submitted_records::{Positions, SubmittedRecords};
use crate::task::{TaskParts, is_instance_gone};
use crate::tolerance::caused_by;
use crate::topic_creation::TopicCreation;
use crate::used_topics::UsedTopics;

/// Most rows of a poll: past a few thousand, a crossing costs nothing next to its rows.
const POLL_ROWS_MAX: u32 = 5_000;
/// Most bytes of a poll: an eighth of the default budget, so that polling and sending overlap.
const POLL_BYTES_MAX: u32 = 1 << 20;
/// Longest wait inside a poll: an idle task sees a stop or a pause this late.
const POLL_WAIT: Duration = Duration::from_millis(250);
/// Pause after a poll that brought nothing before its wait was over, so that a source that does not wait does not spin.
const EMPTY_POLL_PAUSE: Duration = Duration::from_millis(10);
/// Pause before something failed for now is tried again, as Kafka Connect's `SEND_FAILED_BACKOFF_MS`.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// Pause before offsets that could not be stored are stored again, where the task waits for that to start its plugin anew.
const STORE_AGAIN_PAUSE: Duration = Duration::from_secs(1);
/// Most bytes kept for offsets behind a row that is not settled; polling stops there until it is.
const HELD_BYTES_MAX: usize = 32 << 20;
/// Longest wait for an answer about a topic.
const ADMIN_WAIT: Duration = Duration::from_secs(30);
/// The class that Kafka Connect names for failed deliveries.
const PRODUCING: Executing<'static> = Executing {
    stage: Stage::KafkaProduce,
    class: "org.apache.kafka.connect.runtime.WorkerSourceTask",
};

/// Runs a source task to its end.
///
/// Errors: why it failed. Cancelled by dropping: then nothing more is committed.
pub(crate) async fn run(mut parts: TaskParts) -> Result<(), Fault> {
    if !parts.wait_until_wanted().await {
        return Ok(());
    }
    let offsets = tokio::select! {
        biased;
        () = parts.control.stopping.cancelled() => return Ok(()),
        opened = parts.worker.source_offsets(&parts.config) => opened?,
    };
    let control = parts.control.clone();
    let started = SourceTask::start(parts, offsets).await.map(Some);
    let Some(mut task) = control.ended(started)? else { return Ok(()) };
    let outcome = task.work().await;
    task.finish(outcome).await
}

struct SourceTask {
    parts: TaskParts,
    offsets: ConnectorOffsetStore,
    metrics: Arc<SourceMetrics>,
    instance: Instance,
    session: ProducerSession,
    creation: Option<TopicCreation>,
    used_topics: UsedTopics,
    errors: ErrorReports,
    submitted: SubmittedRecords,
    /// Only for sources that want them.
    acknowledgements: Option<Acknowledgements>,
    commit: SourceCommit,
    schedule: Schedule,
    unsent: Option<Unsent>,
    /// Number of the last poll.
    polls: u64,
    /// Reused.
    deliveries: Vec<Delivery>,
    /// Whether the plugins were stopped, so that nothing of them may be called.
    is_stopped: bool,
}

/// The task's plugins. They share sandboxes, so they end together.
struct Instance {
    source: Box<dyn role::SourceTask>,
    pipeline: Pipeline,
    /// Converts dead letters; made with the first.
    letters: Option<Pipeline>,
    room: Box<dyn TaskPlugins>,
}

/// Rows ready for Kafka that it did not take yet.
struct Unsent {
    batch: Batch,
    first_seq: u64,
    next_row: usize,
    /// What ends the task once they are sent.
    then: Option<Fault>,
}

impl Instance {
    async fn start(parts: &TaskParts, offsets: &ConnectorOffsetStore) -> Result<Self, Fault> {
        let (mut room, pipeline) = parts.plugins(Arc::new(offsets.clone())).await?;
        let mut source = room.source(&parts.plugin).await?;
        source.start(&parts.settings).await?;
        Ok(Self { source, pipeline, letters: None, room })
    }

    /// The source anew, in a fresh instance.
    async fn renew(&mut self, parts: &TaskParts) -> Result<(), Fault> {
        self.source = self.room.source(&parts.plugin).await?;
        self.source.start(&parts.settings).await
    }
}

impl SourceTask {
    async fn start(parts: TaskParts, offsets: ConnectorOffsetStore) -> Result<Self, Fault> {
        let (
            RoleConfig::Source(SourceConfig {
                topic_creation, inflight_bytes_max, topics_max, ..
            }),
            RoleMetrics::Source(metrics),
        ) = (&parts.config.role, &parts.metrics.role)
        else {
            return Err(Fault::config("a source task needs a source connector"));
        };
        let (metrics, topics_max) = (Arc::clone(metrics), *topics_max);
        let (config, groups) = (&parts.worker.config, topic_creation.clone());
        let producer = config.client(ClientKind::Producer, &parts.config.producer_override)?;
        let producer = translate(ClientKind::Producer, &producer)?;
        let budget = usize::try_from(*inflight_bytes_max).unwrap_or(usize::MAX);
        let session = parts.worker.producers.session(&producer, budget).map_err(cannot_send)?;
        let creation = match config.topic_creation_enable && !groups.is_empty() {
            false => None,
            true => {
                let admin = admin(config, &parts.config.admin_override)?;
                let admin = parts.worker.admins.admin(&admin, ADMIN_WAIT).map_err(cannot_send)?;
                Some(TopicCreation::new(admin, groups))
            }
        };
        let schedule = Schedule::new(config.offset_flush_interval, config.offset_flush_timeout);
        let errors = parts.error_reports().await?;
        let instance = Instance::start(&parts, &offsets).await?;
        parts.reporter.is(State::Running).await;
        let forgotten = parts.worker.topics_forgotten.clone();
        let used_topics = UsedTopics::new(forgotten).writing_to(topics_max);
        Ok(Self {
            acknowledgements: instance
                .source
                .wants_acknowledgements()
                .then(Acknowledgements::default),
            errors,
            parts,
            offsets,
            metrics,
            instance,
            session,
            creation,
            used_topics,
            submitted: SubmittedRecords::default(),
            commit: SourceCommit::Idle,
            schedule,
            unsent: None,
            polls: 0,
            deliveries: Vec::new(),
            is_stopped: false,
        })
    }

    async fn work(&mut self) -> Result<(), Fault> {
        while !self.parts.control.is_stopping() {
            self.parts.metrics.progress.turned();
            self.settle().await?;
            self.commit_when_due().await?;
            if self.parts.control.is_paused() {
                self.pause().await?;
            } else if self.unsent.is_some() {
                self.send().await?;
            } else if self.instance.source.is_recycling_due() {
                self.recycle().await?;
            } else if self.submitted.held_bytes() >= HELD_BYTES_MAX {
                self.wait_for_deliveries(POLL_WAIT).await?;
            } else {
                self.poll().await?;
            }
        }
        Ok(())
    }

    async fn poll(&mut self) -> Result<(), Fault> {
        let acknowledging =
            self.acknowledgements.as_ref().is_some_and(Acknowledgements::is_waiting);
        let wait = if acknowledging { Duration::ZERO } else { POLL_WAIT.min(self.schedule.wait()) };
        self.polls += 1;
        let bytes_max = u32::try_from(self.parts.config.limits.batch_bytes_max);
        let request = PollRequest {
            batch: self.polls,
            rows_max: POLL_ROWS_MAX,
            bytes_max: POLL_BYTES_MAX.min(bytes_max.unwrap_or(u32::MAX)),
            wait,
        };
        let (calls, asked) = (self.parts.metrics.stages.of(Stage::TaskPoll), Instant::now());
        calls.began();
        let polled = self.instance.source.poll(request).await;
        let (rows, now) = (polled.as_ref().map_or(0, |batch| batch.records.rows), Instant::now());
        calls.ended(rows, now - asked, polled.is_ok());
        match polled {
            Ok(batch) if !batch.records.is_empty() => {
                let active = self.submitted.unsettled() + u64::from(rows);
                self.metrics.polled(rows, now - asked, active, now);
                self.parts.metrics.batch(rows, now);
                self.take_in(batch).await
            }
            Ok(_) if acknowledging => self.wait_for_deliveries(POLL_WAIT).await,
            Ok(_) => {
                let left = wait.saturating_sub(asked.elapsed()).max(Duration::from_millis(1));
                self.wait_for_deliveries(left.min(EMPTY_POLL_PAUSE)).await
            }
            Err(fault) => match fault.kind {
                FaultKind::Retriable { after } => {
                    self.parts.survive("poll failed for now, and is tried again", Err(fault))?;
                    self.wait_for_deliveries(after.unwrap_or(RETRY_PAUSE)).await
                }
                _ => Err(fault),
            },
        }
    }

    /// Transforms and converts polled rows, and hands out their tickets.
    async fn take_in(&mut self, batch: SourceBatch) -> Result<(), Fault> {
        let kept = self.keep(&batch);
        let SourceBatch { records, partitions, mut partition, offset, .. } = batch;
        let polled = records.rows;
        let rows = self.instance.pipeline.outgoing(records).await?;
        self.keep_out_of_own_topics(&rows.batch)?;
        self.tell_bad(kept, &rows.bad).await?;
        // Rows from a failed one on are neither sent nor settled.
        let taken = rows.failed.as_ref().map_or(polled, |(row, _)| *row);
        partition.truncate(taken as usize);
        let sent = rows.batch.rows;
        let first_seq = self.submitted.next_seq();
        self.used_topics.sent(&rows.batch, first_seq)?;
        if let Some(all) = &mut self.acknowledgements {
            all.submit(self.polls, taken, rows.origin.as_deref(), (first_seq, sent));
        }
        let at = Positions { rows: taken, partitions, partition, offset };
        self.submitted.submit(at, rows.origin, sent);
        let then = rows.failed.map(|(_, fault)| fault);
        self.unsent = Some(Unsent { batch: rows.batch, first_seq, next_row: 0, then });
        Ok(())
    }

    /// What a plugin wrote there would be taken for what the worker wrote: connectors, offsets, statuses, components.
    ///
    /// Cost: a comparison per name in `topics`, and per topic of the worker's own.
    fn keep_out_of_own_topics(&self, batch: &Batch) -> Result<(), Fault> {
        let own = &self.parts.worker.config.own_topics;
        match batch.topics.iter().find(|topic| own.has(topic)) {
            None => Ok(()),
            Some(topic) => {
                let message = format!(
                    "a record is for {topic}, an internal topic of the worker, to which no connector may write"
                );
                Err(Fault::fatal(Stage::KafkaProduce, message))
            }
        }
    }

    /// Sends what the budget allows; waits where it allows nothing.
    async fn send(&mut self) -> Result<(), Fault> {
        self.create_topics().await?;
        let Some(unsent) = &mut self.unsent else { return Ok(()) };
        let rows = produce_rows(&unsent.batch);
        let seq = unsent.first_seq + unsent.next_row as u64;
        let sent = self.session.send(&rows, unsent.next_row, seq).map_err(cannot_send)?;
        unsent.next_row = sent.next_row;
        if sent.stopped == Stopped::Done {
            let then = self.unsent.take().and_then(|unsent| unsent.then);
            return then.map_or(Ok(()), Err);
        }
        tokio::select! {
            biased;
            () = self.parts.control.changed() => Ok(()),
            more = self.session.capacity() => more.map_err(cannot_send),
            () = tokio::time::sleep(POLL_WAIT.min(self.schedule.wait())) => Ok(()),
        }
    }

    /// Makes sure that the topics of the rows to send exist.
    async fn create_topics(&mut self) -> Result<(), Fault> {
        let (Some(creation), Some(unsent)) = (&mut self.creation, &self.unsent) else {
            return Ok(());
        };
        for topic in creation.missing(&unsent.batch) {
            while let Err(fault) = creation.ensure(&topic).await {
                if !fault.is_retriable() {
                    return Err(fault);
                }
                self.parts.survive("waiting for Kafka to create a topic", Err(fault))?;
                if !self.parts.policy().pause(RETRY_PAUSE).await {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Takes in what became of sent rows, and acknowledges them to a source that wants it.
    async fn settle(&mut self) -> Result<(), Fault> {
        self.take_deliveries().await?;
        if let Some(all) = &mut self.acknowledgements
            && !all.ready().is_empty()
        {
            let told = self.instance.source.acknowledge(all.ready()).await;
            all.ready().clear();
            self.parts.survive("the source failed to take acknowledgements", told)?;
        }
        Ok(())
    }

    /// Errors: the first row that ends the task; the others are taken in all the same.
    async fn take_deliveries(&mut self) -> Result<(), Fault> {
        self.session.try_deliveries(&mut self.deliveries).map_err(cannot_send)?;
        let mut deliveries = std::mem::take(&mut self.deliveries);
        let (mut outcome, mut rows_written) = (Ok(()), 0);
        let is_any = !deliveries.is_empty();
        for delivery in deliveries.drain(..) {
            let (seq, written) = (delivery.seq, delivery.outcome.ok());
            rows_written += u64::from(written.is_some());
            if let Err(error) = delivery.outcome
                && let Err(fault) = self.judge_delivery(seq, error)
            {
                outcome = outcome.and(Err(fault));
                continue;
            }
            self.submitted.settle(seq);
            if let Some(all) = &mut self.acknowledgements {
                all.settle(seq, written);
            }
            let used = self.used_topics.settled(seq, written.is_some());
            if let Some(topic) = used.filter(|_| self.parts.worker.config.topic_tracking_enable) {
                let task = self.parts.id.clone();
                self.parts.reporter.send(WorkerEvent::TopicUsed { task, topic }).await;
            }
        }
        self.deliveries = deliveries;
        if rows_written > 0 {
            self.parts.metrics.progress.moved();
        }
        if is_any {
            self.metrics.written(rows_written, self.submitted.unsettled(), Instant::now());
        }
        outcome
    }

    /// A row that Kafka does not take is skipped, or ends the task.
    fn judge_delivery(&mut self, seq: u64, error: DeliveryError) -> Result<(), Fault> {
        let problem = Problem { message: error.to_string(), class: None, trace: None };
        if self.errors.skips() {
            return self.errors.judge(PRODUCING, Record::Sent { seq }, &problem);
        }
        let message = "Unrecoverable exception from producer send callback";
        Err(caused_by(Stage::KafkaProduce, message, &problem))
    }

    /// Waits until a row is settled, something else is asked of the task, or the time is over.
    async fn wait_for_deliveries(&mut self, wait: Duration) -> Result<(), Fault> {
        tokio::select! {
            biased;
            () = self.parts.control.changed() => Ok(()),
            more = self.session.deliveries(&mut self.deliveries) => more.map_err(cannot_send),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    /// Waits while the connector is paused; rows on their way are settled and committed meanwhile.
    async fn pause(&mut self) -> Result<(), Fault> {
        self.parts.reporter.is(State::Paused).await;
        while self.parts.control.is_paused() && !self.parts.control.is_stopping() {
            self.parts.metrics.progress.turned();
            self.wait_for_deliveries(POLL_WAIT.min(self.schedule.wait())).await?;
            self.settle().await?;
            self.commit_when_due().await?;
        }
        if !self.parts.control.is_stopping() {
            self.parts.reporter.is(State::Running).await;
        }
        Ok(())
    }

    /// Starts the source anew, from offsets behind every row handed out: a planned restart, so nothing is lost or doubled.
    ///
    /// Waits for as long as it takes until those rows are settled and their offsets stored, or the task is asked to stop.
    async fn recycle(&mut self) -> Result<(), Fault> {
        loop {
            self.parts.metrics.progress.turned();
            if self.submitted.is_settled() {
                for durable in self.commit_all().await {
                    self.tell_committed(Some(durable)).await?;
                }
            }
            if self.submitted.is_committed() {
                break;
            }
            if self.parts.control.is_stopping() {
                return Ok(());
            }
            self.wait_for_deliveries(STORE_AGAIN_PAUSE).await?;
            self.settle().await?;
        }
        self.is_stopped = true;
        self.instance.source.stop().await?;
        self.instance.renew(&self.parts).await?;
        self.is_stopped = false;
        Ok(())
    }

    /// Settles and commits what is on its way, and ends the plugins. Rows that were not sent are polled again by the next start.
    async fn finish(mut self, outcome: Result<(), Fault>) -> Result<(), Fault> {
        // Rows that Kafka does not take must not keep the others from being committed in time.
        let wait = self.schedule.timeout().min(self.parts.worker.config.graceful_timeout / 2);
        let settled = match tokio::time::timeout(wait, self.settle_rest()).await {
            Ok(settled) => settled,
            Err(_) => Ok(()),
        };
        let outcome = self.parts.ended(outcome).and(settled);
        let durable = self.commit_all().await;
        if is_instance_gone(&outcome) || self.is_stopped {
            return outcome;
        }
        let mut ended = self.settle().await;
        for durable in durable {
            ended = ended.and(self.tell_committed(Some(durable)).await);
        }
        if !is_instance_gone(&ended) {
            ended = ended.and(self.instance.source.stop().await);
        }
        outcome.and(self.parts.survive("the source failed to stop", ended))
    }

    async fn settle_rest(&mut self) -> Result<(), Fault> {
        while self.session.rows_in_flight() > 0 {
            self.session.deliveries(&mut self.deliveries).await.map_err(cannot_send)?;
            self.take_deliveries().await?;
        }
        self.take_deliveries().await
    }
}

/// What a producer that cannot go on is to the task, in Kafka Connect's words.
fn cannot_send(error: Error) -> Fault {
    let problem = Problem { message: error.to_string(), class: None, trace: None };
    let message = "Unrecoverable exception trying to send";
    caused_by(Stage::KafkaProduce, message, &problem).with_source(error)
}
