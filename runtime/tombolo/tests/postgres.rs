//! Records through a real Kafka, the sandboxed sink and TLS into a real PostgreSQL, whatever is killed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Postgres, Worker, wait_for, wait_for_some};
use tombolo_kafka::log::LogClients;
use tombolo_kafka::{Admin, ClientKind, ClientSettings, Producers};
use tombolo_model::Settings;
use tombolo_store::journal::{Entry, Journals as _};
use tombolo_store::{InternalTopics, KafkaJournals};

/// Longest wait for anything.
const ARRIVAL: Duration = Duration::from_secs(120);
/// Orders in all.
const ORDERS: usize = 15_000;
/// Orders a second.
const RATE: usize = 3_000;

/// A worker whose connectors may reach this database.
fn worker(postgres: &Postgres) -> Worker {
    let address = format!("127.0.0.1:{}", postgres.port());
    let settings = [
        ("sandbox.net.allow", format!("tcp://{address}")),
        ("sandbox.net.private", address),
        ("consumer.session.timeout.ms", "10000".to_owned()),
    ];
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Worker::start(env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap(), &settings).unwrap()
}

/// A sink of a topic that keeps a row per key, with these settings on top.
fn sink(postgres: &Postgres, topic: &str, more: &Value) -> Value {
    let place = format!("127.0.0.1:{}", postgres.port());
    let mut config = json!({
        "connector.class": "PostgresSinkConnector",
        "topics": topic,
        "connection.url": format!("jdbc:postgresql://{place}/postgres"),
        "connection.user": "postgres",
        "sandbox.net.allow": format!("tcp://{place}"),
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": false,
        "insert.mode": "upsert",
        "pk.mode": "record_key",
        "pk.fields": "id",
        "auto.create": true,
        "retry.backoff.ms": 200,
        "max.retries": 1000,
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

/// Appends keys and values to a topic of one partition.
async fn append(topic: &str, entries: &[Entry]) {
    let kafka = Kafka::shared().unwrap();
    let java: Settings = [("bootstrap.servers", kafka.bootstrap())].into_iter().collect();
    let client = |kind| ClientSettings::translate(kind, &java).unwrap().0;
    let producers = Producers::new("test");
    let (consumer, producer) = (client(ClientKind::Consumer), client(ClientKind::Producer));
    let clients = LogClients::new(&consumer, &producer, "test", &producers);
    let admin = Admin::new(&client(ClientKind::Admin), "test", ARRIVAL).unwrap();
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

/// The rows of a query, columns with commas between.
fn rows(postgres: &Postgres, sql: &str) -> Vec<String> {
    let rows = postgres.query(sql).unwrap_or_default();
    rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(",")).collect()
}

fn arrive(worker: &Worker, postgres: &Postgres, sql: &str, expected: &[&str]) {
    wait_for(|| rows(postgres, sql) == expected, "the rows arrive", ARRIVAL).unwrap_or_else(
        |error| panic!("{error}: {:?}\n{}\n{}", rows(postgres, sql), worker.log(), postgres.log()),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_replaced_and_deleted_by_key_over_tls() {
    let postgres = Postgres::start().unwrap();
    postgres
        .query("CREATE USER tls_only PASSWORD 'pencil'; GRANT ALL ON SCHEMA public TO tls_only")
        .unwrap();
    let worker = worker(&postgres);
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
    arrive(&worker, &postgres, all, &["a,Ada Lovelace,1815", "b,Barbara,1939"]);
    append(topic, &[record("b", None), record("d", Some(r#"{"name": "Jean", "born": 1917}"#))])
        .await;
    arrive(&worker, &postgres, all, &["a,Ada Lovelace,1815", "d,Jean,1917"]);
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
    wait_for_some(failed, "the task fails", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()))
}

#[test]
fn no_order_is_lost_or_doubled_though_worker_and_database_are_killed() {
    let mut postgres = Postgres::start().unwrap();
    let mut worker = worker(&postgres);
    let topic = "postgres-orders";
    let source = json!({
        "connector.class": "DatagenConnector",
        "topic": topic, "records.max": ORDERS, "rate": RATE,
        "key.converter": "org.apache.kafka.connect.converters.LongConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "topic.creation.default.partitions": 2,
        "topic.creation.default.replication.factor": 1,
    });
    // A trigger counts what is written over.
    let table = "CREATE TABLE orders (id bigint PRIMARY KEY, order_id bigint, item text, price float8, \
                 quantity int, writes int NOT NULL DEFAULT 1); \
                 CREATE FUNCTION again() RETURNS trigger AS \
                 'BEGIN NEW.writes = OLD.writes + 1; RETURN NEW; END' LANGUAGE plpgsql; \
                 CREATE TRIGGER again BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION again()";
    postgres.query(table).unwrap();
    worker.create("orders", &source).unwrap();
    let more = json!({
        "tasks.max": 2,
        "key.converter": "org.apache.kafka.connect.converters.LongConverter",
        "value.converter.schemas.enable": true,
        "fields.whitelist": "order_id,item,price,quantity",
        "table.name.format": "orders",
    });
    worker.create("sink", &sink(&postgres, topic, &more)).unwrap();
    let count = |postgres: &Postgres| -> usize {
        rows(postgres, "SELECT count(*) FROM orders").concat().parse().unwrap_or(0)
    };
    let some = |worker: &Worker, postgres: &Postgres, least: usize| {
        wait_for(|| count(postgres) >= least, "orders arrive", ARRIVAL)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", count(postgres), worker.log()));
    };
    some(&worker, &postgres, 1000);
    worker.kill().unwrap();
    worker.start_again().unwrap();
    let reached = count(&postgres);
    some(&worker, &postgres, (reached + 1000).min(ORDERS));
    postgres.stop().unwrap();
    postgres.start_again().unwrap();
    let sums = "SELECT count(*), count(DISTINCT order_id), sum(order_id - id), max(id) - min(id) FROM orders";
    let expected = format!("{ORDERS},{ORDERS},0,{}", ORDERS - 1);
    arrive(&worker, &postgres, sums, &[&expected]);
    worker.wait_for_state("sink", "RUNNING").unwrap();
    let again = rows(&postgres, "SELECT sum(writes) - count(*) FROM orders").concat();
    println!("{ORDERS} orders, {again} of them written once more");
}
