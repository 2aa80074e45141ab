//! Writes pieces of JSON to the end of a buffer, as Jackson writes them. Not here: the structure around them.

use super::scan::{self, Plain};
use crate::java;
use crate::short::append;

/// The first byte of a character that UTF-16 needs two units for.
const FOUR_BYTES: u8 = 0xf0;

/// A string with its quotes. As Jackson does in UTF-8, what JSON demands is escaped, with upper-case digits, and characters beyond U+FFFF as two units.
/// What is not UTF-8 becomes an empty string.
#[inline]
pub fn string(out: &mut Vec<u8>, text: &[u8]) {
    if !checked_string(out, text) {
        out.extend_from_slice(b"\"\"");
    }
}

/// As [`string`]; false, and nothing is written, when the text is not UTF-8.
#[inline]
pub(super) fn checked_string(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let Plain { len, ascii } = scan::plain(text);
    let plain = len == text.len() && ascii;
    if !plain && std::str::from_utf8(text).is_err() {
        return false;
    }
    out.push(b'"');
    if plain {
        append(out, text);
    } else {
        escaped(out, text);
    }
    out.push(b'"');
    true
}

#[cold]
fn escaped(out: &mut Vec<u8>, mut text: &[u8]) {
    loop {
        let (plain, rest) = text.split_at(scan::plain(text).len);
        units(out, plain);
        let Some((&special, after)) = rest.split_first() else { return };
        escape(out, special);
        text = after;
    }
}

/// Appends text without anything that JSON demands to be escaped.
fn units(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(place) = text.iter().position(|&byte| byte >= FOUR_BYTES) {
        let (before, rest) = text.split_at(place);
        out.extend_from_slice(before);
        let (character, after) = rest.split_at(rest.len().min(4));
        for unit in String::from_utf8_lossy(character).encode_utf16() {
            out.extend_from_slice(format!("\\u{unit:04X}").as_bytes());
        }
        text = after;
    }
    out.extend_from_slice(text);
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        8 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        12 => b'f',
        b'\r' => b'r',
        b'"' | b'\\' => byte,
        _ => {
            let text = format!("\\u{byte:04X}");
            return out.extend_from_slice(text.as_bytes());
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// A member's name with its colon.
#[inline]
pub fn key(out: &mut Vec<u8>, name: &[u8]) {
    string(out, name);
    out.push(b':');
}

/// A double, as Java prints it; what is no finite number in quotes.
#[inline]
pub fn double(out: &mut Vec<u8>, value: f64) {
    finite(out, value.is_finite(), |out| java::write_double(out, value));
}

/// A float, as Java prints it; what is no finite number in quotes.
#[inline]
pub fn float(out: &mut Vec<u8>, value: f32) {
    finite(out, value.is_finite(), |out| java::write_float(out, value));
}

#[inline]
fn finite(out: &mut Vec<u8>, finite: bool, write: impl FnOnce(&mut Vec<u8>)) {
    if finite {
        return write(out);
    }
    out.push(b'"');
    write(out);
    out.push(b'"');
}
