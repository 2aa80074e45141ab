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
#[inline]
pub(super) fn plain(bytes: &[u8]) -> Plain {
    let mut len = 0;
    let mut high = 0;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
        let (special, above) = classify(chunk);
        if special != 0 {
            let before = special.trailing_zeros();
            high |= above & ((1 << before) - 1);
            return Plain { len: len + before as usize, ascii: high == 0 };
        }
        high |= above;
        len += 16;
        rest = after;
    }
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

/// Appends the first `len` of `bytes`. Short texts that have room behind them are copied 16 bytes at a time, which is cheaper than a call.
#[inline]
pub(super) fn copy(out: &mut Vec<u8>, bytes: &[u8], len: usize) {
    match (len, bytes.first_chunk::<16>(), bytes.first_chunk::<32>()) {
        (0..=16, Some(chunk), _) => {
            let end = out.len() + len;
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        (17..=32, _, Some(chunk)) => {
            let end = out.len() + len;
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => out.extend_from_slice(bytes.get(..len).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_part_ends_before_a_quote_a_backslash_or_a_control_character() {
        for stop in [b'"', b'\\', 0x1f, b'\n'] {
            for before in 0..40 {
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
        for at in 0..40 {
            let mut text = vec![b' '; 40];
            text[at] = 0xc3;
            text.push(b'"');
            assert_eq!(plain(&text), Plain { len: 40, ascii: false });
        }
    }

    #[test]
    fn copies_are_exact() {
        let text: Vec<u8> = (0..64).collect();
        for len in 0..=64 {
            let mut out = vec![9];
            copy(&mut out, &text, len);
            assert_eq!(out[1..], text[..len]);
        }
    }
}
