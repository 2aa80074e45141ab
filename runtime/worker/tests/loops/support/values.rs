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

/// `{"n": number}`, whose number always takes four bytes.
pub(crate) fn offset(number: u64) -> SourceOffset {
    let mut bytes = vec![0xa1, 0x61, b'n', 0x1a];
    bytes.extend(u32::try_from(number).unwrap().to_be_bytes());
    SourceOffset(bytes)
}

/// The number in `{"n": number}`, of any size.
pub(crate) fn number(offset: &SourceOffset) -> u64 {
    match &offset.0[3..] {
        [small] => u64::from(*small),
        [_, rest @ ..] => rest.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)),
        [] => panic!("{offset:?}"),
    }
}

/// Source partition and offset of a record of the offsets topic.
pub(crate) fn stored(key: &str, value: Option<&str>) -> (String, u64) {
    let between = |text: &str, start: &str, end: &str| {
        let text = text.split_once(start).unwrap().1;
        text.split_once(end).unwrap().0.to_owned()
    };
    let number = between(value.unwrap(), "{\"n\":", "}").parse().unwrap();
    (between(key, "{\"p\":\"", "\"}"), number)
}
