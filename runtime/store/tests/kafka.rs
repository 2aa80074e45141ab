//! The stores on a real Apache Kafka, and beside a real Kafka Connect: each takes over what the other wrote.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which end by panicking")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tombolo_harness::{Guarded, Kafka, free_port, jars, wait_for_some, wait_until};
use tombolo_kafka::admin::{Admin, NewTopic};
use tombolo_kafka::log::LogClients;
use tombolo_kafka::{ClientKind, ClientSettings, Producers};
use tombolo_model::plugin::ComponentDigest;
use tombolo_model::status::{State, Status, TargetState};
use tombolo_model::{ConnectorName, Settings, TaskId};
use tombolo_store::flat::{FlatMap, Primitive};
use tombolo_store::plugin_store::CHUNK_BYTES_MAX;
use tombolo_store::status_records::StatusKey;
use tombolo_store::{ConfigWrite, InternalTopics, KafkaJournals, Stores};

/// Far longer than anything here takes; a Connect worker needs six seconds to its first answer.
const DEADLINE: Duration = Duration::from_secs(60);

fn name(name: &str) -> ConnectorName {
    ConnectorName::new(name)
}

fn client(kafka: &Kafka, kind: ClientKind) -> ClientSettings {
    let java = [("bootstrap.servers", kafka.bootstrap())].into_iter().collect();
    ClientSettings::translate(kind, &java).unwrap().0
}

fn admin(kafka: &Kafka) -> Admin {
    Admin::new(&client(kafka, ClientKind::Admin), "test", DEADLINE).unwrap()
}

fn journals(kafka: &Kafka) -> KafkaJournals {
    let (consumer, producer) =
        (client(kafka, ClientKind::Consumer), client(kafka, ClientKind::Producer));
    let clients = LogClients::new(&consumer, &producer, "test", &Producers::new("test"));
    KafkaJournals::new(clients, admin(kafka))
}

/// Settings of internal topics named after a test.
fn settings(test: &str) -> Settings {
    ["config", "offset", "status"]
        .iter()
        .flat_map(|kind| {
            [
                (format!("{kind}.storage.topic"), format!("{test}-{kind}")),
                (format!("{kind}.storage.replication.factor"), "1".to_owned()),
            ]
        })
        .collect()
}

async fn try_open(kafka: &Kafka, settings: &Settings) -> tombolo_store::error::Result<Stores> {
    Stores::open(Arc::new(journals(kafka)), &InternalTopics::from_settings(settings).unwrap()).await
}

async fn open(kafka: &Kafka, settings: &Settings) -> Stores {
    try_open(kafka, settings).await.unwrap()
}

fn status(state: State) -> Status {
    let worker_id = "here:1".to_owned();
    Status { state, trace: None, worker_id, generation: 99, version: Some("1".to_owned()) }
}

fn flat(key: &str, value: Primitive) -> FlatMap {
    FlatMap(vec![(key.to_owned(), value)])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_worker_writes_the_next_one_reads() {
    let kafka = Kafka::shared().unwrap();
    let settings = settings("store-next");
    let first = open(kafka, &settings).await;
    let config: Settings = [("k", "v")].into_iter().collect();
    let connector = ConfigWrite::Connector(name("a"), config.clone(), Some(TargetState::Paused));
    first.config.write(&connector).await.unwrap();
    first.config.write(&ConfigWrite::Tasks(name("a"), vec![config.clone(); 3])).await.unwrap();
    assert_eq!(first.config.snapshot().connector(&name("a")).unwrap().tasks().len(), 3);
    first.statuses.put(StatusKey::Task(TaskId::new(name("a"), 1)), &status(State::Running));
    first.statuses.flush().await;
    let positions: Vec<_> = (0..50)
        .map(|file| {
            let offset = flat("position", Primitive::Int(file));
            (flat("file", Primitive::Text(format!("{file}.txt"))), Some(offset))
        })
        .collect();
    first.offsets.write_maps(&name("a"), &positions).await.unwrap();
    let component: Vec<u8> = (0..CHUNK_BYTES_MAX + 7).map(|byte| (byte % 251) as u8).collect();
    let digest = ComponentDigest("d".to_owned());
    first.plugins.put(&digest, &component).await.unwrap();

    let second = open(kafka, &settings).await;
    let snapshot = second.config.snapshot();
    assert_eq!(snapshot.target(&name("a")), TargetState::Paused);
    assert_eq!(*snapshot.connector(&name("a")).unwrap().config, config);
    assert_eq!(snapshot.connector(&name("a")).unwrap().tasks().len(), 3);
    assert_eq!(second.statuses.of(&name("a")).tasks[&1], status(State::Running));
    assert_eq!(second.offsets.positions(&name("a")).await.unwrap().len(), 50);
    let got = second.plugins.get(&second.plugins.components()).await.unwrap();
    assert!(got == [(digest, component)], "the component is whole");
    // What one writes now, the other reads too.
    second.config.write(&ConfigWrite::Remove(name("a"))).await.unwrap();
    let is_gone = async || first.config.snapshot().connector(&name("a")).is_none();
    wait_until(is_gone, "the other worker reads the deletion", DEADLINE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_topics_are_created_compacted_with_the_partitions_asked_for() {
    let kafka = Kafka::shared().unwrap();
    let settings = settings("store-created");
    let asked = [("offset.storage.partitions", "3"), ("status.storage.segment.bytes", "1048576")];
    open(kafka, &settings.overlaid(&asked.into_iter().collect())).await;
    let admin = admin(kafka);
    let check = async |topic: &str, partitions: i32| {
        assert_eq!(admin.topic(topic).await.unwrap().unwrap().partitions, partitions, "{topic}");
        let settings = admin.topic_settings(topic).await.unwrap();
        assert!(settings.contains(&("cleanup.policy".to_owned(), "compact".to_owned())), "{topic}");
        settings
    };
    check("store-created-config", 1).await;
    check("store-created-offset", 3).await;
    check("store-created-config-plugins", 1).await;
    let settings = check("store-created-status", 5).await;
    assert!(settings.contains(&("segment.bytes".to_owned(), "1048576".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_would_lose_data_are_refused_and_say_what_to_change() {
    let kafka = Kafka::shared().unwrap();
    let admin = admin(kafka);
    let create = async |name: &str, partitions: i32, policy: &str| {
        let settings = vec![("cleanup.policy".to_owned(), policy.to_owned())];
        let name = name.to_owned();
        let topic = NewTopic { name, partitions, replication_factor: 1, settings };
        admin.create_topic(&topic).await.unwrap();
    };
    let refused = async |settings: &Settings| {
        let opened = try_open(kafka, settings).await;
        format!("{:#}", anyhow::Error::from(opened.err().expect("the topics are refused")))
    };
    create("store-wide-config", 2, "compact").await;
    assert_eq!(
        refused(&settings("store-wide")).await,
        "Topic 'store-wide-config' supplied via the 'config.storage.topic' property is required to have a single partition in order to guarantee consistency of connector configurations, but found 2 partitions."
    );
    create("store-deleting-status", 1, "delete").await;
    let message = refused(&settings("store-deleting")).await;
    assert!(message.contains("required to have 'cleanup.policy=compact'"), "{message}");
    assert!(message.contains("currently has 'cleanup.policy=delete'"), "{message}");
    let three = [("config.storage.replication.factor", "3")].into_iter().collect();
    let message = refused(&settings("store-three").overlaid(&three)).await;
    assert!(
        message
            .contains("Set 'config.storage.replication.factor' to at most the number of brokers"),
        "{message}"
    );
}

/// A Kafka Connect worker on these internal topics.
struct Connect {
    process: Guarded,
    url: String,
    folder: tempfile::TempDir,
}

impl Connect {
    fn start(kafka: &Kafka, settings: &Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port().unwrap();
        let string = "org.apache.kafka.connect.storage.StringConverter".to_owned();
        let own: Settings = [
            ("bootstrap.servers", kafka.bootstrap()),
            ("group.id", settings.get("config.storage.topic").unwrap().to_owned()),
            ("listeners", format!("http://127.0.0.1:{port}")),
            ("key.converter", string.clone()),
            ("value.converter", string),
            ("offset.flush.interval.ms", "200".to_owned()),
            ("plugin.discovery", "service_load".to_owned()),
        ]
        .into_iter()
        .collect();
        let all = settings.clone().overlaid(&own);
        let lines: String = all.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let file = folder.path().join("worker.properties");
        std::fs::write(&file, lines).unwrap();
        let mut command = jars::java(&["-Xmx512M"]).unwrap();
        command.arg("org.apache.kafka.connect.cli.ConnectDistributed").arg(&file);
        let process = Guarded::start(&command, &folder.path().join("log"), None).unwrap();
        let connect = Self { process, url: format!("http://127.0.0.1:{port}"), folder };
        wait_for_some(|| connect.get("/connectors"), "Kafka Connect answers", DEADLINE).unwrap();
        connect
    }

    fn get(&self, path: &str) -> Option<Json> {
        let mut response = ureq::get(format!("{}{path}", self.url)).call().ok()?;
        response.body_mut().read_json().ok()
    }

    /// Waits until an answer is as wanted, and returns it.
    fn wait_for(&self, path: &str, is_wanted: impl Fn(&Json) -> bool) -> Json {
        let look = || self.get(path).filter(&is_wanted);
        wait_for_some(look, &format!("GET {path} is as wanted"), DEADLINE).unwrap()
    }

    fn stop(self) {
        self.process.signal(tombolo_harness::Signal::Term).unwrap();
        let ended = || self.process.has_ended().then_some(());
        wait_for_some(ended, "Kafka Connect ends", DEADLINE).unwrap();
        drop(self.folder);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_connect_wrote_is_read_and_what_we_write_it_reads() {
    let kafka = Kafka::shared().unwrap();
    let settings = settings("store-takeover");
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("lines.txt");
    std::fs::write(&file, "one\ntwo\n").unwrap();
    let file = file.display().to_string();
    let connect = Connect::start(kafka, &settings);
    let config = json!({
        "connector.class": "FileStreamSource", "file": file, "topic": "store-takeover-lines",
        "tasks.max": "1", "note": "é 😀 \"quoted\"",
    });
    let body = json!({"name": "their-source", "config": config});
    ureq::post(format!("{}/connectors", connect.url)).send_json(body).unwrap();
    connect.wait_for("/connectors/their-source/status", |status| {
        status["tasks"][0]["state"] == "RUNNING"
    });
    connect.wait_for("/connectors/their-source/offsets", |offsets| {
        offsets["offsets"][0]["offset"]["position"] == 8
    });
    connect.wait_for("/connectors/their-source/topics", |topics| {
        topics["their-source"]["topics"][0] == "store-takeover-lines"
    });
    connect.stop();

    let theirs = name("their-source");
    let stores = open(kafka, &settings).await;
    let snapshot = stores.config.snapshot();
    let connector = snapshot.connector(&theirs).unwrap();
    assert_eq!(connector.config.get("note"), Some("é 😀 \"quoted\""));
    assert_eq!(connector.tasks().len(), 1);
    assert_eq!(connector.tasks()[0].get("file"), Some(file.as_str()));
    let statuses = stores.statuses.of(&theirs);
    assert_eq!(statuses.connector.unwrap().state, State::Unassigned);
    assert_eq!(statuses.tasks[&0].state, State::Unassigned);
    assert!(statuses.topics.contains_key("store-takeover-lines"));
    let partition = flat("filename", Primitive::Text(file.clone()));
    let positions = stores.offsets.positions(&theirs).await.unwrap();
    assert_eq!(positions, [(partition.clone(), flat("position", Primitive::Int(8)))]);

    // We write on, and it takes over: one source moved on, one new and paused.
    let moved = flat("position", Primitive::Int(4));
    stores.offsets.write_maps(&theirs, &[(partition, Some(moved))]).await.unwrap();
    let paused: Settings = [
        ("name", "our-source"),
        ("connector.class", "FileStreamSource"),
        ("file", &file),
        ("topic", "store-takeover-ours"),
        ("note", "\u{1f} 😀"),
    ]
    .into_iter()
    .collect();
    let write = ConfigWrite::Connector(name("our-source"), paused, Some(TargetState::Paused));
    stores.config.write(&write).await.unwrap();
    stores.config.write(&ConfigWrite::Target(theirs.clone(), TargetState::Stopped)).await.unwrap();
    stores.statuses.put(StatusKey::Connector(theirs), &status(State::Stopped));
    stores.statuses.flush().await;
    drop(stores);

    let connect = Connect::start(kafka, &settings);
    let ours = connect.wait_for("/connectors/our-source/status", |status| {
        status["connector"]["state"] == "PAUSED"
    });
    assert_eq!(ours["type"], "source");
    let info = connect.wait_for("/connectors/our-source", |_| true);
    assert_eq!(info["config"]["note"], "\u{1f} 😀");
    connect.wait_for("/connectors/their-source/status", |status| {
        status["connector"]["state"] == "STOPPED" && status["tasks"] == json!([])
    });
    let offsets = connect.wait_for("/connectors/their-source/offsets", |_| true);
    assert_eq!(
        offsets["offsets"],
        json!([{"partition": {"filename": file}, "offset": {"position": 4}}])
    );
    connect.stop();
}
