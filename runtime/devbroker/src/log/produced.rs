//! Checks of a batch from a client that need no lock. Not here: its place among the producer's batches (`producers`).

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::batch::{self, Header};
use super::records::{self, Records};

/// What a topic demands of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demands {
    /// Largest batch (`max.message.bytes`).
    pub bytes_max: usize,
    /// Compaction works by key, so every record must have one.
    pub keys: bool,
    /// Whether the broker's clock replaces the producer's (`message.timestamp.type`).
    pub log_append_time: bool,
}

/// A checked batch, ready to be appended.
#[derive(Debug, Clone)]
pub(crate) struct Produced {
    pub bytes: Bytes,
    pub header: Header,
    pub log_append_time: bool,
}

impl Produced {
    /// Checks what a client sent: exactly one v2 batch, as Kafka demands of produce requests since version 3.
    pub(crate) fn check(bytes: Bytes, demands: Demands) -> Result<Self, ResponseError> {
        let header = Header::parse(&bytes).ok_or(ResponseError::CorruptMessage)?;
        let first = bytes.get(..header.bytes as usize).ok_or(ResponseError::CorruptMessage)?;
        if !batch::checksum_matches(first) {
            return Err(ResponseError::CorruptMessage);
        }
        if bytes.len() > header.bytes as usize
            || header.is_control()
            || header.count == 0
            || header.count != header.last_offset_delta + 1
            || (header.producer_id >= 0 && header.base_sequence < 0)
            || (header.is_transactional() && header.producer_id < 0)
        {
            return Err(ResponseError::InvalidRecord);
        }
        if bytes.len() > demands.bytes_max {
            return Err(ResponseError::MessageTooLarge);
        }
        if demands.keys {
            check_keys(&header, &bytes)?;
        }
        Ok(Self { bytes, header, log_append_time: demands.log_append_time })
    }
}

fn check_keys(header: &Header, bytes: &[u8]) -> Result<(), ResponseError> {
    let payload = records::payload(header, bytes).map_err(|_| ResponseError::CorruptMessage)?;
    for record in Records::new(&payload) {
        if record.map_err(|_| ResponseError::CorruptMessage)?.key.is_none() {
            return Err(ResponseError::InvalidRecord);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kafka_protocol::records::Compression;

    use super::*;
    use crate::log::testing::{PLAIN, batch_of, plain};

    const ANY: Demands = Demands { bytes_max: 1_000_000, keys: false, log_append_time: false };

    fn verdict(bytes: impl Into<Bytes>, demands: Demands) -> Option<ResponseError> {
        Produced::check(bytes.into(), demands).err()
    }

    #[test]
    fn a_batch_must_be_one_whole_and_undamaged_batch() {
        let good = plain(&["a", "b"]);
        assert_eq!(verdict(good.clone(), ANY), None);
        let two = [good.clone(), good.clone()].concat();
        assert_eq!(verdict(two, ANY), Some(ResponseError::InvalidRecord));
        assert_eq!(verdict(good.slice(..70), ANY), Some(ResponseError::CorruptMessage));
        assert_eq!(verdict(Bytes::new(), ANY), Some(ResponseError::CorruptMessage));
        let mut flipped = good.to_vec();
        flipped[70] ^= 4;
        assert_eq!(verdict(flipped, ANY), Some(ResponseError::CorruptMessage));
        let marker = batch::end_marker(1, 0, true, 0);
        assert_eq!(verdict(marker, ANY), Some(ResponseError::InvalidRecord));
    }

    #[test]
    fn a_large_batch_is_refused() {
        let batch = plain(&["a"]);
        let demands = |bytes_max| Demands { bytes_max, ..ANY };
        assert_eq!(verdict(batch.clone(), demands(batch.len())), None);
        let refused = Some(ResponseError::MessageTooLarge);
        assert_eq!(verdict(batch.clone(), demands(batch.len() - 1)), refused);
    }

    #[test]
    fn a_compacted_topic_wants_keys_under_any_compression() {
        let keyed = Demands { keys: true, ..ANY };
        for codec in [Compression::None, Compression::Zstd] {
            let with = batch_of(&[(Some("k"), Some("v"), 0)], PLAIN, codec);
            let without = batch_of(&[(Some("k"), None, 0), (None, Some("v"), 0)], PLAIN, codec);
            assert_eq!(verdict(with, keyed), None);
            assert_eq!(verdict(without, keyed), Some(ResponseError::InvalidRecord));
        }
    }
}
