//! The herder with its loop and lanes, on stores in memory and a worker that only keeps books.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which end by panicking")]

mod fakes;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tombolo_harness::wait_until;
use tombolo_herder::{
    Error, FlatMap, Health, HerderConfig, HerderHandle, HerderParts, Level, Primitive,
    RestartFlags, SubmittedConfig, bring_back_plugins,
};
use tombolo_model::log_lines::{LogLine, LogLines};
use tombolo_model::role::InstallRefused;
use tombolo_model::status::{State, TargetState};
use tombolo_model::{ConnectorName, Settings, TaskId, WorkerId};
use tombolo_store::memory::MemoryJournals;
use tombolo_store::{InternalTopics, Stores};

use fakes::{FakeLoggers, FakePlugins, FakeWorker};

/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);

struct Herd {
    journals: MemoryJournals,
    stores: Stores,
    handle: HerderHandle,
    worker: Arc<FakeWorker>,
    plugins: FakePlugins,
    loggers: FakeLoggers,
    log_lines: Arc<LogLines>,
}

async fn start(journals: &MemoryJournals) -> Herd {
    let settings: Settings = [
        ("group.id", "workers"),
        ("config.storage.topic", "configs"),
        ("offset.storage.topic", "offsets"),
        ("status.storage.topic", "statuses"),
    ]
    .into_iter()
    .collect();
    let topics = InternalTopics::from_settings(&settings).unwrap();
    let stores = Stores::open(Arc::new(journals.clone()), &topics).await.unwrap();
    let (plugins, loggers) = (FakePlugins::default(), FakeLoggers::default());
    let (sender, events) = mpsc::channel(64);
    let worker = FakeWorker::new(sender, plugins.clone(), stores.offsets.clone());
    let log_lines = Arc::<LogLines>::default();
    let handle = HerderHandle::start(HerderParts {
        config: HerderConfig::distributed(&settings).unwrap(),
        worker: Arc::clone(&worker) as _,
        events,
        plugins: Arc::new(plugins.clone()),
        meters: Vec::new(),
        log_lines: Arc::clone(&log_lines),
        stores: stores.clone(),
        loggers: Arc::new(loggers.clone()),
        worker_id: WorkerId::new("host:8083"),
        cluster_id: "cluster".into(),
    });
    Herd { journals: journals.clone(), stores, handle, worker, plugins, loggers, log_lines }
}

fn config(more: &[(&str, &str)]) -> SubmittedConfig {
    let class = [("connector.class", "Fake")];
    let members = class.iter().chain(more);
    members.map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect()
}

async fn until(what: &str, condition: impl AsyncFnMut() -> bool) {
    wait_until(condition, what, DEADLINE).await.unwrap();
}

impl Herd {
    async fn until_state(&self, name: &str, connector: State, tasks: &[State]) {
        let what = format!("{name} is {} with tasks {tasks:?}", connector.name());
        until(&what, async || {
            self.handle.status(name).is_ok_and(|status| {
                let states: Vec<_> = status.tasks.iter().map(|(_, task)| task.state).collect();
                status.connector.state == connector && states == tasks
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_connector_lives_from_its_creation_to_its_deletion() {
    let herd = start(&MemoryJournals::default()).await;
    let handle = &herd.handle;
    let info = handle.create(" a ", config(&[]), None).await.unwrap();
    assert_eq!((info.name.as_str(), info.tasks.len()), ("a", 0));
    assert_eq!(info.config.get("name"), Some("a"));
    herd.until_state("a", State::Running, &[State::Running]).await;
    let status = handle.status("a").unwrap();
    assert_eq!(status.connector.worker_id, "host:8083");
    assert_eq!(status.connector.version.as_deref(), Some("1.0"));
    assert_eq!(handle.connector("a").unwrap().tasks.len(), 1);
    assert_eq!(handle.tasks("a").unwrap()[0].1.get("task.of"), Some("a"));

    handle.pause("a").await.unwrap();
    until("tasks pause", async || herd.worker.tasks() == ["a-0 PAUSED"]).await;
    handle.stop_connector("a").await.unwrap();
    assert_eq!(handle.connector("a").unwrap().tasks.len(), 0);
    herd.until_state("a", State::Stopped, &[]).await;
    handle.resume("a").await.unwrap();
    herd.until_state("a", State::Running, &[State::Running]).await;

    let (is_created, info) = handle.put_config("a", config(&[("k", "v")])).await.unwrap();
    assert!(!is_created);
    assert_eq!((info.config.get("k"), info.tasks.len()), (Some("v"), 1));
    let patch = [("k".to_owned(), None), ("l".to_owned(), Some("w".to_owned()))];
    let info = handle.patch_config("a", patch.into()).await.unwrap();
    assert_eq!((info.config.get("k"), info.config.get("l")), (None, Some("w")));

    handle.delete("a").await.unwrap();
    assert_eq!(handle.connectors(), []);
    let gone = Error::NotFound("No status found for connector a".into());
    until("its status is gone", async || handle.status("a").as_ref() == Err(&gone)).await;
    until("nothing runs", async || {
        herd.worker.connectors().is_empty() && herd.worker.tasks().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_null_is_refused_where_it_is_not_a_patch() {
    let herd = start(&MemoryJournals::default()).await;
    let mut nulls = config(&[]);
    nulls.insert("b".into(), None);
    let validation = herd.handle.validate(&nulls).await.unwrap();
    let null = "Null value can not be supplied as the configuration value.";
    assert_eq!(validation.errors().collect::<Vec<_>>(), [null]);
    let refusal = herd.handle.create("a", nulls, None).await.unwrap_err().to_string();
    assert!(refusal.contains(&format!("the following 1 error(s):\n{null}\n")), "{refusal}");
}

#[tokio::test]
async fn everything_goes_on_after_a_restart_of_the_worker() {
    let journals = MemoryJournals::default();
    let first = start(&journals).await;
    first.handle.create("a", config(&[]), None).await.unwrap();
    first.handle.create("b", config(&[]), Some(TargetState::Paused)).await.unwrap();
    first.handle.create("c", config(&[]), Some(TargetState::Stopped)).await.unwrap();
    first.until_state("a", State::Running, &[State::Running]).await;
    first.until_state("c", State::Stopped, &[]).await;
    first.handle.stop().await;
    assert!(first.worker.tasks().is_empty(), "all tasks ended");
    let stopped = first.handle.status("a").unwrap();
    assert_eq!(stopped.connector.state, State::Unassigned);
    assert_eq!(stopped.tasks[0].1.state, State::Unassigned);
    let refused = first.handle.delete("a").await.unwrap_err();
    assert_eq!(refused.to_string(), "The worker is shutting down");

    // A status of a connector that is gone is left by a worker that was killed.
    let orphan =
        r#"{"state":"RUNNING","trace":null,"worker_id":"x:1","generation":41,"version":null}"#;
    journals.write("statuses", "status-connector-gone", Some(orphan));
    journals.write("statuses", "status-task-a-7", Some(orphan));
    let second = start(&journals).await;
    second.until_state("a", State::Running, &[State::Running]).await;
    second.until_state("b", State::Paused, &[]).await;
    second.until_state("c", State::Stopped, &[]).await;
    until("orphans are deleted", async || second.handle.status("gone").is_err()).await;
    assert_eq!(second.handle.status("a").unwrap().connector.generation, 42);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_hears_for_what() {
    let herd = start(&MemoryJournals::default()).await;
    herd.handle.create("slow", config(&[("slow", "")]), None).await.unwrap();
    let began = tokio::time::Instant::now();
    let outcome = herd.handle.restart("slow", RestartFlags::default()).await;
    assert_eq!(began.elapsed().as_secs(), 90);
    let Err(Error::Timeout(text)) = outcome else { panic!("{outcome:?}") };
    let expected = "Request timed out. The worker is currently stopping restarted connector slow, which began at 20";
    assert!(text.starts_with(expected), "{text}");
}

#[tokio::test]
async fn a_slow_plugin_holds_up_nothing_but_itself() {
    let herd = start(&MemoryJournals::default()).await;
    herd.handle.create("slow", config(&[("slow", "")]), None).await.unwrap();
    herd.handle.create("quick", config(&[]), None).await.unwrap();
    herd.until_state("quick", State::Running, &[State::Running]).await;
    assert_eq!(herd.handle.health().await, Health::Healthy);
    assert!(herd.handle.status("slow").is_err(), "it has not started");
    herd.worker.slow.add_permits(1);
    herd.until_state("slow", State::Running, &[State::Running]).await;
}

#[tokio::test]
async fn what_a_connector_logged_is_forgotten_with_it() {
    let herd = start(&MemoryJournals::default()).await;
    let log = || {
        herd.log_lines.push(LogLine {
            at: SystemTime::UNIX_EPOCH,
            level: "INFO",
            logger: "test".to_owned(),
            message: "a line".to_owned(),
            fields: vec![("connector", "slow".to_owned())],
        });
    };
    let lines = || herd.log_lines.last("slow", 9).len();
    herd.handle.create("slow", config(&[("slow", "")]), None).await.unwrap();
    log();
    assert_eq!(herd.handle.log_lines("slow", 9).unwrap().len(), 1);
    herd.handle.delete("slow").await.unwrap();
    assert_eq!(lines(), 0);
    let unknown = Err(Error::NotFound("Connector slow not found".into()));
    assert_eq!(herd.handle.log_lines("slow", 9), unknown);
    // While it starts still, and then stops.
    log();
    herd.worker.slow.add_permits(1);
    until("that is forgotten too", async || lines() == 0).await;
}

#[tokio::test]
async fn restarts_say_what_they_restart() {
    let herd = start(&MemoryJournals::default()).await;
    let handle = &herd.handle;
    handle.create("a", config(&[]), None).await.unwrap();
    herd.until_state("a", State::Running, &[State::Running]).await;
    assert_eq!(handle.restart("a", RestartFlags::default()).await, Ok(None));
    let task = TaskId::new(ConnectorName::new("a"), 0);
    herd.worker.report_task(&task, State::Failed).await;
    herd.until_state("a", State::Running, &[State::Failed]).await;
    let flags = RestartFlags { only_failed: true, include_tasks: true };
    let plan = handle.restart("a", flags).await.unwrap().unwrap();
    assert_eq!(plan.connector.state, State::Running);
    assert_eq!(plan.tasks[0].1.state, State::Restarting);
    herd.until_state("a", State::Running, &[State::Running]).await;
    handle.restart_task("a", 0).await.unwrap();
    let unknown = Err(Error::NotFound("Unknown connector: none".into()));
    assert_eq!(handle.restart("none", flags).await, unknown);
}

#[tokio::test]
async fn configurations_are_refused_with_what_is_wrong() {
    let herd = start(&MemoryJournals::default()).await;
    let handle = &herd.handle;
    let refused = async |config: SubmittedConfig| {
        handle.create("a", config, None).await.unwrap_err().to_string()
    };
    assert_eq!(
        refused([("password".to_owned(), Some("hunter2".to_owned()))].into()).await,
        "Connector config {name=a, password=[hidden]} contains no connector type"
    );
    assert_eq!(
        refused(config(&[("name", "b")])).await,
        "Connector name configuration (b) doesn't match connector name in the URL (a)"
    );
    assert_eq!(
        refused(config(&[("bad", "It is bad.")])).await,
        "Connector configuration is invalid and contains the following 1 error(s):\nIt is bad.\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"
    );
    let unknown = refused(config(&[("connector.class", "Nope")])).await;
    assert!(unknown.contains("which name matches Nope"), "{unknown}");
    assert_eq!(herd.journals.records("configs"), []);
}

#[tokio::test]
async fn a_level_for_the_cluster_reaches_every_worker_that_runs() {
    let journals = MemoryJournals::default();
    let (one, other) = (start(&journals).await, start(&journals).await);
    one.handle.set_cluster_level("org.example", Level::Debug).await.unwrap();
    for herd in [&one, &other] {
        until("the level is set", async || herd.loggers.set() == ["org.example DEBUG"]).await;
    }
    // A worker of another version may write what this one does not know.
    journals.write("configs", "logger-cluster-a", Some(r#"{"level":"LOUD"}"#));
    // Nor do workers keep the same loggers.
    journals.write("configs", "logger-cluster-one.too.many", Some(r#"{"level":"INFO"}"#));
    let refused = one.handle.set_cluster_level("one.too.many", Level::Info).await;
    assert_eq!(refused, Err(Error::BadRequest("one.too.many".into())));
    one.handle.set_cluster_level("root", Level::Off).await.unwrap();
    until("it is passed over", async || other.loggers.set().len() == 2).await;
    let late = start(&journals).await;
    assert!(late.loggers.set().is_empty(), "levels from before its start");
}

#[tokio::test]
async fn topics_in_use_are_kept_until_they_are_reset() {
    let herd = start(&MemoryJournals::default()).await;
    herd.handle.create("a", config(&[]), None).await.unwrap();
    let task = TaskId::new(ConnectorName::new("a"), 0);
    herd.worker.use_topic(&task, "lines").await;
    herd.worker.use_topic(&task, "lines").await;
    let topics = || herd.handle.topics("a").unwrap();
    until("the topic is known", async || topics() == ["lines"]).await;
    assert_eq!(herd.handle.topics("none"), Ok(vec![]));
    herd.handle.reset_topics("a").unwrap();
    until("the topic is forgotten", async || topics().is_empty()).await;
    // Tasks see it in this count, and tell again what they use.
    until("it is counted", async || herd.stores.statuses.topics_forgotten().count() == 1).await;
    herd.worker.use_topic(&task, "lines").await;
    until("the topic is known again", async || topics() == ["lines"]).await;
}

#[tokio::test]
async fn offsets_of_a_stopped_source_can_be_altered_and_reset() {
    let herd = start(&MemoryJournals::default()).await;
    let handle = &herd.handle;
    handle.create("a", config(&[]), None).await.unwrap();
    let map = |key: &str, value| FlatMap(vec![(key.to_owned(), Primitive::Int(value))]);
    let change = || vec![(Some(map("file", 1)), Some(map("position", 2)))];
    let refused = handle.alter_offsets("a", change()).await.unwrap_err();
    assert!(refused.to_string().contains("must be in the STOPPED state"));
    handle.stop_connector("a").await.unwrap();
    let message = handle.alter_offsets("a", change()).await.unwrap();
    assert_eq!(message, "The offsets for this connector have been altered successfully");
    assert_eq!(herd.worker.altered.lock().unwrap().len(), 1);
    let offsets = handle.offsets("a").await.unwrap();
    assert_eq!((&offsets[0].partition, &offsets[0].offset), (&map("file", 1), &map("position", 2)));
    let message = handle.reset_offsets("a").await.unwrap();
    assert_eq!(message, "The offsets for this connector have been reset successfully");
    assert_eq!(handle.offsets("a").await, Ok(vec![]));
    let last = herd.journals.records("offsets").pop();
    assert_eq!(last, Some((r#"["a",{"file":1}]"#.into(), None)));
}

#[tokio::test]
async fn installed_components_come_back_from_the_cache_or_else_from_their_bytes() {
    let journals = MemoryJournals::default();
    let first = start(&journals).await;
    first.handle.install(b"bad".to_vec()).await.unwrap_err();
    let cached = first.handle.install(b"one".to_vec()).await.unwrap().component;
    let other = first.handle.install(b"two".to_vec()).await.unwrap().component;
    let second = start(&journals).await;
    second.plugins.recallable.lock().unwrap().insert(cached);
    bring_back_plugins(&second.stores.plugins, &second.plugins).await.unwrap();
    let installed: Vec<_> = second.plugins.installed.lock().unwrap().keys().cloned().collect();
    assert_eq!(installed, [other]);
}

#[tokio::test]
async fn an_upload_is_in_memory_once_while_it_is_taken_in() {
    let herd = start(&MemoryJournals::default()).await;
    // Whoever follows the store gives plugins other bytes, read from there.
    let given = |place: usize| {
        let places = herd.plugins.places.lock().unwrap();
        places.iter().filter(|at| **at == place).count()
    };
    let component = b"one".to_vec();
    let place = component.as_ptr() as usize;
    let digest = herd.handle.install(component).await.unwrap().component;
    assert_eq!(given(place), 2, "checked and made known where it was received");
    // What was kept when it was checked is made known without bytes.
    herd.plugins.recallable.lock().unwrap().insert(digest);
    herd.plugins.places.lock().unwrap().clear();
    let component = b"one".to_vec();
    let place = component.as_ptr() as usize;
    assert!(herd.handle.install(component).await.unwrap().known);
    assert_eq!(given(place), 1);
}

#[tokio::test]
async fn a_component_that_another_worker_takes_in_becomes_known_here() {
    let journals = MemoryJournals::default();
    let (first, second) = (start(&journals).await, start(&journals).await);
    let digest = first.handle.install(b"one".to_vec()).await.unwrap().component;
    let is_known = async || second.plugins.installed.lock().unwrap().contains_key(&digest);
    until("the other worker knows it", is_known).await;
}

#[tokio::test]
async fn a_component_is_known_only_once_it_is_stored() {
    let herd = start(&MemoryJournals::default()).await;
    for away in ["configs-plugins-chunks", "configs-plugins"] {
        herd.journals.set_away(away, true);
        let refused = herd.handle.install(b"one".to_vec()).await.unwrap_err();
        assert!(matches!(refused, InstallRefused::Failed(_)), "{refused}");
        assert!(herd.plugins.installed.lock().unwrap().is_empty(), "{away} is away");
        herd.journals.set_away(away, false);
    }
    let installed = herd.handle.install(b"one".to_vec()).await.unwrap();
    assert!(!installed.known, "the failures left nothing behind");
    assert!(herd.plugins.installed.lock().unwrap().contains_key(&installed.component));
    assert_eq!(herd.stores.plugins.components(), [installed.component]);
    assert!(herd.handle.install(b"one".to_vec()).await.unwrap().known);
}
