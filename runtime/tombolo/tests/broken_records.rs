//! Records of the internal topics that cannot be read are told of with topic, partition and offset, and skipped: everything else goes on.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::time::Duration;

use serde_json::json;
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};
use tombolo_kafka::log::LogClients;
use tombolo_kafka::{Admin, ClientKind, ClientSettings, Producers};
use tombolo_model::Settings;
use tombolo_store::journal::{Entry, Journals as _};
use tombolo_store::{InternalTopics, KafkaJournals};

/// Longest wait for anything.
const SOON: Duration = Duration::from_secs(60);

/// Appends to a worker's internal topics: `kind` is `config`, `offset` or `status`.
async fn append(kafka: &Kafka, id: &str, kind: &str, entries: &[Entry]) {
    let java: Settings = [("bootstrap.servers", kafka.bootstrap())].into_iter().collect();
    let client = |kind| ClientSettings::translate(kind, &java).unwrap().0;
    let producers = Producers::new("test");
    let (consumer, producer) = (client(ClientKind::Consumer), client(ClientKind::Producer));
    let clients = LogClients::new(&consumer, &producer, "test", &producers);
    let admin = Admin::new(&client(ClientKind::Admin), "test", SOON).unwrap();
    let named = |kind: &str| (format!("{kind}.storage.topic"), format!("{id}-{kind}"));
    let settings: Settings = ["config", "offset", "status"].map(named).into_iter().collect();
    let topics = InternalTopics::from_settings(&settings).unwrap();
    let topic = match kind {
        "config" => topics.config,
        "offset" => topics.offset,
        _ => topics.status,
    };
    let journal = KafkaJournals::new(clients, admin).open(&topic, Box::new(|_| ())).await.unwrap();
    journal.append(entries).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_records_of_internal_topics_are_told_of_and_skipped() {
    let kafka = Kafka::shared().unwrap();
    let mut worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &[]).unwrap();
    let (from, to) = (worker.files().join("from.txt"), worker.files().join("to.txt"));
    std::fs::write(&from, "one\n").unwrap();
    let topic = "broken-records-lines";
    let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": topic});
    worker.create("source", &source).unwrap();
    let sink = json!({"connector.class": "FileStreamSink", "file": to, "topics": topic});
    worker.create("sink", &sink).unwrap();
    let arrived = |worker: &Worker, expected: &[&str]| {
        wait_for(|| complete_lines(&to) == expected, "the lines arrive", SOON)
            .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
    };
    arrived(&worker, &["one"]);
    worker.stop().unwrap();

    let folder = worker.files();
    let id = folder.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let entry = |key: &[u8], value: &str| (key.to_vec(), Some(value.as_bytes().to_vec()));
    let config = [
        entry(b"connector-broken", "{"),
        entry(b"connector-flat", "{\"a\": 1}"),
        entry(b"\xff\xfe\n forged line", "{}"),
        entry(b"task-", "{\"properties\": {}}"),
        entry(b"target-state-source", "{\"state\": \"DANCING\"}"),
        (b"task-source-0".to_vec(), None),
    ];
    append(kafka, &id, "config", &config).await;
    append(
        kafka,
        &id,
        "status",
        &[entry(b"status-task-source-x", "{}"), entry(b"status-connector-sink", "[")],
    )
    .await;
    append(
        kafka,
        &id,
        "offset",
        &[entry(b"[1]", "{}"), entry(b"no json", "{}"), entry(b"[\"gone\",{\"a\":1}]", "{")],
    )
    .await;

    std::fs::write(&from, "one\ntwo\n").unwrap();
    worker.start_again().unwrap();
    arrived(&worker, &["one", "two"]);
    worker.wait_for_state("source", "RUNNING").unwrap();
    let (status, connectors) = worker.request("GET", "/connectors", None).unwrap();
    assert_eq!((status, connectors), (200, json!(["sink", "source"])));
    let log = worker.log();
    let told = |kind: &str, what: &str| {
        let topic = format!("topic={id}-{kind} partition=");
        let is_told =
            |line: &&str| line.contains(what) && line.contains(&topic) && line.contains(" offset=");
        assert_eq!(log.lines().filter(is_told).count(), 1, "{kind} {what}:\n{log}");
    };
    told("config", "Failed to convert config data to Kafka Connect format: 'connector-broken'");
    told("config", "record 'connector-flat' has no properties");
    told("config", "\\n forged line' has an invalid key");
    told("config", "record 'task-' has no task id");
    told("config", "record 'source' has no known target state");
    told("config", "record 'task-source-0' has no value");
    told("status", "ignoring record 'status-task-source-x'");
    told("status", "ignoring record 'status-connector-sink'");
    told("offset", "Ignoring offset partition key with an unexpected format: [1]");
    told("offset", "Ignoring offset partition key with an unexpected format: no json");
    told("offset", "CRITICAL: Failed to deserialize offset data");
}
