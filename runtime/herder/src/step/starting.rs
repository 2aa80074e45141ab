//! New configurations from when they are written to when they are answered.
//!
//! A worker of a group answers at once; one that stands alone when the connector has started and has its tasks, or failed.
//! Not here: starting it. Follows `StandaloneHerder.putConnectorConfig` of Kafka Connect.

use tombolo_model::status::TargetState;
use tombolo_model::{ConnectorName, Fault};

use super::{Answering, Herder};
use crate::error::Error;
use crate::event::{Answer, Effect, RequestId};

/// A configuration that is written and not answered yet.
pub(super) struct Starting {
    id: RequestId,
    name: ConnectorName,
    is_created: bool,
    /// What was assigned with it.
    revision: u64,
}

impl Herder {
    /// A configuration was written and read back.
    pub(super) fn config_written(
        &mut self,
        id: RequestId,
        name: ConnectorName,
        is_created: bool,
        effects: &mut Vec<Effect>,
    ) {
        let connector = self.connectors.get(&name);
        let revision = connector.map_or(0, super::Connector::revision);
        let waits = connector.is_some() && self.answering == Answering::OnceStarted;
        let starting = Starting { id, name, is_created, revision };
        match waits {
            true => self.starting.push(starting),
            false => self.answer_written(starting, effects),
        }
    }

    /// A worker has done what was assigned: a connector that is to have no tasks is what it shall be.
    pub(super) fn settled_without_tasks(
        &mut self,
        name: &ConnectorName,
        revision: u64,
        effects: &mut Vec<Effect>,
    ) {
        if self.state.target(name) != TargetState::Started {
            for starting in self.take_starting(|one| one.name == *name && one.revision <= revision)
            {
                self.answer_written(starting, effects);
            }
        }
    }

    /// The tasks of a connector are what it wants, or it is gone.
    pub(super) fn started(&mut self, name: &ConnectorName, effects: &mut Vec<Effect>) {
        for starting in self.take_starting(|one| one.name == *name) {
            self.answer_written(starting, effects);
        }
    }

    /// Task settings changed nothing; those of an instance that was replaced say nothing about its successor.
    pub(super) fn tasks_unchanged(
        &mut self,
        name: &ConnectorName,
        epoch: u64,
        effects: &mut Vec<Effect>,
    ) {
        if self.connectors.get(name).is_some_and(|connector| connector.is_running(epoch)) {
            self.started(name, effects);
        }
    }

    /// A connector could not say which tasks it wants, perhaps because it has not started.
    pub(super) fn not_started(
        &mut self,
        name: &ConnectorName,
        fault: &Fault,
        effects: &mut Vec<Effect>,
    ) {
        if self.state.target(name) != TargetState::Started {
            // It was paused or stopped meanwhile, and is answered once it has settled.
            return;
        }
        let failure = self.connectors.get(name).and_then(super::Connector::failure);
        let message = match failure {
            Some(why) => format!("Failed to transition connector {name} to state STARTED: {why}"),
            None => fault.message.clone(),
        };
        self.fail_starting(name, &message, effects);
    }

    pub(super) fn fail_starting(
        &mut self,
        name: &ConnectorName,
        message: &str,
        effects: &mut Vec<Effect>,
    ) {
        for starting in self.take_starting(|one| one.name == *name) {
            self.answer(starting.id, Err(Error::Internal(message.to_owned())), effects);
        }
    }

    fn take_starting(&mut self, is_due: impl Fn(&Starting) -> bool) -> Vec<Starting> {
        self.starting.extract_if(.., |one| is_due(one)).collect()
    }

    fn answer_written(&mut self, starting: Starting, effects: &mut Vec<Effect>) {
        let Starting { id, name, is_created, .. } = starting;
        let connector = self.state.connector(&name).cloned().map(Box::new);
        let connector = connector.ok_or_else(|| Error::not_found(&name));
        let answer = connector.map(|connector| Answer::Written { is_created, connector });
        self.answer(id, answer, effects);
    }
}
