//! A connector's status, in short. Not here: asking for it (`connector`).

use serde_json::Value;

/// States of a connector and of its tasks, in order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The connector's.
    pub connector: String,
    /// Why the connector failed.
    pub trace: String,
    /// The tasks'.
    pub tasks: Vec<String>,
    /// Why each task failed.
    pub traces: Vec<String>,
}

impl Status {
    /// Reads an answer.
    pub fn of(answer: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tasks = answer["tasks"].as_array().cloned().unwrap_or_default();
        Self {
            connector: text(&answer["connector"]["state"]),
            trace: text(&answer["connector"]["trace"]),
            tasks: tasks.iter().map(|task| text(&task["state"])).collect(),
            traces: tasks.iter().map(|task| text(&task["trace"])).collect(),
        }
    }

    /// Whether these are the states.
    pub fn is(&self, connector: &str, tasks: &[&str]) -> bool {
        self.connector == connector && self.tasks == tasks
    }

    /// Whether anything is in this state.
    pub fn has(&self, state: &str) -> bool {
        self.connector == state || self.tasks.iter().any(|task| task == state)
    }
}
