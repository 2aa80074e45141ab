//! Which instances a request restarts.
//!
//! Not here: restarting them. Follows `RestartPlan` of Kafka Connect.

use tombolo_model::status::{State, Status};
use tombolo_store::RestartRequest;
use tombolo_store::status_store::ConnectorStatuses;

/// Statuses of a connector and its tasks, in which what is going to be restarted says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartPlan {
    /// The statuses.
    pub statuses: ConnectorStatuses,
}

impl RestartPlan {
    /// The plan for a request, or none where no status of the connector is known.
    pub fn new(request: &RestartRequest, mut statuses: ConnectorStatuses) -> Option<Self> {
        let mark = |status: &mut Status| {
            if !request.only_failed || status.state == State::Failed {
                status.state = State::Restarting;
            }
        };
        mark(statuses.connector.as_mut()?);
        if request.include_tasks {
            statuses.tasks.values_mut().for_each(mark);
        }
        Some(Self { statuses })
    }

    /// Whether the connector's instance is to be restarted.
    pub fn restarts_connector(&self) -> bool {
        self.statuses.connector.as_ref().is_some_and(is_restarting)
    }

    /// The tasks to be restarted.
    pub fn tasks(&self) -> impl Iterator<Item = u32> {
        self.statuses
            .tasks
            .iter()
            .filter(|(_, status)| is_restarting(status))
            .map(|(task, _)| *task)
    }
}

fn is_restarting(status: &Status) -> bool {
    status.state == State::Restarting
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_model::ConnectorName;

    fn status(state: State) -> Status {
        Status { state, trace: None, worker_id: "w:1".into(), generation: 1, version: None }
    }

    #[test]
    fn a_request_restarts_what_it_includes() {
        let check = |only_failed, include_tasks, connector: State, expected: (bool, &[u32])| {
            let connector_name = ConnectorName::new("c");
            let request = RestartRequest { connector: connector_name, only_failed, include_tasks };
            let statuses = ConnectorStatuses {
                connector: Some(status(connector)),
                tasks: [(0, status(State::Running)), (1, status(State::Failed))].into(),
                ..ConnectorStatuses::default()
            };
            let plan = RestartPlan::new(&request, statuses).unwrap();
            assert_eq!(plan.restarts_connector(), expected.0);
            assert_eq!(plan.tasks().collect::<Vec<_>>(), expected.1);
        };
        check(false, false, State::Running, (true, &[]));
        check(false, true, State::Running, (true, &[0, 1]));
        check(true, false, State::Running, (false, &[]));
        check(true, false, State::Failed, (true, &[]));
        check(true, true, State::Running, (false, &[1]));
        check(true, true, State::Failed, (true, &[1]));
    }

    #[test]
    fn without_a_status_there_is_no_plan() {
        let connector = ConnectorName::new("c");
        let request = RestartRequest { connector, only_failed: false, include_tasks: true };
        assert_eq!(RestartPlan::new(&request, ConnectorStatuses::default()), None);
    }
}
