//! Batches and logs for the tests of this crate, made by the codec that clients use. Not here: anything the broker runs.

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, Record, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType,
};

use super::produced::{Demands, Produced};
use super::{Appended, Log};

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
            sequence: sender.sequence.max(0) + i as i32,
            timestamp: *timestamp,
            key: key.map(bytes),
            value: value.map(bytes),
            headers: Default::default(),
            delete_horizon: false,
        })
        .collect();
    let mut out = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression };
    RecordBatchEncoder::encode(&mut out, &records, &options).unwrap();
    out.freeze()
}

/// A plain batch of `values` without keys, at timestamp 0.
pub(crate) fn plain(values: &[&str]) -> Bytes {
    let rows: Vec<Row<'_>> = values.iter().map(|value| (None, Some(*value), 0)).collect();
    batch_of(&rows, PLAIN, Compression::None)
}

/// Demands nothing.
pub(crate) const ANY: Demands =
    Demands { bytes_max: 10_000_000, keys: false, log_append_time: false };

/// Appends as a client's request does.
pub(crate) fn append(log: &mut Log, batch: Bytes) -> Result<Appended, ResponseError> {
    log.append(&Produced::check(batch, ANY)?, 0)
}

/// A record as it was read: offset, key, value.
pub(crate) type Seen = (i64, Option<String>, Option<String>);

/// All records from an offset on, as a consumer reads them; without markers.
pub(crate) fn read_all(log: &Log, from: i64) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut offset = from;
    while let Some(plan) = log.plan(offset, 1_000, false) {
        let mut bytes = plan.read(1_000, true).unwrap();
        let headers: Vec<_> = super::read::headers(&bytes).collect();
        offset = headers.last().expect("at least one batch").next();
        while bytes.has_remaining() {
            let set = RecordBatchDecoder::decode(&mut bytes).unwrap();
            let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
            let data = set.records.into_iter().filter(|r| !r.control && r.offset >= from);
            seen.extend(data.map(|r| (r.offset, r.key.map(text), r.value.map(text))));
        }
    }
    seen
}
