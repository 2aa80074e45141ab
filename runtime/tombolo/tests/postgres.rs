//! Records through a real Kafka, the sandboxed sink and TLS into a real PostgreSQL, whatever is killed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

#[path = "postgres/scene.rs"]
mod scene;

use scene::{PATIENCE, Plan, arrive, sink, worker};
use serde_json::json;
use tombolo_harness::{Kafka, Postgres, Worker, wait_for_some};
use tombolo_kafka::log::LogClients;
use tombolo_kafka::{Admin, ClientKind, ClientSettings, Producers};
use tombolo_model::Settings;
use tombolo_store::journal::{Entry, Journals as _};
use tombolo_store::{InternalTopics, KafkaJournals};

/// Appends keys and values to a topic of one partition.
async fn append(topic: &str, entries: &[Entry]) {
    let kafka = Kafka::shared().unwrap();
    let java: Settings = [("bootstrap.servers", kafka.bootstrap())].into_iter().collect();
    let client = |kind| ClientSettings::translate(kind, &java).unwrap().0;
    let producers = Producers::new("test");
    let (consumer, producer) = (client(ClientKind::Consumer), client(ClientKind::Producer));
    let clients = LogClients::new(&consumer, &producer, "test", &producers);
    let admin = Admin::new(&client(ClientKind::Admin), "test", PATIENCE).unwrap();
    let named = |kind: &str| (format!("{kind}.storage.topic"), topic.to_owned());
    let settings: Settings = ["config", "offset", "status"]
        .map(named)
        .into_iter()
        .chain([("config.storage.replication.factor".to_owned(), "1".to_owned())])
        .collect();
    let topic = InternalTopics::from_settings(&settings).unwrap().config;
    let journal = KafkaJournals::new(clients, admin).open(&topic, Box::new(|_| ())).await.unwrap();
    journal.append(entries).await.unwrap();
}

fn record(key: &str, value: Option<&str>) -> Entry {
    (key.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()))
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_replaced_and_deleted_by_key_over_tls() {
    let postgres = Postgres::start().unwrap();
    postgres
        .query("CREATE USER tls_only PASSWORD 'pencil'; GRANT ALL ON SCHEMA public TO tls_only")
        .unwrap();
    let worker = worker(env!("CARGO_BIN_EXE_tombolo"), &postgres).unwrap();
    let topic = "postgres-customers";
    append(
        topic,
        &[
            record("a", Some(r#"{"name": "Ada", "born": 1815}"#)),
            record("b", Some(r#"{"name": "Barbara", "born": 1939}"#)),
            record("a", Some(r#"{"name": "Ada Lovelace", "born": 1815}"#)),
            record("c", Some(r#"{"name": "Ken", "born": "not a year"}"#)),
        ],
    )
    .await;
    let secure = json!({
        "connection.user": "tls_only",
        "connection.password": "pencil",
        "sslmode": "verify-full",
        "sslrootcert": postgres.authority().unwrap(),
        "delete.enabled": true,
        "errors.tolerance": "all",
        "table.name.format": "customers",
    });
    worker.create("customers", &sink(&postgres, topic, &secure)).unwrap();
    let all = "SELECT id, name, born FROM customers ORDER BY id";
    arrive(&worker, &postgres, all, &["a,Ada Lovelace,1815", "b,Barbara,1939"]).unwrap();
    append(topic, &[record("b", None), record("d", Some(r#"{"name": "Jean", "born": 1917}"#))])
        .await;
    arrive(&worker, &postgres, all, &["a,Ada Lovelace,1815", "d,Jean,1917"]).unwrap();
    worker.wait_for_state("customers", "RUNNING").unwrap();

    // Another authority does not vouch for it.
    let other = tombolo_harness::certificate::for_loopback().unwrap().authority;
    let doubtful = json!({"sslmode": "verify-full", "sslrootcert": other});
    worker.create("doubtful", &sink(&postgres, topic, &doubtful)).unwrap();
    let failed = task_failure(&worker, "doubtful");
    assert!(failed.contains("TLS"), "{failed}");
    // Nobody lets a connector go elsewhere.
    let elsewhere = json!({"connection.url": "jdbc:postgresql://127.0.0.1:1/postgres"});
    worker.create("elsewhere", &sink(&postgres, topic, &elsewhere)).unwrap();
    let failed = task_failure(&worker, "elsewhere");
    assert!(failed.contains("sandbox.net.allow=tcp://127.0.0.1:1"), "{failed}");
}

/// Waits until a connector's task has failed, and returns why.
fn task_failure(worker: &Worker, name: &str) -> String {
    let path = format!("/connectors/{name}/status");
    let failed = || {
        let task = worker.request("GET", &path, None).ok()?.1["tasks"][0].clone();
        (task["state"] == "FAILED").then(|| task["trace"].as_str().unwrap_or_default().to_owned())
    };
    wait_for_some(failed, "the task fails", PATIENCE)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()))
}

#[test]
fn no_order_is_lost_or_doubled_though_worker_and_database_are_killed() {
    let plan = Plan { orders: 12_000, kills: 2, restarts: 1 };
    println!("postgres: {}", scene::keep_orders(env!("CARGO_BIN_EXE_tombolo"), &plan).unwrap());
}
