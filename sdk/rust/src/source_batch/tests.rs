//! The builder: columns are complete whatever the order in which records set their parts.

use super::*;
use crate::testing;

fn rows(values: &Values) -> Vec<Option<&[u8]>> {
    values.bytes.iter().collect()
}

#[test]
fn columns_that_no_record_sets_stay_empty() {
    let mut batch = SourceBatch::new();
    let partition = batch.partition_bytes(vec![0xa0]);
    batch.record_with("t", partition, |out| out.push(0xa0)).value(&1).unwrap();
    batch.record_with("t", partition, |out| out.push(0xa0)).value(&2).unwrap();
    let built = batch.finish();
    let records = &built.records;
    assert_eq!((records.rows, records.topics.as_slice()), (2, &["t".to_owned()][..]));
    assert!(records.topic.is_empty() && built.partition.is_empty() && records.partition.is_empty());
    assert!(
        records.timestamp.is_empty()
            && records.key.bytes.ends.is_empty()
            && records.headers.ends.is_empty()
    );
    assert!(records.value.schemas.is_empty());
    assert_eq!(rows(&records.value), [Some(&[1][..]), Some(&[2])]);
    assert_eq!(built.offset.rows(), 2);
}

#[test]
fn parts_that_some_records_set_are_complete() {
    testing::reset();
    let schema = crate::schema::SchemaBuilder::int64().define().unwrap();
    let mut batch = SourceBatch::new();
    let a = batch.partition_bytes(vec![0xa0]);
    let b = batch.partition_bytes(vec![0xa1, 1, 1]);
    assert_eq!(batch.partition_bytes(vec![0xa0]), a);
    batch.record_with("t", a, |out| out.push(0xa0));
    batch.record_with("u", b, |out| out.push(0xa0)).key(&7).unwrap().timestamp(9);
    batch
        .record_with("t", a, |out| out.push(0xa0))
        .value_as(&1, schema)
        .unwrap()
        .kafka_partition(3);
    batch
        .record_with("t", a, |out| out.push(0xa0))
        .header("h", &None::<i64>)
        .unwrap()
        .header("i", "x")
        .unwrap();
    batch.record_with("u", a, |out| out.push(0xa0)).value(&None::<i64>).unwrap();
    let built = batch.finish();
    let records = &built.records;
    assert_eq!(records.topic, [0, 1, 0, 0, 1]);
    assert_eq!(built.partition, [0, 1, 0, 0, 0]);
    assert_eq!(records.timestamp, [-1, 9, -1, -1, -1]);
    assert_eq!(records.partition, [-1, -1, 3, -1, -1]);
    assert_eq!(rows(&records.key), [None, Some(&[7][..]), None, None, None]);
    assert_eq!(rows(&records.value), [None, None, Some(&[1][..]), None, None]);
    assert_eq!(records.value.schemas, [0, 0, schema, 0, 0]);
    assert_eq!(records.headers.ends, [0, 0, 0, 2, 2]);
    let headers: Vec<_> = records.headers.of(3).collect();
    assert_eq!(headers, [("h", None, 0), ("i", Some(&b"\x61x"[..]), 0)]);
}

#[test]
fn bytes_are_counted_as_a_poll_limits_them() {
    let mut batch = SourceBatch::new();
    assert_eq!((batch.byte_count(), batch.is_empty()), (0, true));
    let partition = batch.partition_bytes(vec![0xa0]);
    batch
        .record_with("t", partition, |out| out.push(0xa0))
        .value_with(0, |out| out.extend([0x41, 1]));
    assert_eq!((batch.byte_count(), batch.len()), (1 + 2 + 16, 1));
}
