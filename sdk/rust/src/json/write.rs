//! Writes pieces of JSON to the end of a buffer, as Jackson writes them. Not here: the structure around them.

use super::scan;
use crate::java;

/// A string with its quotes. Only what JSON demands is escaped, with Jackson's upper-case digits.
#[inline]
pub fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let plain = scan::plain(text).len;
    if plain == text.len() {
        scan::copy(out, text, plain);
    } else {
        escaped(out, text);
    }
    out.push(b'"');
}

#[cold]
fn escaped(out: &mut Vec<u8>, mut text: &[u8]) {
    loop {
        let plain = scan::plain(text).len;
        let (before, rest) = text.split_at(plain);
        out.extend_from_slice(before);
        let Some((&special, after)) = rest.split_first() else { return };
        escape(out, special);
        text = after;
    }
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
