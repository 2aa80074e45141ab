//! A plugin that answers with what cannot be true is ended, and the fault names what it lied about.

use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::{Plugins, PredicateStep, Topics, TransformationStep};
use tombolo_model::{Breach, Fault};

use crate::support::{Fixture, POLL, breach, column, rows, settings};

fn assert_lie(fault: &Fault, expected: &str) {
    let (breach, message) = breach(fault);
    assert_eq!(breach, Breach::Lie, "{message}");
    assert!(message.starts_with(expected), "{message}");
}

#[tokio::test]
async fn a_source_is_held_to_every_column() {
    let fixture = Fixture::new(tombolo_guests::LIES).await;
    let check = async |lie: &str, expected: &str| {
        let mut source = fixture.source(&[("lie", lie)]).await;
        assert_lie(&source.poll(POLL).await.unwrap_err(), expected);
        assert!(source.poll(POLL).await.is_err(), "its instance is gone");
    };
    check("rows", "the plugin returned records.value.bytes.ends: 1 rows, expected 2 rows").await;
    check("ends", "the plugin returned records.value.bytes.ends: 1 at row 1").await;
    check("nulls", "the plugin returned records.value.bytes.nulls: 0").await;
    check("too many rows", "the plugin returned records.rows: 501, expected at most 500").await;
    check("topic", "the plugin returned records.topic: 1, expected below 1").await;
    check("topics", "the plugin returned records.topics: none").await;
    check("schema", "the plugin returned records.value.schemas: 7").await;
    check("key schema", "the plugin returned records.key.schemas: 9").await;
    check("header", "the plugin returned records.headers.ends: 0, expected at least 1").await;
    check("partition", "the plugin returned partition: 1, expected below 1").await;
    check("partitions", "the plugin returned partitions[0]: it is not a map").await;
    check("no offset", "the plugin returned offset: rows without one").await;
    check("offset", "the plugin returned offset at row 0: it is not a map").await;
    check("boundary", "the plugin returned boundaries.after-rows: 3").await;
    check("bytes", "the plugin passed more than twice the 8388608 bytes that a batch may have (sandbox.batch.bytes.max)").await;
}

#[tokio::test]
async fn a_sink_is_held_to_its_faults_and_offsets() {
    let fixture = Fixture::new(tombolo_guests::LIES).await;
    let mut sink = fixture.sink(Limits::default(), &[]).await;
    let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
    assert_lie(&fault, "the plugin returned faults.row: 1, expected below 1");
    let mut sink = fixture.sink(Limits::default(), &[]).await;
    let mut again = fixture.sink(Limits::default(), &[("lie", "again")]).await;
    let (faults, _) = again.put(&mut rows(&[("k", "v"), ("k", "w")]), None).await.unwrap();
    let rows_of: Vec<u32> = faults.iter().map(|fault| fault.row).collect();
    assert_eq!(rows_of, [1, 0], "one of each row");
    let at = PartitionOffset { at: TopicPartition::new("t", 0), offset: 3 };
    let fault = sink.pre_commit(&[at]).await.unwrap_err();
    assert_lie(&fault, "the plugin returned offsets.offset: -1, expected at least 0");
}

#[tokio::test]
async fn a_converter_is_held_to_its_rows() {
    let fixture = Fixture::new(tombolo_guests::LIES).await;
    let names = ["t".to_owned()];
    let topics = Topics { topics: &names, topic: &[] };
    let check = async |lie: &str, expected: &str| {
        let mut task = fixture.task(Limits::default()).await;
        let plugin = fixture.plugin(PluginKind::Converter);
        let lie = settings(&[("lie", lie)]);
        let mut converter = task.converter(&plugin, &lie, false).await.unwrap();
        let mut bytes = column(&[Some("a"), Some("b")]);
        let fault = converter.to_connect_data(topics, &mut bytes, None).await.unwrap_err();
        assert_lie(&fault, expected);
    };
    check("row", "the plugin returned values.bytes.ends: 1 rows, expected 2 rows").await;
    check("schemas", "the plugin returned values.schemas: 1 entries").await;
    check("", "the plugin returned values: a value at row 0, which has a fault").await;
}

#[tokio::test]
async fn a_chain_is_held_to_its_origins() {
    let fixture = Fixture::new(tombolo_guests::LIES).await;
    let check = async |lie: &str, expected: &str| {
        let mut task = fixture.task(Limits::default()).await;
        let plugin = fixture.plugin(PluginKind::Transformation);
        let step =
            TransformationStep { plugin, settings: settings(&[("lie", lie)]), predicate: None };
        let mut chain = task.transformations(vec![step]).await.unwrap();
        let mut through = rows(&[("a", "1"), ("b", "2")]);
        assert_lie(&chain.apply(&mut through).await.unwrap_err(), expected);
        assert_eq!(through, rows(&[("a", "1"), ("b", "2")]));
    };
    check("origin", "the plugin returned origin: 99, expected below 2").await;
    check("order", "the plugin returned origin: [1, 0]").await;
    let without_end =
        "the plugin returned origin: 66000000 bytes, expected rows that take at most 17825792";
    check("one row without end", without_end).await;
    check("values", "the plugin returned value.bytes.ends: 1 rows").await;
    check("topics", "the plugin returned topic.topics: none").await;
    check("", "the plugin returned faults.step: 9, expected below 1").await;
}

#[tokio::test]
async fn a_predicate_is_held_to_ascending_rows() {
    let fixture = Fixture::new(tombolo_guests::LIES).await;
    let plugin = fixture.plugin(PluginKind::Predicate);
    fixture.sandbox.install(tombolo_guests::ECHO.to_vec()).await.unwrap();
    let own = plugin.component.clone();
    let of_echo = fixture
        .sandbox
        .list()
        .into_iter()
        .find(|other| other.kind == PluginKind::Transformation && other.component != own);
    let predicate = PredicateStep { plugin, settings: settings(&[]), negate: false };
    let step = TransformationStep {
        plugin: of_echo.unwrap(),
        settings: settings(&[]),
        predicate: Some(predicate),
    };
    let mut task = fixture.task(Limits::default()).await;
    let mut chain = task.transformations(vec![step]).await.unwrap();
    let mut through = rows(&[("a", "1"), ("b", "2")]);
    assert_lie(&chain.apply(&mut through).await.unwrap_err(), "the plugin returned rows: others");
}
