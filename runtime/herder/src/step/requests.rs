//! What is asked of the herder, from the request to its answer.
//!
//! Not here: answers that need no decision, which the handle gives from snapshots.

use std::collections::btree_map::Entry;
use std::time::Instant;

use tombolo_model::status::TargetState;
use tombolo_model::{ConnectorName, Settings, TaskId};
use tombolo_store::status_store::ConnectorStatuses;
use tombolo_store::{ConfigWrite, Error as StoreError, RestartRequest};

use super::{Change, Herder, Restarting, Writing};
use crate::error::Error;
use crate::event::{Answer, Effect, OffsetsAltered, Request, RequestId, SubmittedConfig};
use crate::restart_plan::RestartPlan;

impl Request {
    /// The connector it is about.
    fn connector(&self) -> &ConnectorName {
        match self {
            Self::CreateConnector { name, .. }
            | Self::PutConnectorConfig { name, .. }
            | Self::PatchConnectorConfig { name, .. }
            | Self::DeleteConnector(name)
            | Self::SetTargetState(name, _)
            | Self::RestartConnector(name)
            | Self::AlterOffsets(name, _) => name,
            Self::RestartConnectorAndTasks(request, _) => &request.connector,
            Self::RestartTask(id) => &id.connector,
        }
    }
}

impl Herder {
    pub(super) fn requested(&mut self, id: RequestId, request: Request, effects: &mut Vec<Effect>) {
        if self.is_stopping {
            effects.push(Effect::Answer(id, Err(Error::stopped())));
            return;
        }
        let request = match request {
            Request::PatchConnectorConfig { name, patch } => match self.patched(&name, patch) {
                Some(config) => Request::PutConnectorConfig { name, config },
                None => {
                    effects.push(Effect::Answer(id, Err(Error::not_found(&name))));
                    return;
                }
            },
            request => request,
        };
        match &request {
            Request::CreateConnector { config, .. }
            | Request::PutConnectorConfig { config, .. } => {
                enter(id, "validating connector configuration", effects);
                effects.push(Effect::Validate(id, config.clone()));
            }
            _ => self.ready.push_back(Change::Request(id)),
        }
        self.requests.insert(id, request);
    }

    /// The connector's configuration with a patch over it.
    fn patched(&self, name: &ConnectorName, patch: SubmittedConfig) -> Option<SubmittedConfig> {
        let config = &self.state.connector(name)?.config;
        let mut patched: SubmittedConfig =
            config.iter().map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).collect();
        for (name, value) in patch {
            match (patched.entry(name), value) {
                (Entry::Occupied(known), None) => drop(known.remove()),
                (Entry::Vacant(_), None) => {}
                (Entry::Occupied(mut known), value) => drop(known.insert(value)),
                (Entry::Vacant(new), value) => drop(new.insert(value)),
            }
        }
        Some(patched)
    }

    pub(super) fn validated(
        &mut self,
        id: RequestId,
        outcome: Result<(), Error>,
        effects: &mut Vec<Effect>,
    ) {
        match outcome {
            Ok(()) => self.ready.push_back(Change::Request(id)),
            Err(refusal) => self.answer(id, Err(refusal), effects),
        }
    }

    /// Whether a change must wait for something other than its turn.
    pub(super) fn is_held_up(&self, ready: &Change) -> bool {
        let connector = match ready {
            Change::Request(id) => self.requests.get(id).map(Request::connector),
            Change::Tasks { name, .. } => Some(name),
        };
        connector.is_some_and(|name| self.altering.contains(name))
    }

    /// Decides a request on what is read now: writes, or answers.
    pub(super) fn decide_request(&mut self, id: RequestId, effects: &mut Vec<Effect>) {
        let Some(request) = self.requests.get(&id).cloned() else { return };
        let exists = self.state.connector(request.connector()).is_some();
        match request {
            Request::CreateConnector { name, .. } if exists => {
                let message = format!("Connector {name} already exists");
                self.answer(id, Err(Error::AlreadyExists(message)), effects);
            }
            Request::CreateConnector { name, config, initial } => {
                self.write_config(id, (name, config, initial), true, effects);
            }
            Request::PutConnectorConfig { name, config } => {
                self.write_config(id, (name, config, None), !exists, effects);
            }
            // A patch became a whole configuration when it was asked for.
            Request::PatchConnectorConfig { .. } => {}
            Request::DeleteConnector(name) if exists => {
                self.write(id, ConfigWrite::Remove(name), Answer::Done, effects);
            }
            Request::SetTargetState(name, target) if exists => {
                self.write(id, ConfigWrite::Target(name, target), Answer::Done, effects);
            }
            Request::SetTargetState(name, _) => {
                let message = format!("Unknown connector {name}");
                self.answer(id, Err(Error::NotFound(message)), effects);
            }
            Request::RestartConnector(name) => self.restart_instance(id, name, effects),
            Request::RestartTask(task) => self.restart_task(id, &task, effects),
            Request::RestartConnectorAndTasks(request, statuses) => {
                self.restart_by_topic(id, request, statuses, effects);
            }
            Request::AlterOffsets(name, change) if exists => match self.refusal_to_alter(&name) {
                Some(refusal) => self.answer(id, Err(refusal), effects),
                None => {
                    self.altering.insert(name.clone());
                    enter(id, format!("modifying offsets for connector {name}"), effects);
                    effects.push(Effect::AlterOffsets(id, name, change));
                }
            },
            Request::DeleteConnector(name) | Request::AlterOffsets(name, _) => {
                self.answer(id, Err(Error::not_found(&name)), effects);
            }
        }
    }

    /// Offsets may change only while nothing runs that would overwrite them.
    fn refusal_to_alter(&self, name: &ConnectorName) -> Option<Error> {
        let is_stopped = self.state.target(name) == TargetState::Stopped;
        let tasks = self.state.connector(name).map_or(0, |connector| connector.tasks().len());
        (!is_stopped || tasks != 0).then(|| {
            Error::BadRequest(format!(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
            ))
        })
    }

    fn restart_instance(&mut self, id: RequestId, name: ConnectorName, effects: &mut Vec<Effect>) {
        let Some(connector) = self.connectors.get_mut(&name) else {
            return self.answer(id, Err(unknown_connector(&name)), effects);
        };
        enter(id, format!("stopping restarted connector {name}"), effects);
        connector.renew_instance(&mut self.numbers);
        effects.push(connector.assign(&name, &mut self.numbers));
        let revision = connector.revision();
        self.restarting.push(Restarting { id, connector: name, revision });
    }

    fn restart_task(&mut self, id: RequestId, task: &TaskId, effects: &mut Vec<Effect>) {
        let Some(connector) = self.connectors.get_mut(&task.connector) else {
            return self.answer(id, Err(unknown_connector(&task.connector)), effects);
        };
        if !connector.has_task(task.index) {
            let message = format!("Unknown task: {task}");
            return self.answer(id, Err(Error::NotFound(message)), effects);
        }
        enter(id, format!("restarting task {task}"), effects);
        connector.renew_tasks(&[task.index], &mut self.numbers);
        effects.push(connector.assign(&task.connector, &mut self.numbers));
        let revision = connector.revision();
        self.restarting.push(Restarting { id, connector: task.connector.clone(), revision });
    }

    fn restart_by_topic(
        &mut self,
        id: RequestId,
        request: RestartRequest,
        statuses: ConnectorStatuses,
        effects: &mut Vec<Effect>,
    ) {
        let name = &request.connector;
        if self.state.connector(name).is_none() {
            return self.answer(id, Err(unknown_connector(name)), effects);
        }
        match RestartPlan::new(&request, statuses) {
            Some(plan) => {
                self.write(id, ConfigWrite::Restart(request), Answer::Restarting(plan), effects);
            }
            None => {
                let message = format!("Status for connector {name} not found");
                self.answer(id, Err(Error::NotFound(message)), effects);
            }
        }
    }

    /// Answers the restarts that a worker has done.
    pub(super) fn settled(
        &mut self,
        connector: &ConnectorName,
        revision: u64,
        effects: &mut Vec<Effect>,
    ) {
        let (done, left) = std::mem::take(&mut self.restarting)
            .into_iter()
            .partition(|restart| restart.connector == *connector && restart.revision <= revision);
        self.restarting = left;
        let done: Vec<Restarting> = done;
        for restart in done {
            self.answer(restart.id, Ok(Answer::Done), effects);
        }
        self.settled_without_tasks(connector, revision, effects);
    }

    pub(super) fn offsets_altered(
        &mut self,
        id: RequestId,
        outcome: Result<OffsetsAltered, Error>,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(request) = self.requests.get(&id) {
            self.altering.remove(request.connector());
        }
        self.answer(id, outcome.map(Answer::OffsetsAltered), effects);
    }

    pub(super) fn written(
        &mut self,
        outcome: Result<(), StoreError>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        match (self.writing.take(), outcome) {
            (Some(Writing::Config { id, name, is_created }), Ok(())) => {
                self.config_written(id, name, is_created, effects);
            }
            (Some(Writing::Request(id, answer)), Ok(())) => self.answer(id, Ok(answer), effects),
            (Some(Writing::Config { id, .. } | Writing::Request(id, _)), Err(error)) => {
                let message = "Error writing to the config topic in Kafka";
                self.answer(id, Err(Error::failed(message, &error)), effects);
            }
            (Some(Writing::Tasks(name)), Err(error)) => {
                tracing::error!(connector = %name, %error, "Failed to write the connector's tasks, retrying after backoff.");
                if let Some(connector) = self.connectors.get_mut(&name) {
                    connector.retry_later(now);
                }
                self.fail_starting(
                    &name,
                    &format!("Error writing tasks of connector {name}"),
                    effects,
                );
            }
            (Some(Writing::Tasks(name)), Ok(())) => self.started(&name, effects),
            (None, _) => {}
        }
    }

    fn write(
        &mut self,
        id: RequestId,
        write: ConfigWrite,
        answer: Answer,
        effects: &mut Vec<Effect>,
    ) {
        self.writing = Some(Writing::Request(id, answer));
        enter(id, doing(&write), effects);
        effects.push(Effect::Write(write));
    }

    fn write_config(
        &mut self,
        id: RequestId,
        (name, config, initial): (ConnectorName, SubmittedConfig, Option<TargetState>),
        is_created: bool,
        effects: &mut Vec<Effect>,
    ) {
        let write = ConfigWrite::Connector(name.clone(), settings(config), initial);
        self.writing = Some(Writing::Config { id, name, is_created });
        enter(id, doing(&write), effects);
        effects.push(Effect::Write(write));
    }

    pub(super) fn answer(
        &mut self,
        id: RequestId,
        answer: Result<Answer, Error>,
        effects: &mut Vec<Effect>,
    ) {
        self.requests.remove(&id);
        effects.push(Effect::Answer(id, answer));
    }
}

fn enter(id: RequestId, doing: impl Into<String>, effects: &mut Vec<Effect>) {
    effects.push(Effect::Enter(id, doing.into()));
}

/// What a write is called while it is under way.
fn doing(write: &ConfigWrite) -> String {
    match write {
        ConfigWrite::Connector(name, ..) => {
            format!("writing a config for connector {name} to the config topic")
        }
        ConfigWrite::Remove(name) => {
            format!("removing the config for connector {name} from the config topic")
        }
        ConfigWrite::Tasks(name, tasks) => {
            let count = tasks.len();
            format!("writing {count} task configs for connector {name} to the config topic")
        }
        ConfigWrite::Target(name, state) => {
            let state = state.name();
            format!("writing the {state} target state for connector {name} to the config topic")
        }
        ConfigWrite::Restart(request) => {
            let name = &request.connector;
            format!("writing restart request for connector {name} to the config topic")
        }
        ConfigWrite::LoggerLevel(level) => {
            let name = &level.namespace;
            format!("writing the level of logger {name} to the config topic")
        }
    }
}

/// The configuration without nulls.
fn settings(config: SubmittedConfig) -> Settings {
    config.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn unknown_connector(name: &ConnectorName) -> Error {
    Error::NotFound(format!("Unknown connector: {name}"))
}
