//! Decoding requests without trusting the lengths in them.
//!
//! The codec reserves memory for as many elements as an array says it has, before it reads one; a few damaged bytes
//! would make it ask for hundreds of gigabytes, and the process would end. No element takes less than a byte, so a
//! length above what is left of the request is a lie, and [`Guarded`] refuses it while it is being read. A length of
//! the old kind cannot be told from any other number by reading it; so messages with those are decoded twice, first
//! with every number cut to one more than the bytes left, which a lying array cannot survive.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::ByteBuf;

/// How a version of a message writes lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lengths {
    /// As 32-bit numbers: versions that are not flexible.
    Fixed,
    /// As varints: flexible versions.
    Varint,
}

/// Decodes a message from the beginning of `bytes`, and leaves the rest there. An error says what is wrong.
pub(super) fn decode<T: Decodable>(
    bytes: &mut Bytes,
    version: i16,
    lengths: Lengths,
) -> Result<T, String> {
    if lengths == Lengths::Fixed {
        decode_once::<T>(&mut bytes.clone(), version, true)?;
    }
    decode_once(bytes, version, false)
}

fn decode_once<T: Decodable>(
    bytes: &mut Bytes,
    version: i16,
    cuts_numbers: bool,
) -> Result<T, String> {
    let rest = std::mem::take(bytes);
    let mut guarded = Guarded { rest, cuts_numbers, varint: 0, varint_bytes: 0 };
    let message = T::decode(&mut guarded, version).map_err(|error| error.to_string())?;
    *bytes = guarded.rest;
    Ok(message)
}

/// Bytes that do not let a length through which is larger than what is left of them.
struct Guarded {
    rest: Bytes,
    cuts_numbers: bool,
    /// The varint that is being read, as far as it goes.
    varint: u64,
    varint_bytes: u32,
}

/// A varint has at most so many bytes before its last.
const VARINT_CONTINUED_MAX: u32 = 4;

impl Buf for Guarded {
    fn remaining(&self) -> usize {
        self.rest.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.rest.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.rest.advance(count);
    }

    /// Single bytes are booleans (0 or 1, which always pass) and parts of varints.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        let byte = self.rest.try_get_u8()?;
        self.varint |= u64::from(byte & 0x7f) << (7 * self.varint_bytes);
        if byte >= 0x80 && self.varint_bytes < VARINT_CONTINUED_MAX {
            self.varint_bytes += 1;
            return Ok(byte);
        }
        let value = std::mem::take(&mut self.varint);
        self.varint_bytes = 0;
        let available = self.remaining();
        match usize::try_from(value) {
            // Nullable lengths are one more than what they say.
            Ok(length) if length <= available + 1 => Ok(byte),
            _ => Err(TryGetError { requested: value as usize, available }),
        }
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        let value = self.rest.try_get_i32()?;
        if !self.cuts_numbers {
            return Ok(value);
        }
        Ok(value.min(i32::try_from(self.remaining() + 1).unwrap_or(i32::MAX)))
    }
}

impl ByteBuf for Guarded {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.rest.peek_bytes(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.rest.get_bytes(size)
    }
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};
    use kafka_protocol::messages::MetadataRequest;

    use super::*;

    fn metadata(version: i16, lengths: Lengths, bytes: Vec<u8>) -> Result<MetadataRequest, String> {
        decode(&mut bytes.into(), version, lengths)
    }

    #[test]
    fn a_length_beyond_the_request_is_refused_before_memory_is_taken() {
        for length in [i32::MAX, 1_000_000_000, 5] {
            let mut bytes = BytesMut::new();
            bytes.put_i32(length);
            bytes.put_slice(&[0, 1, b'a', 0]);
            assert!(metadata(1, Lengths::Fixed, bytes.to_vec()).is_err(), "{length}");
        }
        for length in [[0xff, 0xff, 0xff, 0xff, 0x0f], [0x80, 0x80, 0x80, 0x80, 0x04]] {
            let bytes = [&length[..], &[2, b'a', 0, 0, 0, 0]].concat();
            assert!(metadata(9, Lengths::Varint, bytes).is_err(), "{length:?}");
        }
    }

    #[test]
    fn true_lengths_pass() {
        let one = metadata(1, Lengths::Fixed, vec![0, 0, 0, 1, 0, 1, b'a']).unwrap();
        assert_eq!(one.topics.unwrap()[0].name.as_ref().unwrap().as_str(), "a");
        let all = metadata(1, Lengths::Fixed, vec![0xff, 0xff, 0xff, 0xff]).unwrap();
        assert_eq!(all.topics, None);
        let one = metadata(9, Lengths::Varint, vec![2, 2, b'b', 0, 1, 0, 0, 0]).unwrap();
        assert_eq!(one.topics.unwrap()[0].name.as_ref().unwrap().as_str(), "b");
    }
}
