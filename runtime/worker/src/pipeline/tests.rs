//! Batches through native converters and transformations: what comes out, and which row each came from.

mod whole_calls;

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tombolo_kafka::ConsumedBatch;
use tombolo_model::fault::Problem;
use tombolo_model::role::{Original, Result, Topics};
use tombolo_model::transformed::StepFault;
use tombolo_model::{Batch, Column, FaultKind, Headers};

use super::*;
use crate::connector_config::{ErrorsConfig, Tolerance};

fn problem(row: &[u8]) -> Problem {
    Problem { message: String::from_utf8_lossy(row).into_owned(), class: None, trace: None }
}

/// How calls fail as a whole, and how many rows each was about.
#[derive(Clone, Default)]
struct Failing {
    /// How the next calls fail.
    next: Arc<Mutex<Vec<FaultKind>>>,
    /// A value with which every call fails, and how.
    poison: Option<(&'static str, FaultKind)>,
    calls: Arc<Mutex<Vec<usize>>>,
}

impl Failing {
    fn called(&self, rows: &Column, stage: Stage) -> Result<()> {
        self.calls.lock().unwrap().push(rows.rows());
        let next = self.next.lock().unwrap().pop();
        let poison = self.poison.clone().filter(|(poison, _)| {
            rows.iter().flatten().any(|row| row.ends_with(poison.as_bytes()))
        });
        match next.or(poison.map(|(_, kind)| kind)) {
            Some(kind) => Err(Fault::new(kind, stage, "failed as a whole")),
            None => Ok(()),
        }
    }

    fn calls(&self) -> Vec<usize> {
        self.calls.lock().unwrap().clone()
    }
}

/// Writes its name before each value, and refuses values with `bad-<name>` in them.
struct Naming {
    name: &'static str,
    failing: Failing,
    adds_header: bool,
}

impl Naming {
    fn convert(&mut self, rows: &Column) -> Result<(Column, Vec<RowFault>)> {
        self.failing.called(rows, Stage::ValueConverter)?;
        let (mut out, mut faults) = (Column::default(), Vec::new());
        let bad = format!("bad-{}", self.name);
        for (row, number) in rows.iter().zip(0_u32..) {
            match row {
                Some(row) if row.windows(bad.len()).any(|part| part == bad.as_bytes()) => {
                    faults.push(RowFault { row: number, problem: problem(row) });
                    out.push_null();
                }
                Some(row) => out.push(&[self.name.as_bytes(), b":", row].concat()),
                None => out.push_null(),
            }
        }
        Ok((out, faults))
    }
}

#[async_trait]
impl Converter for Naming {
    async fn to_connect_data(
        &mut self,
        _: Topics<'_>,
        bytes: &mut Column,
        headers: Option<&mut Headers>,
    ) -> Result<(Values, Vec<RowFault>)> {
        assert_eq!(headers.is_some(), self.adds_header);
        let (bytes, faults) = self.convert(bytes)?;
        Ok((header_columns::raw(bytes), faults))
    }

    async fn from_connect_data(
        &mut self,
        _: Topics<'_>,
        values: &mut Values,
    ) -> Result<(Column, Option<Headers>, Vec<RowFault>)> {
        let (bytes, faults) = self.convert(&values.bytes)?;
        let mut added = Headers::default();
        for row in 1..=u32::try_from(values.bytes.rows()).unwrap() {
            added.names.push(self.name.as_bytes());
            added.values.bytes.push(b"added");
            added.ends.push(row);
        }
        Ok((bytes, self.adds_header.then_some(added), faults))
    }
}

#[async_trait]
impl HeaderConverter for Naming {
    async fn to_connect_data(
        &mut self,
        topics: Topics<'_>,
        names: &mut Column,
        bytes: &mut Column,
    ) -> Result<(Values, Vec<RowFault>)> {
        assert!(topics.topic.is_empty() || topics.topic.len() == names.rows());
        let (bytes, faults) = self.convert(bytes)?;
        Ok((header_columns::raw(bytes), faults))
    }

    async fn from_connect_data(
        &mut self,
        _: Topics<'_>,
        _: &mut Column,
        values: &mut Values,
    ) -> Result<(Column, Vec<RowFault>)> {
        self.convert(&values.bytes)
    }
}

/// Drops rows of value `drop`, doubles those of `split`, fails those of `fail`, and can rename the topic.
#[derive(Default)]
struct Choosing {
    topic: Option<&'static str>,
    failing: Failing,
}

#[async_trait]
impl TransformationChain for Choosing {
    async fn apply(&mut self, batch: &mut Batch) -> Result<Applied> {
        self.failing.called(&batch.value.bytes, Stage::Transformation)?;
        let (mut origin, mut faults) = (Vec::new(), Vec::new());
        for (value, row) in batch.value.bytes.iter().zip(0_u32..) {
            let value = value.unwrap_or_default();
            let plain = value.rsplit(|&byte| byte == b':').next().unwrap();
            match plain {
                b"drop" => {}
                b"split" => origin.extend([row, row]),
                b"fail" => faults.push(StepFault { step: 1, row, problem: problem(value) }),
                _ => origin.push(row),
            }
        }
        *batch = batch.gather(&origin);
        if let Some(topic) = self.topic {
            (batch.topics, batch.topic) = (vec![topic.to_owned()], Vec::new());
        }
        Ok(Applied { origin: Some(origin), faults })
    }
}

fn naming(name: &'static str) -> Naming {
    Naming { name, failing: Failing::default(), adds_header: false }
}

fn pipeline(tolerance: Tolerance, chain: Option<Choosing>) -> Pipeline {
    let conversion = |name| Conversion {
        converter: Box::new(naming(name)),
        class: name.into(),
        reads_headers: false,
    };
    Pipeline {
        key: conversion("k"),
        value: conversion("v"),
        header: HeaderConversion { converter: Box::new(naming("h")), class: "h".into() },
        chain: chain.map(|chain| Chain {
            transformations: Box::new(chain),
            classes: vec!["first".into(), "second".into()],
        }),
        policy: ErrorPolicy {
            config: ErrorsConfig {
                retry_timeout: Some(Duration::ZERO),
                retry_delay_max: Duration::ZERO,
                tolerance,
                log: true,
                log_messages: true,
                poison_rows_max: 0,
            },
            stopping: CancellationToken::new(),
            counters: Arc::default(),
            stages: Arc::default(),
        },
        header_topics: Vec::new(),
    }
}

fn column(rows: &[&str]) -> Column {
    let mut column = Column::default();
    rows.iter().for_each(|row| column.push(row.as_bytes()));
    column
}

fn text(column: &Column) -> Vec<String> {
    column.iter().map(|row| String::from_utf8_lossy(row.unwrap_or(b"null")).into_owned()).collect()
}

/// Polled rows with these values; each has a key and a header.
fn polled(values: &[&str]) -> Batch {
    let rows = u32::try_from(values.len()).unwrap();
    let keys: Vec<String> = (0..rows).map(|row| row.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    Batch {
        rows,
        topics: vec!["t".to_owned()],
        key: header_columns::raw(column(&keys)),
        value: header_columns::raw(column(values)),
        headers: Headers {
            ends: (1..=rows).collect(),
            names: column(&keys),
            values: header_columns::raw(column(values)),
        },
        ..Batch::default()
    }
}

/// Consumed rows with these values, of partitions 0, 1, 0, 1 … and offsets from 100 on.
fn consumed(values: &[&str]) -> ConsumedBatch {
    let batch = polled(values);
    let rows = i32::try_from(values.len()).unwrap();
    ConsumedBatch {
        rows: batch.rows,
        topics: vec!["unused".to_owned(), "t".to_owned()],
        topic: vec![1; values.len()],
        partition: (0..rows).map(|row| row % 2).collect(),
        offset: (100..100 + i64::from(rows)).collect(),
        timestamp: vec![5; values.len()],
        timestamp_types: vec![tombolo_model::batch::TimestampType::CreateTime; values.len()],
        key: batch.key.bytes,
        value: batch.value.bytes,
        header_ends: batch.headers.ends,
        header_names: batch.headers.names,
        header_values: batch.headers.values.bytes,
    }
}

#[tokio::test]
async fn a_polled_row_is_transformed_and_then_converted() {
    let mut pipeline =
        pipeline(Tolerance::None, Some(Choosing { topic: Some("renamed"), ..Choosing::default() }));
    let rows = pipeline.outgoing(polled(&["a", "drop", "split", "b"])).await.unwrap();
    assert_eq!(rows.origin.as_deref(), Some([0, 2, 2, 3].as_slice()));
    assert_eq!(text(&rows.batch.key.bytes), ["k:0", "k:2", "k:2", "k:3"]);
    assert_eq!(text(&rows.batch.value.bytes), ["v:a", "v:split", "v:split", "v:b"]);
    assert_eq!(text(&rows.batch.headers.values.bytes)[0], "h:a");
    assert_eq!(rows.batch.topic_of(3), Some("renamed"));
    assert!(rows.failed.is_none());
}

#[tokio::test]
async fn bad_rows_are_skipped_wherever_they_fail_and_the_others_lead_back() {
    let mut pipeline = pipeline(Tolerance::All, Some(Choosing::default()));
    let values = ["a", "fail", "bad-v", "drop", "bad-h", "b", "bad-v"];
    let rows = pipeline.outgoing(polled(&values)).await.unwrap();
    assert_eq!(rows.origin.as_deref(), Some([0, 5].as_slice()));
    assert_eq!(text(&rows.batch.value.bytes), ["v:a", "v:b"]);
    assert_eq!(text(&rows.batch.headers.values.bytes), ["h:a", "h:b"]);
    assert!(rows.failed.is_none());
}

#[tokio::test]
async fn without_tolerance_rows_before_the_first_bad_one_still_go() {
    let check = async |values: &[&str], left: &[&str], cause: &str| {
        let mut pipeline = pipeline(Tolerance::None, Some(Choosing::default()));
        let rows = pipeline.outgoing(polled(values)).await.unwrap();
        assert_eq!(text(&rows.batch.value.bytes), left, "{values:?}");
        let (_, fault) = rows.failed.unwrap();
        assert_eq!(fault.message, "Tolerance exceeded in error handler");
        assert!(fault.trace.unwrap().ends_with(cause), "{values:?}");
    };
    check(&["a", "b", "bad-v", "c"], &["v:a", "v:b"], "bad-v").await;
    check(&["a", "bad-v", "fail", "c"], &["v:a"], "bad-v").await;
    check(&["split", "fail", "bad-v"], &["v:split", "v:split"], "fail").await;
    check(&["bad-h", "a"], &[], "bad-h").await;
}

#[tokio::test]
async fn rows_that_a_producer_would_not_take_end_the_task_in_kafkas_words() {
    let check = async |batch: Batch, left: u32, expected: &str| {
        let mut pipeline = pipeline(Tolerance::All, None);
        let rows = pipeline.outgoing(batch).await.unwrap();
        assert_eq!((rows.batch.rows, rows.failed.unwrap().1.message.as_str()), (left, expected));
    };
    let batch = Batch { timestamp: vec![-1, 5, -2], ..polled(&["a", "b", "c"]) };
    check(batch, 2, "Invalid record timestamp -2").await;
    let batch = Batch { topics: Vec::new(), ..polled(&["a"]) };
    check(batch, 0, "Topic cannot be null.").await;
    let batch = Batch { partition: vec![-1, -5], ..polled(&["a", "b"]) };
    let expected = "Invalid partition: -5. Partition number should always be non-negative or null.";
    check(batch, 1, expected).await;
}

#[tokio::test]
async fn headers_that_a_converter_adds_go_along() {
    let mut pipeline = pipeline(Tolerance::None, None);
    pipeline.value.converter = Box::new(Naming { adds_header: true, ..naming("v") });
    let rows = pipeline.outgoing(polled(&["a", "b"])).await.unwrap();
    assert_eq!(text(&rows.batch.headers.names), ["0", "v", "1", "v"]);
    assert_eq!(text(&rows.batch.headers.values.bytes), ["h:a", "added", "h:b", "added"]);
    assert!(rows.origin.is_none());
}

#[tokio::test]
async fn a_consumed_row_is_converted_and_then_transformed_and_its_bytes_stay_as_they_are() {
    let mut pipeline = pipeline(Tolerance::None, Some(Choosing::default()));
    let mut consumed = consumed(&["a", "drop", "b"]);
    let memory = consumed.value.data.as_ptr();
    let before = consumed.clone();
    let (rows, original) = pipeline.incoming(&mut consumed, &[]).await.unwrap();
    let batch = rows.batch;
    assert_eq!(text(&batch.value.bytes), ["v:a", "v:b"]);
    assert_eq!(text(&batch.key.bytes), ["k:0", "k:2"]);
    assert_eq!(text(&batch.headers.values.bytes), ["h:a", "h:b"]);
    assert_eq!((batch.topic_of(1), batch.offset.as_slice()), (Some("t"), [100, 102].as_slice()));
    assert!(original.is_none(), "nothing that says where a row was consumed changed");
    assert_eq!(consumed.value.data.as_ptr(), memory);
    assert_eq!(consumed, before);
    assert_eq!(rows.origin.as_deref(), Some([0, 2].as_slice()));
}

#[tokio::test]
async fn a_sink_is_told_where_rows_were_consumed_when_a_transformation_renames_their_topic() {
    let mut pipeline =
        pipeline(Tolerance::None, Some(Choosing { topic: Some("renamed"), ..Choosing::default() }));
    let (rows, original) = pipeline.incoming(&mut consumed(&["split", "a"]), &[]).await.unwrap();
    let batch = rows.batch;
    assert_eq!(batch.topic_of(0), Some("renamed"));
    let Original { topics, topic, partition, offset } = original.unwrap();
    assert_eq!((topics, topic), (vec!["t".to_owned()], vec![0, 0, 0]));
    assert!(partition.is_empty() && offset.is_empty(), "unchanged");
    assert_eq!(batch.partition, [0, 0, 1]);
}

#[tokio::test]
async fn a_converter_that_reads_headers_gets_them_raw() {
    let mut pipeline = pipeline(Tolerance::None, None);
    pipeline.key.reads_headers = true;
    pipeline.key.converter = Box::new(Naming { adds_header: true, ..naming("k") });
    pipeline.incoming(&mut consumed(&["a"]), &[]).await.unwrap();
}

#[tokio::test]
async fn a_bad_consumed_row_ends_the_task_or_is_skipped() {
    let mut consumed = consumed(&["a", "bad-h", "b", "bad-v"]);
    let before = consumed.clone();
    let mut strict = pipeline(Tolerance::None, None);
    let (rows, _) = strict.incoming(&mut consumed, &[]).await.unwrap();
    assert_eq!(rows.failed.unwrap().1.message, "Tolerance exceeded in error handler");
    assert_eq!(rows.bad.len(), 1, "Kafka Connect would not have come to the other");
    let mut tolerant = pipeline(Tolerance::All, None);
    let (rows, _) = tolerant.incoming(&mut consumed, &[]).await.unwrap();
    assert_eq!(rows.batch.offset, [100, 102]);
    let bad: Vec<(u32, Stage, &str)> =
        rows.bad.iter().map(|bad| (bad.row, bad.stage, &*bad.class)).collect();
    assert_eq!(bad, [(1, Stage::HeaderConverter, "h"), (3, Stage::ValueConverter, "v")]);
    assert_eq!(consumed, before, "the bytes of bad rows are there");
}
