//! Character sets of `StringConverter`, with Java's replacements for what cannot be read or written.
//!
//! Not here: the many other character sets of a JVM.

/// A character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    Latin1,
    Ascii,
    /// Big-endian with a mark when written; by its mark, else big-endian, when read.
    Utf16,
    Utf16Be,
    Utf16Le,
}

/// What stands for bytes that cannot be read.
const REPLACEMENT: char = '\u{fffd}';

impl Charset {
    /// By one of Java's names for it, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" => Self::Utf8,
            "iso-8859-1" | "iso8859_1" | "iso8859-1" | "iso_8859-1" | "iso_8859_1" | "8859_1"
            | "latin1" | "l1" | "ibm819" | "ibm-819" | "cp819" | "819" | "csisolatin1"
            | "iso-ir-100" | "iso_8859-1:1987" => Self::Latin1,
            "us-ascii" | "ascii" | "ascii7" | "iso646-us" | "646" | "default"
            | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "iso-ir-6" | "iso_646.irv:1983"
            | "iso_646.irv:1991" | "us" | "ibm367" | "cp367" | "csascii" => Self::Ascii,
            "utf-16" | "utf_16" | "utf16" | "unicode" | "unicodebig" => Self::Utf16,
            "utf-16be" | "utf_16be" | "x-utf-16be" | "iso-10646-ucs-2" | "unicodebigunmarked" => {
                Self::Utf16Be
            }
            "utf-16le" | "utf_16le" | "x-utf-16le" | "unicodelittleunmarked" => Self::Utf16Le,
            _ => return None,
        })
    }

    /// Appends in UTF-8 the text that bytes are.
    pub(crate) fn decode(self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Utf8 => decode_utf8(bytes, out),
            Self::Latin1 => bytes.iter().for_each(|&byte| push(out, char::from(byte))),
            Self::Ascii => bytes.iter().for_each(|&byte| {
                push(out, if byte.is_ascii() { char::from(byte) } else { REPLACEMENT });
            }),
            Self::Utf16 => match bytes {
                [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes, out),
                [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes, out),
                _ => decode_utf16(bytes, u16::from_be_bytes, out),
            },
            Self::Utf16Be => decode_utf16(bytes, u16::from_be_bytes, out),
            Self::Utf16Le => decode_utf16(bytes, u16::from_le_bytes, out),
        }
    }

    /// Appends the bytes of text; `?` for what the set does not have.
    pub(crate) fn encode(self, text: &str, out: &mut Vec<u8>) {
        let byte = |letter: char, last: char| {
            if letter <= last { u8::try_from(letter).unwrap_or(b'?') } else { b'?' }
        };
        match self {
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Latin1 => out.extend(text.chars().map(|letter| byte(letter, '\u{ff}'))),
            Self::Ascii => out.extend(text.chars().map(|letter| byte(letter, '\u{7f}'))),
            Self::Utf16 => {
                if !text.is_empty() {
                    out.extend_from_slice(&[0xfe, 0xff]);
                }
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Self::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Self::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        }
    }
}

fn push(out: &mut Vec<u8>, letter: char) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// As Java's decoder: one replacement for each longest part of a sequence, as Unicode recommends, but one also for a whole surrogate in three bytes.
fn decode_utf8(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => return out.extend_from_slice(text.as_bytes()),
            Err(error) => {
                let (valid, malformed) = rest.split_at(error.valid_up_to());
                out.extend_from_slice(valid);
                push(out, REPLACEMENT);
                let skip = match malformed {
                    [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
                    [0xed, 0xa0..=0xbf] => 2,
                    _ => error.error_len().unwrap_or(malformed.len()),
                };
                rest = malformed.get(skip..).unwrap_or_default();
            }
        }
    }
}

/// As Java's decoder: a high surrogate takes the unit after it along, whatever that is.
fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first_chunk::<2>() {
        rest = after;
        let high = u32::from(unit(*first));
        let letter = match high {
            0xd800..0xdc00 => match rest.split_first_chunk::<2>() {
                Some((second, after)) => {
                    rest = after;
                    match u32::from(unit(*second)) {
                        low @ 0xdc00..0xe000 => {
                            char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
                        }
                        _ => None,
                    }
                }
                None => {
                    rest = &[];
                    None
                }
            },
            unit => char::from_u32(unit),
        };
        push(out, letter.unwrap_or(REPLACEMENT));
    }
    if !rest.is_empty() {
        push(out, REPLACEMENT);
    }
}
