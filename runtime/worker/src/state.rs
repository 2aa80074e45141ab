//! What connectors and tasks are asked to be, and how they tell what they are.
//!
//! Not here: the states themselves (`model::status`) and who decides them (the herder).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tombolo_model::status::{State, Status, TargetState};
use tombolo_model::{ConnectorName, Fault, Secrets, TaskId, WorkerId};

use crate::event::WorkerEvent;
use crate::metrics::Lifecycle;

/// What a connector or a task is asked to be.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    /// Cancelled where it should come to its end.
    pub(crate) stopping: CancellationToken,
    target: watch::Receiver<TargetState>,
}

/// The other end of a [`Control`].
#[derive(Debug)]
pub(crate) struct Controller {
    stopping: CancellationToken,
    target: watch::Sender<TargetState>,
}

impl Controller {
    /// Asks for a target state.
    pub(crate) fn new(target: TargetState) -> (Self, Control) {
        let stopping = CancellationToken::new();
        let (sender, receiver) = watch::channel(target);
        let control = Control { stopping: stopping.clone(), target: receiver };
        (Self { stopping, target: sender }, control)
    }

    /// Asks for another target state.
    pub(crate) fn set_target(&self, target: TargetState) {
        self.target.send_replace(target);
    }

    /// Asks it to come to its end.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }
}

impl Control {
    /// What it is asked to be now.
    pub(crate) fn target(&self) -> TargetState {
        *self.target.borrow()
    }

    /// Whether it should wait; a stopped connector has no tasks, so one that is still there waits too.
    pub(crate) fn is_paused(&self) -> bool {
        self.target() != TargetState::Started
    }

    /// Whether it should come to its end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// How work ended: what failed for now and was given up because of the end is no failure.
    pub(crate) fn ended<T: Default>(&self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        match outcome {
            Err(fault) if fault.is_retriable() && self.is_stopping() => Ok(T::default()),
            outcome => outcome,
        }
    }

    /// Waits while it should be at work, but no longer than this.
    pub(crate) async fn pause(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        while !self.is_paused() && !self.is_stopping() {
            tokio::select! {
                biased;
                () = self.changed() => {}
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }

    /// Waits until it is asked for something else than when this was called last. Safe to cancel.
    pub(crate) async fn changed(&mut self) {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => {}
            changed = self.target.changed() => if changed.is_err() {
                // Nobody can ask for anything any more.
                self.stopping.cancelled().await;
            }
        }
    }
}

/// Whose states are told.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Connector(ConnectorName),
    Task(TaskId),
}

impl Subject {
    /// What is logged within has the connector and the task as fields.
    pub(crate) fn span(&self) -> tracing::Span {
        match self {
            Self::Connector(connector) => tracing::error_span!("connector", %connector),
            Self::Task(TaskId { connector, index }) => {
                tracing::error_span!("task", %connector, task = index)
            }
        }
    }
}

/// Tells the states of one connector or task, and nothing that must not be seen.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    pub(crate) subject: Subject,
    pub(crate) worker_id: WorkerId,
    pub(crate) version: Option<String>,
    /// Takes note of each state that is told.
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) secrets: Secrets,
    pub(crate) events: mpsc::Sender<WorkerEvent>,
    /// What there was to say about the state that was told last.
    pub(crate) said: Arc<Mutex<Option<String>>>,
    /// Cancelled once the last state was told: what was cancelled must not have another say.
    pub(crate) is_silent: CancellationToken,
}

impl Reporter {
    /// Tells a state.
    pub(crate) async fn is(&self, state: State) {
        self.tell(state, None).await;
    }

    /// Tells a state for the last time.
    pub(crate) async fn last(&self, state: State) {
        self.is_silent.cancel();
        let event = self.event(state, None);
        self.send(event).await;
    }

    /// Tells that it failed, and logs why, with what only the operator may see.
    pub(crate) async fn failed(&self, fault: &Fault) {
        self.log(fault, "");
        self.tell(State::Failed, Some(fault.status_trace())).await;
    }

    /// Tells that it failed, and what follows, which is the last line of what there is to say about it.
    pub(crate) async fn failed_and(&self, fault: &Fault, state: State, note: &str) {
        self.log(fault, note);
        self.tell(state, Some(format!("{}\n{note}", fault.status_trace()))).await;
    }

    fn log(&self, fault: &Fault, note: &str) {
        let (stage, causes) = (fault.stage, self.causes(fault));
        let between = if note.is_empty() { "" } else { ". " };
        match &self.subject {
            Subject::Connector(connector) => {
                tracing::error!(%connector, %stage, "connector failed: {causes}{between}{note}");
            }
            Subject::Task(TaskId { connector, index }) => {
                tracing::error!(%connector, task = index, %stage, "task failed: {causes}{between}{note}");
            }
        }
    }

    /// Tells a state, and what there is to say about it.
    pub(crate) async fn tell(&self, state: State, trace: Option<String>) {
        self.lifecycle.becomes(state, Instant::now());
        *self.said() = trace.clone();
        self.send_state(state, trace).await;
    }

    /// Tells the state again, with this to say about it, or else what was said before.
    pub(crate) async fn remark(&self, remark: Option<String>) {
        let trace = remark.or_else(|| self.said().clone());
        self.send_state(self.lifecycle.states().state(), trace).await;
    }

    fn said(&self) -> MutexGuard<'_, Option<String>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_state(&self, state: State, trace: Option<String>) {
        if !self.is_silent.is_cancelled() {
            let event = self.event(state, trace);
            self.send(event).await;
        }
    }

    /// A fault with its causes, for the log.
    pub(crate) fn causes(&self, fault: &Fault) -> String {
        self.secrets.hide(&causes(fault)).into_owned()
    }

    fn event(&self, state: State, trace: Option<String>) -> WorkerEvent {
        let status = Status {
            state,
            trace: trace.map(|trace| self.secrets.hide(&trace).into_owned()),
            worker_id: self.worker_id.to_string(),
            generation: 0,
            version: self.version.clone(),
        };
        match &self.subject {
            Subject::Connector(name) => WorkerEvent::ConnectorStatus { name: name.clone(), status },
            Subject::Task(task) => WorkerEvent::TaskStatus { task: task.clone(), status },
        }
    }

    /// Tells something else.
    pub(crate) async fn send(&self, event: WorkerEvent) {
        // Without a herder nobody asks: the worker is going down.
        drop(self.events.send(event).await);
    }
}

fn causes(fault: &Fault) -> String {
    let mut text = fault.status_trace();
    let mut cause = std::error::Error::source(fault);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
