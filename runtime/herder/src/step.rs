//! What the herder decides: from an event, the effects. Pure; nothing here waits, writes or calls a plugin.
//!
//! Not here: performing the effects (`shell`). Follows `DistributedHerder` of Kafka Connect; acts on what was read, never on what was written.

mod connector;
mod requests;
mod starting;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use tombolo_model::status::{State, Status, TargetState};
use tombolo_model::{ConnectorName, Fault, Settings, TaskId, WorkerId};
use tombolo_store::status_records::StatusKey;
use tombolo_store::status_store::ConnectorStatuses;
use tombolo_store::{ClusterConfigState, ConfigWrite, RestartRequest};

use crate::event::{Answer, Effect, Event, Request, RequestId};
use crate::restart_plan::RestartPlan;
use connector::Connector;
use starting::Starting;

/// The state of the herder.
///
/// One worker runs everything there is. With more, `run_what_is_read` is where the assignment of the group comes in.
pub struct Herder {
    worker_id: WorkerId,
    generation: i32,
    state: Arc<ClusterConfigState>,
    connectors: BTreeMap<ConnectorName, Connector>,
    requests: BTreeMap<RequestId, Request>,
    writing: Option<Writing>,
    ready: VecDeque<Change>,
    /// Connectors whose offsets are being altered; nothing else is decided about them meanwhile.
    altering: BTreeSet<ConnectorName>,
    restarting: Vec<Restarting>,
    answering: Answering,
    /// Configurations that are written and not answered yet.
    starting: Vec<Starting>,
    numbers: Numbers,
    is_stopping: bool,
}

/// When a new configuration is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// Once it is read back.
    OnceRead,
    /// Once its connector has started and has its tasks.
    OnceStarted,
}

/// A change that waits for its turn.
enum Change {
    /// What a request asks for.
    Request(RequestId),
    /// Task settings that an instance made.
    Tasks { name: ConnectorName, epoch: u64, settings: Vec<Settings> },
}

/// The write that is under way.
enum Writing {
    /// A configuration, for a request.
    Config { id: RequestId, name: ConnectorName, is_created: bool },
    /// For a request, with the answer if it succeeds.
    Request(RequestId, Answer),
    /// Of the tasks of a connector.
    Tasks(ConnectorName),
}

/// A restart that is answered when a worker has done it.
struct Restarting {
    id: RequestId,
    connector: ConnectorName,
    revision: u64,
}

/// Numbers that are given once.
#[derive(Default)]
struct Numbers {
    last: u64,
}

impl Numbers {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

impl Herder {
    /// A herder that has read nothing yet.
    ///
    /// `generation` is newer than that of any status stored before.
    pub fn new(worker_id: WorkerId, generation: i32, answering: Answering) -> Self {
        Self {
            worker_id,
            generation,
            state: Arc::default(),
            connectors: BTreeMap::new(),
            requests: BTreeMap::new(),
            writing: None,
            ready: VecDeque::new(),
            altering: BTreeSet::new(),
            restarting: Vec::new(),
            answering,
            starting: Vec::new(),
            numbers: Numbers::default(),
            is_stopping: false,
        }
    }

    /// Takes in an event and says what to do.
    pub fn step(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::ConfigRead { state, restarts } => {
                self.state = state;
                self.run_what_is_read(&mut effects);
                for (request, statuses) in restarts {
                    self.restart(&request, statuses, &mut effects);
                }
            }
            Event::Requested(id, request) => self.requested(id, request, &mut effects),
            Event::Validated(id, outcome) => self.validated(id, outcome, &mut effects),
            Event::Written(outcome) => self.written(outcome, now, &mut effects),
            Event::TaskSettingsMade { connector, epoch, outcome } => {
                self.task_settings_made(connector, epoch, outcome, now, &mut effects);
            }
            Event::Settled { connector, revision } => {
                self.settled(&connector, revision, &mut effects);
            }
            Event::ConnectorReported(name, status) => {
                self.connector_reported(name, status, &mut effects);
            }
            Event::TaskReported(id, status) => self.task_reported(id, status, &mut effects),
            Event::TaskReconfigurationRequested(name) => self.ask_again(&name, &mut effects),
            Event::OffsetsAltered(id, outcome) => self.offsets_altered(id, outcome, &mut effects),
            Event::TimePassed => self.retry_what_is_due(now, &mut effects),
            Event::Stopping => self.stop(&mut effects),
        }
        self.decide(&mut effects);
        effects
    }

    /// When [`Event::TimePassed`] is wanted at the latest.
    pub fn wake_at(&self) -> Option<Instant> {
        self.connectors.values().filter_map(Connector::retry_at).min()
    }

    /// Makes what runs here what the configurations say.
    fn run_what_is_read(&mut self, effects: &mut Vec<Effect>) {
        if self.is_stopping {
            return;
        }
        let state = Arc::clone(&self.state);
        let gone: Vec<_> = self
            .connectors
            .keys()
            .filter(|name| state.connector(name).is_none())
            .cloned()
            .collect();
        for name in gone {
            if let Some(mut connector) = self.connectors.remove(&name) {
                let tasks = connector.task_numbers();
                effects.push(connector.clear(&name, &mut self.numbers));
                effects.push(Effect::DeleteStatuses(name.clone(), tasks));
                self.started(&name, effects);
            }
        }
        for (name, read) in state.connectors() {
            let connector = self.connectors.entry(name.clone()).or_default();
            let read = connector::Read { connector: read, target: state.target(name) };
            connector.follow(name, &read, &mut self.numbers, effects);
        }
    }

    /// Does what a request to restart says, of what runs here.
    fn restart(
        &mut self,
        request: &RestartRequest,
        statuses: ConnectorStatuses,
        effects: &mut Vec<Effect>,
    ) {
        let name = &request.connector;
        let Some(connector) = self.connectors.get_mut(name).filter(|_| !self.is_stopping) else {
            return;
        };
        let Some(plan) = RestartPlan::new(request, statuses) else { return };
        let tasks = plan.tasks();
        if !plan.restarts_connector() && tasks.is_empty() {
            return;
        }
        let restarting = |status: &Status| Status {
            state: State::Restarting,
            trace: None,
            worker_id: self.worker_id.to_string(),
            generation: self.generation,
            version: status.version.clone(),
        };
        if let (true, Some(status)) = (plan.restarts_connector(), &plan.statuses.connector) {
            effects.push(Effect::PutStatus(StatusKey::Connector(name.clone()), restarting(status)));
        }
        for (index, status) in plan.statuses.tasks.iter().filter(|(task, _)| tasks.contains(task)) {
            let key = StatusKey::Task(TaskId::new(name.clone(), *index));
            effects.push(Effect::PutStatus(key, restarting(status)));
        }
        if plan.restarts_connector() {
            connector.renew_instance(&mut self.numbers);
        }
        connector.renew_tasks(tasks, &mut self.numbers);
        effects.push(connector.assign(name, &mut self.numbers));
    }

    fn task_settings_made(
        &mut self,
        name: ConnectorName,
        epoch: u64,
        outcome: Result<Vec<Settings>, Box<Fault>>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connector) = self.connectors.get_mut(&name) else { return };
        if !connector.is_running(epoch) {
            return;
        }
        match outcome {
            Ok(settings) => {
                connector.forget_retry();
                self.put_tasks(name, epoch, settings);
            }
            Err(fault) => {
                tracing::error!(connector = %name, %fault, "Failed to reconfigure connector's tasks, retrying after backoff.");
                connector.retry_later(now);
                self.not_started(&name, &fault, effects);
            }
        }
    }

    fn put_tasks(&mut self, name: ConnectorName, epoch: u64, settings: Vec<Settings>) {
        // Of two sets of one connector only the later counts.
        self.ready
            .retain(|ready| !matches!(ready, Change::Tasks { name: other, .. } if *other == name));
        self.ready.push_back(Change::Tasks { name, epoch, settings });
    }

    /// Whether these task settings are still the connector's, and are not written yet.
    fn wants_tasks(&self, name: &ConnectorName, epoch: u64, settings: &[Settings]) -> bool {
        self.state.target(name) == TargetState::Started
            && self.connectors.get(name).is_some_and(|connector| connector.is_running(epoch))
            && self.state.connector(name).is_some_and(|known| known.has_other_tasks(settings))
    }

    fn connector_reported(
        &mut self,
        name: ConnectorName,
        status: Status,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connector) = self.connectors.get_mut(&name) else { return };
        connector.report(&status);
        if self.is_worth_telling(&status) {
            effects.push(Effect::PutStatus(StatusKey::Connector(name), self.stamped(status)));
        }
    }

    fn task_reported(&mut self, id: TaskId, status: Status, effects: &mut Vec<Effect>) {
        let is_known = self
            .connectors
            .get(&id.connector)
            .is_some_and(|connector| connector.has_task(id.index));
        if is_known && self.is_worth_telling(&status) {
            effects.push(Effect::PutStatus(StatusKey::Task(id), self.stamped(status)));
        }
    }

    /// An instance that ends so that another takes its place was never unassigned in anyone's eyes.
    fn is_worth_telling(&self, status: &Status) -> bool {
        status.state != State::Unassigned || self.is_stopping
    }

    fn stamped(&self, status: Status) -> Status {
        Status { worker_id: self.worker_id.to_string(), generation: self.generation, ..status }
    }

    fn ask_again(&mut self, name: &ConnectorName, effects: &mut Vec<Effect>) {
        if let Some(connector) = self.connectors.get_mut(name).filter(|_| !self.is_stopping) {
            effects.push(connector.ask_again(name, &mut self.numbers));
        }
    }

    fn retry_what_is_due(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        for (name, connector) in &mut self.connectors {
            if connector.retry_at().is_some_and(|due| due <= now) {
                effects.extend(connector.retry(name, &mut self.numbers));
            }
        }
    }

    fn stop(&mut self, effects: &mut Vec<Effect>) {
        self.is_stopping = true;
        for (name, connector) in &mut self.connectors {
            effects.push(connector.pause_for_good(name, &mut self.numbers));
        }
    }

    /// Takes the next change that is ready, unless one is being written.
    fn decide(&mut self, effects: &mut Vec<Effect>) {
        while self.writing.is_none() && !self.is_stopping {
            let next = self.ready.iter().position(|ready| !self.is_held_up(ready));
            let Some(ready) = next.and_then(|index| self.ready.remove(index)) else { return };
            match ready {
                Change::Request(id) => self.decide_request(id, effects),
                Change::Tasks { name, epoch, settings }
                    if self.wants_tasks(&name, epoch, &settings) =>
                {
                    effects.push(Effect::Write(ConfigWrite::Tasks(name.clone(), settings)));
                    self.writing = Some(Writing::Tasks(name));
                }
                Change::Tasks { name, epoch, .. } => self.tasks_unchanged(&name, epoch, effects),
            }
        }
    }
}

#[cfg(test)]
mod tests;
