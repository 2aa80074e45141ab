//! What the herder keeps of one connector that runs here.
//!
//! Not here: requests about it (`requests`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tombolo_model::ConnectorName;
use tombolo_model::status::{State, Status, TargetState};
use tombolo_store::snapshot::ConnectorState;

use super::Numbers;
use crate::assignment::{Assignment, Instance, Task};
use crate::event::Effect;

/// First pause before task settings are made again, as `RECONFIGURE_CONNECTOR_TASKS_BACKOFF_INITIAL_MS` of Kafka Connect.
const RETRY_FIRST: Duration = Duration::from_millis(250);
/// Longest pause, as `RECONFIGURE_CONNECTOR_TASKS_BACKOFF_MAX_MS` of Kafka Connect.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// A connector that runs here.
#[derive(Default)]
pub(super) struct Connector {
    followed: Option<Followed>,
    assignment: Assignment,
    reported: Option<Reported>,
    retry: Option<Retry>,
}

/// Versions of what was read, to see what is new.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Followed {
    config: i64,
    tasks: Option<i64>,
    target: TargetState,
}

/// What the instance said last.
struct Reported {
    state: State,
    /// Why it failed.
    message: Option<String>,
}

/// Task settings could not be made.
struct Retry {
    attempts: u32,
    due: Option<Instant>,
}

/// What was read about a connector.
pub(super) struct Read<'a> {
    pub(super) connector: &'a ConnectorState,
    pub(super) target: TargetState,
}

impl Connector {
    /// Follows what was read.
    pub(super) fn follow(
        &mut self,
        name: &ConnectorName,
        read: &Read<'_>,
        numbers: &mut Numbers,
        effects: &mut Vec<Effect>,
    ) {
        let now = Followed {
            config: read.connector.config_version,
            tasks: read.connector.tasks_version(),
            target: read.target,
        };
        let before = self.followed.replace(now);
        if before == Some(now) {
            return;
        }
        if before.is_none_or(|before| before.config != now.config) {
            self.retry = None;
            self.reported = None;
            self.assignment.connector = Some(Instance {
                epoch: numbers.next(),
                config: Arc::clone(&read.connector.config),
            });
            // Running tasks go on as they are; one that is restarted is started under this.
            for task in self.assignment.tasks.values_mut() {
                task.connector_config = Arc::clone(&read.connector.config);
            }
        }
        if before.is_none_or(|before| before.tasks != now.tasks) {
            let ended = self.task_numbers();
            self.replace_tasks(read.connector, numbers);
            let left = self.assignment.tasks.len() as u32;
            let ended = ended.into_iter().filter(|task| *task >= left).collect();
            effects.push(Effect::DeleteTaskStatuses(name.clone(), left, ended));
        }
        if self.assignment.target != now.target {
            self.retry = None;
            self.assignment.target = now.target;
        }
        effects.push(self.assign(name, numbers));
    }

    fn replace_tasks(&mut self, read: &ConnectorState, numbers: &mut Numbers) {
        self.assignment.tasks = (0..)
            .zip(read.tasks())
            .map(|(index, config)| {
                let connector_config = Arc::clone(&read.config);
                let config = Arc::clone(config);
                let count = read.tasks().len();
                (index, Task { epoch: numbers.next(), count, connector_config, config })
            })
            .collect();
    }

    /// Replaces the instance by a new one.
    pub(super) fn renew_instance(&mut self, numbers: &mut Numbers) {
        self.retry = None;
        self.reported = None;
        if let Some(instance) = &mut self.assignment.connector {
            instance.epoch = numbers.next();
        }
    }

    /// Replaces tasks by new ones.
    pub(super) fn renew_tasks(&mut self, tasks: &[u32], numbers: &mut Numbers) {
        for index in tasks {
            if let Some(task) = self.assignment.tasks.get_mut(index) {
                task.epoch = numbers.next();
            }
        }
    }

    /// The effect that has the worker run what is assigned now.
    pub(super) fn assign(&mut self, name: &ConnectorName, numbers: &mut Numbers) -> Effect {
        self.assignment.revision = numbers.next();
        Effect::Assign(name.clone(), self.assignment.clone())
    }

    /// Has nothing run.
    pub(super) fn clear(&mut self, name: &ConnectorName, numbers: &mut Numbers) -> Effect {
        self.assignment = Assignment::default();
        self.assign(name, numbers)
    }

    /// Has nothing run, while its tasks stay known, so that their last reports are stored.
    pub(super) fn pause_for_good(&mut self, name: &ConnectorName, numbers: &mut Numbers) -> Effect {
        self.retry = None;
        let assignment = Assignment { revision: numbers.next(), ..Assignment::default() };
        Effect::Assign(name.clone(), assignment)
    }

    /// Has the instance asked for its task settings once more.
    pub(super) fn ask_again(&mut self, name: &ConnectorName, numbers: &mut Numbers) -> Effect {
        self.assignment.settings_wanted += 1;
        self.assign(name, numbers)
    }

    /// The revision assigned last.
    pub(super) fn revision(&self) -> u64 {
        self.assignment.revision
    }

    pub(super) fn task_numbers(&self) -> Vec<u32> {
        self.assignment.tasks.keys().copied().collect()
    }

    pub(super) fn has_task(&self, index: u32) -> bool {
        self.assignment.tasks.contains_key(&index)
    }

    /// Whether this instance is the assigned one.
    pub(super) fn is_running(&self, epoch: u64) -> bool {
        self.assignment.connector.as_ref().is_some_and(|instance| instance.epoch == epoch)
    }

    /// Notes what the instance says it is.
    pub(super) fn report(&mut self, status: &Status) {
        let message = status.trace.as_deref().and_then(|trace| trace.lines().next());
        self.reported = Some(Reported { state: status.state, message: message.map(str::to_owned) });
    }

    /// Why the instance failed, if it did, perhaps until its next start.
    pub(super) fn failure(&self) -> Option<&str> {
        let has_failed =
            |reported: &&Reported| matches!(reported.state, State::Failed | State::Restarting);
        let reported = self.reported.as_ref().filter(has_failed)?;
        Some(reported.message.as_deref().unwrap_or_default())
    }

    fn has_failed_for_good(&self) -> bool {
        self.reported.as_ref().is_some_and(|reported| reported.state == State::Failed)
    }

    /// Task settings could not be made: later again, with pauses that double.
    pub(super) fn retry_later(&mut self, now: Instant) {
        let attempts = self.retry.as_ref().map_or(0, |retry| retry.attempts);
        let pause = RETRY_FIRST.saturating_mul(1 << attempts.min(16)).min(RETRY_MAX);
        self.retry = Some(Retry { attempts: attempts + 1, due: Some(now + pause) });
    }

    pub(super) fn forget_retry(&mut self) {
        self.retry = None;
    }

    /// When to try again.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry.as_ref()?.due
    }

    /// Tries again, unless the instance failed meanwhile: then only a restart helps.
    pub(super) fn retry(&mut self, name: &ConnectorName, numbers: &mut Numbers) -> Option<Effect> {
        self.retry.as_mut()?.due = None;
        if self.has_failed_for_good() || self.assignment.target != TargetState::Started {
            return None;
        }
        Some(self.ask_again(name, numbers))
    }
}
