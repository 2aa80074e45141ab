//! What the host offers reaches a plugin: offsets, schemas, logs and metrics.

use std::sync::Arc;

use async_trait::async_trait;
use tombolo_model::fault::FaultKind;
use tombolo_model::metric::{Metered as _, Reading, Readings, Value};
use tombolo_model::offset::{SourceOffset, SourcePartition};
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::{OffsetReader, Result, Topics};
use tombolo_model::{Fault, Stage};

use crate::support::{Fixture, POLL, column, settings};

/// Knows an offset of the partition `{"p": 1}`.
struct Known;

#[async_trait]
impl OffsetReader for Known {
    async fn read(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        let known = |partition: &SourcePartition| {
            (partition.0 == b"\xa1\x61p\x01").then(|| SourceOffset(b"\xa1\x61o\x07".to_vec()))
        };
        Ok(partitions.iter().map(known).collect())
    }
}

/// Cannot be read now.
struct Away;

#[async_trait]
impl OffsetReader for Away {
    async fn read(&self, _: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        Err(Fault::retriable(Stage::Lifecycle, "the offsets cannot be read now"))
    }
}

#[tokio::test]
async fn a_source_reads_its_offsets_and_counts() {
    let fixture = Fixture::new(tombolo_guests::ASKS).await;
    let mut task = fixture.task_with(Limits::default(), Arc::new(Known)).await;
    let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
    source.start(&settings(&[])).await.unwrap();
    let polled = source.poll(POLL).await.unwrap();
    assert_eq!(polled.records.value.bytes.get(0), None);
    assert_eq!(polled.records.value.bytes.get(1), Some(b"\xa1\x61o\x07".as_slice()));
    let metrics = || {
        let mut readings = Readings::default();
        fixture.sandbox.read(&mut readings);
        let mut all = readings.into_vec();
        all.retain(|reading| reading.group.name == "plugins");
        all
    };
    let own = metrics();
    let of = |name: &str| own.iter().find(|reading| reading.name == name).unwrap();
    assert_eq!(of("starts").value, Value::Counter(1.0));
    let Reading { group, tags, value, .. } = of("warmth");
    assert_eq!((group.domain, value), ("kafka.connect", &Value::Gauge(0.5)));
    assert_eq!(tags[..], [("connector", "c".to_owned()), ("task", "0".to_owned())]);
    drop((source, task));
    assert_eq!(metrics(), []);
}

#[tokio::test]
async fn offsets_that_cannot_be_read_are_no_breach_of_the_plugins() {
    let fixture = Fixture::new(tombolo_guests::ASKS).await;
    let mut task = fixture.task_with(Limits::default(), Arc::new(Away)).await;
    let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
    let fault = source.start(&settings(&[])).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Retriable { after: None });
    assert_eq!(fault.message, "the offsets cannot be read now");
}

/// Has a large offset for whatever is asked for, which must be once.
struct Large;

#[async_trait]
impl OffsetReader for Large {
    async fn read(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        assert_eq!(partitions.len(), 1);
        Ok(vec![Some(SourceOffset(vec![0xf6; 10_000]))])
    }
}

#[tokio::test]
async fn a_partition_is_looked_for_once_and_answers_fit_the_memory() {
    let fixture = Fixture::new(tombolo_guests::ASKS).await;
    let mut task = fixture.task_with(Limits::default(), Arc::new(Large)).await;
    let plugin = fixture.plugin(PluginKind::Source);
    let mut source = task.source(&plugin).await.unwrap();
    source.start(&settings(&[("often", "100")])).await.unwrap();
    let mut source = task.source(&plugin).await.unwrap();
    let fault = source.start(&settings(&[("often", "20000")])).await.unwrap_err();
    let expected = "offsets.read was asked for 200000000 bytes of offsets, which do not fit its memory of 134217728 bytes";
    assert!(fault.message.contains(expected), "{}", fault.message);
}

#[tokio::test]
async fn schemas_have_numbers_and_a_full_table_starts_anew() {
    let fixture = Fixture::new(tombolo_guests::ASKS).await;
    let mut task = fixture.task(Limits::default()).await;
    let source = fixture.plugin(PluginKind::Source);
    let before = task.source(&source).await.unwrap();
    let plugin = fixture.plugin(PluginKind::Converter);
    let mut converter = task.converter(&plugin, &settings(&[]), false).await.unwrap();
    let names = ["t".to_owned()];
    let topics = Topics { topics: &names, topic: &[] };
    let mut bytes = column(&[Some("a"), Some("b"), Some("a")]);
    let (data, _) = converter.to_connect_data(topics, &mut bytes, None).await.unwrap();
    assert_eq!(data.schemas, [1, 2, 1]);

    let texts: Vec<String> = (0..10_000).map(|number| format!("schema-{number}")).collect();
    let many: Vec<_> = texts.iter().map(|text| Some(text.as_str())).collect();
    converter.to_connect_data(topics, &mut column(&many), None).await.unwrap();
    assert!(before.is_recycling_due());

    let after = task.source(&source).await.unwrap();
    assert!(!after.is_recycling_due());
    let (data, _) = converter.to_connect_data(topics, &mut bytes, None).await.unwrap();
    assert_eq!(data.schemas, [10_003, 10_004, 10_003], "numbers are never used again");
}
