//! Performs effects without waiting, and keeps what a test asks about.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tombolo_model::status::{State, Status, TargetState};
use tombolo_model::{ConnectorName, Fault, Settings, Stage, TaskId, WorkerId};
use tombolo_store::config_records::ConfigRecord;
use tombolo_store::status_records::StatusKey;
use tombolo_store::status_store::ConnectorStatuses;
use tombolo_store::{ClusterConfigState, ConfigWrite, RestartRequest};

use crate::assignment::{Action, Assignment, Held};
use crate::error::Error;
use crate::event::{
    Answer, Effect, Event, OffsetChange, OffsetsAltered, Request, RequestId, SubmittedConfig,
};
use crate::step::{Answering, Herder};

pub(super) fn name(name: &str) -> ConnectorName {
    ConnectorName::new(name)
}

#[expect(clippy::struct_excessive_bools, reason = "switches for tests")]
pub(super) struct World {
    herder: Herder,
    pub(super) now: Instant,
    state: ClusterConfigState,
    offset: i64,
    restarts: Vec<RestartRequest>,
    slow: VecDeque<Effect>,
    lanes: BTreeMap<ConnectorName, (Held, Assignment)>,
    asked: u64,
    /// How many tasks connectors make.
    pub(super) tasks_made: usize,
    /// Whether connectors can say what tasks they want.
    pub(super) makes_tasks: bool,
    /// Whether connectors start.
    pub(super) starts: bool,
    /// Whether configurations are good.
    pub(super) is_valid: bool,
    breaks_next_write: bool,
    pub(super) statuses: BTreeMap<ConnectorName, ConnectorStatuses>,
    pub(super) answers: BTreeMap<RequestId, Result<Answer, Error>>,
    /// What lanes did.
    pub(super) done: Vec<String>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::answering(Answering::OnceRead)
    }

    pub(super) fn answering(answering: Answering) -> Self {
        Self {
            herder: Herder::new(WorkerId::new("w:1"), 7, answering),
            now: Instant::now(),
            state: ClusterConfigState::default(),
            offset: 0,
            restarts: Vec::new(),
            slow: VecDeque::new(),
            lanes: BTreeMap::new(),
            asked: 0,
            tasks_made: 1,
            makes_tasks: true,
            starts: true,
            is_valid: true,
            breaks_next_write: false,
            statuses: BTreeMap::new(),
            answers: BTreeMap::new(),
            done: Vec::new(),
        }
    }

    fn ask(&mut self, request: Request) {
        self.asked += 1;
        self.step(Event::Requested(RequestId(self.asked), request));
    }

    pub(super) fn create(&mut self, name: &ConnectorName, initial: Option<TargetState>) {
        self.ask(Request::CreateConnector { name: name.clone(), config: self.config(), initial });
    }

    pub(super) fn put(&mut self, name: &ConnectorName) {
        self.ask(Request::PutConnectorConfig { name: name.clone(), config: self.config() });
    }

    pub(super) fn patch(&mut self, name: &ConnectorName) {
        let patch = [("added".to_owned(), Some(self.asked.to_string())), ("n".to_owned(), None)];
        self.ask(Request::PatchConnectorConfig { name: name.clone(), patch: patch.into() });
    }

    pub(super) fn delete(&mut self, name: &ConnectorName) {
        self.ask(Request::DeleteConnector(name.clone()));
    }

    pub(super) fn target(&mut self, name: &ConnectorName, target: TargetState) {
        self.ask(Request::SetTargetState(name.clone(), target));
    }

    pub(super) fn restart(&mut self, name: &ConnectorName) {
        self.ask(Request::RestartConnector(name.clone()));
    }

    pub(super) fn restart_all(&mut self, name: &ConnectorName, only_failed: bool, tasks: bool) {
        let request = RestartRequest { connector: name.clone(), only_failed, include_tasks: tasks };
        let statuses = self.statuses.get(name).cloned().unwrap_or_default();
        self.ask(Request::RestartConnectorAndTasks(request, statuses));
    }

    pub(super) fn restart_task(&mut self, name: &ConnectorName, task: u32) {
        self.ask(Request::RestartTask(TaskId::new(name.clone(), task)));
    }

    pub(super) fn reset_offsets(&mut self, name: &ConnectorName) {
        self.ask(Request::AlterOffsets(name.clone(), OffsetChange::Reset));
    }

    pub(super) fn foreign_put(&mut self, name: &ConnectorName) {
        let config = [("from", "elsewhere")].into_iter().collect();
        self.write(&ConfigWrite::Connector(name.clone(), config, None));
        self.read();
    }

    pub(super) fn foreign_delete(&mut self, name: &ConnectorName) {
        self.write(&ConfigWrite::Remove(name.clone()));
        self.read();
    }

    pub(super) fn break_next_write(&mut self) {
        self.breaks_next_write = true;
    }

    pub(super) fn report_task(&mut self, name: &ConnectorName, task: u32, state: State) {
        self.step(Event::TaskReported(TaskId::new(name.clone(), task), status(state)));
    }

    fn report_started(&mut self, name: &ConnectorName, target: TargetState) {
        let mut status = status(match target {
            TargetState::Started => State::Running,
            TargetState::Paused => State::Paused,
            TargetState::Stopped => State::Stopped,
        });
        if !self.starts && target == TargetState::Started {
            status.state = State::Failed;
            status.trace = Some("it does not start\n\tat somewhere".to_owned());
        }
        self.step(Event::ConnectorReported(name.clone(), status));
    }

    pub(super) fn stop(&mut self) {
        self.step(Event::Stopping);
    }

    pub(super) fn ask_for_tasks(&mut self, name: &ConnectorName) {
        self.step(Event::TaskReconfigurationRequested(name.clone()));
    }

    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.herder.wake_at().map(|at| at - self.now)
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.step(Event::TimePassed);
    }

    /// Performs what takes time, until nothing is left to do.
    pub(super) fn settle(&mut self) {
        while let Some(effect) = self.slow.pop_front() {
            match effect {
                Effect::Write(write) => self.perform_write(&write),
                Effect::Validate(id, _) => {
                    let bad = || Err(Error::BadRequest("bad".into()));
                    self.step(Event::Validated(id, if self.is_valid { Ok(()) } else { bad() }));
                }
                Effect::AlterOffsets(id, ..) => {
                    let altered = OffsetsAltered { by_connector: true };
                    self.step(Event::OffsetsAltered(id, Ok(altered)));
                }
                Effect::Assign(connector, assignment) => self.catch_up(connector, assignment),
                other => panic!("{other:?} takes no time"),
            }
        }
    }

    fn perform_write(&mut self, write: &ConfigWrite) {
        let outcome = if std::mem::take(&mut self.breaks_next_write) {
            Err(tombolo_store::Error::Config("broken".into()))
        } else {
            self.write(write);
            self.read();
            Ok(())
        };
        self.step(Event::Written(outcome));
    }

    fn catch_up(&mut self, connector: ConnectorName, assignment: Assignment) {
        let (held, last) = self.lanes.entry(connector.clone()).or_default();
        let actions = held.catch_up(&assignment);
        last.clone_from(&assignment);
        for action in actions {
            match action {
                Action::StopTasks(tasks) => self.done.push(format!("{connector}: stop {tasks:?}")),
                Action::StopConnector => self.done.push(format!("{connector}: stop")),
                Action::StartConnector(_) => {
                    self.done.push(format!("{connector}: start"));
                    self.report_started(&connector, assignment.target);
                }
                Action::SetTarget(target) => {
                    self.done.push(format!("{connector}: {}", target.name()));
                }
                Action::StartTask(task, _) => {
                    self.done.push(format!("{connector}: start {task}"));
                    self.report_task(&connector, task, State::Running);
                }
                Action::MakeTaskSettings(epoch) => {
                    let settings = vec![Settings::default(); self.tasks_made];
                    let fault = || Fault::retriable(Stage::Lifecycle, "not now");
                    let makes = self.makes_tasks && self.starts;
                    let outcome = if makes { Ok(settings) } else { Err(Box::new(fault())) };
                    let connector = connector.clone();
                    self.step(Event::TaskSettingsMade { connector, epoch, outcome });
                }
            }
        }
        self.step(Event::Settled { connector, revision: assignment.revision });
    }

    /// Checks that what runs is what is written, that every request was answered, and that nothing is left over.
    pub(super) fn check(&mut self) {
        // A write that failed is tried again later.
        for _ in 0..4 {
            self.pass(Duration::from_secs(60));
            self.settle();
        }
        assert_eq!(self.answers.len() as u64, self.asked, "answers");
        for (name, (_, assignment)) in &self.lanes {
            let Some(connector) = self.state.connector(name) else {
                assert!(assignment.is_empty(), "{name} was deleted");
                assert_eq!(self.statuses.get(name), None, "{name} was deleted");
                continue;
            };
            let instance = assignment.connector.as_ref().map(|instance| &instance.config);
            assert_eq!(instance, Some(&connector.config));
            assert_eq!(assignment.target, self.state.target(name));
            let tasks: Vec<_> = assignment.tasks.values().map(|task| &task.config).collect();
            assert_eq!(tasks, connector.tasks().iter().collect::<Vec<_>>());
            let known: Vec<_> = self.statuses[name].tasks.keys().collect();
            assert_eq!(known, assignment.tasks.keys().collect::<Vec<_>>(), "statuses of {name}");
            if self.state.target(name) == TargetState::Started {
                let same = vec![Settings::default(); tasks.len()];
                assert!(!connector.has_other_tasks(&same), "tasks of {name} suit its settings");
            }
        }
        let running = self.state.connectors().count();
        assert!(self.lanes.len() >= running);
    }

    fn config(&self) -> SubmittedConfig {
        [("n".to_owned(), Some(self.asked.to_string()))].into()
    }

    fn write(&mut self, write: &ConfigWrite) {
        for (key, value) in write.entries().unwrap() {
            let key = String::from_utf8(key).unwrap();
            match ConfigRecord::read(&key, value.as_deref()).unwrap() {
                ConfigRecord::Restart(request) => self.restarts.push(request),
                record => self.state.apply(self.offset, &record),
            }
            self.offset += 1;
        }
    }

    fn read(&mut self) {
        let restarts = std::mem::take(&mut self.restarts).into_iter();
        let restarts = restarts
            .map(|request| {
                let statuses = self.statuses.get(&request.connector).cloned().unwrap_or_default();
                (request, statuses)
            })
            .collect();
        self.step(Event::ConfigRead { state: Arc::new(self.state.clone()), restarts });
    }

    fn step(&mut self, event: Event) {
        let writes = |effect: &&Effect| matches!(effect, Effect::Write(_));
        for effect in self.herder.step(event, self.now) {
            match effect {
                Effect::Answer(id, answer) => {
                    assert_eq!(self.answers.insert(id, answer), None, "{id:?} is answered once");
                }
                Effect::Enter(..) => {}
                Effect::PutStatus(key, status) => self.put_status(key, status),
                Effect::DeleteStatuses(name, _) => drop(self.statuses.remove(&name)),
                Effect::DeleteTaskStatuses(name, from, _) => {
                    if let Some(statuses) = self.statuses.get_mut(&name) {
                        statuses.tasks.retain(|task, _| *task < from);
                    }
                }
                slow => self.slow.push_back(slow),
            }
        }
        assert!(self.slow.iter().filter(writes).count() <= 1, "one write at a time");
    }

    fn put_status(&mut self, key: StatusKey, status: Status) {
        assert_eq!((status.worker_id.as_str(), status.generation), ("w:1", 7));
        let statuses = self.statuses.entry(key.connector().clone()).or_default();
        match key {
            StatusKey::Connector(_) => statuses.connector = Some(status),
            StatusKey::Task(id) => drop(statuses.tasks.insert(id.index, status)),
            StatusKey::Topic { .. } => panic!("a topic is no status"),
        }
    }
}

fn status(state: State) -> Status {
    Status { state, trace: None, worker_id: String::new(), generation: 0, version: None }
}
