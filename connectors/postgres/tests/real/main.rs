//! The sink against a real PostgreSQL, natively. Not here: the sandbox, and TLS, which is the host's.

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod access;
mod failover;
mod modes;
mod troubles;
mod types;

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tombolo_harness::Postgres;
use tombolo_postgres::PostgresSink;
use tombolo_sdk::fault::Fault;
use tombolo_sdk::settings::Settings;
use tombolo_sdk::testing::{SinkRecords, SinkTask};

/// The server that tests of this process share, each with tables of its own.
fn postgres() -> MutexGuard<'static, Postgres> {
    static SHARED: LazyLock<Mutex<Postgres>> =
        LazyLock::new(|| Mutex::new(Postgres::start().unwrap()));
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The URL of servers at these ports, with more parameters.
fn url(ports: &[u16], parameters: &str) -> String {
    let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("jdbc:postgresql://{}/postgres?sslmode=disable{parameters}", hosts.join(","))
}

/// Settings that write a topic into the table of its name.
fn settings(postgres: &Postgres) -> Settings {
    let url = url(&[postgres.port()], "");
    [("name", "test"), ("connection.url", &url), ("connection.user", "postgres")].into()
}

/// Settings that keep one row per key.
fn upsert(postgres: &Postgres, key: &str) -> Settings {
    settings(postgres)
        .with("insert.mode", "upsert")
        .with("pk.mode", "record_key")
        .with("pk.fields", key)
}

fn start(settings: &Settings) -> SinkTask {
    SinkTask::start::<PostgresSink>(settings).unwrap()
}

/// Records of a topic with these keys and values, from offset 0 on.
fn records<K: Serialize, V: Serialize>(topic: &str, all: &[(K, V)]) -> SinkRecords {
    let mut records = SinkRecords::new();
    for (offset, (key, value)) in (0..).zip(all) {
        records.record(topic, 0, offset).key(key).unwrap().value(value).unwrap();
    }
    records
}

/// Writes records of which all are good.
fn put(task: &mut SinkTask, records: SinkRecords) {
    let answered = task.put(records).unwrap();
    assert_eq!(answered.faults, []);
}

/// Writes records, and returns row and message of those that were not good.
fn faults(task: &mut SinkTask, records: SinkRecords) -> Vec<(u32, String)> {
    let answered = task.put(records).unwrap();
    answered.faults.into_iter().map(|fault| (fault.row, fault.problem.message)).collect()
}

/// Writes records in vain.
fn failure(task: &mut SinkTask, records: SinkRecords) -> Fault {
    task.put(records).err().unwrap()
}

/// The rows of a query, columns with commas between, null as `-`.
fn rows(postgres: &Postgres, sql: &str) -> Vec<String> {
    let rows = postgres.query(sql).unwrap();
    let text = |row: Vec<Option<String>>| -> String {
        let columns: Vec<String> =
            row.into_iter().map(|column| column.unwrap_or_else(|| "-".to_owned())).collect();
        columns.join(",")
    };
    rows.into_iter().map(text).collect()
}
