//! Finds the end of the plain part of a string, 16 bytes at a time. Not here: what follows it (`reader`).

/// How far a text is plain, and whether it is ASCII so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// Bytes before the first quote, backslash or control character.
    pub(super) len: usize,
    /// Whether none of them is above 127.
    pub(super) ascii: bool,
}

/// Measures the plain part at the start of `bytes`.
#[inline(always)]
pub(super) fn plain(bytes: &[u8]) -> Plain {
    // Most strings end in the first chunk: the loop is for the others.
    let Some((first, rest)) = bytes.split_first_chunk::<16>() else {
        return plain_to_the_end(bytes, 0, 0);
    };
    let (special, above) = classify(first);
    if special != 0 {
        return ended(special, above, 0, 0);
    }
    long(rest, above)
}

/// What begins with a chunk that is plain.
#[inline(never)]
fn long(mut rest: &[u8], mut high: u32) -> Plain {
    let mut len = 16;
    // Two chunks a turn: each turn of a loop is looked at by whoever holds plugins to their time.
    while let Some((chunk, after)) = rest.split_first_chunk::<32>() {
        let (first, second) = (chunk.first_chunk(), chunk.last_chunk());
        let ((special, above), (special_2, above_2)) = match (first, second) {
            (Some(first), Some(second)) => (classify(first), classify(second)),
            _ => return plain_to_the_end(rest, len, high),
        };
        let (special, above) = (special | special_2 << 16, above | above_2 << 16);
        if special != 0 {
            return ended(special, above, len, high);
        }
        high |= above;
        len += 32;
        rest = after;
    }
    if let Some((chunk, after)) = rest.split_first_chunk::<16>() {
        let (special, above) = classify(chunk);
        if special != 0 {
            return ended(special, above, len, high);
        }
        return plain_to_the_end(after, len + 16, high | above);
    }
    plain_to_the_end(rest, len, high)
}

/// Ends at the first special byte of a chunk.
#[inline]
fn ended(special: u32, above: u32, len: usize, high: u32) -> Plain {
    let before = special.trailing_zeros();
    let high = high | above & ((1 << before) - 1);
    Plain { len: len + before as usize, ascii: high == 0 }
}

/// The last bytes, too few for a chunk.
fn plain_to_the_end(rest: &[u8], mut len: usize, mut high: u32) -> Plain {
    for &byte in rest {
        if is_special(byte) {
            break;
        }
        high |= u32::from(byte >> 7);
        len += 1;
    }
    Plain { len, ascii: high == 0 }
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// A bit for each special byte, and one for each above 127.
#[cfg(target_feature = "simd128")]
#[inline]
fn classify(chunk: &[u8; 16]) -> (u32, u32) {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128_or};
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let bytes = u64x2(word(chunk.first_chunk()), word(chunk.last_chunk()));
    let quote = u8x16_eq(bytes, u8x16_splat(b'"'));
    let backslash = u8x16_eq(bytes, u8x16_splat(b'\\'));
    let control = u8x16_lt(bytes, u8x16_splat(0x20));
    let special = v128_or(v128_or(quote, backslash), control);
    (u32::from(u8x16_bitmask(special)), u32::from(u8x16_bitmask(bytes)))
}

/// A bit for each special byte, and one for each above 127.
#[cfg(not(target_feature = "simd128"))]
#[inline]
fn classify(chunk: &[u8; 16]) -> (u32, u32) {
    let mut special = 0;
    let mut high = 0;
    for (place, &byte) in chunk.iter().enumerate() {
        special |= u32::from(is_special(byte)) << place;
        high |= u32::from(byte >> 7) << place;
    }
    (special, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_part_ends_before_a_quote_a_backslash_or_a_control_character() {
        for stop in [b'"', b'\\', 0x1f, b'\n'] {
            for before in 0..120 {
                for after in [0, 1, 40] {
                    let mut text = vec![b'a'; before];
                    text.push(stop);
                    text.resize(before + 1 + after, 0xc3);
                    assert_eq!(plain(&text), Plain { len: before, ascii: true });
                }
            }
        }
    }

    #[test]
    fn a_byte_above_127_before_the_end_is_noticed() {
        for len in [40, 100] {
            for at in 0..len {
                let mut text = vec![b' '; len];
                text[at] = 0xc3;
                text.push(b'"');
                assert_eq!(plain(&text), Plain { len, ascii: false });
            }
        }
    }
}
