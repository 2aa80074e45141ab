//! Short slices without a call: names and values of records are mostly shorter than what a call costs.
//!
//! In a component, the copy of a slice is `memory.copy`, a call of the host's runtime as dear as moving a hundred bytes, and a comparison is a loop byte by
//! byte. Not here: what is copied and compared.

/// Longest slice that is moved 16 bytes at a time; past it, the call pays.
const SHORT: usize = 32;

/// Appends `bytes`, as `Vec::extend_from_slice` does.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() > SHORT {
        return out.extend_from_slice(bytes);
    }
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
        out.extend_from_slice(chunk);
        rest = after;
    }
    match rest.len() {
        0 => {}
        // The last bytes once more, over those of them that are there already.
        left if bytes.len() >= 16 => again(out, bytes.last_chunk::<16>(), left),
        8.. => {
            out.extend_from_slice(rest.first_chunk::<8>().unwrap_or(&[0; 8]));
            again(out, rest.last_chunk::<8>(), rest.len() - 8);
        }
        4.. => {
            out.extend_from_slice(rest.first_chunk::<4>().unwrap_or(&[0; 4]));
            again(out, rest.last_chunk::<4>(), rest.len() - 4);
        }
        _ => rest.iter().for_each(|&byte| out.push(byte)),
    }
}

/// Appends the last `left` bytes of a chunk, the others of which `out` ends with.
#[inline]
fn again<const N: usize>(out: &mut Vec<u8>, chunk: Option<&[u8; N]>, left: usize) {
    let Some(chunk) = chunk else { return };
    out.truncate(out.len() - (N - left));
    out.extend_from_slice(chunk);
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
