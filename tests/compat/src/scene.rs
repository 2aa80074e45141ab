//! A case on one program: names that are its own, and what it asks and watches. Not here: its connectors' life (`connector`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tombolo_harness::wait_for;

use crate::broker::{Broker, Record};
use crate::case::{Case, Settings};
use crate::cases;
use crate::connector::Connector;
use crate::http::Client;
use crate::peer::Peer;
use crate::stage::Stage;
use crate::worker::{Plan, Worker};

/// Longest wait for what a worker does in its own time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A case on one program.
pub struct Scene<'s> {
    stage: &'s Stage,
    worker: Option<Arc<Worker>>,
    client: Client,
    files: PathBuf,
    name: String,
}

impl<'s> Scene<'s> {
    /// Sets the scene of a case: starts or finds the worker it needs.
    pub fn set(stage: &'s Stage, case: &Case) -> Result<Self> {
        let name = name(stage.peer(), case);
        let worker = stage.worker(case.needs)?;
        let (client, files) = match &worker {
            Some(worker) => (worker.client().clone(), worker.files()),
            None if stage.offers(crate::case::Needs::Workers) => {
                (Client::new(""), std::env::temp_dir())
            }
            None => {
                let (client, files) = stage.foreign_worker()?;
                (client, files.to_owned())
            }
        };
        Ok(Self { stage, worker, client, files, name })
    }

    /// The same scene on this worker: for cases that start their own.
    pub fn on(&self, worker: &Arc<Worker>) -> Scene<'s> {
        Scene {
            stage: self.stage,
            worker: Some(Arc::clone(worker)),
            client: worker.client().clone(),
            files: worker.files(),
            name: self.name.clone(),
        }
    }

    /// Starts a worker of this case's own.
    pub fn start_worker(&self, settings: Settings) -> Result<Arc<Worker>> {
        Ok(Arc::new(Worker::start(self.stage.plan(&self.name, settings))?))
    }

    /// The same against another cluster.
    pub fn start_worker_at(&self, bootstrap: &str, settings: Settings) -> Result<Arc<Worker>> {
        let plan = self.stage.plan(&self.name, settings);
        Ok(Arc::new(Worker::start(Plan { bootstrap: bootstrap.to_owned(), ..plan })?))
    }

    /// The program.
    pub fn peer(&self) -> Peer {
        self.stage.peer()
    }

    /// The stage.
    pub fn stage(&self) -> &'s Stage {
        self.stage
    }

    /// What this case's names begin with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The worker's API.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The cluster.
    pub fn broker(&self) -> &'s Broker {
        self.stage.broker()
    }

    /// The worker's log, for who looks into a failure; empty where somebody else started it.
    pub fn log_end(&self) -> String {
        self.worker.as_ref().map(|worker| worker.log_end()).unwrap_or_default()
    }

    /// All that the worker logged; empty where somebody else started it.
    pub fn log(&self) -> String {
        self.worker.as_ref().map(|worker| worker.log()).unwrap_or_default()
    }

    /// A topic's name.
    pub fn topic(&self, word: &str) -> String {
        format!("{}-{word}", self.name)
    }

    /// A topic of one partition that is there.
    pub fn make_topic(&self, word: &str) -> Result<String> {
        self.make_topic_of(word, 1)
    }

    /// A topic that is there.
    pub fn make_topic_of(&self, word: &str, partitions: usize) -> Result<String> {
        let topic = self.topic(word);
        self.broker().create(&topic, partitions)?;
        Ok(topic)
    }

    /// A topic with this many records in each partition: `value-0` and so on.
    pub fn fill_topic(&self, word: &str, partitions: usize, each: usize) -> Result<String> {
        let topic = self.make_topic_of(word, partitions)?;
        fill(self.broker(), &topic, partitions, each)?;
        Ok(topic)
    }

    /// A file that connectors may read and write.
    pub fn file(&self, word: &str) -> PathBuf {
        self.file_of(&self.name, word)
    }

    pub(crate) fn file_of(&self, name: &str, word: &str) -> PathBuf {
        self.files.join(format!("{name}-{word}"))
    }

    /// The case's connector.
    pub fn connector(&self) -> Connector<'_> {
        self.connector_named("")
    }

    /// A further connector.
    pub fn connector_named(&self, word: &str) -> Connector<'_> {
        let name = if word.is_empty() { self.name.clone() } else { self.topic(word) };
        Connector::new(self, name)
    }

    /// Waits until something holds.
    pub fn wait(&self, what: &str, condition: impl FnMut() -> bool) -> Result<()> {
        wait_for(condition, what, PATIENCE)
    }

    /// What the worker says of a configuration.
    pub fn validate(&self, plugin: &str, config: &Value) -> Result<Value> {
        let path = format!("/connector-plugins/{plugin}/config/validate");
        Ok(self.client.ask("PUT", &path, Some(config))?.expect(200)?.json())
    }

    /// Deletes what is left of the case's connectors, and lets those go that hang.
    pub fn strike(&self) -> Result<()> {
        let Ok(names) = self.client.look("/connectors") else { return Ok(()) };
        let names = names.as_array().cloned().unwrap_or_default();
        let ours = names.iter().filter_map(Value::as_str).filter(|one| self.owns(one));
        for name in ours {
            let connector = Connector::new(self, name.to_owned());
            connector.go()?;
            connector.delete()?;
        }
        Ok(())
    }

    /// Whether a connector is this case's, and not that of a case with a longer name.
    fn owns(&self, connector: &str) -> bool {
        let names = cases::all().map(|case| name(self.peer(), case));
        let begins = names.filter(|name| {
            let rest = connector.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        begins.max_by_key(String::len).is_some_and(|owner| owner == self.name)
    }
}

/// What a case's names begin with.
fn name(peer: Peer, case: &Case) -> String {
    format!("{}-{}", peer.name(), case.slug())
}

/// Appends records to each partition of a topic: `value-0` and so on.
pub fn fill(broker: &Broker, topic: &str, partitions: usize, each: usize) -> Result<()> {
    let mut records = Vec::new();
    for partition in 0..i32::try_from(partitions)? {
        records.extend((0..each).map(|number| Record {
            partition,
            key: Some("key".to_owned()),
            value: Some(format!("value-{number}")),
            headers: Vec::new(),
        }));
    }
    broker.produce_all(topic, &records)
}

/// An object with the members of another on top; a member that is null there is taken out.
pub fn changed(base: &Value, changes: &Value) -> Value {
    let mut all = base.clone();
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            if let Some(members) = all.as_object_mut() {
                members.shift_remove(name);
            }
        } else {
            all[name] = value.clone();
        }
    }
    all
}

/// The number of errors in an answer to a validation, and their texts.
pub fn errors_of(validated: &Value) -> (u64, Vec<String>) {
    let configs = validated["configs"].as_array().cloned().unwrap_or_default();
    let texts = configs.iter().flat_map(|config| {
        let errors = config["value"]["errors"].as_array().cloned().unwrap_or_default();
        errors.into_iter().filter_map(|error| error.as_str().map(str::to_owned))
    });
    (validated["error_count"].as_u64().unwrap_or_default(), texts.collect())
}

/// A configuration with a class, the usual converters, and more.
pub fn config(class: &str, more: &Value) -> Value {
    changed(&json!({ "connector.class": class, "tasks.max": "1" }), more)
}
