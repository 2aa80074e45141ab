//! Performs, for one connector, what it is assigned: one thing after another, beside all other connectors.
//!
//! A plugin that takes its time holds up its own lane and nothing else.
//! Not here: what is assigned.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tombolo_model::status::TargetState;
use tombolo_model::{ConnectorName, TaskId};

use crate::assignment::{Action, Assignment, Held};
use crate::event::Event;
use crate::work::Work;

/// The lane of one connector. Ends when it is dropped, after what it is doing.
pub(crate) struct Lane {
    assignments: watch::Sender<Assignment>,
}

impl Lane {
    /// A lane that runs nothing yet.
    pub(crate) fn start(
        connector: ConnectorName,
        worker: Arc<dyn Work>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (assignments, wanted) = watch::channel(Assignment::default());
        let runner = Runner { connector, worker, events };
        tokio::spawn(runner.run(wanted));
        Self { assignments }
    }

    /// Has it catch up with this.
    pub(crate) fn assign(&self, assignment: Assignment) {
        self.assignments.send_replace(assignment);
    }

    /// Whether nothing is left to do once it has settled at this revision.
    pub(crate) fn is_over(&self, revision: u64) -> bool {
        let assignment = self.assignments.borrow();
        assignment.is_empty() && assignment.revision == revision
    }
}

struct Runner {
    connector: ConnectorName,
    worker: Arc<dyn Work>,
    events: mpsc::Sender<Event>,
}

impl Runner {
    async fn run(self, mut wanted: watch::Receiver<Assignment>) {
        let mut held = Held::default();
        while wanted.changed().await.is_ok() {
            let assignment = wanted.borrow_and_update().clone();
            for action in held.catch_up(&assignment) {
                self.perform(action, assignment.target).await;
            }
            let settled =
                Event::Settled { connector: self.connector.clone(), revision: assignment.revision };
            if self.events.send(settled).await.is_err() {
                return;
            }
        }
    }

    async fn perform(&self, action: Action, target: TargetState) {
        let Self { connector, worker, events } = self;
        match action {
            Action::StopTasks(tasks) => {
                let tasks: Vec<_> =
                    tasks.into_iter().map(|index| TaskId::new(connector.clone(), index)).collect();
                worker.stop_tasks(&tasks).await;
            }
            Action::StopConnector => worker.stop_connector(connector).await,
            Action::StartConnector(instance) => {
                worker.start_connector(connector, &instance.config, target).await;
            }
            Action::SetTarget(target) => worker.set_target_state(connector, target),
            Action::StartTask(index, task) => {
                let id = TaskId::new(connector.clone(), index);
                let (connector_config, config) = (&task.connector_config, &task.config);
                worker.start_task((&id, task.count), connector_config, config, target).await;
            }
            Action::MakeTaskSettings(epoch) => {
                let (worker, events) = (Arc::clone(worker), events.clone());
                let connector = connector.clone();
                // Beside the lane: an instance that does not answer must not keep itself from being stopped.
                tokio::spawn(async move {
                    let outcome = worker.task_settings(&connector).await.map_err(Box::new);
                    let made = Event::TaskSettingsMade { connector, epoch, outcome };
                    // Nobody is left to tell when the herder is gone.
                    drop(events.send(made).await);
                });
            }
        }
    }
}
