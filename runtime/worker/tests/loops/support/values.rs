//! Source partitions and offsets of the tests, as CBOR maps.
//!
//! Not here: any other value.

use tombolo_model::offset::{SourceOffset, SourcePartition};

/// `{"p": name}`.
pub(crate) fn partition(name: &str) -> SourcePartition {
    let mut bytes = vec![0xa1, 0x61, b'p', 0x60 + u8::try_from(name.len()).unwrap()];
    bytes.extend(name.as_bytes());
    SourcePartition(bytes)
}

/// `{"n": number}`, and behind it `{"p": padding}` of so many bytes where there are any.
pub(crate) fn padded_offset(number: u64, padding: usize) -> SourceOffset {
    let mut bytes = vec![if padding == 0 { 0xa1 } else { 0xa2 }, 0x61, b'n', 0x1a];
    bytes.extend(u32::try_from(number).unwrap().to_be_bytes());
    if padding > 0 {
        bytes.extend([0x61, b'p', 0x7a]);
        bytes.extend(u32::try_from(padding).unwrap().to_be_bytes());
        bytes.resize(bytes.len() + padding, b'.');
    }
    SourceOffset(bytes)
}

/// The number in `{"n": number}`, of any size.
pub(crate) fn number(offset: &SourceOffset) -> u64 {
    let big_endian =
        |bytes: &[u8]| bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
    match offset.0[3] {
        small @ 0..24 => u64::from(small),
        width => big_endian(&offset.0[4..4 + (1 << (width - 24))]),
    }
}

/// Source partition and offset of a record of the offsets topic.
pub(crate) fn stored(key: &str, value: Option<&str>) -> (String, u64) {
    let between = |text: &str, start: &str, end: &[char]| {
        let text = text.split_once(start).unwrap().1;
        text.split_once(end).unwrap().0.to_owned()
    };
    let number = between(value.unwrap(), "{\"n\":", &[',', '}']).parse().unwrap();
    (between(key, "{\"p\":\"", &['"']), number)
}
