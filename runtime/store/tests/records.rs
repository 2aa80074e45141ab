//! Records are those of Kafka Connect, byte for byte: `vectors/records.jsonl` comes from its own classes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which end by panicking"
)]

use std::collections::BTreeMap;

use tombolo_model::status::{State, Status, TargetState};
use tombolo_model::{ConnectorName, Settings, TaskId};
use tombolo_store::config_records::ConfigRecord;
use tombolo_store::flat::{FlatMap, Primitive};
use tombolo_store::json::to_vec;
use tombolo_store::status_records::{StatusKey, StatusRecord, TopicUse, status_value, topic_value};
use tombolo_store::{ConfigWrite, LoggerLevel, RestartRequest};

type Record = (String, Option<String>);

fn vectors() -> BTreeMap<String, Record> {
    let lines = include_str!("vectors/records.jsonl").lines();
    lines
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |member: &str| line[member].as_str().map(str::to_owned);
            (text("case").unwrap(), (text("key").unwrap(), text("value")))
        })
        .collect()
}

fn name() -> ConnectorName {
    ConnectorName::new("my-source")
}

fn properties() -> Settings {
    let doc = "a \"quoted\" \\ line\n\ttab \u{1}\u{1f}\u{7f} / é 😀 \u{2028}";
    [("connector.class", "FileStreamSource"), ("doc", doc), ("empty", "")].into_iter().collect()
}

fn debug() -> LoggerLevel {
    LoggerLevel { namespace: "org.apache.kafka.connect".into(), level: "DEBUG".into() }
}

fn written(write: &ConfigWrite) -> Vec<Record> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let entries = write.entries().unwrap().into_iter();
    entries.map(|(key, value)| (text(key), value.map(text))).collect()
}

#[test]
fn changes_of_the_config_topic_are_the_records_of_kafka_connect_in_its_order() {
    let vectors = vectors();
    let check = |write: ConfigWrite, cases: &[&str]| {
        let expected: Vec<_> = cases.iter().map(|case| vectors[*case].clone()).collect();
        assert_eq!(written(&write), expected);
    };
    let restart = RestartRequest { connector: name(), only_failed: false, include_tasks: true };
    check(ConfigWrite::Connector(name(), properties(), None), &["connector"]);
    check(
        ConfigWrite::Connector(name(), properties(), Some(TargetState::Paused)),
        &["target-PAUSED", "connector"],
    );
    check(ConfigWrite::Tasks(name(), vec![properties()]), &["task", "commit"]);
    check(ConfigWrite::Target(name(), TargetState::Started), &["target-STARTED"]);
    check(ConfigWrite::Restart(restart), &["restart"]);
    check(ConfigWrite::LoggerLevel(debug()), &["logger"]);
    let stopped = written(&ConfigWrite::Target(name(), TargetState::Stopped));
    assert_eq!(stopped[0], ("commit-my-source".into(), Some(r#"{"tasks":0}"#.into())));
    assert_eq!(stopped[1], vectors["target-STOPPED"]);
    assert_eq!(
        written(&ConfigWrite::Remove(name())),
        [("connector-my-source".into(), None), ("target-state-my-source".into(), None)]
    );
}

#[test]
fn records_of_the_config_topic_read_back() {
    let vectors = vectors();
    let check = |case: &str, expected: ConfigRecord| {
        let (key, value) = &vectors[case];
        let read = ConfigRecord::read(key, value.as_ref().map(String::as_bytes));
        assert_eq!(read, Ok(expected), "{case}");
    };
    check("connector", ConfigRecord::Connector(name(), Some(properties().into())));
    check("task", ConfigRecord::Task(TaskId::new(name(), 0), properties().into()));
    check("commit", ConfigRecord::Commit(name(), 1));
    check("target-STOPPED", ConfigRecord::Target(name(), Some(TargetState::Stopped)));
    let restart = RestartRequest { connector: name(), only_failed: false, include_tasks: true };
    check("restart", ConfigRecord::Restart(restart));
    check("logger", ConfigRecord::LoggerLevel(debug()));
}

#[test]
fn statuses_are_the_records_of_kafka_connect() {
    let vectors = vectors();
    let status = |state, trace: Option<&str>, version: Option<&str>| Status {
        state,
        trace: trace.map(str::to_owned),
        worker_id: "host:8083".into(),
        generation: 7,
        version: version.map(str::to_owned),
    };
    let check = |case: &str, key: StatusKey, value: Vec<u8>, read: StatusRecord| {
        let record = (key.record_key(), Some(String::from_utf8(value).unwrap()));
        assert_eq!(record, vectors[case]);
        let value = record.1.as_ref().map(String::as_bytes);
        assert_eq!(StatusRecord::read(&record.0, value), Some(read), "{case}");
    };
    let checks = [
        ("status", StatusKey::Connector(name()), status(State::Running, None, Some("4.3.1"))),
        (
            "status-failed",
            StatusKey::Task(TaskId::new(name(), 0)),
            status(State::Failed, Some("Oops: \"x\"\n\tat a.b(C.java)\n"), None),
        ),
    ];
    for (case, key, status) in checks {
        let value = status_value(&status).unwrap();
        check(case, key.clone(), value, StatusRecord::Status(key, Some(status)));
    }
    let used = TopicUse { task: 0, discovered: 1_700_000_000_123 };
    let key = StatusKey::Topic { topic: "lines".into(), connector: name() };
    let value = topic_value("lines", &name(), &used).unwrap();
    check("topic", key.clone(), value, StatusRecord::Topic(key, Some(used)));
}

#[test]
fn offsets_are_the_records_of_kafka_connect() {
    let (key, value) = vectors()["offset"].clone();
    let map = |members: Vec<(&str, Primitive)>| {
        FlatMap(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let partition =
        map(vec![("z", Primitive::Text("last \"name\" \u{1f}".into())), ("a", Primitive::Int(1))]);
    let offset = map(vec![
        ("position", Primitive::Int(30)),
        ("lowest", Primitive::Int(i64::MIN)),
        ("small", Primitive::Double(0.001)),
        ("ten", Primitive::Double(10.0)),
        ("large", Primitive::Double(1e10)),
        ("tiny", Primitive::Double(f64::from_bits(1))),
        ("most", Primitive::Double(f64::MAX)),
        ("third", Primitive::Double(1.0 / 3.0)),
        ("nan", Primitive::Double(f64::NAN)),
        ("low", Primitive::Double(f64::NEG_INFINITY)),
        ("single", Primitive::Float(0.1)),
        ("yes", Primitive::Bool(true)),
        ("none", Primitive::Null),
        ("bytes", Primitive::Bytes(vec![0, 200, 255, 1])),
    ]);
    assert_eq!(String::from_utf8(to_vec(&("my-source", &partition)).unwrap()).unwrap(), key);
    assert_eq!(String::from_utf8(to_vec(&offset).unwrap()).ok(), value);
    assert_eq!(vectors()["offset-forgotten"], (key, None));
}

#[test]
fn a_reader_takes_what_older_and_newer_workers_wrote_and_says_what_it_skips() {
    let check = |key: &str, value: Option<&str>, expected: &str| {
        let read = ConfigRecord::read(key, value.map(str::as_bytes));
        assert_eq!(format!("{read:?}"), expected, "{key}");
    };
    check("target-state-a", Some(r#"{"state":"PAUSED"}"#), r#"Ok(Target("a", Some(Paused)))"#);
    check(
        "target-state-a",
        Some(r#"{"state":"PAUSED","state.v2":7}"#),
        r#"Ok(Target("a", Some(Paused)))"#,
    );
    check(
        "target-state-a",
        Some(r#"{"state":"DANCING"}"#),
        r#"Err(Unexpected("record 'a' has no known target state"))"#,
    );
    check("target-state-a", None, r#"Ok(Target("a", None))"#);
    check("connector-a", None, r#"Ok(Connector("a", None))"#);
    check(
        "connector-a",
        Some(r#"{"properties":{"null":null,"n":1}}"#),
        r#"Ok(Connector("a", Some({"n"})))"#,
    );
    check(
        "connector-a",
        Some("[]"),
        r#"Err(Unexpected("record 'connector-a' has no properties"))"#,
    );
    check("connector-a", Some("{"), "Err(NotJson)");
    check("task-a", Some("{}"), r#"Err(Unexpected("record 'task-a' has no task id"))"#);
    check("task-a-0", None, r#"Err(Unexpected("record 'task-a-0' has no value"))"#);
    check(
        "restart-connector-a",
        Some(r#"{"only-failed":"yes"}"#),
        r#"Ok(Restart(RestartRequest { connector: "a", only_failed: false, include_tasks: false }))"#,
    );
    check("session-key", Some("{}"), "Ok(Other)");
    for value in [Some("[]"), Some(r#"{"level":1}"#), None] {
        check(
            "logger-cluster-a",
            value,
            r#"Err(Unexpected("record 'logger-cluster-a' has no level"))"#,
        );
    }
    check("what", None, r#"Err(Unexpected("record 'what' has an invalid key"))"#);
}
