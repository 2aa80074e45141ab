//! A connector of a case: what is asked of it, and what it shows. Not here: what it is made of (`kit`).

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::events::{self, Event};
use crate::http::Answer;
use crate::scene::{Scene, changed};
use crate::state::Status;

/// A connector, which need not be there.
pub struct Connector<'s> {
    scene: &'s Scene<'s>,
    name: String,
}

impl<'s> Connector<'s> {
    pub(crate) fn new(scene: &'s Scene<'s>, name: String) -> Self {
        Self { scene, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of its task with this number, as the kit's tasks have it.
    pub fn task(&self, number: usize) -> String {
        format!("{}-{number}", self.name)
    }

    fn path(&self, rest: &str) -> String {
        format!("/connectors/{}{rest}", self.name)
    }

    /// Sends a request below its path.
    pub fn ask(&self, method: &str, rest: &str, body: Option<&Value>) -> Result<Answer> {
        self.scene.client().ask(method, &self.path(rest), body)
    }

    /// Writes its configuration, which must be right; a file for its events is added.
    pub fn put(&self, config: &Value) -> Result<Answer> {
        let answer = self.try_put(config)?;
        ensure!(matches!(answer.status, 200 | 201), "{}: {}", answer.status, answer.text);
        Ok(answer)
    }

    /// Writes its configuration, right or wrong.
    pub fn try_put(&self, config: &Value) -> Result<Answer> {
        self.ask("PUT", "/config", Some(&self.with_events(config)))
    }

    /// Creates it in this state, by `POST`.
    pub fn create(&self, config: &Value, initial_state: &str) -> Result<()> {
        let body = json!({
            "name": self.name, "config": self.with_events(config), "initial_state": initial_state,
        });
        let answer = self.scene.client().ask("POST", "/connectors", Some(&body))?;
        answer.expect(201).map(drop)
    }

    fn with_events(&self, config: &Value) -> Value {
        changed(&json!({ "events": self.events_file() }), config)
    }

    /// Deletes it, and waits until it is gone.
    pub fn delete(&self) -> Result<()> {
        self.ask("DELETE", "", None)?.expect(204)?;
        self.wait_until_gone()
    }

    /// Waits until there is nothing of it.
    pub fn wait_until_gone(&self) -> Result<()> {
        let is_gone = || self.ask("GET", "/status", None).is_ok_and(|answer| answer.status == 404);
        self.scene.wait(&format!("{} is gone", self.name), is_gone)
    }

    /// Asks for a change of state.
    pub fn pause(&self) -> Result<()> {
        self.ask("PUT", "/pause", None)?.expect(202).map(drop)
    }

    /// Asks for a change of state.
    pub fn resume(&self) -> Result<()> {
        self.ask("PUT", "/resume", None)?.expect(202).map(drop)
    }

    /// Asks for a change of state.
    pub fn stop(&self) -> Result<()> {
        self.ask("PUT", "/stop", None)?.expect(204).map(drop)
    }

    /// Stops it, and waits until it is.
    pub fn stop_and_wait(&self) -> Result<()> {
        self.stop()?;
        self.wait_for("STOPPED", &[])
    }

    /// Its status; none where there is none.
    pub fn status(&self) -> Option<Status> {
        let answer = self.ask("GET", "/status", None).ok()?;
        (answer.status == 200).then(|| Status::of(&answer.json()))
    }

    /// Waits until connector and tasks are in these states.
    pub fn wait_for(&self, connector: &str, tasks: &[&str]) -> Result<()> {
        let what = format!("{} is {connector}, its tasks {tasks:?}", self.name);
        let mut last = None;
        let reached = || {
            last = self.status();
            last.as_ref().is_some_and(|status| status.is(connector, tasks))
        };
        let waited = self.scene.wait(&what, reached);
        waited.with_context(|| format!("its status is {last:#?}\n{}", self.scene.log_end()))
    }

    /// Waits until it runs with exactly so many tasks, all running.
    pub fn wait_until_running(&self, tasks: usize) -> Result<()> {
        self.wait_for("RUNNING", &vec!["RUNNING"; tasks])
    }

    /// The ids of its tasks.
    pub fn tasks(&self) -> Result<Vec<Value>> {
        let info = self.scene.client().look(&self.path(""))?;
        Ok(info["tasks"].as_array().cloned().unwrap_or_default())
    }

    /// The configurations of its tasks.
    pub fn task_configs(&self) -> Result<Vec<Value>> {
        let tasks = self.scene.client().look(&self.path("/tasks"))?;
        Ok(tasks.as_array().cloned().unwrap_or_default())
    }

    /// Errors: it has tasks.
    pub fn expect_no_tasks(&self) -> Result<()> {
        let (tasks, configs) = (self.tasks()?, self.task_configs()?);
        ensure!(tasks.is_empty() && configs.is_empty(), "it has tasks: {tasks:?} {configs:?}");
        Ok(())
    }

    /// Its configuration.
    pub fn config(&self) -> Result<Value> {
        self.scene.client().look(&self.path("/config"))
    }

    /// Its topics in use.
    pub fn topics(&self) -> Result<Vec<String>> {
        let answer = self.scene.client().look(&self.path("/topics"))?;
        let topics = answer[&self.name]["topics"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<String> =
            topics.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// Waits until these, in any order, are its topics in use.
    pub fn wait_for_topics(&self, expected: &[&str]) -> Result<()> {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let what = format!("{} uses {expected:?}", self.name);
        let is_so = || self.topics().is_ok_and(|topics| topics == expected);
        self.scene.wait(&what, is_so).with_context(|| format!("it uses {:?}", self.topics()))
    }

    /// Its offsets: partitions and offsets.
    pub fn offsets(&self) -> Result<Vec<(Value, Value)>> {
        let answer = self.scene.client().look(&self.path("/offsets"))?;
        let Some(offsets) = answer["offsets"].as_array() else { bail!("no offsets: {answer}") };
        Ok(offsets.iter().map(|one| (one["partition"].clone(), one["offset"].clone())).collect())
    }

    /// Waits until its offsets are such.
    pub fn wait_for_offsets(
        &self,
        what: &str,
        are_such: impl Fn(&[(Value, Value)]) -> bool,
    ) -> Result<()> {
        let reached = || self.offsets().is_ok_and(|offsets| are_such(&offsets));
        let waited = self.scene.wait(what, reached);
        waited.with_context(|| format!("they are {:?}\n{}", self.offsets(), self.scene.log_end()))
    }

    /// The file to which it and its tasks tell what happens to them.
    pub fn events_file(&self) -> PathBuf {
        self.scene.file_of(&self.name, "events")
    }

    /// What happened to it and to its tasks so far.
    pub fn events(&self) -> Vec<Event> {
        events::read(&self.events_file())
    }

    /// Waits until what happened is such.
    pub fn wait_for_events(
        &self,
        what: &str,
        are_such: impl Fn(&[Event]) -> bool,
    ) -> Result<Vec<Event>> {
        let mut last = Vec::new();
        let reached = || {
            last = self.events();
            are_such(&last)
        };
        let waited = self.scene.wait(what, reached);
        waited.with_context(|| {
            let tail: Vec<&Event> = last.iter().rev().take(20).rev().collect();
            format!("the last events are {tail:?}\n{}", self.scene.log_end())
        })?;
        Ok(last)
    }

    /// Waits until something hangs, as its setting `block` says.
    pub fn wait_until_blocked(&self) -> Result<()> {
        let blocks = |events: &[Event]| events.iter().any(|event| event.what == "blocks");
        self.wait_for_events("it hangs", blocks).map(drop)
    }

    /// Lets what hangs go on.
    pub fn go(&self) -> Result<()> {
        Ok(std::fs::write(format!("{}.go", self.events_file().display()), "")?)
    }

    /// Lets what fails at its start fail no longer.
    pub fn heal(&self) -> Result<()> {
        Ok(std::fs::write(format!("{}.well", self.events_file().display()), "")?)
    }
}
