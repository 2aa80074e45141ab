//! Performs what `step` decides: one loop that never waits for a plugin or a broker.
//!
//! Not here: decisions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tombolo_model::log_lines::LogLines;
use tombolo_model::{ConnectorName, TaskId};
use tombolo_store::Stores;
use tombolo_store::status_records::{StatusKey, TopicUse};
use tombolo_worker::WorkerEvent;

use crate::error::Error;
use crate::event::{Answer, Effect, Event, Request, RequestId};
use crate::lane::Lane;
use crate::loggers::{Loggers, set_as_written};
use crate::offsets::Alterer;
use crate::progress::Progress;
use crate::step::Herder;
use crate::validation::Validator;
use crate::work::Work;

/// Events that may wait for the loop before who reports them waits too.
const EVENTS_MAX: usize = 1024;

/// Longest wait for the last statuses to be stored: a broker that is away must not keep a worker from ending.
const LAST_STATUSES_TIMEOUT: Duration = Duration::from_secs(5);

/// Something asked of the loop, and where the answer goes.
pub(crate) enum Asked {
    /// A request.
    Request(Request, Asker),
    /// A sign of life.
    Sign(oneshot::Sender<()>),
}

/// Who waits for an answer.
pub(crate) struct Asker {
    pub(crate) reply: oneshot::Sender<Result<Answer, Error>>,
    pub(crate) progress: Progress,
}

/// What the loop works with.
pub(crate) struct Shell {
    pub(crate) worker: Arc<dyn Work>,
    pub(crate) stores: Stores,
    pub(crate) validator: Validator,
    pub(crate) alterer: Alterer,
    pub(crate) loggers: Arc<dyn Loggers>,
    pub(crate) is_tracking_topics: bool,
    pub(crate) log_lines: Arc<LogLines>,
    lanes: HashMap<ConnectorName, Lane>,
    askers: HashMap<RequestId, Asker>,
    requests: u64,
    events: mpsc::Sender<Event>,
}

/// What comes in from outside the loop.
pub(crate) struct Inputs {
    pub(crate) requests: mpsc::Receiver<Asked>,
    pub(crate) worker: mpsc::Receiver<WorkerEvent>,
    pub(crate) stop: oneshot::Receiver<()>,
}

/// What happened, before it is an event.
enum Input {
    Asked(Asked),
    Worker(WorkerEvent),
    Event(Event),
    ConfigChanged,
    Stop,
}

impl Shell {
    pub(crate) fn new(
        worker: Arc<dyn Work>,
        stores: Stores,
        validator: Validator,
        alterer: Alterer,
        loggers: Arc<dyn Loggers>,
    ) -> (Self, mpsc::Receiver<Event>) {
        let (events, received) = mpsc::channel(EVENTS_MAX);
        let shell = Self {
            worker,
            stores,
            validator,
            alterer,
            loggers,
            is_tracking_topics: true,
            log_lines: Arc::default(),
            lanes: HashMap::new(),
            askers: HashMap::new(),
            requests: 0,
            events,
        };
        (shell, received)
    }

    /// Runs until it is told to stop and everything has stopped.
    pub(crate) async fn run(
        mut self,
        mut herder: Herder,
        mut inputs: Inputs,
        mut events: mpsc::Receiver<Event>,
    ) {
        let mut is_stopping = false;
        while !(is_stopping && self.lanes.is_empty()) {
            let wake_at = herder.wake_at().map(tokio::time::Instant::from_std);
            let config = self.stores.config.clone();
            let input = tokio::select! {
                biased;
                Some(event) = inputs.worker.recv() => Input::Worker(event),
                Some(event) = events.recv() => Input::Event(event),
                () = config.changed(), if !is_stopping => Input::ConfigChanged,
                Some(asked) = inputs.requests.recv() => Input::Asked(asked),
                // Telling to stop and being dropped are the same.
                _ = &mut inputs.stop, if !is_stopping => Input::Stop,
                () = until(wake_at) => Input::Event(Event::TimePassed),
            };
            is_stopping |= matches!(input, Input::Stop);
            self.take(&mut herder, input);
        }
        // What tasks said last is on its way still.
        while let Ok(event) = inputs.worker.try_recv() {
            self.take(&mut herder, Input::Worker(event));
        }
        let flushed = self.stores.statuses.flush();
        if tokio::time::timeout(LAST_STATUSES_TIMEOUT, flushed).await.is_err() {
            tracing::warn!("the last statuses could not be stored");
        }
    }

    fn take(&mut self, herder: &mut Herder, input: Input) {
        let now = Instant::now();
        let event = match input {
            Input::Asked(Asked::Request(request, asker)) => {
                self.requests += 1;
                let id = RequestId(self.requests);
                self.askers.insert(id, asker);
                Some(Event::Requested(id, request))
            }
            Input::Asked(Asked::Sign(reply)) => {
                // Who asked may have gone.
                let _gone = reply.send(());
                None
            }
            Input::Worker(event) => self.reported(event),
            // A write that ended was read back before: what it changed must be known when it is answered.
            Input::Event(event @ Event::Written(_)) => {
                let read = self.config_read();
                self.perform_all(read.map(|read| herder.step(read, now)));
                Some(event)
            }
            Input::Event(event) => Some(event),
            Input::ConfigChanged => self.config_read(),
            Input::Stop => Some(Event::Stopping),
        };
        if let Some(Event::Validated(id, _)) = &event
            && let Some(asker) = self.askers.get(id)
        {
            asker.progress.complete();
        }
        if let Some(Event::Settled { connector, revision }) = &event {
            self.settled(connector, *revision);
        }
        self.perform_all(event.map(|event| herder.step(event, now)));
    }

    /// A connector's lane has caught up. One that has nothing left to do ends.
    fn settled(&mut self, connector: &ConnectorName, revision: u64) {
        if !self.lanes.get(connector).is_some_and(|lane| lane.is_over(revision)) {
            return;
        }
        self.lanes.remove(connector);
        if self.stores.config.snapshot().connector(connector).is_none() {
            // What it logged while it was stopped.
            self.log_lines.forget(connector.as_str());
        }
    }

    /// What was read of the config topic since the last look.
    pub(crate) fn config_read(&self) -> Option<Event> {
        let read = self.stores.config.take_read()?;
        // Nothing is decided about levels of loggers: they are set.
        for level in &read.logger_levels {
            set_as_written(&*self.loggers, level);
        }
        let restarts = read
            .restarts
            .into_iter()
            .map(|request| {
                let statuses = self.stores.statuses.of(&request.connector);
                (request, statuses)
            })
            .collect();
        Some(Event::ConfigRead { state: read.state, restarts })
    }

    fn reported(&self, event: WorkerEvent) -> Option<Event> {
        Some(match event {
            WorkerEvent::ConnectorStatus { name, status } => Event::ConnectorReported(name, status),
            WorkerEvent::TaskStatus { task, status } => Event::TaskReported(task, status),
            WorkerEvent::TaskReconfigurationRequested { name } => {
                Event::TaskReconfigurationRequested(name)
            }
            // Nothing is decided about a topic in use: it is noted.
            WorkerEvent::TopicUsed { task, topic } => {
                let is_known = self.stores.config.snapshot().connector(&task.connector).is_some();
                if self.is_tracking_topics && is_known {
                    let used = TopicUse { task: task.index, discovered: milliseconds_now() };
                    self.stores.statuses.put_topic(topic, task.connector, &used);
                }
                return None;
            }
        })
    }

    fn perform_all(&mut self, effects: Option<Vec<Effect>>) {
        for effect in effects.into_iter().flatten() {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Validate(id, config) => {
                let validator = self.validator.clone();
                self.spawn(async move { Event::Validated(id, validator.check(&config).await) });
            }
            Effect::Write(write) => {
                let config = self.stores.config.clone();
                self.spawn(async move { Event::Written(config.write(&write).await) });
            }
            Effect::AlterOffsets(id, connector, change) => {
                let alterer = self.alterer.clone();
                let config = self.stores.config.snapshot();
                self.spawn(async move {
                    let outcome = alterer.alter(&config, &connector, change).await;
                    Event::OffsetsAltered(id, outcome)
                });
            }
            Effect::Assign(connector, assignment) => {
                let (worker, events) = (&self.worker, &self.events);
                let lane = self.lanes.entry(connector).or_insert_with_key(|name| {
                    Lane::start(name.clone(), Arc::clone(worker), events.clone())
                });
                lane.assign(assignment);
            }
            Effect::PutStatus(key, status) => self.stores.statuses.put(key, &status),
            Effect::DeleteStatuses(connector, tasks) => {
                self.delete_task_statuses(&connector, 0, tasks);
                for topic in self.stores.statuses.of(&connector).topics.into_keys() {
                    let connector = connector.clone();
                    self.stores.statuses.delete(StatusKey::Topic { topic, connector });
                }
                // One that is created later under the same name may be another's.
                self.log_lines.forget(connector.as_str());
                self.stores.statuses.delete(StatusKey::Connector(connector));
            }
            Effect::DeleteTaskStatuses(connector, from, tasks) => {
                self.delete_task_statuses(&connector, from, tasks);
            }
            Effect::Enter(id, doing) => {
                if let Some(asker) = self.askers.get(&id) {
                    asker.progress.enter(doing);
                }
            }
            Effect::Answer(id, answer) => {
                if let Some(asker) = self.askers.remove(&id) {
                    // Who asked may have gone.
                    drop(asker.reply.send(answer));
                }
            }
        }
    }

    /// Deletes statuses of tasks from a number on: those stored, and these, of which some may be on their way to the store.
    fn delete_task_statuses(&self, connector: &ConnectorName, from: u32, mut tasks: Vec<u32>) {
        tasks.extend(
            self.stores.statuses.of(connector).tasks.into_keys().filter(|task| *task >= from),
        );
        tasks.sort_unstable();
        tasks.dedup();
        for index in tasks {
            self.stores.statuses.delete(StatusKey::Task(TaskId::new(connector.clone(), index)));
        }
    }

    /// Does something that takes time beside the loop; it comes back as an event.
    fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            let event = work.await;
            // Nobody is left to tell when the loop is gone.
            drop(events.send(event).await);
        });
    }
}

async fn until(wake_at: Option<tokio::time::Instant>) {
    match wake_at {
        Some(wake_at) => tokio::time::sleep_until(wake_at).await,
        None => std::future::pending().await,
    }
}

pub(crate) fn milliseconds_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
