//! Batches for the tests of this crate, made by the codec that clients use. Not here: anything the broker runs.

use bytes::{Bytes, BytesMut};
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, Record, RecordBatchEncoder, RecordEncodeOptions,
    TimestampType,
};

/// Who sends a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender {
    pub id: i64,
    pub epoch: i16,
    pub sequence: i32,
    pub transactional: bool,
}

/// A producer without idempotence.
pub(crate) const PLAIN: Sender = Sender { id: -1, epoch: -1, sequence: -1, transactional: false };

/// One row of a batch: key, value, timestamp.
pub(crate) type Row<'a> = (Option<&'a str>, Option<&'a str>, i64);

/// A batch with base offset 0, as a client sends it.
pub(crate) fn batch_of(rows: &[Row<'_>], sender: Sender, compression: Compression) -> Bytes {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let records: Vec<Record> = rows
        .iter()
        .enumerate()
        .map(|(i, (key, value, timestamp))| Record {
            transactional: sender.transactional,
            control: false,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: sender.id,
            producer_epoch: sender.epoch,
            timestamp_type: TimestampType::Creation,
            offset: i as i64,
            sequence: if sender.sequence < 0 { i as i32 } else { sender.sequence + i as i32 },
            timestamp: *timestamp,
            key: key.map(bytes),
            value: value.map(bytes),
            headers: Default::default(),
            delete_horizon: false,
        })
        .collect();
    let mut out = BytesMut::new();
    RecordBatchEncoder::encode(
        &mut out,
        &records,
        &RecordEncodeOptions { version: 2, compression },
    )
    .unwrap();
    out.freeze()
}

/// A plain batch of `values` without keys, at timestamp 0.
pub(crate) fn plain(values: &[&str]) -> Bytes {
    let rows: Vec<Row<'_>> = values.iter().map(|value| (None, Some(*value), 0)).collect();
    batch_of(&rows, PLAIN, Compression::None)
}
