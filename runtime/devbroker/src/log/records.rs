//! The records inside a batch: decompressing them and walking over them. Not here: what is kept of them (`compaction`).

use std::borrow::Cow;
use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::compression::{Compressor, Decompressor, Gzip, Lz4, Snappy, Zstd};

use super::batch::{HEADER_BYTES, Header};

/// A record, as far as a broker looks into it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub attributes: u8,
    pub timestamp_delta: i64,
    pub offset_delta: i64,
    pub key: Option<&'a [u8]>,
    /// Whether the value is null, which deletes the key in a compacted topic.
    pub is_tombstone: bool,
    /// The record as it stands in the batch, with its length.
    whole: &'a [u8],
    /// What follows the timestamp delta, up to the record's end.
    after_timestamp: &'a [u8],
}

impl Record<'_> {
    /// Appends the record with another timestamp delta.
    pub(crate) fn write(&self, timestamp_delta: i64, to: &mut Vec<u8>) {
        if timestamp_delta == self.timestamp_delta {
            to.extend_from_slice(self.whole);
            return;
        }
        let mut head = Vec::with_capacity(11);
        head.push(self.attributes);
        put_varint(timestamp_delta, &mut head);
        put_varint((head.len() + self.after_timestamp.len()) as i64, to);
        to.extend_from_slice(&head);
        to.extend_from_slice(self.after_timestamp);
    }
}

/// The records of a batch do not follow the format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("malformed records")]
pub(crate) struct Malformed;

/// Walks over uncompressed records; ends after the first malformed one.
pub(crate) struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    fn read(&mut self) -> Option<Record<'a>> {
        let start = self.rest;
        let length = usize::try_from(varint(&mut self.rest)?).ok()?;
        let mut body = self.rest.get(..length)?;
        let whole = start.get(..start.len() - self.rest.len() + length)?;
        self.rest = self.rest.get(length..)?;
        let attributes = body.try_get_u8().ok()?;
        let timestamp_delta = varint(&mut body)?;
        let after_timestamp = body;
        let offset_delta = varint(&mut body)?;
        let key = nullable_bytes(&mut body)?;
        let value = nullable_bytes(&mut body)?;
        Some(Record {
            attributes,
            timestamp_delta,
            offset_delta,
            key,
            is_tombstone: value.is_none(),
            whole,
            after_timestamp,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = self.read().ok_or(Malformed);
        if record.is_err() {
            self.rest = &[];
        }
        Some(record)
    }
}

/// Outer `None`: malformed. Inner `None`: null.
fn nullable_bytes<'a>(from: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = varint(from)?;
    if length < 0 {
        return Some(None);
    }
    let (bytes, rest) = from.split_at_checked(usize::try_from(length).ok()?)?;
    *from = rest;
    Some(Some(bytes))
}

/// A zigzag varint of at most ten bytes.
fn varint(from: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = from.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(((value >> 1) as i64) ^ -((value & 1) as i64));
        }
    }
    None
}

fn put_varint(value: i64, to: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

/// The uncompressed records of a whole batch. Costs a copy only where the batch is compressed.
pub(crate) fn payload<'a>(header: &Header, batch: &'a [u8]) -> io::Result<Cow<'a, [u8]>> {
    let stored = batch.get(HEADER_BYTES..).unwrap_or_default();
    let mut packed = stored;
    let all = |buffer: &mut Bytes| Ok(std::mem::take(buffer));
    let unpacked = match header.codec() {
        0 => return Ok(Cow::Borrowed(stored)),
        1 => Gzip::decompress(&mut packed, all),
        2 => Snappy::decompress(&mut packed, all),
        3 => Lz4::decompress(&mut packed, all),
        4 => Zstd::decompress(&mut packed, all),
        codec => return Err(io::Error::other(format!("unknown compression codec {codec}"))),
    };
    unpacked.map(|bytes| Cow::Owned(bytes.into())).map_err(io::Error::other)
}

/// Compresses records as the batch they came from was.
pub(crate) fn pack(header: &Header, records: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut packed = BytesMut::new();
    let fill = |buffer: &mut BytesMut| {
        buffer.put_slice(&records);
        Ok(())
    };
    match header.codec() {
        1 => Gzip::compress(&mut packed, fill),
        2 => Snappy::compress(&mut packed, fill),
        3 => Lz4::compress(&mut packed, fill),
        4 => Zstd::compress(&mut packed, fill),
        _ => return Ok(records),
    }
    .map_err(io::Error::other)?;
    Ok(packed.into())
}

/// Whether a control batch ends its transaction by a commit. `None` when it is not the end of a transaction.
pub(crate) fn marker_commits(batch: &[u8]) -> Option<bool> {
    let record = Records::new(batch.get(HEADER_BYTES..)?).next()?.ok()?;
    let mut key = record.key?;
    let _version = key.try_get_i16().ok()?;
    match key.try_get_i16().ok()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
