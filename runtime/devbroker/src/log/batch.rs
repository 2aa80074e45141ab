//! The header of a Kafka v2 record batch: reading it, patching the few fields a broker may change, and making the
//! control batches that end transactions. Not here: the records inside (`records`).

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes before the first record.
pub(crate) const HEADER_BYTES: usize = 61;

/// Bytes that the length field does not count: base offset and the length itself.
const LENGTH_OVERHEAD: usize = 12;

/// First byte that the checksum covers: the attributes. Everything before it may change without a new checksum.
const CHECKED_FROM: usize = 21;

const ATTRIBUTES_AT: usize = 21;
const MAX_TIMESTAMP_AT: usize = 35;

const CODEC: i16 = 0x07;
const LOG_APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
const DELETE_HORIZON: i16 = 0x40;

/// What the first 61 bytes of a batch say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Offset of the first record.
    pub base: i64,
    /// Whole length of the batch, this header included.
    pub bytes: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    /// What the records' timestamps are relative to; the delete horizon when the batch has one.
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    /// -1 without idempotence.
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub count: i32,
}

impl Header {
    /// Reads a header. `None` when there are too few bytes, the format is not v2, or a number makes no sense.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.get(..HEADER_BYTES)?;
        let base = rest.get_i64();
        let length = rest.get_i32();
        let _leader_epoch = rest.get_i32();
        let magic = rest.get_u8();
        let _checksum = rest.get_u32();
        let header = Self {
            base,
            bytes: u32::try_from(length).ok()?.checked_add(LENGTH_OVERHEAD as u32)?,
            attributes: rest.get_i16(),
            last_offset_delta: rest.get_i32(),
            base_timestamp: rest.get_i64(),
            max_timestamp: rest.get_i64(),
            producer_id: rest.get_i64(),
            producer_epoch: rest.get_i16(),
            base_sequence: rest.get_i32(),
            count: rest.get_i32(),
        };
        let sane = magic == 2
            && header.base >= 0
            && header.bytes as usize >= HEADER_BYTES
            && header.last_offset_delta >= 0
            && header.count >= 0
            && header.base.checked_add(i64::from(header.last_offset_delta)).is_some();
        sane.then_some(header)
    }

    /// Offset of the last record; of the last record it once had, after compaction.
    pub(crate) fn last(&self) -> i64 {
        self.base + i64::from(self.last_offset_delta)
    }

    /// The offset after the last record.
    pub(crate) fn next(&self) -> i64 {
        self.last() + 1
    }

    pub(crate) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    pub(crate) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    pub(crate) fn has_delete_horizon(&self) -> bool {
        self.attributes & DELETE_HORIZON != 0
    }

    pub(crate) fn has_log_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }

    pub(crate) fn codec(&self) -> i16 {
        self.attributes & CODEC
    }

    /// Sequence number of the last record. Sequence numbers wrap to 0 after `i32::MAX`.
    pub(crate) fn last_sequence(&self) -> i32 {
        add_sequence(self.base_sequence, self.last_offset_delta)
    }
}

/// `sequence + n`, wrapping from `i32::MAX` to 0 as Kafka's do.
pub(crate) fn add_sequence(sequence: i32, n: i32) -> i32 {
    ((i64::from(sequence) + i64::from(n)) & i64::from(i32::MAX)) as i32
}

/// Whether the checksum of a whole batch is right.
pub(crate) fn checksum_matches(batch: &[u8]) -> bool {
    match (batch.get(17..CHECKED_FROM), batch.get(CHECKED_FROM..)) {
        (Some(mut stored), Some(covered)) => stored.get_u32() == crc32c::crc32c(covered),
        _ => false,
    }
}

/// Gives a batch its offset. The leader epoch becomes 0: this broker never loses an election. No new checksum needed.
pub(crate) fn assign_offset(batch: &mut [u8], base: i64) {
    put(batch, 0, &base.to_be_bytes());
    put(batch, 12, &0i32.to_be_bytes());
}

/// Replaces the producer's timestamps by the broker's, for topics with `message.timestamp.type=LogAppendTime`.
pub(crate) fn stamp(batch: &mut [u8], header: &Header, now_ms: i64) {
    put(batch, ATTRIBUTES_AT, &(header.attributes | LOG_APPEND_TIME).to_be_bytes());
    put(batch, MAX_TIMESTAMP_AT, &now_ms.to_be_bytes());
    seal(batch);
}

/// Writes length and checksum, after anything else has changed.
fn seal(batch: &mut [u8]) {
    let length = batch.len().saturating_sub(LENGTH_OVERHEAD) as u32;
    put(batch, 8, &length.to_be_bytes());
    let checksum = crc32c::crc32c(batch.get(CHECKED_FROM..).unwrap_or_default());
    put(batch, 17, &checksum.to_be_bytes());
}

fn put(batch: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = batch.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

/// What compaction writes in place of a batch: the same offsets and producer, `count` records left in `payload`.
///
/// The batch stops being transactional (it was committed, or nothing of it is left), so its marker may go too.
/// `horizon_ms`: when tombstones in it may be dropped; the payload's timestamps are relative to it.
pub(crate) fn rewrite(
    header: &Header,
    max_timestamp: i64,
    horizon_ms: Option<i64>,
    count: i32,
    payload: &[u8],
) -> Vec<u8> {
    let mut attributes = header.attributes & !(TRANSACTIONAL | CONTROL | DELETE_HORIZON);
    if horizon_ms.is_some() {
        attributes |= DELETE_HORIZON;
    }
    let new = Header {
        attributes,
        base_timestamp: horizon_ms.unwrap_or(header.base_timestamp),
        max_timestamp,
        count,
        ..*header
    };
    build(&new, payload)
}

/// The batch that ends a transaction of a producer in a partition. It has no offset yet.
pub(crate) fn end_marker(
    producer_id: i64,
    producer_epoch: i16,
    commit: bool,
    now_ms: i64,
) -> Bytes {
    let header = Header {
        base: 0,
        bytes: 0,
        attributes: TRANSACTIONAL | CONTROL,
        last_offset_delta: 0,
        base_timestamp: now_ms,
        max_timestamp: now_ms,
        producer_id,
        producer_epoch,
        base_sequence: -1,
        count: 1,
    };
    // One record. Length (zigzag), attributes, timestamp and offset deltas, key (version, type), value (version,
    // coordinator epoch), no headers.
    let kind = u8::from(commit);
    let record = [32, 0, 0, 0, 8, 0, 0, 0, kind, 12, 0, 0, 0, 0, 0, 0, 0];
    build(&header, &record).into()
}

fn build(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut batch = BytesMut::with_capacity(HEADER_BYTES + payload.len());
    batch.put_i64(header.base);
    batch.put_i32(0);
    batch.put_i32(0);
    batch.put_u8(2);
    batch.put_u32(0);
    batch.put_i16(header.attributes);
    batch.put_i32(header.last_offset_delta);
    batch.put_i64(header.base_timestamp);
    batch.put_i64(header.max_timestamp);
    batch.put_i64(header.producer_id);
    batch.put_i16(header.producer_epoch);
    batch.put_i32(header.base_sequence);
    batch.put_i32(header.count);
    batch.put_slice(payload);
    let mut batch = Vec::from(batch);
    seal(&mut batch);
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_valid_batch_and_says_what_it_ends() {
        for commit in [true, false] {
            let mut marker = end_marker(7, 3, commit, 1_000).to_vec();
            assign_offset(&mut marker, 42);
            let header = Header::parse(&marker).unwrap();
            assert!(checksum_matches(&marker));
            assert_eq!((header.base, header.last(), header.next()), (42, 42, 43));
            assert_eq!((header.producer_id, header.producer_epoch), (7, 3));
            assert!(header.is_control() && header.is_transactional());
            assert_eq!(crate::log::records::marker_commits(&marker), Some(commit));
        }
    }

    #[test]
    fn what_is_not_a_batch_is_not_parsed() {
        let good = end_marker(1, 0, true, 0).to_vec();
        assert!(Header::parse(&good).is_some());
        let broken = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            bytes
        };
        for (what, bytes) in [
            ("short", good[..60].to_vec()),
            ("magic 1", broken(16, 1)),
            ("negative offset", broken(0, 0x80)),
            ("negative length", broken(8, 0x80)),
            ("length within the header", broken(11, 3)),
            ("negative last offset delta", broken(23, 0x80)),
            ("negative count", broken(57, 0x80)),
        ] {
            assert_eq!(Header::parse(&bytes), None, "{what}");
        }
    }

    #[test]
    fn a_flipped_bit_fails_the_checksum() {
        let mut bytes = end_marker(1, 0, true, 0).to_vec();
        assert!(checksum_matches(&bytes));
        bytes[65] ^= 1;
        assert!(!checksum_matches(&bytes));
        assert!(!checksum_matches(&bytes[..20]));
    }

    #[test]
    fn sequences_wrap_to_zero() {
        assert_eq!(add_sequence(5, 2), 7);
        assert_eq!(add_sequence(i32::MAX, 1), 0);
        assert_eq!(add_sequence(i32::MAX - 1, 3), 1);
    }
}
