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
    restarts_connector: bool,
    tasks: Vec<u32>,
}

impl RestartPlan {
    /// The plan for a request, or none where no status of the connector is known.
    pub fn new(request: &RestartRequest, mut statuses: ConnectorStatuses) -> Option<Self> {
        let mark = |status: &mut Status| {
            let is_meant = !request.only_failed || has_failed(status);
            if is_meant {
                status.state = State::Restarting;
            }
            is_meant
        };
        let restarts_connector = mark(statuses.connector.as_mut()?);
        let tasks = match request.include_tasks {
            false => Vec::new(),
            true => {
                let meant = statuses
                    .tasks
                    .iter_mut()
                    .filter_map(|(task, status)| mark(status).then_some(*task));
                meant.collect()
            }
        };
        Some(Self { statuses, restarts_connector, tasks })
    }

    /// Whether the connector's instance is to be restarted.
    pub fn restarts_connector(&self) -> bool {
        self.restarts_connector
    }

    /// The tasks to be restarted.
    pub fn tasks(&self) -> &[u32] {
        &self.tasks
    }
}

/// Whether it failed, for good or until its next start, which then comes at once. As in Kafka Connect, a restart that was asked for and has
/// not begun yet is made again.
fn has_failed(status: &Status) -> bool {
    matches!(status.state, State::Failed | State::Restarting)
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
            assert_eq!(plan.tasks(), expected.1);
        };
        check(false, false, State::Running, (true, &[]));
        check(false, true, State::Running, (true, &[0, 1]));
        check(true, false, State::Running, (false, &[]));
        check(true, false, State::Failed, (true, &[]));
        check(true, true, State::Running, (false, &[1]));
        check(true, true, State::Failed, (true, &[1]));
        check(true, false, State::Restarting, (true, &[]));
    }

    #[test]
    fn what_waits_for_its_next_start_is_meant_only_where_it_is_included() {
        let plan = |include_tasks| {
            let connector = ConnectorName::new("c");
            let request = RestartRequest { connector, only_failed: true, include_tasks };
            let statuses = ConnectorStatuses {
                connector: Some(status(State::Running)),
                tasks: [(0, status(State::Restarting)), (1, status(State::Running))].into(),
                ..ConnectorStatuses::default()
            };
            RestartPlan::new(&request, statuses).unwrap()
        };
        assert_eq!(plan(true).tasks(), [0]);
        assert_eq!(plan(false).tasks(), [] as [u32; 0]);
    }

    #[test]
    fn without_a_status_there_is_no_plan() {
        let connector = ConnectorName::new("c");
        let request = RestartRequest { connector, only_failed: false, include_tasks: true };
        assert_eq!(RestartPlan::new(&request, ConnectorStatuses::default()), None);
    }
}
