//! The stores on topics in memory: what was written is read, by this worker and by the next.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which end by panicking")]

use std::sync::Arc;

use tombolo_model::offset::{SourceOffset, SourcePartition, SourcePosition};
use tombolo_model::plugin::ComponentDigest;
use tombolo_model::status::{State, Status, TargetState};
use tombolo_model::{ConnectorName, Settings, TaskId};
use tombolo_store::flat::{FlatMap, Primitive};
use tombolo_store::memory::MemoryJournals;
use tombolo_store::plugin_store::CHUNK_BYTES_MAX;
use tombolo_store::status_records::StatusKey;
use tombolo_store::{
    ConfigWrite, ConnectorOffsetStore, InternalTopics, LoggerLevel, RestartRequest, Stores,
};

fn topics() -> InternalTopics {
    let settings: Settings = [
        ("config.storage.topic", "configs"),
        ("offset.storage.topic", "offsets"),
        ("status.storage.topic", "statuses"),
    ]
    .into_iter()
    .collect();
    InternalTopics::from_settings(&settings).unwrap()
}

async fn open(journals: &MemoryJournals) -> Stores {
    Stores::open(Arc::new(journals.clone()), &topics()).await.unwrap()
}

fn name(name: &str) -> ConnectorName {
    ConnectorName::new(name)
}

fn settings(members: &[(&str, &str)]) -> Settings {
    members.iter().copied().collect()
}

#[tokio::test]
async fn a_snapshot_has_what_was_committed() {
    let journals = MemoryJournals::default();
    let store = open(&journals).await.config;
    let config = settings(&[("k", "1")]);
    let tasks = vec![settings(&[("t", "0")]), settings(&[("t", "1")])];
    store.write(&ConfigWrite::Connector(name("a"), config.clone(), None)).await.unwrap();
    assert!(store.snapshot().connector(&name("a")).unwrap().has_other_tasks(&tasks));
    // Tasks without their commit count for nothing.
    journals.write("configs", "task-a-0", Some(r#"{"properties":{"t":"0"}}"#));
    assert!(store.snapshot().connector(&name("a")).unwrap().tasks().is_empty());
    store.write(&ConfigWrite::Tasks(name("a"), tasks.clone())).await.unwrap();
    let snapshot = store.snapshot();
    let connector = snapshot.connector(&name("a")).unwrap();
    assert_eq!(connector.tasks().len(), 2);
    assert!(!connector.has_other_tasks(&tasks));
    assert!(connector.has_other_tasks(&tasks[..1]));
    // The same tasks under another configuration of the connector are others.
    let config = settings(&[("k", "2")]);
    store.write(&ConfigWrite::Connector(name("a"), config, None)).await.unwrap();
    assert!(store.snapshot().connector(&name("a")).unwrap().has_other_tasks(&tasks));
    // The next worker reads the same.
    let next = open(&journals).await.config.snapshot();
    assert_eq!(format!("{next:?}"), format!("{:?}", store.snapshot()));
}

#[tokio::test]
async fn compaction_between_tasks_and_commit_makes_a_connector_inconsistent_until_the_next_commit()
{
    let journals = MemoryJournals::default();
    let properties = Some(r#"{"properties":{}}"#);
    journals.write("configs", "connector-a", properties);
    journals.write("configs", "task-a-1", properties);
    journals.write("configs", "commit-a", Some(r#"{"tasks":2}"#));
    // Leftovers of a larger set do no harm.
    journals.write("configs", "connector-b", properties);
    journals.write("configs", "task-b-0", properties);
    journals.write("configs", "task-b-7", properties);
    journals.write("configs", "commit-b", Some(r#"{"tasks":1}"#));
    // A commit of a deleted connector is ignored.
    journals.write("configs", "task-c-0", properties);
    journals.write("configs", "commit-c", Some(r#"{"tasks":1}"#));
    let store = open(&journals).await.config;
    let snapshot = store.snapshot();
    assert_eq!(snapshot.connector(&name("a")).unwrap().tasks_version(), None);
    assert_eq!(snapshot.connector(&name("b")).unwrap().tasks().len(), 1);
    assert!(snapshot.connector(&name("c")).is_none());
    assert_eq!(snapshot.position(), 9);
    store.write(&ConfigWrite::Tasks(name("a"), vec![Settings::default()])).await.unwrap();
    assert_eq!(store.snapshot().connector(&name("a")).unwrap().tasks().len(), 1);
}

#[tokio::test]
async fn target_states_outlive_a_restart_and_end_with_the_connector() {
    let journals = MemoryJournals::default();
    let store = open(&journals).await.config;
    let created =
        ConfigWrite::Connector(name("a"), Settings::default(), Some(TargetState::Stopped));
    store.write(&created).await.unwrap();
    assert_eq!(open(&journals).await.config.snapshot().target(&name("a")), TargetState::Stopped);
    store.write(&ConfigWrite::Target(name("a"), TargetState::Paused)).await.unwrap();
    assert_eq!(store.snapshot().target(&name("a")), TargetState::Paused);
    store.write(&ConfigWrite::Remove(name("a"))).await.unwrap();
    store.write(&ConfigWrite::Connector(name("a"), Settings::default(), None)).await.unwrap();
    assert_eq!(store.snapshot().target(&name("a")), TargetState::Started);
}

#[tokio::test]
async fn of_several_restarts_the_one_with_the_highest_impact_stands_and_old_ones_do_not() {
    let journals = MemoryJournals::default();
    let first = open(&journals).await.config;
    let request = |only_failed, include_tasks| RestartRequest {
        connector: name("a"),
        only_failed,
        include_tasks,
    };
    for (only_failed, include_tasks) in [(true, true), (false, true), (true, false)] {
        first.write(&ConfigWrite::Restart(request(only_failed, include_tasks))).await.unwrap();
    }
    assert_eq!(first.take_read().unwrap().restarts, [request(false, true)]);
    assert!(first.take_read().is_none());
    let read = open(&journals).await.config.take_read().unwrap();
    assert_eq!(read.restarts, []);
}

#[tokio::test]
async fn levels_of_loggers_are_told_once_and_not_to_who_starts_later() {
    let journals = MemoryJournals::default();
    let first = open(&journals).await.config;
    let level = |namespace: &str, level: &str| LoggerLevel {
        namespace: namespace.into(),
        level: level.into(),
    };
    for (namespace, wanted) in [("a", "DEBUG"), ("root", "WARN"), ("a", "INFO")] {
        first.write(&ConfigWrite::LoggerLevel(level(namespace, wanted))).await.unwrap();
    }
    let told = first.take_read().unwrap().logger_levels;
    assert_eq!(told, [level("root", "WARN"), level("a", "INFO")]);
    let read = open(&journals).await.config.take_read().unwrap();
    assert_eq!(read.logger_levels, []);
}

fn cbor(members: &[(&str, i64)]) -> Vec<u8> {
    let members = members.iter().map(|(key, value)| ((*key).to_owned(), Primitive::Int(*value)));
    FlatMap(members.collect()).to_cbor()
}

#[tokio::test]
async fn offsets_are_found_whatever_the_order_of_members_and_stay_under_one_key() {
    let journals = MemoryJournals::default();
    journals.write("offsets", r#"["a",{"x":1,"y":2}]"#, Some(r#"{"position":5}"#));
    journals.write("offsets", r#"["b",{"x":1,"y":2}]"#, Some(r#"{"position":6}"#));
    journals.write("offsets", "not json", Some("{}"));
    journals.write("offsets", r#"["a",{"x":9}]"#, Some(r#"{"nested":{}}"#));
    let store = open(&journals).await.offsets;
    let partition = SourcePartition(cbor(&[("y", 2), ("x", 1)]));
    let own = ConnectorOffsetStore::in_worker_store(name("a"), store.clone());
    let unknown = SourcePartition(cbor(&[("x", 9)]));
    let read = own.read(&[partition.clone(), unknown]).await.unwrap();
    assert_eq!(read, [Some(SourceOffset(cbor(&[("position", 5)]))), None]);
    let offset = Some(SourceOffset(cbor(&[("position", 7)])));
    let position = SourcePosition { partition: partition.clone(), offset };
    own.write(&[position]).await.unwrap();
    let last = journals.records("offsets").pop().unwrap();
    assert_eq!(last, (r#"["a",{"x":1,"y":2}]"#.into(), Some(r#"{"position":7}"#.into())));
    let forget = SourcePosition { partition: partition.clone(), offset: None };
    own.write(&[forget]).await.unwrap();
    assert_eq!(store.read(&name("a"), &[partition]).await.unwrap(), [None]);
    assert_eq!(store.positions(&name("a")).await.unwrap(), []);
    assert_eq!(store.positions(&name("b")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn offsets_that_are_not_flat_are_refused_whole() {
    let journals = MemoryJournals::default();
    let store = open(&journals).await.offsets;
    let store = ConnectorOffsetStore::in_worker_store(name("a"), store);
    let good = SourcePosition {
        partition: SourcePartition(cbor(&[])),
        offset: Some(SourceOffset(cbor(&[]))),
    };
    let bad = SourcePosition { offset: Some(SourceOffset(vec![0x80])), ..good.clone() };
    let error = store.write(&[good, bad]).await.unwrap_err();
    assert_eq!(error.to_string(), "Offset data must be a map");
    assert_eq!(journals.records("offsets"), []);
}

fn status(state: State, worker: &str, generation: i32) -> Status {
    Status { state, trace: None, worker_id: worker.into(), generation, version: None }
}

#[tokio::test]
async fn a_status_of_an_older_generation_does_not_cover_a_newer_one() {
    let journals = MemoryJournals::default();
    let store = open(&journals).await.statuses;
    let key = StatusKey::Task(TaskId::new(name("a"), 0));
    store.put(key.clone(), &status(State::Running, "new:1", 3));
    store.flush().await;
    store.put(key.clone(), &status(State::Failed, "old:1", 2));
    store.flush().await;
    assert_eq!(store.of(&name("a")).tasks[&0].state, State::Running);
    store.put(key, &status(State::Paused, "new:1", 3));
    store.flush().await;
    assert_eq!(store.of(&name("a")).tasks[&0].state, State::Paused);
}

#[tokio::test]
async fn deleting_a_connectors_status_deletes_those_of_its_tasks() {
    let journals = MemoryJournals::default();
    let store = open(&journals).await.statuses;
    store.put(StatusKey::Connector(name("a")), &status(State::Running, "w:1", 1));
    store.put(StatusKey::Task(TaskId::new(name("a"), 0)), &status(State::Running, "w:1", 1));
    store.flush().await;
    store.delete(StatusKey::Connector(name("a")));
    store.flush().await;
    assert_eq!(store.all().len(), 0);
}

#[tokio::test]
async fn statuses_wait_for_a_broker_that_is_away_and_only_the_newest_is_written() {
    let journals = MemoryJournals::default();
    let store = open(&journals).await.statuses;
    journals.set_away("statuses", true);
    let key = StatusKey::Connector(name("a"));
    store.put(key.clone(), &status(State::Running, "w:1", 1));
    tokio::task::yield_now().await;
    store.put(key, &status(State::Paused, "w:1", 1));
    tokio::task::yield_now().await;
    journals.set_away("statuses", false);
    store.flush().await;
    let records = journals.records("statuses");
    assert_eq!(records.len(), 1);
    assert!(records[0].1.as_ref().unwrap().contains("PAUSED"));
}

#[tokio::test]
async fn components_come_back_whole_and_their_bytes_are_not_read_before() {
    let journals = MemoryJournals::default();
    let store = open(&journals).await.plugins;
    let digest = |text: &str| ComponentDigest(text.to_owned());
    let large: Vec<u8> = (0..2 * CHUNK_BYTES_MAX + 1).map(|byte| byte as u8).collect();
    store.put(&digest("large"), &large).await.unwrap();
    store.put(&digest("small"), b"small").await.unwrap();
    store.put(&digest("large"), &large).await.unwrap();
    assert_eq!(journals.records("configs-plugins").len(), 2);
    assert_eq!(journals.records("configs-plugins-chunks").len(), 4);
    let next = open(&journals).await.plugins;
    assert_eq!(next.components(), [digest("large"), digest("small")]);
    let got = next.get(&[digest("large"), digest("unknown")]).await.unwrap();
    assert!(got == [(digest("large"), large)]);
    journals.write(
        "configs-plugins",
        "component-lost",
        Some(r#"{"version":1,"chunks":1,"bytes":1}"#),
    );
    let error = next.get(&[digest("lost")]).await.unwrap_err();
    assert_eq!(error.to_string(), "component lost cannot be read back: chunk 0 is missing");
}

#[test]
fn settings_of_internal_topics_are_those_of_kafka_connect() {
    let read = |more: &[(&str, &str)]| {
        let base = [
            ("config.storage.topic", "configs"),
            ("offset.storage.topic", "offsets"),
            ("status.storage.topic", "statuses"),
        ];
        InternalTopics::from_settings(&base.iter().chain(more).copied().collect())
    };
    let topics = read(&[
        ("config.storage.partitions", "7"),
        ("offset.storage.partitions", "-1"),
        ("status.storage.replication.factor", "1"),
        ("status.storage.segment.bytes", "1000"),
        ("status.storage.cleanup.policy", "delete"),
    ])
    .unwrap();
    assert_eq!((topics.config.partitions, topics.config.replication_factor), (1, 3));
    assert_eq!((topics.offset.partitions, topics.offset.replication_factor), (-1, 3));
    assert_eq!((topics.status.partitions, topics.status.replication_factor), (5, 1));
    let compact = ("cleanup.policy".to_owned(), "compact".to_owned());
    assert_eq!(topics.status.settings, [("segment.bytes".to_owned(), "1000".to_owned()), compact]);
    assert_eq!(topics.plugin.name, "configs-plugins");
    assert_eq!(topics.plugin.replication_factor, topics.config.replication_factor);
    let error = |more: &[(&str, &str)]| read(more).unwrap_err().to_string();
    assert_eq!(
        error(&[("status.storage.partitions", "0")]),
        "Invalid value 0 for configuration status.storage.partitions: Value must be -1 to use the broker's default, or a positive number greater than 0"
    );
    assert_eq!(
        InternalTopics::from_settings(&Settings::default()).unwrap_err().to_string(),
        "Missing required configuration \"config.storage.topic\" which has no default value."
    );
}
