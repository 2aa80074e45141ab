//! What a worker is to run of one connector, and the way there from what it runs.
//!
//! Not here: doing it (`lane`), and deciding what is to run (`step`).

use std::collections::BTreeMap;
use std::sync::Arc;

use tombolo_model::Settings;
use tombolo_model::status::TargetState;

/// What a worker is to run of one connector.
///
/// It says how things shall be, not what to do: a lane that was busy catches up with the newest and skips what came between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// Counts up with every change.
    pub revision: u64,
    /// The connector's instance, if it is to run here.
    pub connector: Option<Instance>,
    /// Its tasks to run here.
    pub tasks: BTreeMap<u32, Task>,
    /// What all of them shall be.
    pub target: TargetState,
    /// Counts up when the connector is to be asked for its task settings again.
    pub settings_wanted: u64,
}

/// A connector's instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Another number is another instance: the running one is stopped first.
    pub epoch: u64,
    /// Its configuration.
    pub config: Arc<Settings>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Another number is another task: the running one is stopped first.
    pub epoch: u64,
    /// How many tasks the connector has, wherever they run.
    pub count: usize,
    /// The connector's configuration.
    pub connector_config: Arc<Settings>,
    /// Its own.
    pub config: Arc<Settings>,
}

impl Assignment {
    /// Whether nothing is to run.
    pub fn is_empty(&self) -> bool {
        self.connector.is_none() && self.tasks.is_empty()
    }
}

/// What runs of one connector: epochs alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    connector: Option<u64>,
    tasks: BTreeMap<u32, u64>,
    target: TargetState,
    settings_wanted: u64,
}

/// One step from what runs to what shall run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stop these tasks.
    StopTasks(Vec<u32>),
    /// Stop the instance.
    StopConnector,
    /// Start the instance.
    StartConnector(Instance),
    /// Tell instance and tasks what to be.
    SetTarget(TargetState),
    /// Start a task.
    StartTask(u32, Task),
    /// Ask the instance of this epoch for task settings.
    MakeTaskSettings(u64),
}

impl Held {
    /// The actions that lead to an assignment, in order; afterwards it is held.
    pub fn catch_up(&mut self, wanted: &Assignment) -> Vec<Action> {
        let mut actions = Vec::new();
        let stops: Vec<u32> = self
            .tasks
            .iter()
            .filter(|(index, epoch)| wanted.tasks.get(index).map(|task| &task.epoch) != Some(epoch))
            .map(|(index, _)| *index)
            .collect();
        self.tasks.retain(|index, _| !stops.contains(index));
        if !stops.is_empty() {
            actions.push(Action::StopTasks(stops));
        }
        let is_asked = self.catch_up_connector(wanted, &mut actions);
        for (index, task) in &wanted.tasks {
            if self.tasks.insert(*index, task.epoch).is_none() {
                actions.push(Action::StartTask(*index, task.clone()));
            }
        }
        if let (true, Some(instance), TargetState::Started) =
            (is_asked, &wanted.connector, wanted.target)
        {
            actions.push(Action::MakeTaskSettings(instance.epoch));
        }
        actions
    }

    /// The same for the instance; answers whether it is to be asked for task settings, if it is started.
    fn catch_up_connector(&mut self, wanted: &Assignment, actions: &mut Vec<Action>) -> bool {
        let epoch = wanted.connector.as_ref().map(|instance| instance.epoch);
        let is_other = self.connector != epoch;
        let is_other_target = self.target != wanted.target;
        if is_other && self.connector.is_some() {
            actions.push(Action::StopConnector);
        }
        match &wanted.connector {
            Some(instance) if is_other => actions.push(Action::StartConnector(instance.clone())),
            _ => {}
        }
        // Running tasks learn of a new target even when the instance was started with it.
        let runs = (self.connector.is_some() && !is_other) || !self.tasks.is_empty();
        if is_other_target && runs {
            actions.push(Action::SetTarget(wanted.target));
        }
        let is_asked =
            is_other || is_other_target || self.settings_wanted != wanted.settings_wanted;
        self.connector = epoch;
        self.target = wanted.target;
        self.settings_wanted = wanted.settings_wanted;
        is_asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(connector: Option<u64>, tasks: &[(u32, u64)], target: TargetState) -> Assignment {
        let config = Arc::new(Settings::default());
        let task = |epoch| Task {
            epoch,
            count: tasks.len(),
            connector_config: Arc::clone(&config),
            config: Arc::clone(&config),
        };
        Assignment {
            connector: connector.map(|epoch| Instance { epoch, config: Arc::clone(&config) }),
            tasks: tasks.iter().map(|(index, epoch)| (*index, task(*epoch))).collect(),
            target,
            ..Assignment::default()
        }
    }

    fn names(actions: &[Action]) -> Vec<String> {
        let name = |action: &Action| match action {
            Action::StopTasks(tasks) => format!("stop tasks {tasks:?}"),
            Action::StopConnector => "stop connector".to_owned(),
            Action::StartConnector(instance) => format!("start connector {}", instance.epoch),
            Action::SetTarget(target) => format!("set {}", target.name()),
            Action::StartTask(index, task) => format!("start task {index} {}", task.epoch),
            Action::MakeTaskSettings(epoch) => format!("make settings {epoch}"),
        };
        actions.iter().map(name).collect()
    }

    #[test]
    fn a_worker_does_what_leads_to_its_assignment_and_no_more() {
        use TargetState::{Paused, Started, Stopped};
        let mut held = Held::default();
        let mut check = |assignment: Assignment, expected: &[&str]| {
            assert_eq!(names(&held.catch_up(&assignment)), expected);
            assert_eq!(names(&held.catch_up(&assignment)), [""; 0], "twice is once");
        };
        check(wanted(Some(1), &[], Started), &["start connector 1", "make settings 1"]);
        check(wanted(Some(1), &[(0, 2), (1, 3)], Started), &["start task 0 2", "start task 1 3"]);
        check(wanted(Some(1), &[(0, 2), (1, 3)], Paused), &["set PAUSED"]);
        check(wanted(Some(1), &[(0, 4), (1, 3)], Paused), &["stop tasks [0]", "start task 0 4"]);
        check(wanted(Some(1), &[(0, 4), (1, 3)], Started), &["set STARTED", "make settings 1"]);
        check(
            wanted(Some(5), &[(0, 4)], Started),
            &["stop tasks [1]", "stop connector", "start connector 5", "make settings 5"],
        );
        check(wanted(Some(5), &[], Stopped), &["stop tasks [0]", "set STOPPED"]);
        check(Assignment::default(), &["stop connector"]);
    }

    #[test]
    fn task_settings_are_made_again_when_the_connector_asks() {
        let mut held = Held::default();
        let mut assignment = wanted(Some(1), &[], TargetState::Started);
        held.catch_up(&assignment);
        assignment.settings_wanted += 1;
        assert_eq!(names(&held.catch_up(&assignment)), ["make settings 1"]);
    }
}
