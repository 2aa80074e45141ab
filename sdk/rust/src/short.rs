//! Short slices without a call: names and values of records are mostly shorter than what a call costs.
//!
//! In a component, the copy of a slice is `memory.copy`, a call of the host's runtime as dear as moving a hundred bytes, and a comparison is a loop byte by
//! byte. Not here: what is copied and compared.

/// Longest slice that is moved 16 bytes at a time; past it, the call pays.
const SHORT: usize = 32;

/// Up to so many bytes are copied by [`append_first`] without a look at their number, where so many are there.
pub const ROOM: usize = 16;

/// Appends `bytes`, as `Vec::extend_from_slice` does.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    // Without a loop: each turn of one would be looked at by whoever holds plugins to their time.
    match *bytes {
        [] => {}
        [one] => out.push(one),
        [one, two] => out.extend_from_slice(&[one, two]),
        [one, two, three] => out.extend_from_slice(&[one, two, three]),
        _ => match bytes.len() {
            ..8 => ends::<4>(out, bytes),
            8..16 => ends::<8>(out, bytes),
            16..=SHORT => ends::<16>(out, bytes),
            _ => out.extend_from_slice(bytes),
        },
    }
}

/// Appends the first `len` of `bytes`, of which there may be fewer. Short ones that have room behind them are copied without looking at their length.
#[inline(always)]
pub fn append_first(out: &mut Vec<u8>, bytes: &[u8], len: usize) {
    match bytes.first_chunk::<ROOM>() {
        Some(chunk) if len <= ROOM => {
            let end = out.len() + len;
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => append(out, bytes.get(..len).unwrap_or(bytes)),
    }
}

/// Appends at least one chunk and at most two: the first, and the last over those of its bytes that are there already.
#[inline]
fn ends<const N: usize>(out: &mut Vec<u8>, bytes: &[u8]) {
    let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
        return out.extend_from_slice(bytes);
    };
    let start = out.len();
    out.extend_from_slice(first);
    out.truncate(start + bytes.len() - N);
    out.extend_from_slice(last);
}

/// Whether two slices are the same.
#[inline]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && starts_with(one, other)
}

/// Whether `bytes` begins with `prefix`.
#[inline]
pub fn starts_with(bytes: &[u8], prefix: &[u8]) -> bool {
    let Some(start) = bytes.get(..prefix.len()) else { return false };
    // Without a loop where the ends cover it all: each turn of one would be looked at by whoever holds plugins to their time.
    match start.len() {
        0..4 => start.iter().zip(prefix).all(|(byte, wanted)| byte == wanted),
        4..8 => same_ends::<4>(start, prefix),
        8..=16 => same_ends::<8>(start, prefix),
        _ => {
            let (words, _) = start.as_chunks::<8>();
            let (wanted, _) = prefix.as_chunks::<8>();
            words.iter().zip(wanted).all(|(word, wanted)| word == wanted)
                && start.last_chunk::<8>() == prefix.last_chunk::<8>()
        }
    }
}

/// Whether two slices of one length begin with the same chunk, and end with the same.
#[inline]
fn same_ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
    one.first_chunk::<N>() == other.first_chunk::<N>()
        && one.last_chunk::<N>() == other.last_chunk::<N>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lengths_are_appended_exactly() {
        let text: Vec<u8> = (0..=255).collect();
        for len in 0..=text.len() {
            let mut out = vec![9, 8];
            append(&mut out, &text[..len]);
            assert_eq!(out.split_at(2), ([9, 8].as_slice(), &text[..len]), "{len}");
        }
    }

    #[test]
    fn the_first_of_some_bytes_are_appended_exactly_whatever_is_behind_them() {
        let text: Vec<u8> = (0..64).collect();
        for room in 0..=text.len() {
            for len in 0..=text.len() {
                let mut out = vec![9];
                append_first(&mut out, &text[..room], len);
                assert_eq!(out[1..], text[..len.min(room)], "{len} of {room}");
            }
        }
    }

    #[test]
    fn every_byte_counts_in_a_comparison() {
        let text: Vec<u8> = (0..40).collect();
        for len in 0..=text.len() {
            assert!(starts_with(&text, &text[..len]) && equal(&text[..len], &text[..len]));
            assert!(!equal(&text, &text[..len]) || len == text.len());
            for at in 0..len {
                let mut other = text[..len].to_vec();
                other[at] ^= 1;
                assert!(
                    !starts_with(&text, &other) && !equal(&text[..len], &other),
                    "{at} of {len}"
                );
            }
        }
        assert!(!starts_with(&text[..3], &text[..4]));
    }
}
