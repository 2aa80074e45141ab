//! The loop of a sink task: consume, convert, transform, put, pre-commit, commit.
//!
//! Not here: converting (`pipeline`), what a sink asks for (`sink_task::requests`), who else has which partitions (`kafka`).
//!
//! Follows `WorkerSinkTask` of Kafka Connect.

mod commits;
mod given;
mod late;
mod partitions;
mod poison;
mod rebalance;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tombolo_kafka::{ClientKind, ConsumedBatch, Consumer, ConsumerEvent, Error, Subscription};
use tombolo_model::fault::Problem;
use tombolo_model::offset::TopicPartition;
use tombolo_model::role::{self, NoOffsets, TaskPlugins};
use tombolo_model::status::State;
use tombolo_model::{Fault, FaultKind, Stage};

use crate::client_settings::{rows_max, translate};
use crate::commit::{Schedule, SinkCommit};
use crate::connector_config::{RoleConfig, SinkTopics};
use crate::error_report::{ErrorReports, Executing, Record};
use crate::event::WorkerEvent;
use crate::metrics::{RoleMetrics, SinkMetrics};
use crate::pipeline::{Bad, Pipeline, Rows};
use crate::sink_group;
use crate::task::{TaskParts, is_instance_gone};
use crate::tolerance::caused_by;
use crate::used_topics::UsedTopics;
use commits::Closing;
use given::Given;
use partitions::Partitions;
use poison::Poison;

/// Longest wait for records: a sink gets an empty `put` at least this often, so that it can flush by time.
const WAIT: Duration = Duration::from_secs(1);
/// Pause before a failed `put` is made again, where the sink does not say how long.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// What the log and the status say of a `put` that failed for now.
const PUT_AGAIN: &str = "put failed for now, and is tried again";
/// Least time between two reasons told for one failed `put`: a sink that words each differently must not keep the status topic busy.
const TELL_PAUSE: Duration = Duration::from_secs(1);

/// Runs a sink task to its end.
///
/// Errors: why it failed. Cancelled by dropping: then nothing more is committed.
pub(crate) async fn run(mut parts: TaskParts) -> Result<(), Fault> {
    if !parts.wait_until_wanted().await {
        return Ok(());
    }
    let control = parts.control.clone();
    let started = SinkTask::start(parts).await.map(Some);
    let Some(mut task) = control.ended(started)? else { return Ok(()) };
    let outcome = task.work().await;
    task.finish(outcome).await
}

struct SinkTask {
    parts: TaskParts,
    metrics: Arc<SinkMetrics>,
    instance: Instance,
    consumer: Consumer,
    /// Reused.
    consumed: ConsumedBatch,
    rows_max: usize,
    partitions: Partitions,
    delivery: Delivery,
    commit: SinkCommit,
    /// When the last commit began.
    commit_began: Instant,
    schedule: Schedule,
    /// What the sink asked the next wait to be.
    timeout: Option<Duration>,
    last_put: Instant,
    told: Told,
    used_topics: UsedTopics,
    errors: ErrorReports,
    poison: Poison,
    /// Whether the plugins were stopped, so that nothing of them may be called.
    is_stopped: bool,
}

/// The task's plugins. They share sandboxes, so they end together.
struct Instance {
    sink: Box<dyn role::SinkTask>,
    pipeline: Pipeline,
    room: Box<dyn TaskPlugins>,
}

/// Rows between consumer and sink.
enum Delivery {
    /// None are waiting.
    Fresh,
    /// The sink could not take these for now. All partitions are paused until it does.
    Retrying { given: Box<Given>, again: Instant, why: String },
}

/// What was told last.
struct Told {
    /// Running or paused.
    state: State,
    /// Why the sink takes no rows for now.
    why: Option<String>,
    at: Instant,
}

impl Instance {
    async fn start(parts: &TaskParts) -> Result<Self, Fault> {
        let (mut room, pipeline) = parts.plugins(Arc::new(NoOffsets)).await?;
        let mut sink = room.sink(&parts.plugin).await?;
        sink.start(&parts.settings).await?;
        Ok(Self { sink, pipeline, room })
    }

    /// The sink anew, in a fresh instance.
    async fn renew(&mut self, parts: &TaskParts) -> Result<(), Fault> {
        self.sink = self.room.sink(&parts.plugin).await?;
        self.sink.start(&parts.settings).await
    }
}

impl SinkTask {
    async fn start(parts: TaskParts) -> Result<Self, Fault> {
        let (RoleConfig::Sink(sink), RoleMetrics::Sink(metrics)) =
            (&parts.config.role, &parts.metrics.role)
        else {
            return Err(Fault::config("a sink task needs a sink connector"));
        };
        let metrics = Arc::clone(metrics);
        let config = &parts.worker.config;
        let java = config.client(ClientKind::Consumer, &parts.config.consumer_override)?;
        let settings = translate(ClientKind::Consumer, &java)?;
        let subscription = match &sink.topics {
            SinkTopics::Names(names) => Subscription::Topics(names.clone()),
            SinkTopics::Pattern(pattern) => {
                let (pattern, own) = (pattern.clone(), config.own_topics.clone());
                let is_read =
                    move |topic: &str| pattern.is_match(topic) && !own.is_for_secrets(topic);
                Subscription::Pattern(Box::new(is_read))
            }
        };
        let schedule = Schedule::new(config.offset_flush_interval, config.offset_flush_timeout);
        let errors = parts.error_reports().await?;
        let instance = Instance::start(&parts).await?;
        let group = sink_group::id(&parts.id.connector, &java);
        let client = format!("connector-consumer-{}", parts.id);
        let consumer =
            Consumer::new(&settings, &group, &client, subscription).map_err(cannot_consume)?;
        parts.reporter.is(State::Running).await;
        let in_a_row_max = match errors.skips() && errors.has_dead_letters() {
            true => parts.config.errors.poison_rows_max,
            false => 0,
        };
        let used_topics = UsedTopics::new(parts.worker.topics_forgotten.clone());
        Ok(Self {
            errors,
            poison: Poison::new(in_a_row_max),
            parts,
            metrics,
            instance,
            consumer,
            consumed: ConsumedBatch::default(),
            rows_max: rows_max(&java),
            partitions: Partitions::default(),
            delivery: Delivery::Fresh,
            commit: SinkCommit::idle(),
            commit_began: Instant::now(),
            schedule,
            timeout: None,
            last_put: Instant::now(),
            told: Told { state: State::Running, why: None, at: Instant::now() },
            used_topics,
            is_stopped: false,
        })
    }

    async fn work(&mut self) -> Result<(), Fault> {
        while !self.parts.control.is_stopping() {
            self.parts.metrics.progress.turned();
            self.follow_target().await?;
            self.errors.take_deliveries()?;
            self.commit_when_due().await?;
            if self.instance.sink.is_recycling_due() {
                self.recycle().await?;
            }
            let Some(event) = self.next_event().await? else { continue };
            let is_quiet = event == ConsumerEvent::Nothing;
            match event {
                ConsumerEvent::Records => self.take_in().await?,
                ConsumerEvent::Nothing => {}
                ConsumerEvent::Assigned(partitions) => self.assigned(&partitions).await?,
                ConsumerEvent::Revoked(partitions) => self.revoked(&partitions).await?,
                ConsumerEvent::Lost(partitions) => self.lost(&partitions).await?,
                ConsumerEvent::Committed(answer) => self.committed(answer),
                ConsumerEvent::Waiting(why) => {
                    let (connector, task) = (&self.parts.id.connector, self.parts.id.index);
                    tracing::warn!(%connector, task, "waiting for Kafka: {why}");
                }
            }
            self.put_waiting(is_quiet).await?;
        }
        Ok(())
    }

    /// Waits for what happens next; none where something else is asked of the task.
    async fn next_event(&mut self) -> Result<Option<ConsumerEvent>, Fault> {
        let commit = match self.commit.is_in_flight() {
            true => WAIT,
            false => self.schedule.wait(),
        };
        let again = match &self.delivery {
            Delivery::Fresh => WAIT,
            Delivery::Retrying { again, .. } => again.saturating_duration_since(Instant::now()),
        };
        let wait = WAIT.min(commit).min(again).min(self.timeout.take().unwrap_or(WAIT));
        let bytes_max = self.parts.config.limits.batch_bytes_max;
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let rows_max = self.poison.rows_max(self.rows_max);
        let next = self.consumer.next(&mut self.consumed, rows_max, bytes_max, wait);
        tokio::select! {
            biased;
            () = self.parts.control.changed() => Ok(None),
            event = next => event.map(Some).map_err(cannot_consume),
        }
    }

    /// Converts and transforms consumed rows and gives them to the sink.
    async fn take_in(&mut self) -> Result<(), Fault> {
        self.tell_topics().await;
        let mut consumed = std::mem::take(&mut self.consumed);
        let now = Instant::now();
        self.metrics.read_rows(consumed.rows, now);
        self.metrics.has_active(self.partitions.uncommitted() + u64::from(consumed.rows), now);
        let next = given::next_offsets(&consumed);
        let known = self.poison.known_in(&consumed);
        let (rows, original) = match self.instance.pipeline.incoming(&mut consumed, &known).await {
            Ok(incoming) => incoming,
            Err(fault) => {
                let is_known = |row: &u32| known.binary_search(row).is_ok();
                let suspects: Vec<u32> = (0..consumed.rows).filter(|row| !is_known(row)).collect();
                return self.search(&consumed, &suspects, fault).await;
            }
        };
        for Bad { row, stage, class, problem } in &rows.bad {
            let record = Record::Consumed { batch: &consumed, row: *row as usize };
            self.errors.tell(Executing { stage: *stage, class }, record, problem);
            self.errors.make_room().await?;
        }
        if let Some((_, fault)) = rows.failed {
            return Err(fault);
        }
        self.errors.hand_over().await?;
        let Rows { batch, origin, .. } = rows;
        self.put(Box::new(Given { batch, original, consumed, origin, next })).await
    }

    async fn tell_topics(&mut self) {
        if !self.parts.worker.config.topic_tracking_enable {
            return;
        }
        self.used_topics.begin();
        let mut last = None;
        for &index in &self.consumed.topic {
            if last.replace(index) == Some(index) {
                continue;
            }
            let Some(topic) = self.consumed.topics.get(index as usize) else { continue };
            if self.used_topics.read(topic) {
                let (task, topic) = (self.parts.id.clone(), topic.clone());
                self.parts.reporter.send(WorkerEvent::TopicUsed { task, topic }).await;
            }
        }
    }

    /// Gives rows to the sink. Rows that it cannot take for now are kept, and nothing else is consumed until it does.
    async fn put(&mut self, mut given: Box<Given>) -> Result<(), Fault> {
        self.last_put = Instant::now();
        let Given { batch, original, .. } = &mut *given;
        let rows = batch.rows;
        let put = self.instance.sink.put(batch, original.as_ref());
        match self.parts.metrics.stages.of(Stage::TaskPut).time(rows, put).await {
            Ok((faults, requests)) => {
                let now = Instant::now();
                self.metrics.put(rows, now - self.last_put, now);
                self.parts.metrics.batch(rows, now);
                self.judge_rows(&given, &faults).await?;
                self.partitions.advance(&given.next);
                let rows = given.batch.rows;
                if given.consumed.rows > 0 {
                    self.consumed = given.consumed;
                }
                self.stop_retrying()?;
                self.errors.hand_over().await?;
                self.follow_requests(requests).await?;
                self.took(rows).await
            }
            Err(fault) => match fault.kind {
                FaultKind::Retriable { after } => {
                    let why = format!("{PUT_AGAIN}: {}", fault.status_trace());
                    self.parts.survive(PUT_AGAIN, Err(fault))?;
                    if !self.is_retrying() {
                        self.consumer.pause(&self.partitions.all()).map_err(cannot_consume)?;
                    }
                    let again = Instant::now() + after.unwrap_or(RETRY_PAUSE);
                    self.delivery = Delivery::Retrying { given, again, why };
                    Ok(())
                }
                _ => self.search(&given.consumed, &given.consumed_rows(), fault).await,
            },
        }
    }

    /// Gives the sink what waits for it, or nothing, so that it can flush by time.
    async fn put_waiting(&mut self, is_quiet: bool) -> Result<(), Fault> {
        if let Delivery::Retrying { given, again, .. } = &mut self.delivery {
            if *again > Instant::now() {
                return Ok(());
            }
            let given = std::mem::take(given);
            return self.put(given).await;
        }
        let due = is_quiet || self.last_put.elapsed() >= WAIT;
        if due && self.told.state == State::Running && !self.partitions.is_empty() {
            return self.put(Box::default()).await;
        }
        Ok(())
    }

    fn is_retrying(&self) -> bool {
        matches!(self.delivery, Delivery::Retrying { .. })
    }

    /// Nothing waits for the sink any more: reads on from all partitions that nobody paused.
    fn stop_retrying(&mut self) -> Result<(), Fault> {
        if self.is_retrying() {
            self.delivery = Delivery::Fresh;
            self.resume_wanted()?;
        }
        Ok(())
    }

    fn resume_wanted(&mut self) -> Result<(), Fault> {
        if self.is_retrying() || self.told.state != State::Running {
            return Ok(());
        }
        self.consumer.resume(&self.partitions.wanted()).map_err(cannot_consume)
    }

    /// Pauses and resumes with the connector, and tells of it.
    async fn follow_target(&mut self) -> Result<(), Fault> {
        let wanted = match self.parts.control.is_paused() {
            true => State::Paused,
            false => State::Running,
        };
        if wanted == self.told.state {
            self.tell_why().await;
            return Ok(());
        }
        self.told.state = wanted;
        if wanted == State::Paused {
            self.consumer.pause(&self.partitions.all()).map_err(cannot_consume)?;
            self.schedule.request();
        } else {
            self.resume_wanted()?;
        }
        self.tell().await;
        Ok(())
    }

    /// Tells why the sink takes no rows, or that it takes them again; a task that waits is no failed one.
    async fn tell_why(&mut self) {
        let (why, told) = (self.why(), self.told.why.as_deref());
        let is_news = why.is_some() != told.is_some();
        if is_news || (why != told && self.told.at.elapsed() >= TELL_PAUSE) {
            self.tell().await;
        }
    }

    async fn tell(&mut self) {
        let why = self.why().map(str::to_owned);
        self.told = Told { state: self.told.state, why: why.clone(), at: Instant::now() };
        self.parts.reporter.tell(self.told.state, why).await;
    }

    fn why(&self) -> Option<&str> {
        match &self.delivery {
            Delivery::Fresh => None,
            Delivery::Retrying { why, .. } => Some(why),
        }
    }

    /// Lets go of rows of these partitions that the sink has not taken: they will be consumed again.
    fn discard(&mut self, partitions: &[TopicPartition]) -> Result<(), Fault> {
        if let Delivery::Retrying { given, .. } = &mut self.delivery {
            given.discard(partitions);
            if given.batch.is_empty() {
                return self.stop_retrying();
            }
        }
        Ok(())
    }

    /// Starts the sink anew, from the committed offsets: a planned restart, so nothing is lost or doubled.
    ///
    /// Where Kafka does not take the commit for now, it is left for the next turn: the sink would get again what it made durable.
    async fn recycle(&mut self) -> Result<(), Fault> {
        let all = self.partitions.all();
        let Closing { requests, is_refused } = self.commit_closing(&all).await?;
        self.follow_requests(requests).await?;
        if is_refused {
            return Ok(());
        }
        if !all.is_empty() {
            self.instance.sink.close(&all).await?;
        }
        self.is_stopped = true;
        self.instance.sink.stop().await?;
        self.instance.renew(&self.parts).await?;
        self.is_stopped = false;
        self.begin_again().await
    }

    /// Gives a fresh sink its rows from the committed offsets on.
    async fn begin_again(&mut self) -> Result<(), Fault> {
        // Rows that could not be taken for now are behind the committed offsets: they are consumed again.
        self.delivery = Delivery::Fresh;
        let from = self.partitions.restart();
        self.consumer.seek(&from);
        self.resume_wanted()?;
        if from.is_empty() {
            return Ok(());
        }
        let requests = self.instance.sink.open(&from).await?;
        self.follow_requests(requests).await
    }

    /// Commits what the sink has, closes its partitions, and ends the plugins and the consumer.
    async fn finish(mut self, outcome: Result<(), Fault>) -> Result<(), Fault> {
        let mut ended = Ok(());
        let outcome = self.parts.ended(outcome);
        if !is_instance_gone(&outcome) && !self.is_stopped {
            let all = self.partitions.all();
            ended = self.commit_closing(&all).await.map(drop);
            if !is_instance_gone(&ended) {
                ended = ended.and(self.close(&all).await);
            }
            if !is_instance_gone(&ended) {
                ended = ended.and(self.instance.sink.stop().await);
            }
        }
        let outcome = outcome.and(self.parts.survive("the sink failed to stop", ended));
        self.consumer.close().await;
        outcome
    }
}

/// What a consumer that cannot go on is to the task.
fn cannot_consume(error: Error) -> Fault {
    let problem = Problem { message: error.to_string(), class: None, trace: None };
    let message = "Unrecoverable exception from consumer";
    caused_by(Stage::KafkaConsume, message, &problem).with_source(error)
}
