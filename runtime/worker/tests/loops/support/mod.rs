//! A worker of native plugins on a broker that all tests share.
//!
//! Not here: the plugins (`source`, `sink`, `plugins`).

pub(crate) mod cluster;
pub(crate) mod plugins;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tombolo_harness::wait_until;
use tombolo_model::status::{State, Status, TargetState};
use tombolo_model::{ConfigProvider, ConfigProviders, ConnectorName, Settings, TaskId, WorkerId};
use tombolo_store::InternalTopics;
use tombolo_store::memory::MemoryJournals;
use tombolo_store::{OffsetStore, TopicsForgotten, topics::InternalTopic};
use tombolo_worker::{SourceOffsets, Worker, WorkerConfig, WorkerEvent, WorkerParts};

pub(crate) use cluster::Cluster;
pub(crate) use plugins::NativePlugins;

/// Longest wait for anything that a test waits for.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A worker with one connector, whose name no other test has.
pub(crate) struct Fixture {
    pub(crate) cluster: &'static Cluster,
    pub(crate) worker: Worker,
    pub(crate) plugins: Arc<NativePlugins>,
    pub(crate) journals: MemoryJournals,
    pub(crate) name: ConnectorName,
    settings: Settings,
    events: Arc<Mutex<Vec<WorkerEvent>>>,
}

impl Fixture {
    /// A worker with these settings over the usual ones of tests. Offsets of sources are in memory.
    pub(crate) async fn new(name: &str, worker: &[(&str, &str)]) -> Self {
        Self::with_guests_on(Handle::current(), name, worker).await
    }

    /// The same, with plugins on another runtime than the current one.
    pub(crate) async fn with_guests_on(
        guests: Handle,
        name: &str,
        worker: &[(&str, &str)],
    ) -> Self {
        let cluster = Cluster::shared();
        let mut config = cluster.client();
        for (name, value) in [
            ("key.converter", "Bytes"),
            ("value.converter", "Bytes"),
            ("header.converter", "Bytes"),
            ("offset.flush.interval.ms", "100"),
            ("consumer.session.timeout.ms", "10000"),
        ] {
            config.insert(name, value);
        }
        worker.iter().for_each(|(name, value)| drop(config.insert(*name, *value)));
        let journals = MemoryJournals::default();
        let offsets = OffsetStore::open(&journals, &offsets_topic()).await.unwrap();
        let plugins = Arc::new(NativePlugins::default());
        let (sender, mut receiver) = mpsc::channel(1000);
        let events: Arc<Mutex<Vec<WorkerEvent>>> = Arc::default();
        let heard = Arc::clone(&events);
        tokio::spawn(async move {
            while let Some(event) = receiver.recv().await {
                heard.lock().unwrap().push(event);
            }
        });
        let parts = WorkerParts {
            config: WorkerConfig::from_settings(&config).unwrap(),
            plugins: Arc::clone(&plugins) as Arc<_>,
            providers: providers(),
            offsets: SourceOffsets { store: offsets, topic: Some(offsets_topic()) },
            worker_id: WorkerId::new("localhost:8083"),
            guests,
            events: sender,
            topics_forgotten: TopicsForgotten::default(),
        };
        let name = format!("{name}-{}", cluster.next_number());
        let settings = [("name", name.as_str())].into_iter().collect();
        Self {
            cluster,
            worker: Worker::new(parts),
            plugins,
            journals,
            name: ConnectorName::new(name),
            settings,
            events,
        }
    }

    /// Adds settings to the connector.
    pub(crate) fn set(&mut self, settings: &[(&str, &str)]) {
        settings.iter().for_each(|(name, value)| drop(self.settings.insert(*name, *value)));
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn task(&self, index: u32) -> TaskId {
        TaskId::new(self.name.clone(), index)
    }

    pub(crate) async fn start_task(&self, index: u32) {
        self.start_task_as(index, TargetState::Started).await;
    }

    pub(crate) async fn start_task_as(&self, index: u32, target: TargetState) {
        let settings = &self.settings;
        let count = index as usize + 1;
        self.worker.start_task((&self.task(index), count), settings, settings, target).await;
    }

    pub(crate) async fn stop_task(&self, index: u32) {
        self.worker.stop_tasks(&[self.task(index)]).await;
    }

    pub(crate) fn events(&self) -> Vec<WorkerEvent> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The states of a task, in order.
    pub(crate) fn states(&self, index: u32) -> Vec<Status> {
        let of = |event| match event {
            WorkerEvent::TaskStatus { task, status } if task == self.task(index) => Some(status),
            _ => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }

    /// The states of the connector, in order.
    pub(crate) fn connector_states(&self) -> Vec<Status> {
        let of = |event| match event {
            WorkerEvent::ConnectorStatus { status, .. } => Some(status),
            _ => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }

    /// Waits until the task is in this state.
    pub(crate) async fn wait_for_state(&self, index: u32, state: State) -> Status {
        let now = || self.states(index).last().cloned();
        let what = format!("task {index} is {state:?}");
        until(&what, || now().is_some_and(|status| status.state == state)).await;
        now().unwrap()
    }

    /// Waits until the task has failed, and returns why.
    pub(crate) async fn failure(&self, index: u32) -> String {
        self.wait_for_state(index, State::Failed).await.trace.unwrap()
    }

    /// The stored offset of each source partition, oldest record first: `p` and `n` of `values::partition` and `values::offset`.
    pub(crate) fn stored_offsets(&self) -> Vec<(String, u64)> {
        let records = self.journals.records(&offsets_topic().name);
        records.iter().map(|(key, value)| values::stored(key, value.as_deref())).collect()
    }

    /// The stored offset of a source partition.
    pub(crate) fn stored_offset(&self, partition: &str) -> Option<u64> {
        let of = |(p, n)| (p == partition).then_some(n);
        self.stored_offsets().into_iter().rev().find_map(of)
    }

    /// Makes the store of source offsets refuse writes, or take them again.
    pub(crate) fn set_store_away(&self, is_away: bool) {
        self.journals.set_away(&offsets_topic().name, is_away);
    }

    /// The group of a sink.
    pub(crate) fn group(&self) -> String {
        format!("connect-{}", self.name)
    }
}

fn offsets_topic() -> InternalTopic {
    let settings: Settings = [
        ("group.id", "g"),
        ("config.storage.topic", "c"),
        ("offset.storage.topic", "o"),
        ("offset.storage.partitions", "2"),
        ("offset.storage.replication.factor", "1"),
        ("status.storage.topic", "s"),
    ]
    .into_iter()
    .collect();
    InternalTopics::from_settings(&settings).unwrap().offset
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_until(async || condition(), what, SOON).await.unwrap();
}

/// The provider `vault` knows one password, under every path and key.
fn providers() -> ConfigProviders {
    let vault: Box<dyn ConfigProvider> = Box::new(Vault);
    ConfigProviders::new([("vault".to_owned(), vault)].into())
}

/// What the provider `vault` knows.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

struct Vault;

impl ConfigProvider for Vault {
    fn get(&self, _: &str, keys: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, String> {
        Ok(keys.iter().map(|key| ((*key).to_owned(), PASSWORD.to_owned())).collect())
    }
}
