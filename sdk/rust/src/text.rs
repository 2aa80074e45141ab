//! Text quickly: whether bytes are ASCII, and UTF-8 from bytes that may not be it. Not here: JSON strings.

use std::borrow::Cow;

/// Whether no byte is above 127.
///
/// Cost: 32 bytes at a time, where the standard library takes a word of 4 on WebAssembly.
#[inline]
pub fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        let any = words.iter().fold(0, |any, &word| any | u64::from_ne_bytes(word));
        if any & HIGH != 0 {
            return false;
        }
    }
    rest.iter().fold(0, |any, &byte| any | byte) < 0x80
}

/// The bytes as UTF-8: malformed sequences become U+FFFD, as Java decodes them.
#[inline]
pub fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    if is_ascii(bytes) || std::str::from_utf8(bytes).is_ok() {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned(String::from_utf8_lossy(bytes).into_owned().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_above_127_is_found_anywhere() {
        for len in 0..100 {
            let mut bytes = vec![0x7f; len];
            assert!(is_ascii(&bytes));
            for at in 0..len {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "{at} of {len}");
                bytes[at] = 0;
            }
        }
    }

    #[test]
    fn malformed_utf8_is_replaced() {
        assert_eq!(&*utf8("naïve".as_bytes()), "naïve".as_bytes());
        assert_eq!(&*utf8(b"a\xffb\xc3"), "a\u{fffd}b\u{fffd}".as_bytes());
    }
}
